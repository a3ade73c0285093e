//! The console's page. What is a file of the console never comes here; every other path that is no operation does.
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use axum::response::Response;

use crate::platform::context::App;
use crate::platform::error::ApiError;

/// First segments of paths that are asked by programs, however they are written and whatever the program says it takes: what is
/// not there must not look as if it were.
const NOT_PAGES: [&str; 9] = [
    "api",
    "v1",
    "agent",
    "cli",
    "install.sh",
    "health",
    "ready",
    "metrics",
    "openapi.json",
];

/// Answers what no operation does: the console's page to a browser, whose own router knows which paths it has, and 404 to
/// everybody else.
#[worker::send]
pub async fn page(app: App, request: Request) -> Result<Response, ApiError> {
    match is_page(request.method(), request.uri().path(), request.headers()) {
        true => app.console_page().await,
        false => Err(ApiError::not_found("Not found")),
    }
}

/// Whether somebody looks at a page: a browser that goes to an address says that it takes HTML, and asks for nothing but to see.
pub fn is_page(method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let accepts = headers.get_all(header::ACCEPT).iter();
    let html = accepts
        .filter_map(|accept| accept.to_str().ok())
        .flat_map(|accept| accept.split(','))
        .any(|kind| {
            let kind = kind.split(';').next().unwrap_or_default().trim();
            kind.eq_ignore_ascii_case("text/html")
        });
    html && matches!(*method, Method::GET | Method::HEAD)
        && !NOT_PAGES.iter().any(|word| first.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

    fn shown(method: Method, path: &str, accept: &str) -> bool {
        let headers = [(header::ACCEPT, accept.parse().unwrap())].into_iter().collect();
        is_page(&method, path, &headers)
    }

    #[test]
    fn a_browser_that_goes_to_an_address_gets_the_page() {
        for path in ["/machines", "/admin/people", "/sessions", "/", "/reset-password/x"] {
            assert!(shown(Method::GET, path, BROWSER), "{path}");
            assert!(shown(Method::HEAD, path, "TEXT/HTML;q=0.5"), "{path}");
        }
    }

    #[test]
    fn programs_are_told_that_nothing_is_there() {
        for accept in [
            "*/*",
            "application/json",
            "",
            "text/plain;version=0.0.4",
            "application/openmetrics-text",
        ] {
            for path in ["/metrics", "/sessions", "/login", "/API/machines"] {
                assert!(!shown(Method::GET, path, accept), "{path} {accept}");
            }
        }
        for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
            assert!(!shown(method, "/machines", BROWSER));
        }
        for path in [
            "/API/machines",
            "/Api",
            "/v1/sessions",
            "/V1",
            "/agent/x",
            "/metrics",
            "/Ready",
            "//api/x",
        ] {
            assert!(!shown(Method::GET, path, BROWSER), "{path}");
        }
    }
}
