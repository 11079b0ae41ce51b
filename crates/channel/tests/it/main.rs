//! The channels against their peers.

mod aiosmtpd;
mod contract;
mod email;
mod inbound;
mod links;
mod receipts;
mod withdraw;
mod world;
