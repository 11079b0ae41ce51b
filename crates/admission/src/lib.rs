//! How contacts come into a run, and what both doors and engine must know to judge them: the rules that bind a run, its
//! lanes, the device that would be used, the text that would be said. Below api and engine; both call it inside their own
//! unit of work, so a contact is never stored without its verdict, its place and its counters.

mod admit;
pub mod device;
mod facts;
pub mod filter;
pub mod limits;
pub mod pack;
mod past;
mod retire;
mod rules;
mod speak;
pub mod turn;

pub use admit::{Admission, AdmitInto, Outcome, admit, duplicates};
pub use facts::{ContactFacts, Facts};
pub use past::Pasts;
pub use retire::retire;
pub use rules::{LaneKey, Opening, RuleSet, resolve};
pub use speak::{Refusal, Said, Speaker};
