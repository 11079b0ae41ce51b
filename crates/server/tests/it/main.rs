//! Stories against the real binary: started as a process, driven through its doors and its carriers.

mod backup;
mod crash;
mod demo;
mod doors;
mod explain;
mod operations;
mod peer;
mod support;
mod texts;
