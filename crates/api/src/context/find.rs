//! How references are found (`api.md` I1 to I6): by internalId or by external key, visible to the caller, of a kind that
//! the place takes, and writable where written.

use super::{Context, Owned, Sight};
use crate::door::Door;
use crate::fault::{Fault, Outcome, Row, Stop};
use crate::shape::form;
use crate::tree::{Path, View};
use carillon_model::campaign::Campaign;
use carillon_model::org::{Org, Resolved};
use carillon_model::user::User;
use carillon_model::{OrgId, OrgType, UserId};
use carillon_store::entity::Stored;
use carillon_store::{EntityReadExt as _, Snapshot};
use std::sync::Arc;

impl Context {
    /// The Org that an argument or field names; null is the caller's only Account (J5). `kinds` are allowed here;
    /// `write` asks for an Org of the caller's subtree.
    pub fn find_org(
        &self,
        snapshot: &dyn Snapshot,
        view: Option<View<'_>>,
        path: impl FnOnce() -> Path,
        kinds: &[OrgType],
        write: bool,
    ) -> Outcome<Arc<Resolved>> {
        let Some(view) = view else {
            let only = self.caller.only_account.filter(|_| self.door == Door::Json);
            let Some(only) = only else {
                return Err(Fault::of(Row::N, path(), "null").into());
            };
            return self.owner(snapshot, only);
        };
        let missing = || Stop::from(Fault::of(Row::R, view.path(), "does not exist"));
        let found = match view.text("internalId").and_then(form::internal_id) {
            Some(id) => self.org(snapshot, OrgId(id))?,
            None => self.org_by_name(snapshot, view)?,
        };
        let org = found
            .filter(|org| self.sight(org) > Sight::Hidden)
            .ok_or_else(missing)?;
        let said = view.text("type").map(str::trim);
        if said.is_some_and(|word| OrgType::parse(word) != Some(org.org.org_type)) {
            return Err(missing());
        }
        if !kinds.is_empty() && !kinds.contains(&org.org.org_type) {
            return Err(Fault::of(Row::T, view.path(), kinds_text(kinds)).into());
        }
        if write && self.sight(&org) < Sight::Writable {
            return Err(Fault::denied(view.path()).into());
        }
        Ok(org)
    }

    fn org_by_name(
        &self,
        snapshot: &dyn Snapshot,
        view: View<'_>,
    ) -> Outcome<Option<Arc<Resolved>>> {
        let Some(name) = view.text("externalId") else {
            return Ok(None);
        };
        let scope = match view.get("parent") {
            Some(parent) => {
                self.find_org(snapshot, Some(parent), || parent.path(), &[], false)?
                    .org
                    .base
                    .internal_id
            }
            None => 0,
        };
        match snapshot.find::<Org>(scope, name)? {
            Some(org) => self.org(snapshot, OrgId(org.base.internal_id)),
            None => Ok(None),
        }
    }

    /// The Account in which something is made: an Account itself, an Enterprise's master account.
    pub fn account_of(
        &self,
        snapshot: &dyn Snapshot,
        org: &Arc<Resolved>,
    ) -> Outcome<Arc<Resolved>> {
        match (org.org.org_type, org.org.settings.master_account) {
            (OrgType::Enterprise, Some(master)) => self.owner(snapshot, master),
            _ => Ok(Arc::clone(org)),
        }
    }

    /// The entity that a reference names, visible to the caller. `scope` completes a missing owner.
    pub fn find<E: Owned>(
        &self,
        snapshot: &dyn Snapshot,
        view: View<'_>,
        scope: Option<OrgId>,
    ) -> Outcome<Stored<E>> {
        let missing = || Stop::from(Fault::of(Row::R, view.path(), "does not exist"));
        let stored = match view.text("internalId").and_then(form::internal_id) {
            Some(id) => snapshot
                .stored::<E>(E::Id::from(id))?
                .filter(|stored| !stored.deleted),
            None => {
                let name = view.text("externalId").ok_or_else(missing)?;
                let scope = self.scope_of(snapshot, view, scope)?.ok_or_else(missing)?;
                match snapshot.find::<E>(scope, name)? {
                    Some(entity) => snapshot.stored::<E>(entity.id())?,
                    None => None,
                }
            }
        };
        let stored = stored.ok_or_else(missing)?;
        match self.org(snapshot, stored.entity.owner())? {
            Some(owner) if self.sight(&owner) > Sight::Hidden => Ok(stored),
            _ => Err(missing()),
        }
    }

    /// The scope in which a name is looked up: its Campaign, its owner, or what the call says.
    fn scope_of(
        &self,
        snapshot: &dyn Snapshot,
        view: View<'_>,
        default: Option<OrgId>,
    ) -> Outcome<Option<i64>> {
        let shape = view.shape();
        let declares = |name: &str| shape.is_some_and(|shape| shape.index_of(name).is_some());
        if matches!(
            shape.map(|shape| shape.identity),
            Some(crate::shape::Identity::Campaign)
        ) {
            return match view.get("campaign") {
                Some(campaign) => Ok(Some(
                    self.find::<Campaign>(snapshot, campaign, default)?
                        .entity
                        .base
                        .internal_id,
                )),
                None => Ok(None),
            };
        }
        if declares("owner")
            && let Some(owner) = view.get("owner")
        {
            let org = self.find_org(snapshot, Some(owner), || owner.path(), &[], false)?;
            return Ok(Some(self.account_of(snapshot, &org)?.org.base.internal_id));
        }
        let default =
            default.or_else(|| self.caller.only_account.filter(|_| self.door == Door::Json));
        Ok(default.map(|org| org.0))
    }

    /// As [`Context::find`], and the caller may change it.
    pub fn find_writable<E: Owned>(
        &self,
        snapshot: &dyn Snapshot,
        view: View<'_>,
    ) -> Outcome<Stored<E>> {
        let stored = self.find::<E>(snapshot, view, None)?;
        self.writable(snapshot, stored.entity.owner(), view)?;
        Ok(stored)
    }

    /// Refuses what the caller may read but not change.
    pub fn writable(&self, snapshot: &dyn Snapshot, owner: OrgId, view: View<'_>) -> Outcome<()> {
        let owner = self.owner(snapshot, owner)?;
        if self.sight(&owner) < Sight::Writable {
            return Err(Fault::denied(view.path()).into());
        }
        Ok(())
    }

    /// The User that a reference names, in the caller's subtree, or the caller itself.
    pub fn find_user(&self, snapshot: &dyn Snapshot, view: View<'_>) -> Outcome<Stored<User>> {
        let missing = || Stop::from(Fault::of(Row::R, view.path(), "does not exist"));
        let id = match view.text("internalId").and_then(form::internal_id) {
            Some(id) => Some(UserId(id)),
            None => {
                let name = view.text("externalId").ok_or_else(missing)?;
                snapshot
                    .find::<User>(0, name)?
                    .map(|user| UserId(user.base.internal_id))
            }
        };
        let stored = match id {
            Some(id) => snapshot
                .stored::<User>(id)?
                .filter(|stored| !stored.deleted),
            None => None,
        };
        let stored = stored.ok_or_else(missing)?;
        let own = stored.entity.base.internal_id == self.caller.user.base.internal_id;
        match self.org(snapshot, stored.entity.home)? {
            Some(home) if own || self.sight(&home) == Sight::Writable => Ok(stored),
            _ => Err(missing()),
        }
    }
}

fn kinds_text(kinds: &[OrgType]) -> String {
    let words: Vec<&str> = kinds.iter().map(|kind| kind.text()).collect();
    format!("the Org must be {}", words.join(" or "))
}
