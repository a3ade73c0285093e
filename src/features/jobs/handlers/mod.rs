//! A function per operation.
pub mod find;
pub mod list;
pub mod start;
