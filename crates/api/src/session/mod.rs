//! AuthenticationService.

pub mod show;
