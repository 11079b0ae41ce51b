//! Text campaigns against SMS centres that were not written here, well behaved and not. The answers of the ledger are
//! compared with what the centre saw.

use crate::peer::Centre;
use crate::support::{Campaign, Installation, Server, launch, people, set_up, wait_until};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A server with one carrier, and a campaign over so many people.
struct Trip {
    installation: Installation,
    server: Server,
    campaign: Campaign,
}

fn trip(centre: &Centre, count: usize, carrier: &str, pass: &Value) -> Trip {
    let installation = Installation::new();
    installation.import("People", &people(count));
    let server = installation.serve(&format!(
        "[[carrier]]\nname = \"centre\"\nkind = \"smpp\"\naddress = \"{}\"\nsystem_id = \"test\"\npassword = \"secret\"\nreconnect = \"50ms\"\n{carrier}",
        centre.address
    ));
    let mut fast = json!({"pacing": "Fixed", "contactsPerMinute": 60_000});
    for (key, value) in pass.as_object().into_iter().flatten() {
        fast[key] = value.clone();
    }
    let campaign = set_up(
        &server,
        &installation,
        "Hello {{ contact.firstName }}, Gr\u{fc}\u{df}e {{ contact.other1 | default('') }}",
        &fast,
    );
    Trip {
        installation,
        server,
        campaign,
    }
}

impl Trip {
    /// Runs the campaign to its end and answers (delivered, failed, attempted).
    fn run(&self) -> (i64, i64, i64) {
        let run = launch(&self.server, &self.installation, &self.campaign, "People");
        wait_until("the campaign is done", || self.server.state(&run) == "Done");
        let count = |name: &str| self.server.count(&run, name);
        (
            count("deliveredCount"),
            count("failedCount"),
            count("attemptedCount"),
        )
    }
}

/// How often each number was submitted.
fn submits(centre: &mut Centre) -> BTreeMap<String, usize> {
    let mut numbers = BTreeMap::new();
    for seen in centre
        .seen()
        .iter()
        .filter(|seen| seen["event"] == "submit")
    {
        *numbers
            .entry(seen["destination"].as_str().unwrap_or_default().to_owned())
            .or_insert(0) += 1;
    }
    numbers
}

#[test]
fn receipts_before_the_answer_twice_and_in_another_base() {
    for options in [
        json!({"receipts": "before"}),
        json!({"receipts": "twice"}),
        json!({"receiptIds": "decimal"}),
        json!({"receipts": "before", "receiptIds": "decimal", "receiptForm": "text"}),
        json!({"receiptForm": "tlv"}),
    ] {
        let mut centre = Centre::npm(&options);
        let trip = trip(
            &centre,
            150,
            "receipts = true\nreceipt_wait = \"60s\"",
            &json!({}),
        );
        assert_eq!(trip.run(), (150, 0, 150), "{options}");
        assert_eq!(submits(&mut centre).len(), 150, "{options}");
        assert!(
            submits(&mut centre).values().all(|times| *times == 1),
            "{options}"
        );
        assert!(trip.server.stop());
    }
}

#[test]
fn a_receipt_that_never_comes_is_success_after_the_wait() {
    let centre = Centre::npm(&json!({"receipts": "never"}));
    let trip = trip(
        &centre,
        40,
        "receipts = true\nreceipt_wait = \"2s\"",
        &json!({}),
    );
    assert_eq!(trip.run(), (40, 0, 40));
}

#[test]
fn undelivered_is_failed_and_refused_is_failed() {
    // The last four digits are 0100 … 0199: ten end with 7, ten with 3.
    let centre = Centre::npm(&json!({"receiptStates": {"7": "UNDELIV"}, "refuse": {"3": 11}}));
    let trip = trip(&centre, 100, "receipts = true", &json!({}));
    assert_eq!(trip.run(), (80, 20, 100));
}

#[test]
fn throttling_and_a_full_queue_cost_time_and_nothing_else() {
    let mut centre = Centre::npm(&json!({"throttledEvery": 7, "queueFullEvery": 11}));
    let trip = trip(
        &centre,
        200,
        "receipts = true\nthrottle_pause = \"20ms\"",
        &json!({}),
    );
    assert_eq!(trip.run(), (200, 0, 200));
    assert!(
        centre.count("submit") > 200,
        "what was put off was sent again"
    );
}

