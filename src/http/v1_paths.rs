//! Other addresses of `/v1`: everything is at `/api/v1` as well, and the sessions, which were published without a prefix, at
//! `/sessions`. Such a request is one of `/v1` before anything looks at it, so that its answers have that form.
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, Uri, header};

use super::not_found::is_page;

/// The address that a request means, where that is another one.
pub fn meant(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Uri> {
    let path = uri.path();
    let rest = match path.strip_prefix("/api/v1/") {
        Some(rest) => format!("/v1/{rest}"),
        // The console has a page there.
        None if !headers.contains_key(header::AUTHORIZATION) && is_page(method, path, headers) => return None,
        None if path == "/sessions" || path.starts_with("/sessions/") => format!("/v1{path}"),
        None => return None,
    };
    let text = match uri.query() {
        Some(query) => format!("{rest}?{query}"),
        None => rest,
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(text).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(method: Method, address: &str, headers: &[(header::HeaderName, &str)]) -> Option<String> {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let uri = meant(&method, &address.parse().unwrap(), &headers.collect())?;
        Some(uri.to_string())
    }

    #[test]
    fn the_same_is_at_other_addresses() {
        let meant = |address: &str| of(Method::GET, address, &[]);
        for (address, v1) in [
            (
                "https://edge.example.com/api/v1/machines?page=2",
                "https://edge.example.com/v1/machines?page=2",
            ),
            (
                "https://edge.example.com/sessions",
                "https://edge.example.com/v1/sessions",
            ),
            ("/sessions/sess_1/ws?token=a%20b", "/v1/sessions/sess_1/ws?token=a%20b"),
        ] {
            assert_eq!(meant(address).as_deref(), Some(v1));
        }
        for address in [
            "/v1/sessions",
            "/api/v1",
            "/api/sessions/a",
            "/sessionsx",
            "/api/v1x/machines",
            "/",
        ] {
            assert_eq!(meant(address), None, "{address}");
        }
    }

    #[test]
    fn a_browser_that_goes_to_the_page_gets_the_page() {
        let page = (header::ACCEPT, "text/html,*/*;q=0.8");
        assert_eq!(of(Method::GET, "/sessions", std::slice::from_ref(&page)), None);
        let token = (header::AUTHORIZATION, "Bearer a");
        assert!(of(Method::GET, "/sessions", &[page.clone(), token]).is_some());
        assert!(of(Method::POST, "/sessions", std::slice::from_ref(&page)).is_some());
        assert!(of(Method::GET, "/api/v1/sessions", &[page]).is_some());
    }
}
