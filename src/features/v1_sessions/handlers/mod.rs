//! What clients of the Sessions API ask for.
pub mod create;
pub mod list;
pub mod logs;
pub mod socket;
