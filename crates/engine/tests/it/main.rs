//! The engine over the memory store: stepped by hand, and by its driver.

mod bench;
mod caps;
mod dispose;
mod driver;
mod lanes;
mod receive;
mod run;
mod withdraw;
