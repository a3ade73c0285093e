//! Groups of people and machines: whoever is in a group reaches its machines.
pub mod access;
pub mod body;
pub mod handlers;
pub mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{machines, members};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "groups";
        handlers::list_groups => SignedIn,
        handlers::create_group => Admin.of_people(),
        handlers::find_group => Object,
        handlers::update_group => Admin.of_people(),
        handlers::delete_group => Admin.of_people(),
        members::list_group_members => Object,
        members::add_group_members => Admin.of_people(),
        members::remove_group_member => Admin.of_people(),
        machines::list_group_machines => Object,
        machines::add_group_machines => Admin,
        machines::remove_group_machine => Admin,
    ]
}
