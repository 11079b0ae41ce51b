//! What a method knows about its call: who calls, when, through which door, what the caller may see (`api.md` I6), and
//! how references are found.

mod find;
mod page;

use crate::auth::Keys;
use crate::door::Door;
use crate::door::json::address::Paging;
use crate::fault::{Code, Fault, Outcome, Stop};
use crate::method::{Method, Prepared};
use carillon_model::campaign::Campaign;
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::contact_batch::ContactBatch;
use carillon_model::entity::Entity;
use carillon_model::job::Job;
use carillon_model::list::List;
use carillon_model::moment::Moment;
use carillon_model::org::{Org, Resolved};
use carillon_model::script::Script;
use carillon_model::strategy::Strategy;
use carillon_model::sub_campaign::SubCampaign;
use carillon_model::user::User;
use carillon_model::zone::Zone;
use carillon_model::{OrgId, OrgType, Role, SystemEventId, UserId};
use carillon_store::audit::SystemEvent;
use carillon_store::entity::DocumentQuery;
use carillon_store::{EntityReadExt as _, Snapshot, Transaction};
use rand::RngCore;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Randomness, drawn by whoever holds it.
pub type Chance = Arc<Mutex<dyn RngCore + Send>>;

/// Deepest chain of Orgs: SuperEnterprise, Enterprise, Account, ScheduleGroup.
const ORG_DEPTH_MAX: usize = 8;

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The User.
    pub user: User,
    /// Its home Org with the settings that hold for it.
    pub home: Arc<Resolved>,
    /// Its Account, when it has exactly one (J5).
    pub only_account: Option<OrgId>,
}

impl Caller {
    /// The User's id.
    pub fn user_id(&self) -> UserId {
        UserId(self.user.base.internal_id)
    }

    /// The home Org's id.
    pub fn home_id(&self) -> OrgId {
        OrgId(self.home.org.base.internal_id)
    }

    /// Whether it has one of these roles.
    pub fn has_any(&self, roles: &[Role]) -> bool {
        self.user.roles.iter().any(|role| roles.contains(role))
    }

    /// Whether its only role is Agent.
    pub fn is_only_agent(&self) -> bool {
        !self.user.roles.is_empty() && self.user.roles.iter().all(|role| *role == Role::Agent)
    }
}

/// How an Org is seen by a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sight {
    /// As if it did not exist.
    Hidden,
    /// Readable and usable, not to be changed from below.
    Readable,
    /// In the caller's subtree.
    Writable,
}

/// The context of one call.
pub struct Context {
    /// Who calls.
    pub caller: Caller,
    /// The moment of the call, taken once.
    pub now: Moment,
    /// Through which door.
    pub door: Door,
    /// Which method.
    pub method: &'static Method,
    /// Which page of a list (JSON door).
    pub paging: Paging,
    /// If-Match of the JSON door.
    pub if_match: Option<String>,
    /// Keys of the installation.
    pub keys: Arc<Keys>,
    /// Randomness.
    pub chance: Chance,
    /// What many calls read and few change.
    pub(crate) cache: Arc<crate::cache::Cache>,
    /// What the method made ready.
    pub prepared: RefCell<Prepared>,
    /// Orgs met in this call.
    pub orgs: RefCell<HashMap<i64, Arc<Resolved>>>,
}

/// Entities that an Org owns.
pub trait Owned: Entity {
    /// The owner.
    fn owner(&self) -> OrgId;
}

macro_rules! owned {
    ($($type:ty),+) => {$(
        impl Owned for $type {
            fn owner(&self) -> OrgId {
                self.owner
            }
        }
    )+};
}
owned!(
    Script,
    Campaign,
    Strategy,
    List,
    ComplianceRule,
    Job,
    SubCampaign,
    ContactBatch
);

