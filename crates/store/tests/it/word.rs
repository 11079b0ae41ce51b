//! Words are stored by their place in the vocabulary: these lists may only grow at their ends.

use carillon_model::{AttemptResult, ChannelType, Direction, Reason};

#[test]
fn stored_words_keep_their_codes() {
    let results = "NotAttempted NotAttemptedSkip Busy NoAnswer NotConnected BadDevice HangUpOnMachine UndeliveredMachine \
        DeliveredMachine DeliveredPerson DeliveredWithoutSuccess Abandoned Unknown Filtered Failed Success";
    let reasons = "SuppressedDevice SuppressedClientId OptedOut DateRule RegionRule LocationRule AttemptRule ContactHistoryRule \
        AccountHours FilterExpression Duplicate NoDevice BadNumber ZoneUnknown MissingField WindowClosed Skipped Expired Removed";
    let tables: [(&str, &[&str]); 4] = [
        (results, AttemptResult::TEXTS),
        (reasons, Reason::TEXTS),
        (
            "voice email text dialer preview manual web",
            ChannelType::TEXTS,
        ),
        ("Outbound Inbound", Direction::TEXTS),
    ];
    for (kept, words) in tables {
        for (code, word) in kept.split_whitespace().enumerate() {
            assert_eq!(words.get(code), Some(&word), "stores hold {word} as {code}");
        }
    }
}
