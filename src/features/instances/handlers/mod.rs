//! A function per operation.
pub mod costs;
pub mod list;
pub mod provider;
pub mod refresh;
pub mod stop;
