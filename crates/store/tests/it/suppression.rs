//! Suppression: entries bind on their channel until they expire; opt-outs of one channel or all.

use crate::common::{read, write};
use carillon_model::contact::DeviceKey;
use carillon_model::list::{SuppressionEntry, SuppressionKey};
use carillon_model::{ChannelType, ListId, Moment, OrgId};
use carillon_store::Store;
use carillon_store::suppression::OptOut;

const LIST: ListId = ListId(4);
const OTHER: ListId = ListId(5);
const ACCOUNT: OrgId = OrgId(6);
const DEVICE: DeviceKey = DeviceKey(12_075_550_111);

fn device(key: i64) -> SuppressionKey {
    SuppressionKey::Device(DeviceKey(key))
}

fn client(id: &str) -> SuppressionKey {
    SuppressionKey::ClientId(id.into())
}

fn entry(
    key: SuppressionKey,
    channel: Option<ChannelType>,
    expires: Option<i64>,
) -> SuppressionEntry {
    let address = matches!(key, SuppressionKey::Device(_)).then(|| "+1".to_owned());
    SuppressionEntry {
        key,
        device: address,
        channel,
        expires: expires.map(Moment),
        reason: Some("asked".into()),
        source: None,
    }
}

fn put(store: &Store, list: ListId, entries: Vec<SuppressionEntry>) {
    write(store, move |unit| unit.put_suppressions(list, &entries));
}

fn denied(store: &Store, key: SuppressionKey, channel: ChannelType, now: i64) -> Option<ListId> {
    read(store, move |snapshot| {
        snapshot.suppressed(&[LIST, OTHER], &[key], channel, Moment(now))
    })
    .remove(0)
}

fn opt_out(channel: Option<ChannelType>) -> OptOut {
    OptOut {
        account: ACCOUNT,
        device: DEVICE,
        channel,
        at: Moment(1),
        source: "STOP".into(),
    }
}

fn is_out(store: &Store, channel: ChannelType) -> bool {
    read(store, move |snapshot| {
        snapshot.opted_out(ACCOUNT, &[DEVICE], channel)
    })
    .remove(0)
}

