//! One module for each number of the architecture.
pub mod bulk;
pub mod bundle;
pub mod echo;
pub mod memory;
pub mod pty;
pub mod requests;
pub mod resume;
