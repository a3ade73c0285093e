//! What is done with things of the inventory beyond keeping them: the actions of their types, which are jobs, and the configs of what is a
//! service (`docs/inventory.md`).
mod access;
mod handlers;
pub mod outputs;
mod variables;

use crate::auth::rule::{Routes, routes};

use handlers::{configs, run};

/// The routes of this feature. What is about single things asks for the right to them itself.
pub fn routes() -> Routes {
    routes![
        tag = "inventory";
        run::run_object_action => Object,
        run::run_type_action => Object,
        configs::list_object_configs => Object,
        configs::read_object_config => Object,
        configs::write_object_config => Object,
    ]
}
