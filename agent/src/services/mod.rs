//! What makes an agent a runner: a directory of services. What is there ([`catalog`], [`scan`]), and how its files are read and written
//! ([`files`]), never outside of it ([`confined`]).
pub mod catalog;
pub mod confined;
pub mod files;
pub mod scan;
pub mod yaml;
