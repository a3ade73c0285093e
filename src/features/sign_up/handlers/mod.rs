//! A file for each thing people do.
pub mod invite;
pub mod setup;
pub mod signup;
pub mod verify_email;
