//! The engine over the memory store: stepped by hand, and by its driver.

mod bench;
mod dispose;
mod driver;
mod receive;
mod run;
