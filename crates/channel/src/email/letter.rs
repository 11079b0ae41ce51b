//! From an order to the bytes of a mail: multipart/alternative in UTF-8, the tokens of its attempt, and the signature.

use super::StartError;
use super::config::Config;
use super::dkim::Signer;
use super::links::{self, Key};
use crate::contract::{Content, Order};
use carillon_model::moment::Clock;
use carillon_script::email::{Rendered, is_address};
use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A mail, ready to be handed over.
pub(super) struct Mail {
    /// Where bounces go.
    pub return_path: String,
    /// The person.
    pub to: String,
    /// Headers and body, lines ending in CRLF.
    pub content: Vec<u8>,
    /// The Message-ID in angle brackets.
    pub message_id: String,
}

/// Why an order cannot become a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The person's address is none.
    Recipient,
    /// Our address, the reply address or the content cannot be put into a mail.
    Content,
}

/// Makes mails.
pub(super) struct Writer {
    return_domain: String,
    public_url: String,
    key: Key,
    signer: Option<Signer>,
    clock: Arc<dyn Clock>,
}

impl Writer {
    pub fn new(config: &Config, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let signer = config
            .dkim
            .as_ref()
            .map(|dkim| Signer::new(&config.name, dkim));
        Ok(Self {
            return_domain: config.return_domain.clone(),
            public_url: config.public_url.trim_end_matches('/').to_owned(),
            key: config.key.clone(),
            signer: signer.transpose()?,
            clock,
        })
    }

    /// The attempt whose bounces come to this address.
    pub fn attempt_of(&self, return_path: &str) -> Option<carillon_model::AttemptId> {
        links::read_return_path(&self.key, return_path, &self.return_domain)
    }

    /// The Message-ID of an attempt.
    pub fn message_id(&self, attempt: carillon_model::AttemptId) -> String {
        links::message_id(&self.key, attempt, &self.return_domain)
    }

    pub fn write(&self, order: &Order) -> Result<Mail, Unfit> {
        let Content::Email { letter } = &order.content else {
            return Err(Unfit::Content);
        };
        let to = address(&order.to).ok_or(Unfit::Recipient)?;
        let from = address(&order.from).ok_or(Unfit::Content)?;
        let now = self.clock.now();
        let date = Duration::from_millis(u64::try_from(now.0).unwrap_or_default());
        let message_id = self.message_id(order.attempt);
        let unsubscribe = links::unsubscribe(&self.key, order.attempt);
        let unsubscribe = format!(
            "<{}{}{unsubscribe}>",
            self.public_url,
            links::UNSUBSCRIBE_PATH
        );
        let mut builder = lettre::Message::builder()
            .from(Mailbox::new(letter.from_name.clone(), from))
            .to(Mailbox::new(None, to))
            .subject(letter.subject.as_str())
            .date(SystemTime::UNIX_EPOCH + date)
            .message_id(Some(message_id.clone()))
            .raw_header(raw("List-Unsubscribe", unsubscribe))
            .raw_header(raw(
                "List-Unsubscribe-Post",
                "List-Unsubscribe=One-Click".to_owned(),
            ));
        if let Some(reply_to) = &letter.reply_to {
            let reply_to = address(reply_to).ok_or(Unfit::Content)?;
            builder = builder.reply_to(Mailbox::new(None, reply_to));
        }
        let message = self.body(builder, letter, order)?;
        let mut content = message.formatted();
        if let Some(signer) = &self.signer {
            let text = std::str::from_utf8(&content).map_err(|_| Unfit::Content)?;
            let mut signed = signer.sign(text, now).into_bytes();
            signed.append(&mut content);
            content = signed;
        }
        Ok(Mail {
            return_path: links::return_path(&self.key, order.attempt, &self.return_domain),
            to: order.to.clone(),
            content,
            message_id,
        })
    }

    fn body(
        &self,
        builder: MessageBuilder,
        letter: &Rendered,
        order: &Order,
    ) -> Result<lettre::Message, Unfit> {
        let html = letter.html_with(|link| {
            let token = links::answer(&self.key, order.attempt, &link.answer, &link.url);
            format!("{}{}{token}", self.public_url, links::ANSWER_PATH)
        });
        // One kind of line end before the body is encoded, so that what is signed is what arrives.
        let lines = |text: &str| {
            text.replace("\r\n", "\n")
                .replace('\r', "\n")
                .replace('\n', "\r\n")
        };
        let text = letter.text.as_deref().map(lines).map(SinglePart::plain);
        let html = html.as_deref().map(lines).map(SinglePart::html);
        let message = match (text, html) {
            (Some(text), Some(html)) => {
                // Unguessable, so no text can hold it; made from the attempt, so the same mail is the same bytes.
                let token = links::unsubscribe(&self.key, order.attempt);
                let boundary = links::hex(&token.as_bytes()[..20]);
                let parts = MultiPart::alternative().boundary(boundary);
                builder.multipart(parts.singlepart(text).singlepart(html))
            }
            (Some(part), None) | (None, Some(part)) => builder.singlepart(part),
            (None, None) => return Err(Unfit::Content),
        };
        message.map_err(|_| Unfit::Content)
    }
}

/// A plain ASCII address; others need SMTPUTF8, which is not spoken.
fn address(text: &str) -> Option<Address> {
    let (local, domain) = text.split_once('@')?;
    if !text.is_ascii() || !is_address(text) {
        return None;
    }
    Address::new(local, domain).ok()
}

