//! The channels against their peers.

mod contract;
mod inbound;
mod links;
mod receipts;
mod withdraw;
mod world;
