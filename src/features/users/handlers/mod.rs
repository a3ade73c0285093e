//! What can be asked for about people.
pub mod create;
pub mod delete;
pub mod edit;
pub mod export;
pub mod invitation;
pub mod list;
pub mod password;
pub mod roles;
