//! Commands without a terminal: sent to one machine or to many, and read again later. A row here says who wanted what and how it
//! ended; the machine's relay hands it over, keeps what it wrote, and tells the row. `docs/commands.md` has the whole.
pub mod access;
pub mod asked;
pub mod awaiting;
mod body;
mod event;
mod handlers;
mod id;
pub mod logged;
pub mod row;
pub mod script;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{cancel, decide, find, list, run, run_many};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "commands";
        run::run_command => Object,
        run_many::run_on_machines => SignedIn,
        list::list_commands => SignedIn,
        find::find_command => Object,
        cancel::cancel_command => Object,
        decide::decide_command => Object,
    ]
}