/// Loads an Org with its ancestors.
pub fn load_org(
    snapshot: &dyn Snapshot,
    id: OrgId,
) -> Result<Option<Resolved>, carillon_store::Error> {
    let Some(org) = snapshot.get::<Org>(id)? else {
        return Ok(None);
    };
    let mut ancestors = Vec::new();
    let mut parent = org.parent;
    while let Some(id) = parent.filter(|_| ancestors.len() < ORG_DEPTH_MAX) {
        let Some(above) = snapshot.get::<Org>(id)? else {
            return Ok(None);
        };
        parent = above.parent;
        ancestors.push(above);
    }
    Ok(Some(Resolved::new(org, ancestors)))
}

/// The one Account below an Org (master accounts aside), if there is exactly one.
pub fn only_account(
    snapshot: &dyn Snapshot,
    home: &Resolved,
) -> Result<Option<OrgId>, carillon_store::Error> {
    match home.org.org_type {
        OrgType::Account => Ok(Some(OrgId(home.org.base.internal_id))),
        OrgType::ScheduleGroup => Ok(None),
        OrgType::Enterprise => one_account_of(snapshot, &home.org),
        OrgType::SuperEnterprise => {
            let enterprises: Vec<Org> = snapshot.all(Some(home.org.base.internal_id), 0, 2)?;
            match &enterprises[..] {
                [enterprise] => one_account_of(snapshot, enterprise),
                _ => Ok(None),
            }
        }
    }
}

fn one_account_of(
    snapshot: &dyn Snapshot,
    enterprise: &Org,
) -> Result<Option<OrgId>, carillon_store::Error> {
    let children: Vec<Org> = snapshot.all(Some(enterprise.base.internal_id), 0, 3)?;
    let mut accounts = children
        .iter()
        .filter(|org| org.org_type == OrgType::Account)
        .map(|org| OrgId(org.base.internal_id))
        .filter(|id| Some(*id) != enterprise.settings.master_account);
    let first = accounts.next();
    Ok(if accounts.next().is_none() {
        first
    } else {
        None
    })
}

impl Context {
    /// An Org with its settings; none when it does not exist.
    pub fn org(&self, snapshot: &dyn Snapshot, id: OrgId) -> Outcome<Option<Arc<Resolved>>> {
        if let Some(known) = self.orgs.borrow().get(&id.0) {
            return Ok(Some(Arc::clone(known)));
        }
        let Some(resolved) = load_org(snapshot, id)? else {
            return Ok(None);
        };
        let resolved = Arc::new(resolved);
        self.orgs.borrow_mut().insert(id.0, Arc::clone(&resolved));
        Ok(Some(resolved))
    }

    /// An Org that something stored refers to.
    pub fn owner(&self, snapshot: &dyn Snapshot, id: OrgId) -> Outcome<Arc<Resolved>> {
        self.org(snapshot, id)?
            .ok_or_else(|| Stop::Internal(format!("the Org {id} that owns an object is missing")))
    }

    /// How the caller sees an Org and what it owns (I6).
    pub fn sight(&self, org: &Resolved) -> Sight {
        let home = self.caller.home_id();
        if org.chain().any(|id| id == home) {
            return Sight::Writable;
        }
        let id = OrgId(org.org.base.internal_id);
        let shares = self
            .caller
            .home
            .ancestors
            .iter()
            .filter(|above| above.org_type == OrgType::Enterprise)
            .any(|above| {
                OrgId(above.base.internal_id) == id || above.settings.master_account == Some(id)
            });
        if shares {
            Sight::Readable
        } else {
            Sight::Hidden
        }
    }

    /// Refuses a change of another version than If-Match names (J8).
    pub fn check_version(&self, version: u64) -> Outcome<()> {
        self.check_tag(|| Ok(etag(version)))
    }

    /// As [`Context::check_version`], of an object that has no version.
    pub fn check_tag(&self, present: impl FnOnce() -> Outcome<String>) -> Outcome<()> {
        match &self.if_match {
            Some(wanted) if wanted.trim() != "*" => {
                let present = present()?;
                if wanted.split(',').any(|tag| tag.trim() == present) {
                    Ok(())
                } else {
                    Err(Fault::coded(Code::PreconditionFailed, "").into())
                }
            }
            _ => Ok(()),
        }
    }

