//! A file for each thing people do.
pub mod login;
pub mod password;
pub mod second_factor;
pub mod session;
