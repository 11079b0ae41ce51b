//! The tokens that stand in a mail and come back from outside: the unsubscribe link, links with answers, the return path
//! of bounces. Each names the attempt and is sealed with HMAC-SHA-256 under the installation's key, so none can be guessed
//! or changed, and each kind is sealed under its own label, so that none passes for another. Nothing is stored for them.
//!
//! The server's part: `POST {public_url}/u/{token}` with [`read_unsubscribe`] opts the address out, with no log-in and no
//! page (RFC 8058), while GET only shows a page with a button; `GET {public_url}/a/{token}` with [`read_answer`] records
//! the answer and redirects (302) to the address in the token, which is the Script's and not the visitor's.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use carillon_model::AttemptId;
use ring::hmac;

/// The path of unsubscribing under `public_url`.
pub const UNSUBSCRIBE_PATH: &str = "/u/";
/// The path of links with answers under `public_url`.
pub const ANSWER_PATH: &str = "/a/";
/// What the local part of a return path begins with.
pub const RETURN_PREFIX: &str = "bounce+";

/// Bytes of a seal in links: 128 bits.
const SEAL: usize = 16;
/// Bytes of a seal in a return path, whose local part has 64 characters: 80 bits.
const RETURN_SEAL: usize = 10;
/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 4_096;

/// The key that seals. The server derives it from the installation's key.
#[derive(Clone, Default)]
pub struct Key(Option<hmac::Key>);

impl Key {
    /// A key of 32 random bytes.
    pub fn new(bytes: &[u8; 32]) -> Self {
        Self(Some(hmac::Key::new(hmac::HMAC_SHA256, bytes)))
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.is_some()
    }

    fn seal<const LENGTH: usize>(&self, label: &[u8], body: &[u8]) -> [u8; LENGTH] {
        let key = self
            .0
            .as_ref()
            .expect("a carrier without a key does not start");
        let mut context = hmac::Context::with_key(key);
        context.update(label);
        context.update(body);
        let tag = context.sign();
        tag.as_ref()[..LENGTH]
            .try_into()
            .expect("a seal is shorter than a tag")
    }

    fn is_sealed<const LENGTH: usize>(&self, label: &[u8], body: &[u8], seal: &[u8]) -> bool {
        if self.0.is_none() || seal.len() != LENGTH {
            return false;
        }
        let wanted = self.seal::<LENGTH>(label, body);
        // Every byte is compared, so that the time tells nothing.
        let differences = wanted
            .iter()
            .zip(seal)
            .fold(0, |all, (one, other)| all | (one ^ other));
        std::hint::black_box(differences) == 0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Key(…)")
    }
}

/// What a link with an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnswerLink {
    /// The attempt whose mail it stands in.
    pub attempt: AttemptId,
    /// The answer.
    pub answer: String,
    /// Where it leads.
    pub url: String,
}

/// The token of unsubscribing.
pub fn unsubscribe(key: &Key, attempt: AttemptId) -> String {
    let body = attempt.0.to_be_bytes();
    sealed(key, b"unsubscribe\0", &body)
}

/// The attempt whose mail an unsubscribe token stands in.
pub fn read_unsubscribe(key: &Key, token: &str) -> Option<AttemptId> {
    let body = opened(key, b"unsubscribe\0", token)?;
    Some(AttemptId(i64::from_be_bytes(body.try_into().ok()?)))
}

/// The token of a link with an answer.
pub fn answer(key: &Key, attempt: AttemptId, answer: &str, url: &str) -> String {
    let mut body = attempt.0.to_be_bytes().to_vec();
    // The answer is a word without a line end, so the first one ends it.
    body.extend_from_slice(answer.as_bytes());
    body.push(b'\n');
    body.extend_from_slice(url.as_bytes());
    sealed(key, b"answer\0", &body)
}

/// What a token of a link with an answer says.
pub fn read_answer(key: &Key, token: &str) -> Option<AnswerLink> {
    let body = opened(key, b"answer\0", token)?;
    let (attempt, rest) = body.split_first_chunk::<8>()?;
    let (answer, url) = std::str::from_utf8(rest).ok()?.split_once('\n')?;
    Some(AnswerLink {
        attempt: AttemptId(i64::from_be_bytes(*attempt)),
        answer: answer.to_owned(),
        url: url.to_owned(),
    })
}

/// The return path of an attempt: where its bounces go. Relays may change the case of a local part, so it has one.
pub fn return_path(key: &Key, attempt: AttemptId, domain: &str) -> String {
    let body = attempt.0.to_be_bytes();
    let seal = key.seal::<RETURN_SEAL>(b"return\0", &body);
    format!("{RETURN_PREFIX}{}{}@{domain}", hex(&body), hex(&seal))
}

