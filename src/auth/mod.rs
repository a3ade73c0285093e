//! Who calls, and who may call what. Features give their rights as values of their own.
pub mod account_store;
pub mod api_key;
pub mod caller;
pub mod console;
pub mod denials;
pub mod permission;
pub mod rule;
pub mod throttle;
pub mod ticket;
pub mod token;
