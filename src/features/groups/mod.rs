//! Groups of people and machines: whoever is in a group reaches its machines.
pub mod access;
mod body;
pub mod contents;
mod handlers;
mod machines;
mod members;
pub mod row;
pub mod store;

use crate::http::operation::{Routes, routes};

pub use handlers::list_body;

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        handlers::list_groups,
        handlers::create_group,
        handlers::find_group,
        handlers::update_group,
        handlers::delete_group,
        members::list_group_members,
        members::add_group_members,
        members::remove_group_member,
        machines::list_group_machines,
        machines::add_group_machines,
        machines::remove_group_machine
    ]
}
