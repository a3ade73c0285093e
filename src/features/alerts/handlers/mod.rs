//! What administrators do with rules and alerts.
pub mod rules;
pub mod seen;
