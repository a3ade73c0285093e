//! A function per operation.
pub mod cancel;
pub mod find;
pub mod list;
pub mod rerun;
pub mod start;
pub mod watch;
