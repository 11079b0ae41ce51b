//! Pure judgement of one contact at one moment: may this device be contacted now, when, or why not?
//!
//! Admission and the claiming transaction ask the same questions here. Nothing in this crate reads a clock, a store or a
//! network: facts come in as arguments, a [`verdict::Verdict`] goes out.
//!
//! In order of use: [`number`] reads addresses, [`place`] tells zones and places, [`judge`] names a contact's lane and
//! judges it by the [`rules`], in the civil time of [`window`] and by what [`history`] counts. Rule sets that are shipped
//! as data stand in [`pack`].

pub mod history;
pub mod hours;
pub mod judge;
pub mod limits;
pub mod number;
pub mod pack;
pub mod place;
pub mod region;
pub mod rules;
pub mod verdict;
pub mod window;
