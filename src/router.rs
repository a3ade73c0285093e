//! The table of contents: which feature serves which paths, and what surrounds all of them.
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::uri::Scheme;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use chrono::{DateTime, Utc};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer, ExposeHeaders};

use crate::auth::rule::{Routes, routes};
use crate::auth::{console, denials};
use crate::features::{
    access_events, access_requests, agents, alerts, api_keys, audit_log, branding, command_logs, commands, community,
    dashboard, downloads, groups, instances, inventory, inventory_actions, jobs, live, log_management, machine_access,
    machines, oidc, operator, organization_admin, organizations, profile, recordings, roles, schedules, services,
    session_logs, sessions, sharing, sign_in, sign_up, ssh, terminals, users, v1_companions, v1_machines, v1_sessions,
    webhooks,
};
use crate::http::extract::readable;
use crate::http::inside::Inside;
use crate::http::{etag, health, not_found, request_log, v1_limit};
use crate::platform::config::{Config, ConfigError};
use crate::platform::error::{ApiError, Surface, render};
use crate::platform::log;

/// How long a browser may remember what other origins may do (contract).
const PREFLIGHT_AGE: Duration = Duration::from_secs(12 * 60 * 60);

/// Who came here by https never comes by http again, for a year. Other hosts of the domain are not ours to speak for.
const ONLY_SECURE: &str = "max-age=31536000";

/// Every route, with its description.
pub fn api() -> Routes {
    routes![tag = "health"; health::health => Open, health::ready => Open]
        .merge(sign_up::routes())
        .merge(sign_in::routes())
        .merge(oidc::routes())
        .merge(api_keys::routes())
        .merge(profile::routes())
        .merge(users::routes())
        .merge(roles::routes())
        .merge(machines::routes())
        .merge(machine_access::routes())
        .merge(access_requests::routes())
        .merge(access_events::routes())
        .merge(services::routes())
        .merge(ssh::routes())
        .merge(jobs::routes())
        .merge(schedules::routes())
        .merge(instances::routes())
        .merge(inventory::routes())
        .merge(inventory_actions::routes())
        .merge(sessions::routes())
        .merge(session_logs::routes())
        .merge(terminals::routes())
        .merge(v1_sessions::routes())
        .merge(v1_machines::routes())
        .merge(v1_companions::routes())
        .merge(sharing::routes())
        .merge(recordings::routes())
        .merge(commands::routes())
        .merge(community::routes())
        .merge(agents::routes())
        .merge(downloads::routes())
        .merge(groups::routes())
        .merge(organizations::routes())
        .merge(organization_admin::routes())
        .merge(audit_log::routes())
        .merge(command_logs::routes())
        .merge(log_management::routes())
        .merge(dashboard::routes())
        .merge(live::routes())
        .merge(branding::routes())
        .merge(operator::routes())
        .merge(alerts::routes())
        .merge(webhooks::routes())
}

/// The router of an isolate. With settings that cannot be used, everything but `/health` says so.
pub fn build(config: Result<Config, ConfigError>) -> Router {
    match config {
        Ok(config) => {
            let router = api()
                .into_router()
                .method_not_allowed_fallback(async || ApiError::method_not_allowed())
                .fallback(not_found::page)
                .layer(DefaultBodyLimit::max(config.max_body_bytes));
            let config = Arc::new(config);
            let inside = Inside::new(router.clone(), config.clone());
            let router = router
                .layer(from_fn(etag::revalidate))
                .layer(from_fn_with_state(config.clone(), live::announce))
                .layer(from_fn_with_state(config.clone(), denials::audit_denials))
                .layer(from_fn_with_state(config.clone(), console::carry));
            let router =
                sign_up::bootstrap::before(router, &config).layer(from_fn_with_state(config.clone(), v1_limit::limit));
            surround(router.with_state(config), Some(inside))
        }
        Err(error) => {
            log::error(&error.to_string());
            let refuse = move || std::future::ready(ApiError::misconfigured(error.to_string()));
            surround(
                Router::new().route("/health", get(health::health)).fallback(refuse),
                None,
            )
        }
    }
}

fn surround(router: Router, inside: Option<Inside>) -> Router {
    // Callers of other origins prove themselves with a header: nothing here lets a browser send them our cookie
    // (`auth/console`), so any origin may ask. `*` would not cover Authorization; the headers asked for are granted by name.
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::any())
        .allow_methods(AllowMethods::any())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(ExposeHeaders::any())
        .max_age(PREFLIGHT_AGE);
    let finish = move |request, next| finish(inside.clone(), request, next);
    router
        .layer(from_fn(finish))
        .layer(from_fn(request_log::log))
        .layer(cors)
}

/// Gives errors the body of their surface, and every answer the headers that belong to all. Lets requests ask others from within.
async fn finish(inside: Option<Inside>, mut request: Request, next: Next) -> Response {
    if let Some(inside) = inside {
        request.extensions_mut().insert(inside);
    }
    let surface = Surface::of(request.uri().path());
    let is_secure = request.uri().scheme() == Some(&Scheme::HTTPS);
    let to_agent = request.uri().path().starts_with("/agent/");
    let mut response = match readable(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    };
    // A handshake belongs to the relay that made it.
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        return response;
    }
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        let before = response.headers_mut();
        let kept = v1_limit::HEADERS.into_iter().chain([header::ALLOW]);
        let kept: Vec<_> = kept.filter_map(|name| Some((before.remove(&name)?, name))).collect();
        response = render(error, surface);
        response
            .headers_mut()
            .extend(kept.into_iter().map(|(value, name)| (name, value)));
    }
    let headers = response.headers_mut();
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if to_agent {
        // Agents set their tokens' times by it. The local runtime sends none.
        let date = http_date(Utc::now());
        headers.extend(HeaderValue::try_from(date).ok().map(|date| (header::DATE, date)));
    }
    if is_secure {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(ONLY_SECURE));
    }
    response
}

/// A time as headers have it: that of mail, but for two digits of each day and the name of the zone.
fn http_date(time: DateTime<Utc>) -> String {
    let mail = time.to_rfc2822();
    let (weekday, rest) = mail.split_once(", ").unwrap_or_default();
    let rest = rest.trim_end_matches("+0000");
    format!("{weekday}, {rest:0>21}GMT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_date_in_a_header_is_as_long_on_all_days() {
        for (time, text) in [
            ("1994-11-06T08:49:37Z", "Sun, 06 Nov 1994 08:49:37 GMT"),
            ("2026-12-31T23:59:59.9Z", "Thu, 31 Dec 2026 23:59:59 GMT"),
        ] {
            assert_eq!(http_date(time.parse().unwrap()), text);
        }
    }
}
