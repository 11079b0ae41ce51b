//! What a carrier counts, by the names an operator sees (`docs/metrics.md`). The recorder must be installed before a channel
//! starts.

use crate::contract::{Answer, Report};
use metrics::{Counter, Gauge, counter, describe_counter, describe_gauge, gauge};

const COUNTERS: [(&str, &str); 6] = [
    (
        "carillon_carrier_submitted_total",
        "Parts handed to the carrier, those it put off and was offered again included",
    ),
    (
        "carillon_carrier_answers_total",
        "Orders by answer: accepted, refused, doubt, not_sent",
    ),
    (
        "carillon_carrier_throttled_total",
        "Parts the carrier would not take yet",
    ),
    (
        "carillon_carrier_receipts_total",
        "Receipts: delivered, failed, intermediate, unknown",
    ),
    (
        "carillon_carrier_inbound_total",
        "Messages from people, joined from their parts",
    ),
    (
        "carillon_carrier_late_total",
        "Responses that came after their time-out, or that nobody asked for",
    ),
];
const GAUGES: [(&str, &str); 2] = [
    ("carillon_carrier_link_up", "Links that can send"),
    (
        "carillon_carrier_window_used",
        "Parts and queries without an answer, over all links",
    ),
];

/// The counters of one carrier, looked up once.
pub(crate) struct Meter {
    pub submitted: Counter,
    accepted: Counter,
    refused: Counter,
    doubt: Counter,
    pub not_sent: Counter,
    pub throttled: Counter,
    receipts: [Counter; 4],
    pub inbound: Counter,
    pub late: Counter,
    pub link_up: Gauge,
    pub window_used: Gauge,
}

impl Meter {
    pub fn new(carrier: &str) -> Self {
        for (name, meaning) in COUNTERS {
            describe_counter!(name, meaning);
        }
        for (name, meaning) in GAUGES {
            describe_gauge!(name, meaning);
        }
        let answers = |answer: &'static str| counter!("carillon_carrier_answers_total", "carrier" => carrier.to_owned(), "answer" => answer);
        let receipts = |report: &'static str| counter!("carillon_carrier_receipts_total", "carrier" => carrier.to_owned(), "report" => report);
        let carrier = || carrier.to_owned();
        Self {
            submitted: counter!("carillon_carrier_submitted_total", "carrier" => carrier()),
            accepted: answers("accepted"),
            refused: answers("refused"),
            doubt: answers("doubt"),
            not_sent: answers("not_sent"),
            throttled: counter!("carillon_carrier_throttled_total", "carrier" => carrier()),
            receipts: ["delivered", "failed", "intermediate", "unknown"].map(receipts),
            inbound: counter!("carillon_carrier_inbound_total", "carrier" => carrier()),
            late: counter!("carillon_carrier_late_total", "carrier" => carrier()),
            link_up: gauge!("carillon_carrier_link_up", "carrier" => carrier()),
            window_used: gauge!("carillon_carrier_window_used", "carrier" => carrier()),
        }
    }

    pub fn answer(&self, answer: &Answer) {
        match answer {
            Answer::Accepted { .. } => &self.accepted,
            Answer::Refused { .. } => &self.refused,
            Answer::Doubt => &self.doubt,
            Answer::NotSent => &self.not_sent,
        }
        .increment(1);
    }

    pub fn receipt(&self, report: &Report) {
        let index = match report {
            Report::Delivered => 0,
            Report::Failed { .. } => 1,
            Report::Intermediate { .. } => 2,
            Report::Unknown => 3,
        };
        self.receipts[index].increment(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_explains_each() {
        let page = include_str!("../../../../docs/metrics.md");
        for (kind, metrics) in [("counter", &COUNTERS[..]), ("gauge", &GAUGES[..])] {
            for (name, meaning) in metrics {
                let row = format!("| `{name}` | {kind} | ");
                let line = page.lines().find(|line| line.starts_with(&row));
                let line = line.unwrap_or_else(|| panic!("docs/metrics.md has no row {row}"));
                assert!(line.contains(meaning), "{name} means: {meaning}");
            }
        }
    }
}
