//! ComplianceRules: what an Org forbids, when and where (`entities.md` 4.8). Their judgement is `carillon-compliance`.

use crate::entity::Base;
use crate::{
    AttemptResult, ChannelType, ComplianceType, CountBy, DayOfWeek, OrgId, PeriodUnit, RuleId,
    RuleScope,
};
use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

/// A ComplianceRule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ComplianceRule {
    /// Base fields.
    pub base: Base,
    /// The Org it binds, with everything under it.
    pub owner: OrgId,
    /// Its kind, fixed.
    pub rule_type: ComplianceType,
    /// Free text.
    pub description: Option<String>,
    /// Binds everything under the owner; otherwise only the Campaigns that choose it.
    pub required: bool,
    /// 1 first; only decides which reason is reported.
    pub priority: u32,
    /// First local date on which it binds.
    pub effective_from: Option<Date>,
    /// Last local date on which it binds.
    pub effective_to: Option<Date>,
    /// Citation of the law or policy behind it.
    pub source: Option<String>,
    /// Channels it counts for; empty = all.
    pub channels: Vec<ChannelType>,
    /// Rises with every change; verdicts keep the version they were given under.
    pub version: u32,
    /// 1 … 400.
    pub elements: Vec<Element>,
}

crate::entity!(ComplianceRule, ComplianceRule, RuleId, |rule| rule.owner.0);

/// One element of a rule. Which fields are set follows from the kind of the rule.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Element {
    /// Date: the day.
    pub date: Option<Date>,
    /// Region: the weekday; none = every day.
    pub day: Option<DayOfWeek>,
    /// Whether contact is allowed; the default depends on the kind.
    pub allowed: bool,
    /// Hours [first, last) in local time; a last of 00:00 is the end of the day.
    pub first_contact_time: Option<Time>,
    /// See first.
    pub last_contact_time: Option<Time>,
    /// `*`, `US`, `US-CA`, or `US:021`.
    pub region: Option<String>,
    /// Attempt: how many.
    pub count: Option<u32>,
    /// Attempt, ContactHistory: how long.
    pub period: Option<u32>,
    /// Unit of the period.
    pub period_unit: Option<PeriodUnit>,
    /// Whom an Attempt rule counts.
    pub count_by: Option<CountBy>,
    /// Whose attempts are counted.
    pub scope: Option<RuleScope>,
    /// Which results count.
    pub results: Vec<AttemptResult>,
}
