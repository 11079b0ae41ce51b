//! What callers may ask. One folder per method, two doors (SOAP and JSON), and documents that are printed from the same
//! declarations. A method knows no transport; a door knows no method.
//!
//! A call is read into a raw tree guided by its method's shape ([`tree`], [`shape`], [`door`]), proven to come from
//! somebody ([`auth`]), checked stage by stage ([`check`]), and run in one unit of work of the store (`serve.rs`).

pub mod api_key;
pub mod auth;
mod cache;
mod call;
pub mod campaign;
pub mod check;
pub mod compliance_rule;
pub mod contact;
pub mod contact_attempt;
pub mod contact_batch;
pub mod context;
pub mod document;
pub mod door;
pub mod entity;
pub mod explain;
pub mod fault;
mod init;
pub mod job;
pub mod limits;
pub mod list;
pub mod method;
pub mod org;
mod projection;
pub mod registry;
mod router;
mod sample;
pub mod script;
mod serve;
pub mod session;
pub mod shape;
mod state;
pub mod strategy;
pub mod sub_campaign;
pub mod suppression;
pub mod system;
pub mod tree;
pub mod user;
pub mod value;
mod window;

pub use auth::Credentials;
pub use call::call;
pub use document::generate;
pub use init::{Init, InitError, Names as InitNames, init_installation};
pub use router::router;
pub use state::ApiState;
