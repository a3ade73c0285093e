//! The REST side of VSAY Edge: stateless handlers over D1, a folder per feature. `router.rs` is the table of contents.
//!
//! A request enters at [`fetch`], is routed by axum, proves who calls (`auth/caller/`), obtains what they may do
//! (`features/*/access.rs`), and reads or writes D1 (`features/*/store`). Terminal bytes never come here: an upgrade is checked
//! (`features/terminals`, `features/agents`) and handed to the machine's relay, the Durable Object exported below.
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

mod audit;
mod auth;
mod features;
mod http;
#[cfg(not(target_arch = "wasm32"))]
mod openapi;
#[cfg(not(target_arch = "wasm32"))]
mod permissions;
mod platform;
mod router;
mod scheduled;
#[cfg(test)]
mod testing;

use std::cell::OnceCell;
use std::sync::Arc;

use tower_service::Service;

#[cfg(not(target_arch = "wasm32"))]
pub use crate::openapi::document;
#[cfg(not(target_arch = "wasm32"))]
pub use crate::permissions::page as permissions;
pub use durable_objects::{Channel, Relay};

thread_local! {
    /// Building the routes costs as much as serving a hundred requests, so an isolate does it once.
    static ROUTER: OnceCell<axum::Router> = const { OnceCell::new() };
}

/// Tells the relays who may, and where records of commands go and what becomes of machines.
#[worker::event(start)]
fn start() {
    durable_objects::authority::set(
        features::sessions::authority::answer,
        features::v1_sessions::authenticate::answer,
    );
    let (typed, sent) = (features::command_logs::record::store, features::commands::logged::store);
    let (asked, awaiting) = (features::commands::asked::store, features::commands::awaiting::store);
    durable_objects::command_log::set(typed, sent, asked, awaiting);
    durable_objects::health::set(features::machines::health::write);
    durable_objects::logins::set(features::access_events::record::store);
    durable_objects::services::set(features::services::record::store);
    features::jobs::outputs::set(features::inventory_actions::outputs::keep);
    durable_objects::ssh::set(features::ssh::record::store);
    durable_objects::jobs::set(features::jobs::record::store, features::jobs::watched::read);
}

/// Serves one request.
#[worker::event(fetch)]
async fn fetch(
    request: web_sys::Request,
    env: worker::Env,
    context: worker::Context,
) -> worker::Result<web_sys::Response> {
    let mut router = ROUTER.with(|cell| {
        cell.get_or_init(|| router::build(platform::config::Config::from_env(&env)))
            .clone()
    });
    let request = http::adapter::request(&request);
    let scope = match &request {
        Ok(request) => http::request_log::scope(request.headers()),
        Err(_) => http::request_log::scope(&axum::http::HeaderMap::new()),
    };
    let serve = async {
        match request {
            Ok(mut request) => {
                if let Some(uri) = http::v1_paths::meant(request.method(), request.uri(), request.headers()) {
                    *request.uri_mut() = uri;
                }
                request.extensions_mut().insert(env);
                request
                    .extensions_mut()
                    .insert(platform::background::Background::new(move |task| {
                        context.wait_until(task)
                    }));
                match router.call(request).await {
                    Ok(response) => response,
                    Err(never) => match never {},
                }
            }
            Err(error) => platform::error::render(error.into(), platform::error::Surface::Api),
        }
    };
    let mut response = scope.run(serve).await;
    http::request_log::name(&mut response, &scope);
    http::adapter::response(response).await
}

/// Does the work that no request asks for.
#[worker::event(scheduled)]
async fn scheduled(event: worker::ScheduledEvent, env: worker::Env, context: worker::ScheduleContext) {
    let now = chrono::DateTime::from_timestamp_millis(event.schedule() as i64).unwrap_or_else(chrono::Utc::now);
    match platform::config::Config::from_env(&env) {
        Ok(config) => {
            let background = platform::background::Background::new(move |task| context.wait_until(task));
            let app = platform::context::App::new(Arc::new(config), env, background);
            // A run is no request, and its lines are told from those of others just so.
            let scope = http::request_log::scope(&axum::http::HeaderMap::new());
            scope.run(scheduled::run(&app, now)).await;
        }
        Err(error) => platform::log::error(&error.to_string()),
    }
}
