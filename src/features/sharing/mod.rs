//! Sharing a terminal while it runs: whom its owner has invited, to type or to watch (`docs/sharing.md`).
pub mod predicates;