fn raw(name: &'static str, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(
        HeaderName::new_from_ascii_str(name),
        value.clone(),
        value,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::{AttemptId, Moment};
    use carillon_script::email::Link;
    use mail_parser::{MessageParser, MimeHeaders};

    struct Fixed;
    impl Clock for Fixed {
        fn now(&self) -> Moment {
            Moment(1_795_525_509_120)
        }
    }

    fn writer() -> Writer {
        let config = Config::new(
            "m",
            "127.0.0.1:25",
            "b.example",
            "https://me.example/",
            Key::new(&[3; 32]),
        );
        Writer::new(&config, Arc::new(Fixed)).expect("a writer")
    }

    fn order(letter: Rendered) -> Order {
        Order {
            attempt: AttemptId(42),
            carrier: "m".into(),
            from: "news@example.com".to_owned(),
            to: "ada@example.org".to_owned(),
            content: Content::Email {
                letter: Box::new(letter),
            },
            expires: None,
        }
    }

    fn letter() -> Rendered {
        Rendered {
            from_name: Some("Nörth, \"Co\"".to_owned()),
            reply_to: Some("help@example.com".to_owned()),
            subject: "Grüße an alle".to_owned(),
            text: Some("Hallo Ä,\n.\nfoo\r\nbar".to_owned()),
            html: Some("<a href=\"\">ja</a>".to_owned()),
            links: vec![Link {
                answer: "yes".to_owned(),
                url: "https://x.example/?a=1".to_owned(),
                at: 9,
            }],
        }
    }

    #[test]
    fn a_mail_is_what_another_reader_finds() {
        let mail = writer().write(&order(letter())).expect("a mail");
        let message = MessageParser::default()
            .parse(&mail.content)
            .expect("a message");
        assert_eq!(message.subject(), Some("Grüße an alle"));
        let from = message
            .from()
            .and_then(|from| from.first())
            .expect("a sender");
        assert_eq!(
            (from.name(), from.address()),
            (Some("Nörth, \"Co\""), Some("news@example.com"))
        );
        assert_eq!(
            message.message_id().map(|id| format!("<{id}>")),
            Some(mail.message_id.clone())
        );
        assert!(
            message
                .content_type()
                .is_some_and(|it| it.c_type == "multipart" && it.subtype() == Some("alternative"))
        );
        assert_eq!(
            message
                .body_text(0)
                .map(|text| text.replace("\r\n", "\n"))
                .as_deref(),
            Some("Hallo Ä,\n.\nfoo\nbar")
        );
        let html = message.body_html(0).expect("HTML").into_owned();
        let token = html
            .split(links::ANSWER_PATH)
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .expect("a link");
        let link = links::read_answer(&Key::new(&[3; 32]), token).expect("ours");
        assert_eq!(
            (link.attempt, link.answer.as_str(), link.url.as_str()),
            (AttemptId(42), "yes", "https://x.example/?a=1")
        );
        let header = |name: &str| {
            let header = message.headers_raw().find(|(found, _)| *found == name);
            header
                .map(|(_, value)| value.trim().to_owned())
                .expect(name)
        };
        assert_eq!(
            header("List-Unsubscribe-Post"),
            "List-Unsubscribe=One-Click"
        );
        let url = header("List-Unsubscribe");
        let token = url
            .strip_prefix("<https://me.example/u/")
            .and_then(|rest| rest.strip_suffix('>'))
            .expect(&url);
        assert_eq!(
            links::read_unsubscribe(&Key::new(&[3; 32]), token),
            Some(AttemptId(42))
        );
        assert_eq!(writer().attempt_of(&mail.return_path), Some(AttemptId(42)));
        let text = String::from_utf8(mail.content).expect("ASCII");
        assert!(
            text.is_ascii()
                && text
                    .split("\r\n")
                    .all(|line| line.len() <= 998 && !line.contains(['\r', '\n']))
        );
        assert_eq!(
            text,
            String::from_utf8(writer().write(&order(letter())).expect("again").content)
                .expect("ASCII")
        );
    }

    #[test]
    fn what_cannot_be_a_mail() {
        let unfit = |change: fn(&mut Order)| {
            let mut order = order(letter());
            change(&mut order);
            writer().write(&order).err()
        };
        assert_eq!(
            unfit(|order| order.to = "+49151".to_owned()),
            Some(Unfit::Recipient)
        );
        assert_eq!(
            unfit(|order| order.to = "a@b>\r\nRCPT TO:<c@d".to_owned()),
            Some(Unfit::Recipient)
        );
        assert_eq!(
            unfit(|order| order.to = "ü@example.org".to_owned()),
            Some(Unfit::Recipient)
        );
        assert_eq!(
            unfit(|order| order.from = "72273".to_owned()),
            Some(Unfit::Content)
        );
        let text = |order: &mut Order| {
            order.content = Content::Text {
                body: String::new(),
                max_parts: 1,
            }
        };
        assert_eq!(unfit(text), Some(Unfit::Content));
        let hostile = Rendered {
            subject: "x\r\nBcc: all@example.com".to_owned(),
            ..letter()
        };
        let mail = writer().write(&order(hostile)).expect("a mail");
        let text = String::from_utf8(mail.content).expect("ASCII");
        assert!(!text.to_ascii_lowercase().contains("\r\nbcc:"), "{text}");
    }
}
