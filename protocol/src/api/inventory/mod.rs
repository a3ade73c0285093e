//! The inventory: types of things, things of these types, tags on them, and rules about single ones (contract).
pub mod actions;
pub mod fields;
pub mod objects;
pub mod rules;
pub mod tags;
pub mod template;
pub mod types;

/// What may be done with a thing, beside the actions of its type.
pub const BASIC: [&str; 4] = ["view", "create", "edit", "delete"];

/// Seeing a secret of a thing. It is a right of its own: whoever may see a thing sees that a secret is set.
pub const REVEAL: &str = "reveal";

/// What stands in place of a secret that is set. Who sends it back means that it stays (contract).
pub const MASK: &str = "••••••••";
