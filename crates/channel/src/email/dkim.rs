//! DKIM signatures (RFC 6376; Ed25519 by RFC 8463), relaxed in both header and body, made with ring.

use super::config::Dkim;
use super::{StartError, pem};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use carillon_model::Moment;
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};

/// The headers that are signed where a mail has them; those of unsubscribing must be (RFC 8058).
const SIGNED: [&str; 11] = [
    "from",
    "to",
    "subject",
    "date",
    "reply-to",
    "message-id",
    "mime-version",
    "content-type",
    "content-transfer-encoding",
    "list-unsubscribe",
    "list-unsubscribe-post",
];

enum Secret {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// Signs the mails of one domain.
pub(super) struct Signer {
    domain: String,
    selector: String,
    secret: Secret,
}

impl Signer {
    pub fn new(carrier: &str, config: &Dkim) -> Result<Self, StartError> {
        let fault = |problem: &str| StartError::File {
            carrier: carrier.to_owned(),
            file: config.key.display().to_string(),
            problem: problem.to_owned(),
        };
        let text =
            std::fs::read_to_string(&config.key).map_err(|error| fault(&error.to_string()))?;
        let secret = read_secret(&text).map_err(fault)?;
        Ok(Self {
            domain: config.domain.clone(),
            selector: config.selector.clone(),
            secret,
        })
    }

    /// The header that signs a mail, its line end included, to stand before the others. `mail` has headers, an empty line
    /// and a body, all of its lines ending in CRLF.
    pub fn sign(&self, mail: &str, now: Moment) -> String {
        let (headers, body) = mail.split_once("\r\n\r\n").unwrap_or((mail, ""));
        let headers = fields(headers);
        let mut names = Vec::new();
        let mut hashed = String::new();
        for wanted in SIGNED {
            let found = headers
                .iter()
                .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
            if let Some((_, value)) = found {
                names.push(wanted);
                hashed.push_str(&format!("{wanted}:{}\r\n", relaxed_value(value)));
            }
        }
        let algorithm = match self.secret {
            Secret::Rsa(_) => "rsa",
            Secret::Ed25519(_) => "ed25519",
        };
        let start = format!(
            "v=1; a={algorithm}-sha256; c=relaxed/relaxed; d={}; s={};\r\n t={}; h={};\r\n bh={};\r\n b=",
            self.domain,
            self.selector,
            now.0 / 1_000,
            names.join(":"),
            BASE64.encode(digest(&SHA256, relaxed_body(body).as_bytes())),
        );
        hashed.push_str(&format!("dkim-signature:{}", relaxed_value(&start)));
        format!(
            "DKIM-Signature: {start}{}\r\n",
            folded(&BASE64.encode(self.seal(&hashed)))
        )
    }

    fn seal(&self, text: &str) -> Vec<u8> {
        match &self.secret {
            Secret::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(
                    &RSA_PKCS1_SHA256,
                    &SystemRandom::new(),
                    text.as_bytes(),
                    &mut signature,
                )
                .expect("the signature is as long as the modulus, and the system has randomness");
                signature
            }
            // RFC 8463 signs the hash, not the text.
            Secret::Ed25519(pair) => pair
                .sign(digest(&SHA256, text.as_bytes()).as_ref())
                .as_ref()
                .to_vec(),
        }
    }
}

fn read_secret(text: &str) -> Result<Secret, &'static str> {
    for (label, bytes) in pem::blocks(text)? {
        match label.as_str() {
            "RSA PRIVATE KEY" => {
                return RsaKeyPair::from_der(&bytes)
                    .map(Secret::Rsa)
                    .map_err(|_| "not an RSA key of 2,048 to 4,096 bits");
            }
            "PRIVATE KEY" => {
                if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes) {
                    return Ok(Secret::Ed25519(pair));
                }
                return RsaKeyPair::from_pkcs8(&bytes)
                    .map(Secret::Rsa)
                    .map_err(|_| "neither an Ed25519 key nor an RSA key of 2,048 to 4,096 bits");
            }
            _ => {}
        }
    }
    Err("holds no private key in PEM")
}

/// Headers with their values, folded lines joined as they are.
fn fields(headers: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in headers.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push_str(line);
            }
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim_end(), value.to_owned()));
        }
    }
    fields
}

fn relaxed_value(value: &str) -> String {
    let words = value.split([' ', '\t', '\r', '\n']);
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn relaxed_body(body: &str) -> String {
    let mut relaxed = String::with_capacity(body.len() + 2);
    let mut empty_lines = 0;
    for line in body.split("\r\n") {
        let line = line.trim_end_matches([' ', '\t']);
        if line.is_empty() {
            empty_lines += 1;
            continue;
        }
        for _ in 0..empty_lines {
            relaxed.push_str("\r\n");
        }
        empty_lines = 0;
        let mut in_gap = false;
        for character in line.chars() {
            let gap = matches!(character, ' ' | '\t');
            match (gap, in_gap) {
                (true, true) => {}
                (true, false) => relaxed.push(' '),
                (false, _) => relaxed.push(character),
            }
            in_gap = gap;
        }
        relaxed.push_str("\r\n");
    }
    relaxed
}

fn folded(text: &str) -> String {
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(72)
        .map(|line| std::str::from_utf8(line).expect("base64 is ASCII"))
        .collect();
    lines.join("\r\n ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_relaxed_as_the_standard_says() {
        // RFC 6376, 3.4.5.
        assert_eq!(relaxed_body(" C \r\nD \t E\r\n\r\n\r\n"), " C\r\nD E\r\n");
        for (body, relaxed) in [
            ("", ""),
            ("\r\n\r\n", ""),
            ("a", "a\r\n"),
            ("\r\n\r\na\r\n", "\r\n\r\na\r\n"),
        ] {
            assert_eq!(relaxed_body(body), relaxed, "{body:?}");
        }
        assert_eq!(relaxed_value(" X \r\n\t Y\t\r\n  Z  "), "X Y Z");
    }

    #[test]
    fn the_example_of_the_ed25519_standard_has_its_body_hash() {
        // RFC 8463, appendix A: the body of its example and the bh= of its signature.
        let body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
        assert_eq!(
            BASE64.encode(digest(&SHA256, relaxed_body(body).as_bytes())),
            "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
        );
    }
}
