//! Scripts: what is said (`scripts.md`). This crate reads the contents of a Script, checks everything that can be
//! checked at creation, renders its texts for a contact and runs its dialogue as a pure state machine. It does no
//! I/O: contents are bytes, contact fields come through [`Fields`], time is an argument.
//!
//! Served are the text language (`scripts.md` 3) and the e-mail language (4). The root `vxml` is known and refused with
//! that reason.
//!
//! [`segment`] belongs here too, because `maxParts` is judged at creation and rendering: how a text becomes the parts
//! of a text message. The channel that sends them uses the same code.

pub mod email;
pub mod error;
pub mod field;
mod filter;
pub mod keyword;
pub mod limits;
mod scan;
pub mod segment;
mod source;
pub mod template;
pub mod test;
pub mod text;
mod wav;
mod xml;

pub use email::Letter;
pub use error::Error;
pub use field::{Field, Fields};
pub use source::{Body, Script};
pub use template::{RenderError, Template};
pub use text::{Conversation, Dialogue, Say};
