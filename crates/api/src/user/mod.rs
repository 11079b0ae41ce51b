//! IdentityManagementService: Users.

pub mod change_password;
pub mod create;
pub mod list;
pub mod show;
