//! Reads a delivery report (RFC 3464) as relays really write it: the part message/delivery-status may stand anywhere in the
//! mail, under multipart/report, multipart/mixed or alone, and what it says may be half of what the standard asks for.

use super::super::reply::class;
use crate::contract::Report;
use crate::limits;
use mail_parser::{MessageParser, MimeHeaders};

/// What a mail reports.
#[derive(Debug, PartialEq)]
pub(super) struct Finding(pub Report);

/// The report in a mail; none = it holds none.
pub(super) fn read(mail: &[u8]) -> Option<Finding> {
    let message = MessageParser::default().parse(mail)?;
    let mut texts = message
        .parts
        .iter()
        .filter(|part| part.is_content_type("message", "delivery-status"))
        .map(|part| String::from_utf8_lossy(part.contents()).into_owned());
    texts.find_map(|text| read_status(&text)).map(Finding)
}

/// The fields of one recipient.
#[derive(Default)]
struct Group {
    action: String,
    status: String,
}

/// The gravest of what it says about its recipients: a return path has but one of ours, and relays that split it report each.
fn read_status(text: &str) -> Option<Report> {
    let mut groups: Vec<Group> = vec![Group::default()];
    for line in text.lines() {
        if line.trim().is_empty() {
            if groups.len() == limits::REPORT_GROUPS_MAX {
                break;
            }
            groups.push(Group::default());
            continue;
        }
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        let group = groups.last_mut().expect("there is always one");
        // A comment may follow the value.
        let word = value.split_whitespace().next().unwrap_or_default();
        if name.eq_ignore_ascii_case("action") {
            group.action = word.to_ascii_lowercase();
        } else if name.eq_ignore_ascii_case("status") {
            group.status = word.to_owned();
        }
    }
    let reports = groups.iter().filter_map(Group::report);
    reports.max_by_key(gravity)
}

fn gravity(report: &Report) -> u8 {
    match report {
        Report::Failed { .. } => 3,
        Report::Intermediate { .. } => 2,
        Report::Delivered => 1,
        Report::Unknown => 0,
    }
}

impl Group {
    fn report(&self) -> Option<Report> {
        let class = class(&self.status);
        let code = || match class {
            Some(_) => self.status.clone(),
            None => "5.0.0".to_owned(),
        };
        match (self.action.as_str(), class) {
            ("failed", _) => Some(Report::Failed { code: code() }),
            // Whatever the action is called, class 5 is final.
            ("delayed" | "", Some(5)) => Some(Report::Failed { code: code() }),
            ("delayed", _) => Some(Report::Intermediate {
                state: format!("delayed {}", self.status).trim_end().to_owned(),
            }),
            ("delivered", _) => Some(Report::Delivered),
            // Handed to somebody who reports nothing: nothing is known of the end.
            ("relayed" | "expanded", _) => Some(Report::Intermediate {
                state: self.action.clone(),
            }),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failed(code: &str) -> Option<Finding> {
        Some(Finding(Report::Failed {
            code: code.to_owned(),
        }))
    }

    fn mail(top: &str, status_part: &str) -> Vec<u8> {
        format!(
            "From: <MAILER-DAEMON@relay.example>\nTo: <x@y.example>\nSubject: failure\nMIME-Version: 1.0\n\
             Content-Type: {top}; boundary=\"b1\"\n\n--b1\nContent-Type: text/plain\n\nAction: failed is just text here\n\n\
             --b1\n{status_part}\n--b1\nContent-Type: message/rfc822\n\nSubject: mine\n\nhello\n--b1--\n"
        )
        .replace('\n', "\r\n")
        .into_bytes()
    }

    #[test]
    fn reports_of_real_relays() {
        let postfix = "Content-Description: Delivery report\nContent-Type: message/delivery-status\n\n\
            Reporting-MTA: dns; relay.example\nX-Postfix-Queue-ID: 4F\nArrival-Date: Tue, 24 Nov 2026 17:00:00 +0000\n\n\
            Final-Recipient: rfc822; ada@example.org\nOriginal-Recipient: rfc822;ada@example.org\nAction: failed\n\
            Status: 5.1.1\nRemote-MTA: dns; mx.example.org\nDiagnostic-Code: smtp; 550 5.1.1 no such\n    user here\n";
        assert_eq!(
            read(&mail(
                "multipart/report; report-type=delivery-status",
                postfix
            )),
            failed("5.1.1")
        );
        // OpenSMTPD: multipart/mixed and a status without detail.
        let opensmtpd = "Content-Type: message/delivery-status\n\nReporting-MTA: dns; me\n\n\
            Final-Recipient: rfc822; ada@example.org\nAction: failed\nStatus: 5.0.0\n";
        assert_eq!(read(&mail("multipart/mixed", opensmtpd)), failed("5.0.0"));
        let delayed = opensmtpd.replace("failed\nStatus: 5.0.0", "delayed\nStatus: 4.0.0");
        let state = "delayed 4.0.0".to_owned();
        assert_eq!(
            read(&mail("multipart/mixed", &delayed)),
            Some(Finding(Report::Intermediate { state }))
        );
        let final_delay = opensmtpd.replace("failed\nStatus: 5.0.0", "delayed\nStatus: 5.0.0");
        assert_eq!(
            read(&mail("multipart/mixed", &final_delay)),
            failed("5.0.0")
        );
        let comment = opensmtpd.replace("5.0.0", "5.2.1 (disabled)");
        assert_eq!(read(&mail("multipart/mixed", &comment)), failed("5.2.1"));
        let bare = opensmtpd.replace("\nStatus: 5.0.0", "");
        assert_eq!(read(&mail("multipart/mixed", &bare)), failed("5.0.0"));
        let global = opensmtpd.replace("delivery-status", "delivery-status; charset=utf-8");
        assert_eq!(read(&mail("multipart/mixed", &global)), failed("5.0.0"));
        let delivered = opensmtpd.replace("failed\nStatus: 5.0.0", "delivered\nStatus: 2.0.0");
        assert_eq!(
            read(&mail("multipart/report", &delivered)),
            Some(Finding(Report::Delivered))
        );
        let two =
            format!("{delivered}\nFinal-Recipient: rfc822; b@c\nAction: failed\nStatus: 5.1.1\n");
        assert_eq!(read(&mail("multipart/report", &two)), failed("5.1.1"));
    }

    #[test]
    fn other_mail_reports_nothing() {
        let away = b"From: a@b\r\nAuto-Submitted: auto-replied\r\nSubject: away\r\n\r\nAction: failed\r\nStatus: 5.1.1\r\n";
        assert_eq!(read(away), None);
        assert_eq!(read(b""), None);
        assert_eq!(
            read(&mail(
                "multipart/mixed",
                "Content-Type: text/plain\n\nhello\n"
            )),
            None
        );
        assert_eq!(
            read(&mail(
                "multipart/mixed",
                "Content-Type: message/delivery-status\n\nReporting-MTA: dns; me\n"
            )),
            None
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "\\PC{0,200}") {
            let _ = read(&bytes);
            let _ = read(&mail("multipart/mixed", &format!("Content-Type: message/delivery-status\n\n{text}\n")));
            let _ = read_status(&text);
        }
    }
}