contract! {
    fn entries_bind_on_their_channel(store: &Store) {
        put(store, OTHER, vec![entry(device(1), Some(ChannelType::Text), None), entry(client("C-1"), None, None)]);
        put(store, LIST, vec![entry(client("C-1"), Some(ChannelType::Voice), None)]);
        assert_eq!(denied(store, device(1), ChannelType::Text, 0), Some(OTHER));
        assert_eq!(denied(store, device(1), ChannelType::Voice, 0), None);
        assert_eq!(denied(store, client("C-1"), ChannelType::Voice, 0), Some(LIST));
        assert_eq!(denied(store, client("C-1"), ChannelType::Text, 0), Some(OTHER));
        assert_eq!(denied(store, client("c-1"), ChannelType::Text, 0), None);
        let answers = read(store, |snapshot| snapshot.suppressed(&[OTHER], &[device(2), device(1)], ChannelType::Text, Moment(0)));
        assert_eq!(answers, [None, Some(OTHER)]);
        assert_eq!(read(store, |snapshot| snapshot.suppressed(&[], &[device(1)], ChannelType::Text, Moment(0))), [None]);
    }

    fn an_entry_no_longer_binds_from_the_moment_it_expires(store: &Store) {
        put(store, LIST, vec![entry(device(1), None, Some(100)), entry(client("C-1"), None, Some(100))]);
        for key in [device(1), client("C-1")] {
            assert_eq!(denied(store, key.clone(), ChannelType::Text, 99), Some(LIST));
            assert_eq!(denied(store, key, ChannelType::Text, 100), None);
        }
        put(store, LIST, vec![entry(device(1), Some(ChannelType::Text), Some(200))]);
        assert_eq!(denied(store, device(1), ChannelType::Text, 150), Some(LIST), "the entry of the channel still binds");
    }

    fn an_entry_for_the_same_key_and_channel_replaces(store: &Store) {
        put(store, LIST, vec![entry(device(1), None, Some(100)), entry(device(1), Some(ChannelType::Text), None)]);
        put(store, LIST, vec![entry(device(1), None, Some(50))]);
        assert_eq!(read(store, |snapshot| snapshot.suppression_size(LIST)), 2);
        assert_eq!(denied(store, device(1), ChannelType::Voice, 60), None);
        let page = read(store, |snapshot| snapshot.suppression_page(LIST, None, 10));
        assert_eq!(page, [entry(device(1), None, Some(50)), entry(device(1), Some(ChannelType::Text), None)]);
    }

    fn removal_takes_every_channel(store: &Store) {
        put(store, LIST, vec![entry(device(1), None, None), entry(device(1), Some(ChannelType::Text), None), entry(client("C"), None, None)]);
        put(store, OTHER, vec![entry(device(1), None, None)]);
        let removed = write(store, |unit| unit.remove_suppressions(LIST, &[device(1), device(2), client("C"), client("C")]));
        assert_eq!(removed, [true, false, true, false]);
        assert_eq!(read(store, |snapshot| snapshot.suppression_size(LIST)), 0);
        assert_eq!(read(store, |snapshot| snapshot.suppression_size(OTHER)), 1);
    }

    fn pages_go_through_devices_then_client_ids_and_cut_no_key(store: &Store) {
        let both = |key: SuppressionKey| [entry(key.clone(), None, None), entry(key, Some(ChannelType::Text), None)];
        let keys = [device(i64::MIN), device(-5), device(3), client(""), client("A"), client("b")];
        let all: Vec<SuppressionEntry> = keys.iter().cloned().flat_map(both).collect();
        let mut shuffled = all.clone();
        shuffled.reverse();
        put(store, LIST, shuffled);
        put(store, OTHER, vec![entry(client("z"), None, None)]);
        for limit in 1..=all.len() + 1 {
            let mut walked = Vec::new();
            let mut after: Option<SuppressionKey> = None;
            loop {
                let from = after.clone();
                let page = read(store, move |snapshot| snapshot.suppression_page(LIST, from.as_ref(), limit));
                let Some(last) = page.last() else { break };
                assert!(page.len() >= limit || last.key == client("b"), "a short page is the last one");
                after = Some(last.key.clone());
                walked.extend(page);
            }
            assert_eq!(walked, all, "in pages of {limit}");
        }
        assert_eq!(read(store, |snapshot| snapshot.suppression_page(LIST, None, 0)), []);
    }

    fn an_opt_out_covers_its_channel_or_all(store: &Store) {
        assert!(write(store, |unit| unit.opt_out(&opt_out(Some(ChannelType::Text)))));
        assert!(!write(store, |unit| unit.opt_out(&opt_out(Some(ChannelType::Text)))));
        assert_eq!((is_out(store, ChannelType::Text), is_out(store, ChannelType::Voice)), (true, false));
        assert!(write(store, |unit| unit.opt_out(&opt_out(None))));
        assert!(!write(store, |unit| unit.opt_out(&opt_out(Some(ChannelType::Email)))), "covered by the one for all channels");
        assert!(is_out(store, ChannelType::Voice));
        assert_eq!(read(store, |snapshot| snapshot.count_opt_outs(ACCOUNT)), 1, "devices are counted, not rows");
        let elsewhere = read(store, |snapshot| snapshot.opted_out(OrgId(7), &[DEVICE, DeviceKey(1)], ChannelType::Text));
        assert_eq!(elsewhere, [false, false]);
        let devices = read(store, |snapshot| snapshot.opted_out(ACCOUNT, &[DeviceKey(1), DEVICE], ChannelType::Text));
        assert_eq!(devices, [false, true]);
    }

    fn a_lifted_opt_out_opens_its_channel_and_no_other(store: &Store) {
        let lift = |channel| write(store, move |unit| unit.lift_opt_out(ACCOUNT, DEVICE, channel));
        assert!(!lift(ChannelType::Text));
        write(store, |unit| unit.opt_out(&opt_out(Some(ChannelType::Text))));
        write(store, |unit| unit.opt_out(&opt_out(None)));
        assert!(lift(ChannelType::Text));
        assert!(!is_out(store, ChannelType::Text));
        for channel in ChannelType::ALL.iter().copied().filter(|channel| *channel != ChannelType::Text) {
            assert!(is_out(store, channel), "{channel}");
        }
        assert!(!lift(ChannelType::Text));
        assert!(lift(ChannelType::Voice));
        assert!(!is_out(store, ChannelType::Voice));
    }
}
