//! The bounds that hold in every Account unless its settings say otherwise (`api.md` 1.10), and the bounds of form
//! that hold everywhere (1.9).

/// Longest name of an entity, in characters.
pub const NAME_CHARACTERS_MAX: usize = 64;
/// Longest description, in characters.
pub const DESCRIPTION_CHARACTERS_MAX: usize = 255;
/// Longest value of a free attribute, in characters.
pub const ATTRIBUTE_VALUE_CHARACTERS_MAX: usize = 4_000;
/// Attributes on one object.
pub const ATTRIBUTES_MAX: usize = 200;
/// Longest Client ID, first name, last name or company, in characters.
pub const CONTACT_TEXT_CHARACTERS_MAX: usize = 64;
/// Longest value of Other1 … Other20, in characters.
pub const OTHER_CHARACTERS_MAX: usize = 255;
/// Devices of one contact.
pub const DEVICES_MAX: usize = 9;
/// Passes of one strategy or SubCampaign.
pub const PASSES_MAX: usize = 20;
/// Elements of one ComplianceRule.
pub const ELEMENTS_MAX: usize = 400;
/// Contacts in one createContactBatch call.
pub const BATCH_CONTACTS_MAX: usize = 100;
/// Contacts in one addToListUsingContacts call, entries in one addToSuppression call, users in one createUsers call.
pub const ITEMS_MAX: usize = 1_000;
/// How far ahead a batch may start, in days.
pub const BATCH_START_AHEAD_DAYS: i64 = 10;
/// Longest maxDuration of a batch, in minutes.
pub const BATCH_DURATION_MINUTES_MAX: u32 = 720;
/// Active Scripts of one Account.
pub const SCRIPTS_ACTIVE_MAX: usize = 100;
/// Contents of one Script.
pub const SCRIPT_CONTENTS_MAX: usize = 500;
/// Bytes of all contents of one Script.
pub const SCRIPT_BYTES_MAX: usize = 5_242_880;
/// Campaigns of one Account that have not expired.
pub const CAMPAIGNS_AVAILABLE_MAX: usize = 100;
/// Active SubCampaigns of one Account.
pub const SUB_CAMPAIGNS_ACTIVE_MAX: usize = 50;
/// ComplianceRules of one Org.
pub const COMPLIANCE_RULES_MAX: usize = 1_000;
/// Attempts in one showContactAttempts call.
pub const SHOW_CONTACT_ATTEMPTS_MAX: usize = 100;
/// Contacts in one showContacts call.
pub const SHOW_CONTACTS_MAX: usize = 100;
/// API keys of one User.
pub const API_KEYS_MAX: usize = 20;
/// Enterprises of one SuperEnterprise.
pub const ENTERPRISES_MAX: usize = 50;
/// Accounts of one Enterprise.
pub const ACCOUNTS_MAX: usize = 500;
