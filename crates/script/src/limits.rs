//! The bounds of Scripts. The number and size of contents are those of `carillon_model::limits`.

/// Nested elements of a source.
pub const DEPTH_MAX: usize = 64;
/// Elements of a source.
pub const ELEMENTS_MAX: usize = 10_000;
/// Attributes of one element.
pub const ATTRIBUTES_MAX: usize = 32;
/// Longest name of a content, in characters.
pub const CONTENT_NAME_CHARACTERS_MAX: usize = 64;
/// Longest name of an answer, an event or an id, in characters.
pub const NAME_CHARACTERS_MAX: usize = 64;
/// Bytes of one template in the source.
pub const TEMPLATE_BYTES_MAX: usize = 20_000;
/// Bytes of the HTML of an e-mail in the source.
pub const HTML_BYTES_MAX: usize = 90_000;
/// Bytes of the rendered subject of an e-mail, and of a name in its headers.
pub const HEADER_BYTES_MAX: usize = 500;
/// Longest e-mail address, in bytes.
pub const ADDRESS_BYTES_MAX: usize = 254;
/// Links with answers in one e-mail.
pub const LINKS_MAX: usize = 64;
/// Longest address of such a link, in bytes.
pub const LINK_BYTES_MAX: usize = 2_000;
/// Attributes of one such link.
pub const LINK_ATTRIBUTES_MAX: usize = 64;
/// Bytes of one rendered text (`scripts.md` 2).
pub const RENDERED_BYTES_MAX: usize = 100_000;
/// Work of one rendering: an instruction costs one, as do 64 bytes produced.
pub const RENDER_FUEL: u64 = 20_000;
/// Templates of one Script.
pub const TEMPLATES_MAX: usize = 1_000;
/// States of a dialogue.
pub const STATES_MAX: usize = 200;
/// Replies of a dialogue, and choices of one question.
pub const REPLIES_MAX: usize = 500;
/// Patterns of a dialogue.
pub const PATTERNS_MAX: usize = 100;
/// Longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 500;
/// Memory of one compiled pattern, in bytes.
pub const PATTERN_COMPILED_BYTES_MAX: usize = 262_144;
/// Longest reply a dialogue looks at, in characters; the rest is cut off.
pub const REPLY_CHARACTERS_MAX: usize = 1_600;
/// Parts of one text message unless the source names another bound (`scripts.md` 3).
pub const PARTS_DEFAULT: usize = 6;
/// The largest maxParts.
pub const PARTS_MAX: usize = 20;
/// Messages of one conversation; past it the dialogue ends as Failed, so that timeouts in a circle end too.
pub const MESSAGES_MAX: u32 = 50;
/// Times a question is asked again where its state has no `otherwise`.
pub const ASK_AGAIN_MAX: u32 = 2;
/// The largest `max` of an `otherwise`.
pub const OTHERWISE_MAX: u32 = 20;
/// Time for a reply where neither the state nor the root names one: a reply within 24 hours of the last message
/// belongs to its conversation (`entities.md` 12).
pub const TIMEOUT_DEFAULT_SECONDS: i64 = 86_400;
/// Shortest timeout, in seconds.
pub const TIMEOUT_SECONDS_MIN: i64 = 60;
/// Longest timeout, in seconds: 31 days.
pub const TIMEOUT_SECONDS_MAX: i64 = 31 * 86_400;
/// Inputs of one test of a Script.
pub const TEST_INPUTS_MAX: usize = 100;
