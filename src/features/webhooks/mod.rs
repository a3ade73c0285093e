//! Webhooks, and the outbox that everything leaves by that an organization is told: to webhooks, signed, and by mail (`docs/alerts.md`).
//! A delivery is a row before it is a request; `courier.rs` sends what is due, and what does not arrive is tried again.
mod access;
mod address;
mod attempt;
pub mod courier;
mod handlers;
mod row;
mod signature;
pub mod store;

use crate::auth::rule::{Routes, routes};

use handlers::{deliveries, one, rotate_secret};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "webhooks";
        one::list_webhooks => Admin,
        one::create_webhook => Admin,
        one::find_webhook => Admin,
        one::update_webhook => Admin,
        one::delete_webhook => Admin,
        rotate_secret::rotate_secret => Admin,
        deliveries::test_webhook => Admin,
        deliveries::list_deliveries => Admin,
        deliveries::redeliver => Admin,
    ]
}
