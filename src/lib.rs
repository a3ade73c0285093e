//! The REST side of VSAY Edge: stateless handlers over D1, a folder per feature. `router.rs` is the table of contents.
//!
//! A request enters at [`fetch`], is routed by axum, proves who calls (`auth/caller.rs`), obtains what they may do
//! (`auth/access.rs`), and reads or writes D1 (`*/store.rs`). Terminal bytes never come here: an upgrade is checked
//! (`terminals/`, `agents/`) and handed to the machine's relay, the Durable Object exported below.
//!
//! Everything but the outermost layer builds and is tested natively.
#![forbid(unsafe_code)]
// A panic ends every request this isolate is serving.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

mod adapter;
mod agents;
mod app;
mod auth;
mod client;
mod config;
mod db;
mod envelope;
mod error;
mod extract;
mod health;
mod log;
mod machines;
#[cfg(not(target_arch = "wasm32"))]
mod openapi;
mod page;
mod random;
mod relay;
mod router;
mod routes;
mod secrets;
mod sessions;
mod terminals;

#[cfg(test)]
mod schema;

use std::cell::OnceCell;

use tower_service::Service;

pub use durable_objects::Relay;
#[cfg(not(target_arch = "wasm32"))]
pub use openapi::document;

thread_local! {
    /// Building the routes costs as much as serving a hundred requests, so an isolate does it once.
    static ROUTER: OnceCell<axum::Router> = const { OnceCell::new() };
}

/// Serves one request.
#[worker::event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: worker::Env,
    _context: worker::Context,
) -> worker::Result<web_sys::Response> {
    let mut router = ROUTER.with(|cell| {
        cell.get_or_init(|| router::build(config::Config::from_env(&env)))
            .clone()
    });
    let response = match adapter::request(&request) {
        Ok(mut request) => {
            request.extensions_mut().insert(env);
            match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
        Err(error) => error::render(error.into(), error::Surface::Api),
    };
    adapter::response(response).await
}
