//! Switching a rule pack on for an Enterprise: its rules become required ComplianceRules of it, bound from the commit on.
//! Doing it again brings them to the edition of this version and makes none twice.

use carillon_compliance::pack::{self, Template};
use carillon_model::compliance_rule::ComplianceRule;
use carillon_model::entity::Kind;
use carillon_model::limits::COMPLIANCE_RULES_MAX;
use carillon_model::org::Org;
use carillon_model::{Moment, OrgId, OrgType, RuleId, UserId};
use carillon_store::meta::Topic;
use carillon_store::{EntityReadExt, EntityWriteExt, Transaction};

/// Why a pack was not switched on; nothing was written that the caller should keep.
#[derive(Debug, thiserror::Error)]
pub enum NotSwitchedOn {
    /// The pack or a row of it is not there.
    #[error(transparent)]
    Pack(#[from] pack::Error),
    /// Rules about hours belong to an Enterprise.
    #[error("a rule pack is switched on for an Enterprise")]
    Owner,
    /// The Enterprise has a rule of another kind under the name of one of the pack.
    #[error("the Enterprise has a ComplianceRule `{0}` of another type")]
    NameTaken(String),
    /// The Enterprise would have more rules than it may.
    #[error("the Enterprise may have {COMPLIANCE_RULES_MAX} ComplianceRules")]
    TooMany,
    /// The store.
    #[error(transparent)]
    Store(#[from] carillon_store::Error),
}

/// What was switched on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchedOn {
    /// To be shown to whoever did it: sources, what is from memory, no legal advice.
    pub notice: String,
    /// Rules that were made.
    pub made: Vec<RuleId>,
    /// Rules that were there and said something else.
    pub changed: Vec<RuleId>,
    /// Rules that were there already.
    pub kept: Vec<RuleId>,
}

/// Switches a pack on for an Enterprise: the rows that are named, or all of them. The caller keeps the audit record.
pub fn switch_on<T: Transaction + ?Sized>(
    tx: &mut T,
    enterprise: OrgId,
    pack: &str,
    rows: &[&str],
    now: Moment,
    by: UserId,
) -> Result<SwitchedOn, NotSwitchedOn> {
    let pack = pack::load(pack)?;
    let templates = pack.rows(rows)?;
    let owner = tx.get::<Org>(enterprise)?;
    if owner.is_none_or(|org| org.org_type != OrgType::Enterprise) {
        return Err(NotSwitchedOn::Owner);
    }
    let mut done = SwitchedOn {
        notice: pack.notice(&templates),
        made: Vec::new(),
        changed: Vec::new(),
        kept: Vec::new(),
    };
    for template in templates {
        put(tx, enterprise, &pack.name, template, now, by, &mut done)?;
    }
    let present = tx.count_documents(Kind::ComplianceRule, enterprise.0)?;
    if present > COMPLIANCE_RULES_MAX as u64 {
        return Err(NotSwitchedOn::TooMany);
    }
    tx.touch(Topic::Rules)?;
    Ok(done)
}

fn put<T: Transaction + ?Sized>(
    tx: &mut T,
    enterprise: OrgId,
    pack: &str,
    template: &Template,
    now: Moment,
    by: UserId,
    done: &mut SwitchedOn,
) -> Result<(), NotSwitchedOn> {
    let name = template.external_id(pack);
    let Some(present) = tx.find::<ComplianceRule>(enterprise.0, &name)? else {
        let id = tx.take_ids(1)?;
        tx.insert(&template.rule(pack, id, enterprise, now, by))?;
        done.made.push(RuleId(id));
        return Ok(());
    };
    if present.rule_type != template.rule_type {
        return Err(NotSwitchedOn::NameTaken(name));
    }
    let id = present.base.internal_id;
    let wanted = ComplianceRule {
        base: present.base.clone(),
        priority: present.priority,
        version: present.version,
        ..template.rule(pack, id, enterprise, now, by)
    };
    if wanted == present {
        done.kept.push(RuleId(id));
        return Ok(());
    }
    let mut next = wanted;
    next.version += 1;
    next.base.updated = now;
    next.base.modified_by = by;
    tx.replace(&next)?;
    done.changed.push(RuleId(id));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use carillon_model::entity::Attributes;
    use carillon_model::entity::Base;
    use carillon_model::org::Settings;
    use carillon_store::{Store, Urgency};

    const ENTERPRISE: OrgId = OrgId(2);

    fn store() -> Store {
        let store = Store::memory();
        store
            .write_now(Urgency::People, |tx| {
                let first = tx.take_ids(10)?;
                assert!(first <= ENTERPRISE.0, "the ids below are taken");
                for (id, org_type) in [(2, OrgType::Enterprise), (3, OrgType::Account)] {
                    tx.insert(&Org {
                        base: Base::new(id, format!("Org {id}"), Moment(0), UserId(1)),
                        org_type,
                        parent: None,
                        name: format!("Org {id}"),
                        preferences: Attributes::new(),
                        settings: Settings::default(),
                    })?;
                }
                Ok::<_, carillon_store::Error>(())
            })
            .expect("stored");
        store
    }

    fn switch(
        store: &Store,
        org: OrgId,
        rows: &'static [&'static str],
    ) -> Result<SwitchedOn, NotSwitchedOn> {
        store.write_now(Urgency::People, move |tx| {
            switch_on(tx, org, "us", rows, Moment(1_000), UserId(7))
        })
    }

    fn rules(store: &Store) -> Vec<ComplianceRule> {
        store
            .read_now(|snapshot| snapshot.all::<ComplianceRule>(Some(ENTERPRISE.0), 0, 100))
            .expect("readable")
    }

    #[test]
    fn a_pack_is_off_until_it_is_switched_on_and_then_required() {
        let store = store();
        assert!(rules(&store).is_empty());
        let done = switch(&store, ENTERPRISE, &["FL"]).expect("switched on");
        assert_eq!((done.made.len(), done.kept.len()), (2, 0));
        assert!(done.notice.contains("Fla. Stat."), "{}", done.notice);
        let all = switch(&store, ENTERPRISE, &[]).expect("switched on");
        assert_eq!(all.kept, done.made);
        let rules = rules(&store);
        assert_eq!(rules.len(), all.made.len() + 2);
        assert!(rules.iter().all(|rule| rule.required && rule.version == 1));
    }

    #[test]
    fn what_was_changed_by_hand_is_brought_back_as_a_new_version() {
        let store = store();
        switch(&store, ENTERPRISE, &["WA"]).expect("switched on");
        let mut rule = rules(&store).remove(0);
        rule.required = false;
        rule.priority = 5;
        store
            .write_now(Urgency::People, move |tx| tx.replace(&rule))
            .expect("written");
        let done = switch(&store, ENTERPRISE, &["WA"]).expect("switched on");
        assert_eq!(done.changed.len(), 1);
        let rule = rules(&store).remove(0);
        assert_eq!((rule.required, rule.version, rule.priority), (true, 2, 5));
    }

    #[test]
    fn accounts_unknown_packs_and_rows_are_refused() {
        let store = store();
        assert!(matches!(
            switch(&store, OrgId(3), &[]),
            Err(NotSwitchedOn::Owner)
        ));
        assert!(matches!(
            switch(&store, OrgId(9), &[]),
            Err(NotSwitchedOn::Owner)
        ));
        assert!(matches!(
            switch(&store, ENTERPRISE, &["FL", "XX"]),
            Err(NotSwitchedOn::Pack(pack::Error::UnknownRow { .. }))
        ));
        assert!(rules(&store).is_empty());
    }
}