#[test]
fn a_cut_link_leaves_marked_doubts_and_no_second_message() {
    let mut centre = Centre::npm(&json!({"cutAt": 10}));
    let trip = trip(
        &centre,
        120,
        "receipts = true\nwindow = 10\nreceipt_wait = \"3s\"",
        &json!({}),
    );
    let (delivered, failed, attempted) = trip.run();
    assert_eq!((delivered + failed, attempted), (120, 120));
    assert!(
        failed > 0 && failed <= 10,
        "the doubts are at most the window: {failed}"
    );
    assert!(
        submits(&mut centre).values().all(|times| *times == 1),
        "nothing is blindly repeated"
    );
}

#[test]
fn a_doubt_is_repeated_where_the_operator_accepts_a_double() {
    let mut centre = Centre::npm(&json!({"cutAt": 10}));
    let pass = json!({"maxAttempts": 2, "retryRules": [{"result": "Unknown", "maxRetries": 1, "intervalMinutes": 1}]});
    let trip = trip(
        &centre,
        60,
        "receipts = true\nwindow = 10\nreceipt_wait = \"3s\"",
        &pass,
    );
    let (delivered, failed, attempted) = trip.run();
    assert_eq!((delivered, failed), (60, 0));
    assert!(attempted > 60);
    assert!(submits(&mut centre).values().any(|times| *times == 2));
}

#[test]
fn stop_opts_out_at_once_and_is_confirmed_once() {
    let mut centre = Centre::npm(&json!({"replies": {"5": "Stop please"}}));
    let trip = trip(&centre, 50, "receipts = true", &json!({}));
    assert_eq!(trip.run(), (50, 0, 50));
    // Five numbers end with 5; each gets its text and one confirmation.
    centre.wait_for("STOP is confirmed", |seen| {
        seen["event"] == "submit" && is_confirmation(seen)
    });
    wait_until("five confirmations are out", || {
        submits(&mut centre)
            .values()
            .filter(|times| **times == 2)
            .count()
            == 5
    });
    let again = json!({"subCampaign": {"campaign": {"internalId": trip.campaign.campaign}, "externalId": "again"},
        "list": {"externalId": "People", "owner": trip.installation.account()}, "org": trip.installation.account()});
    let run = trip.server.create("/api/v1/sub-campaigns", &again);
    wait_until("the second campaign ends", || {
        matches!(trip.server.state(&run).as_str(), "Awaiting" | "Done")
    });
    assert_eq!(trip.server.count(&run, "filteredCount"), 5);
    assert_eq!(trip.server.count(&run, "deliveredCount"), 45);
}

#[test]
fn a_silent_centre_leaves_doubts_and_gets_nothing_twice() {
    let mut centre = Centre::npm(&json!({"silent": true}));
    let carrier = "receipts = true\nwindow = 10\nresponse_timeout = \"1s\"\nreceipt_wait = \"2s\"";
    let trip = trip(&centre, 30, carrier, &json!({}));
    assert_eq!(trip.run(), (0, 30, 30));
    assert!(submits(&mut centre).values().all(|times| *times == 1));
}

#[test]
fn help_is_answered_and_start_lifts_an_opt_out() {
    let mut centre = Centre::npm(&json!({}));
    let trip = trip(&centre, 3, "receipts = true", &json!({}));
    assert_eq!(trip.run(), (3, 0, 3));
    let person = "12015550101";
    let mut say = |text: &str, known: usize| {
        centre.command(
            &json!({"command": "message", "source": person, "destination": "55555", "text": text}),
        );
        wait_until("it is answered", || {
            let of_person =
                |seen: &&Value| seen["event"] == "submit" && seen["destination"] == person;
            centre.seen().iter().filter(of_person).count() == known
        });
    };
    say("HELP", 2);
    say("stop.", 3);
    say("Start", 4);
    let again = json!({"subCampaign": {"campaign": {"internalId": trip.campaign.campaign}, "externalId": "again"},
        "list": {"externalId": "People", "owner": trip.installation.account()}, "org": trip.installation.account()});
    let run = trip.server.create("/api/v1/sub-campaigns", &again);
    wait_until("everybody is reached again", || {
        trip.server.count(&run, "deliveredCount") == 3
    });
    assert_eq!(trip.server.count(&run, "filteredCount"), 0);
}

fn is_confirmation(seen: &Value) -> bool {
    seen["text"]
        .as_str()
        .is_some_and(|text| !text.starts_with("Hello"))
}

#[test]
fn a_second_sms_centre_agrees() {
    let mut centre = Centre::python(&json!({"states": {"9": "UNDELIV"}}));
    let trip = trip(&centre, 100, "receipts = true", &json!({}));
    assert_eq!(trip.run(), (90, 10, 100));
    assert!(submits(&mut centre).values().all(|times| *times == 1));
}
