//! How fast a pass goes (`entities.md` 13): pure arithmetic on numbers and moments the engine has counted. Nothing
//! here reads a clock, a store or a contact, so every rule is proved by a table.
//!
//! A pass wants a rate ([`auto`] or [`fixed`]); [`cap`] cuts it, shares what is scarce and names the cap that set
//! it; [`spread`] turns the rate into single permits; [`projection`] says how many contacts fall into this clock
//! hour, the next and later, and when the work ends. Mode Agent is not served by this version: it paces voice,
//! dialer and preview passes, whose channels are not served either.

pub mod auto;
pub mod cap;
pub mod fixed;
pub mod limits;
pub mod projection;
pub mod spread;
pub mod window;

pub use cap::{Rate, one_decimal};
pub use projection::{Projection, Stream};
pub use spread::Spread;
pub use window::Window;

/// SubCampaign.intensity as a factor: 100 percent is 1. Zero, which no stored SubCampaign has, counts as 1 percent.
pub(crate) fn factor(intensity: u32) -> f64 {
    f64::from(intensity.max(1)) / 100.0
}
