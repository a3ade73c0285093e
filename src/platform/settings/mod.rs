//! Settings that are more than a value, a file per subject. [`Config`](super::config::Config) holds them all.
pub mod mail;
pub mod oidc;
pub mod origins;
pub mod super_admin;
