//! Alerts: what an organization wants to know, and what came of it (`docs/alerts.md`). Triggers of the database leave a signal in the
//! transaction of what happens, if anybody wants to know; here rules are applied to signals, and what follows is put into the outbox of
//! `webhooks/`. Nothing is looked at on the way of a keystroke, and no machine is asked.
mod access;
mod handlers;
mod raise;
mod row;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{rules, seen};

pub use raise::{run, soon};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "alerts";
        seen::list_alerts => Admin,
        seen::acknowledge_alert => Admin,
        rules::list_alert_rules => Admin,
        rules::create_alert_rule => Admin,
        rules::find_alert_rule => Admin,
        rules::update_alert_rule => Admin,
        rules::delete_alert_rule => Admin,
    ]
}