/// The attempt a return path belongs to.
pub fn read_return_path(key: &Key, address: &str, domain: &str) -> Option<AttemptId> {
    let (local, of) = address.split_once('@')?;
    let prefix = local.get(..RETURN_PREFIX.len())?;
    if !of.eq_ignore_ascii_case(domain) || !prefix.eq_ignore_ascii_case(RETURN_PREFIX) {
        return None;
    }
    let bytes = unhex(&local[RETURN_PREFIX.len()..])?;
    let (body, seal) = bytes.split_first_chunk::<8>()?;
    key.is_sealed::<RETURN_SEAL>(b"return\0", body, seal)
        .then(|| AttemptId(i64::from_be_bytes(*body)))
}

/// The Message-ID of an attempt, with its angle brackets: the same each time, so a bounce or a repetition names it.
pub fn message_id(key: &Key, attempt: AttemptId, domain: &str) -> String {
    let body = attempt.0.to_be_bytes();
    // Sealed so that message ids do not tell how many mails an installation sends.
    format!("<{}@{domain}>", hex(&key.seal::<SEAL>(b"message\0", &body)))
}

fn sealed(key: &Key, label: &[u8], body: &[u8]) -> String {
    let mut bytes = key.seal::<SEAL>(label, body).to_vec();
    bytes.extend_from_slice(body);
    BASE64.encode(bytes)
}

fn opened(key: &Key, label: &[u8], token: &str) -> Option<Vec<u8>> {
    if token.len() > TOKEN_BYTES_MAX {
        return None;
    }
    let bytes = BASE64.decode(token).ok()?;
    let (seal, body) = bytes.split_at_checked(SEAL)?;
    key.is_sealed::<SEAL>(label, body, seal)
        .then(|| body.to_vec())
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || text.len() > 64 {
        return None;
    }
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            // A sign would be read as part of a number.
            let digits = pair.bytes().all(|byte| byte.is_ascii_hexdigit());
            u8::from_str_radix(pair, 16).ok().filter(|_| digits)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(byte: u8) -> Key {
        Key::new(&[byte; 32])
    }

    proptest! {
        #[test]
        fn tokens_come_back(attempt in any::<i64>(), word in "[a-z]{1,20}", url in "https://[a-z./?=&é]{1,80}") {
            let (key, attempt) = (key(7), AttemptId(attempt));
            prop_assert_eq!(read_unsubscribe(&key, &unsubscribe(&key, attempt)), Some(attempt));
            let link = AnswerLink { attempt, answer: word, url };
            prop_assert_eq!(read_answer(&key, &answer(&key, attempt, &link.answer, &link.url)), Some(link));
            let path = return_path(&key, attempt, "b.example");
            prop_assert!(path.split('@').next().is_some_and(|local| local.len() <= 64));
            prop_assert_eq!(read_return_path(&key, &path, "B.example"), Some(attempt));
            prop_assert_eq!(read_return_path(&key, &path.to_uppercase(), "b.example"), Some(attempt));
        }

        #[test]
        fn anything_else_is_refused(text in "\\PC{0,80}", at in 0_usize..32, change in 1_u8..=255) {
            let key = key(7);
            prop_assert_eq!(read_unsubscribe(&key, &text), None);
            prop_assert_eq!(read_answer(&key, &text), None);
            prop_assert_eq!(read_return_path(&key, &text, "b.example"), None);
            let token = unsubscribe(&key, AttemptId(5));
            let mut bytes = BASE64.decode(token).expect("ours");
            let at = at % bytes.len();
            bytes[at] ^= change;
            prop_assert_eq!(read_unsubscribe(&key, &BASE64.encode(bytes)), None);
        }
    }

    #[test]
    fn kinds_and_keys_are_apart() {
        let (mine, other, attempt) = (key(1), key(2), AttemptId(9));
        let token = unsubscribe(&mine, attempt);
        assert_eq!(read_unsubscribe(&other, &token), None);
        assert_eq!(read_unsubscribe(&Key::default(), &token), None);
        assert_eq!(read_answer(&mine, &token), None);
        let link = answer(&mine, attempt, "y", "https://x/");
        assert_eq!(read_unsubscribe(&mine, &link), None);
        let path = return_path(&mine, attempt, "b.example");
        assert_eq!(read_return_path(&mine, &path, "c.example"), None);
        assert_eq!(read_return_path(&other, &path, "b.example"), None);
        assert_ne!(
            message_id(&mine, attempt, "b"),
            message_id(&mine, AttemptId(10), "b")
        );
        assert!(!format!("{mine:?}").contains('1'));
    }
}
