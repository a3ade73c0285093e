//! What people do with shared sessions.
pub mod guest;
pub mod owner;
