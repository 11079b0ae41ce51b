//! What was tried before with the contacts of a claim, for the rules that count it: read from the ledger in the unit that
//! writes the next attempts, together with those of the same claim that are not yet written. Without such a rule nothing
//! is read.

use crate::limits::{CONTACTS_OF_CLIENT_MAX, PAST_CONTACTS_PIECE, PAST_PAGE, PAST_PAGES_MAX};
use crate::rules::{RuleSet, resolve};
use carillon_compliance::history::{History, Needed, Past};
use carillon_compliance::judge::LaneFacts;
use carillon_compliance::number::device_key;
use carillon_compliance::verdict::Verdict;
use carillon_model::attempt::Attempt;
use carillon_model::contact::{Contact, Device, DeviceKey};
use carillon_model::{
    AttemptId, CampaignId, ChannelType, ContactId, Direction, Moment, OrgId, SubCampaignId,
};
use carillon_store::attempt::{AttemptQuery, AttemptsOf};
use carillon_store::{Result, Snapshot};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// The past of the contacts of a claim.
pub struct Pasts {
    needed: Needed,
    from: Moment,
    by_client: HashMap<String, Vec<Past>>,
    /// Read when a device is about to be used: most contacts have others that are not.
    by_device: HashMap<DeviceKey, Vec<Past>>,
    /// Attempts of this claim, by their device.
    unwritten: Vec<(DeviceKey, Past)>,
    translation: Translation,
}

/// What a row of the ledger says by number only.
#[derive(Default)]
struct Translation {
    owners: HashMap<i64, Arc<[OrgId]>>,
    campaigns: HashMap<SubCampaignId, Option<CampaignId>>,
}

impl Pasts {
    /// Reads what the rules for a channel count of these contacts; none when they count nothing.
    pub fn gather<S: Snapshot + ?Sized>(
        snapshot: &S,
        rules: &RuleSet,
        channel: ChannelType,
        contacts: &[Contact],
        now: Moment,
    ) -> Result<Option<Self>> {
        let Some(needed) = rules.needed(channel) else {
            return Ok(None);
        };
        let mut pasts = Self {
            needed,
            from: now.plus(-needed.back),
            by_client: HashMap::new(),
            by_device: HashMap::new(),
            unwritten: Vec::new(),
            translation: Translation::default(),
        };
        pasts
            .translation
            .owners
            .insert(rules.account().0, rules.owners());
        if needed.of_client {
            pasts.read_clients(snapshot, contacts)?;
        }
        Ok(Some(pasts))
    }

