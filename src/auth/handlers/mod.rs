//! The routes of this feature, a file for each thing people do.
pub mod invite;
pub mod login;
pub mod password;
pub mod second_factor;
pub mod session;
pub mod setup;
pub mod signup;
pub mod verify_email;