    /// Writes a line of the audit trail, in the unit that does what it tells.
    pub fn audit(
        &self,
        transaction: &mut dyn Transaction,
        owner: OrgId,
        subject: impl Into<String>,
        detail: impl Into<String>,
    ) -> Outcome<()> {
        let id = transaction.take_ids(1)?;
        transaction.append_system_events(&[SystemEvent {
            id: SystemEventId(id),
            owner,
            at: self.now,
            user: self.caller.user_id(),
            action: self.method.name.to_owned(),
            subject: subject.into(),
            detail: detail.into(),
        }])?;
        Ok(())
    }

    /// Random bytes.
    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.chance
            .lock()
            .expect("no panic holds this lock")
            .fill_bytes(&mut bytes);
        bytes
    }

    /// Every live entity of a scope, by id ascending.
    pub fn all_of<E: Entity>(&self, snapshot: &dyn Snapshot, scope: i64) -> Outcome<Vec<E>> {
        all(snapshot, Some(scope))
    }

    /// The zone of an Org.
    pub fn zone(&self, org: &Resolved) -> Zone {
        Zone::named(org.settings.zone_name()).unwrap_or_else(Zone::utc)
    }

    /// Today in the zone of an Org.
    pub fn today(&self, org: &Resolved) -> jiff::civil::Date {
        self.zone(org)
            .time_zone()
            .to_datetime(self.now.timestamp())
            .date()
    }

    /// Accounts below an Org, itself included; those the caller sees.
    pub fn accounts_below(
        &self,
        snapshot: &dyn Snapshot,
        org: &Arc<Resolved>,
    ) -> Outcome<Vec<Arc<Resolved>>> {
        if org.org.org_type == OrgType::Account {
            return Ok(vec![Arc::clone(org)]);
        }
        let mut accounts = Vec::new();
        for child in self.all_of::<Org>(snapshot, org.org.base.internal_id)? {
            let Some(child) = self.org(snapshot, OrgId(child.base.internal_id))? else {
                continue;
            };
            if self.sight(&child) == Sight::Hidden {
                continue;
            }
            match child.org.org_type {
                OrgType::Account => accounts.push(child),
                OrgType::Enterprise => accounts.extend(self.accounts_below(snapshot, &child)?),
                OrgType::SuperEnterprise | OrgType::ScheduleGroup => {}
            }
        }
        Ok(accounts)
    }
}

/// Every live entity of a kind and scope, by id ascending.
pub fn all<E: Entity>(snapshot: &dyn Snapshot, scope: Option<i64>) -> Outcome<Vec<E>> {
    const CHUNK: usize = 1_000;
    let mut found: Vec<E> = Vec::new();
    loop {
        let after = found.last().map_or(0, |last| last.base().internal_id);
        let chunk = snapshot.all::<E>(scope, after, CHUNK)?;
        let full = chunk.len() == CHUNK;
        found.extend(chunk);
        if !full {
            return Ok(found);
        }
    }
}

/// As [`all`], deleted ones too.
pub fn all_with_deleted(
    snapshot: &dyn Snapshot,
    kind: carillon_model::entity::Kind,
    scope: i64,
) -> Outcome<Vec<carillon_store::entity::Document>> {
    const CHUNK: usize = 1_000;
    let mut found: Vec<carillon_store::entity::Document> = Vec::new();
    loop {
        let after = found.last().map_or(0, |last| last.id);
        let query = DocumentQuery {
            kind,
            scope: Some(scope),
            include_deleted: true,
            after,
            limit: CHUNK,
        };
        let chunk = snapshot.documents(query)?;
        let full = chunk.len() == CHUNK;
        found.extend(chunk);
        if !full {
            return Ok(found);
        }
    }
}

/// The ETag of an object that has no version: what it is made of.
pub fn etag_of(object: &crate::value::Object) -> String {
    use sha2::Digest as _;
    let hash = sha2::Sha256::digest(crate::door::json::write::object_text(object));
    let digits: String = hash
        .iter()
        .take(12)
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("\"{digits}\"")
}

/// The ETag of a version.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}