    fn read_clients<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        contacts: &[Contact],
    ) -> Result<()> {
        let clients: BTreeSet<&str> = contacts
            .iter()
            .filter(|contact| is_named(contact))
            .map(|contact| contact.external_id.as_str())
            .collect();
        let mut client_of: HashMap<ContactId, &str> = HashMap::new();
        for client in clients {
            self.by_client.insert(client.to_owned(), Vec::new());
            for contact in snapshot.contacts_with_client_id(client, CONTACTS_OF_CLIENT_MAX)? {
                client_of.insert(contact.id, client);
            }
        }
        let mut ids: Vec<ContactId> = client_of.keys().copied().collect();
        ids.sort_unstable();
        for piece in ids.chunks(PAST_CONTACTS_PIECE) {
            let of = AttemptsOf::Contacts(piece.to_vec());
            for attempt in ledger(snapshot, of, self.from)? {
                let past = self.past(snapshot, &attempt)?;
                if let Some(client) = client_of.get(&attempt.contact)
                    && let Some(known) = self.by_client.get_mut(*client)
                {
                    known.push(past);
                }
            }
        }
        Ok(())
    }

    fn read_device<S: Snapshot + ?Sized>(&mut self, snapshot: &S, device: DeviceKey) -> Result<()> {
        if self.by_device.contains_key(&device) {
            return Ok(());
        }
        let mut known = Vec::new();
        for attempt in ledger(snapshot, AttemptsOf::Device(device), self.from)? {
            known.push(self.past(snapshot, &attempt)?);
        }
        let unwritten = self.unwritten.iter().filter(|(own, _)| *own == device);
        known.extend(unwritten.map(|(_, past)| past.clone()));
        self.by_device.insert(device, known);
        Ok(())
    }

    /// Whether the past allows an attempt to this device of the contact: Allow, or Defer until it does.
    pub fn verdict<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        rules: &RuleSet,
        contact: &Contact,
        device: &Device,
        facts: &LaneFacts,
        now: Moment,
    ) -> Result<Verdict> {
        let device = device_key(&device.address);
        let is_named = is_named(contact);
        if self.needed.of_device || !is_named {
            self.read_device(snapshot, device)?;
        }
        let of_device = self.by_device.get(&device).map_or(&[][..], Vec::as_slice);
        let of_client = if is_named {
            self.by_client
                .get(&contact.external_id)
                .map_or(&[][..], Vec::as_slice)
        } else {
            of_device
        };
        let history = History {
            campaign: rules.campaign(),
            of_client,
            of_device,
        };
        Ok(rules.counted(facts, &history, now))
    }

    /// An attempt of this claim that will be written with it.
    pub fn note(&mut self, rules: &RuleSet, contact: &Contact, attempt: &Attempt) {
        let past = past_of(attempt, rules.owners(), Some(rules.campaign()));
        if let Some(known) = self.by_device.get_mut(&attempt.device) {
            known.push(past.clone());
        }
        if let Some(known) = self.by_client.get_mut(&contact.external_id) {
            known.push(past.clone());
        }
        self.unwritten.push((attempt.device, past));
    }

    fn past<S: Snapshot + ?Sized>(&mut self, snapshot: &S, attempt: &Attempt) -> Result<Past> {
        let owners = self.translation.owners(snapshot, attempt.account)?;
        let campaign = if self.needed.campaigns {
            self.translation.campaign(snapshot, attempt.run)?
        } else {
            None
        };
        Ok(past_of(attempt, owners, campaign))
    }
}

impl Translation {
    fn owners<S: Snapshot + ?Sized>(&mut self, snapshot: &S, account: i64) -> Result<Arc<[OrgId]>> {
        if let Some(known) = self.owners.get(&account) {
            return Ok(Arc::clone(known));
        }
        let owners: Arc<[OrgId]> = match resolve(snapshot, OrgId(account))? {
            Some(resolved) => resolved.chain().collect(),
            None => [OrgId(account)].into(),
        };
        self.owners.insert(account, Arc::clone(&owners));
        Ok(owners)
    }

    fn campaign<S: Snapshot + ?Sized>(
        &mut self,
        snapshot: &S,
        run: SubCampaignId,
    ) -> Result<Option<CampaignId>> {
        if let Some(known) = self.campaigns.get(&run) {
            return Ok(*known);
        }
        let campaign = snapshot.run(run)?.map(|run| run.campaign);
        self.campaigns.insert(run, campaign);
        Ok(campaign)
    }
}

fn past_of(attempt: &Attempt, owners: Arc<[OrgId]>, campaign: Option<CampaignId>) -> Past {
    Past {
        written: attempt.written,
        ended: attempt.ended,
        result: attempt.result,
        outbound: attempt.direction == Direction::Outbound,
        channel: attempt.channel,
        owners,
        campaign,
    }
}

/// Whether a contact has a Client ID of its own. `row-<n>` is given to rows without one, anew in every List: those that
/// share it are different people.
fn is_named(contact: &Contact) -> bool {
    let client = contact.external_id.as_str();
    let is_given = client.strip_prefix("row-").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    !client.is_empty() && !is_given
}

/// Attempts from a moment on.
fn ledger<S: Snapshot + ?Sized>(
    snapshot: &S,
    of: AttemptsOf,
    from: Moment,
) -> Result<Vec<Attempt>> {
    let mut query = AttemptQuery {
        of,
        from,
        to: Moment::NEVER,
        after: AttemptId(0),
        limit: PAST_PAGE,
    };
    let mut all = Vec::new();
    for _ in 0..PAST_PAGES_MAX {
        let page = snapshot.attempts_of(&query)?;
        let is_last = page.len() < PAST_PAGE;
        if let Some(last) = page.last() {
            query.after = last.id;
        }
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
    tracing::warn!(
        of = ?query.of,
        counted = all.len(),
        "more attempts lie in the period of a rule than are counted"
    );
    Ok(all)
}
