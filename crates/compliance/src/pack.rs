//! Rule packs: dated sets of ComplianceRules that are shipped as data (`packs/<name>/`), switched off.
//!
//! A pack holds what the kinds of rules express. What it does not enforce stands in its README; it is a starting point
//! for people who know the law that binds them, and no legal advice.

use crate::rules::{Unacceptable, check};
use carillon_model::compliance_rule::{ComplianceRule, Element};
use carillon_model::entity::Base;
use carillon_model::{ChannelType, ComplianceType, Moment, OrgId, OrgType, UserId};
use jiff::civil::Date;
use serde::Deserialize;
use std::fmt::Write as _;

/// The packs of this version.
const PACKS: &[(&str, &str)] = &[("us", include_str!("../packs/us/pack.toml"))];

/// What every switching on says.
pub const NO_ADVICE: &str = "This is no legal advice, and it does not make outreach lawful: check every rule against the \
                             primary text, and read in the pack's README what it does not enforce.";

/// How far a rule of a pack was checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Mark {
    /// A source was read, often a summary.
    #[serde(rename = "S")]
    Source,
    /// From memory: to be checked before it is relied on.
    #[serde(rename = "m")]
    Memory,
}

/// One rule of a pack, not yet anybody's.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name, unique in the pack.
    pub name: String,
    /// The row of the regulations table it is built from; some rows need several rules.
    pub row: String,
    /// How far it was checked.
    pub mark: Mark,
    /// Its kind.
    #[serde(rename = "type")]
    pub rule_type: ComplianceType,
    /// What it does, in a sentence.
    pub description: String,
    /// The citation.
    pub source: String,
    /// First local date on which it binds.
    pub effective_from: Option<Date>,
    /// Last local date on which it binds.
    pub effective_to: Option<Date>,
    /// Channels it counts for; empty = all.
    #[serde(default)]
    pub channels: Vec<ChannelType>,
    /// What it says, and where.
    pub elements: Vec<Element>,
}

impl Template {
    /// The name its rule has, in every Org.
    pub fn external_id(&self, pack: &str) -> String {
        format!("{pack} {}", self.name)
    }

    /// The rule, required by its owner.
    pub fn rule(
        &self,
        pack: &str,
        id: i64,
        owner: OrgId,
        now: Moment,
        by: UserId,
    ) -> ComplianceRule {
        ComplianceRule {
            base: Base::new(id, self.external_id(pack), now, by),
            owner,
            rule_type: self.rule_type,
            description: Some(self.description.clone()),
            required: true,
            priority: 100,
            effective_from: self.effective_from,
            effective_to: self.effective_to,
            source: Some(self.source.clone()),
            channels: self.channels.clone(),
            version: 1,
            elements: self.elements.clone(),
        }
    }
}

/// A pack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// What it is about.
    pub title: String,
    /// When its content was last looked through.
    pub edition: Date,
    /// Its rules.
    #[serde(rename = "rule")]
    pub templates: Vec<Template>,
}

/// Why a pack cannot be used.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Error {
    /// No pack has that name.
    #[error("there is no rule pack `{0}`")]
    Unknown(String),
    /// The pack has no such row.
    #[error("rule pack `{pack}` has no row `{row}`")]
    UnknownRow {
        /// The pack.
        pack: String,
        /// What was asked for.
        row: String,
    },
    /// Its file is damaged.
    #[error("rule pack `{pack}` cannot be read: {detail}")]
    Damaged {
        /// The pack.
        pack: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A rule that createComplianceRule would refuse.
    #[error("rule pack `{pack}`, rule `{rule}`: {unacceptable}")]
    Unacceptable {
        /// The pack.
        pack: String,
        /// The rule.
        rule: String,
        /// Why.
        #[source]
        unacceptable: Unacceptable,
    },
}

/// The names of the packs.
pub fn names() -> impl Iterator<Item = &'static str> {
    PACKS.iter().map(|(name, _)| *name)
}

/// A pack by name. Its rules are checked as those of an Enterprise are.
pub fn load(name: &str) -> Result<Pack, Error> {
    let text = PACKS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
        .ok_or_else(|| Error::Unknown(name.chars().take(64).collect()))?;
    let pack: Pack = toml::from_str(text).map_err(|error| Error::Damaged {
        pack: name.to_owned(),
        detail: error.to_string(),
    })?;
    for template in &pack.templates {
        let rule = template.rule(name, 1, OrgId(1), Moment(0), UserId(1));
        check(&rule, OrgType::Enterprise, pack.edition).map_err(|unacceptable| {
            Error::Unacceptable {
                pack: name.to_owned(),
                rule: template.name.clone(),
                unacceptable,
            }
        })?;
    }
    Ok(pack)
}

impl Pack {
    /// The rules of these rows, or all of them when no row is named.
    pub fn rows(&self, rows: &[&str]) -> Result<Vec<&Template>, Error> {
        if let Some(unknown) = rows
            .iter()
            .find(|row| !self.templates.iter().any(|template| template.row == **row))
        {
            return Err(Error::UnknownRow {
                pack: self.name.clone(),
                row: unknown.chars().take(64).collect(),
            });
        }
        Ok(self
            .templates
            .iter()
            .filter(|template| rows.is_empty() || rows.contains(&template.row.as_str()))
            .collect())
    }

    /// What whoever switches these rules on has to be told: their sources, which of them are from memory, and that none
    /// of it is legal advice.
    pub fn notice(&self, templates: &[&Template]) -> String {
        let mut notice = format!("{} (edition {})\n", self.title, self.edition);
        for template in templates {
            let mark = match template.mark {
                Mark::Source => "",
                Mark::Memory => " [from memory: check it before you rely on it]",
            };
            writeln!(
                notice,
                "  {}: {} ({}){mark}",
                template.name, template.description, template.source
            )
            .expect("a String takes all text");
        }
        notice.push_str(NO_ADVICE);
        notice
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_pack_is_readable_and_acceptable() {
        for name in names() {
            let pack = load(name).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(pack.name, name);
            let distinct: BTreeSet<_> = pack.templates.iter().map(|one| &one.name).collect();
            assert_eq!(
                distinct.len(),
                pack.templates.len(),
                "{name}: names are unique"
            );
            for template in &pack.templates {
                assert!(template.source.len() <= 255, "{}", template.name);
                assert!(
                    template.effective_from.is_some(),
                    "{} is dated",
                    template.name
                );
            }
        }
        assert_eq!(load("mars"), Err(Error::Unknown("mars".to_owned())));
    }

    #[test]
    fn rows_are_chosen_and_the_notice_says_what_they_rest_on() {
        let pack = load("us").expect("shipped");
        let chosen = pack.rows(&["MD"]).expect("a row");
        assert_eq!(
            chosen
                .iter()
                .map(|one| one.name.as_str())
                .collect::<Vec<_>>(),
            ["MD-hours", "MD-cap"]
        );
        let notice = pack.notice(&chosen);
        assert!(
            notice.contains("from memory") && notice.ends_with(NO_ADVICE),
            "{notice}"
        );
        assert!(notice.contains(&chosen[0].source));
        assert!(matches!(pack.rows(&["XX"]), Err(Error::UnknownRow { .. })));
        assert_eq!(
            pack.rows(&[]).map(|all| all.len()),
            Ok(pack.templates.len())
        );
    }
}
