//! What people do with terminal sessions.
pub mod change;
pub mod list;
