//! Between the platform's requests and responses and those of axum. Nothing a client sends makes this fail with a 5xx.
//!
//! A call between Rust and JavaScript costs about as much as parsing a header, so headers cross as one JSON text and bodies
//! of known length as one piece of memory.
use std::borrow::Cow;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use js_sys::{Array, JSON, Uint8Array};
use serde_json::json;
use wasm_bindgen::JsCast;

use crate::platform::error::ApiError;

/// A URL that the platform let through and HTTP does not allow, or more headers than a map holds.
#[derive(Debug)]
pub struct BadRequest;

impl From<BadRequest> for ApiError {
    fn from(_: BadRequest) -> Self {
        Self::bad_request("The request's URL or headers are malformed or too long")
    }
}

/// The request as axum wants it. Headers that HTTP does not allow are dropped.
pub fn request(raw: &web_sys::Request) -> Result<Request<Body>, BadRequest> {
    let method: Method = raw.method().parse().map_err(|_| BadRequest)?;
    // Theirs means nothing, and asking the platform for it takes about as long as routing.
    let body = match method {
        Method::GET | Method::HEAD => None,
        _ => raw.body(),
    };
    let body = body.map_or_else(Body::empty, |stream| Body::new(worker::Body::new(stream)));
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = raw.url().parse::<Uri>().map_err(|_| BadRequest)?;
    let headers = JSON::stringify(&Array::from(&raw.headers())).map_err(|_| BadRequest)?;
    *request.headers_mut() = header_map(&String::from(headers))?;
    Ok(request)
}

/// Headers from a JSON list of pairs.
fn header_map(pairs: &str) -> Result<HeaderMap, BadRequest> {
    let pairs: Vec<(Cow<str>, Cow<str>)> = serde_json::from_str(pairs).map_err(|_| BadRequest)?;
    // Not with a capacity: more than the map's limit would panic where growing fails.
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        if let (Ok(name), Ok(value)) = (
            HeaderName::from_bytes(name.as_bytes()),
            HeaderValue::from_bytes(value.as_bytes()),
        ) {
            headers.try_append(name, value).map_err(|_| BadRequest)?;
        }
    }
    Ok(headers)
}

/// The response as the platform wants it.
pub async fn response(response: Response<Body>) -> worker::Result<web_sys::Response> {
    let socket = response.extensions().get::<worker::WebSocket>().is_some();
    if socket || response.body().size_hint().exact().is_none() {
        return worker::Response::try_from(response).map(Into::into);
    }
    let (parts, body) = response.into_parts();
    let bytes = axum::body::to_bytes(body, usize::MAX)
        .await
        .map_err(|error| worker::Error::RustError(error.to_string()))?;
    let headers: Vec<_> = parts
        .headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
        .collect();
    let init = json!({ "status": parts.status.as_u16(), "headers": headers }).to_string();
    let init: web_sys::ResponseInit = JSON::parse(&init)?.unchecked_into();
    let body = (!bytes.is_empty()).then(|| Uint8Array::from(bytes.as_ref()));
    Ok(web_sys::Response::new_with_opt_js_u8_array_and_init(
        body.as_ref(),
        &init,
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_that_http_does_not_allow_are_dropped() {
        let headers =
            header_map(r#"[["accept","a, b"],["b d","x"],["user-agent","ü"],["x","a\nb"],["cookie","c"]]"#).unwrap();
        let names: Vec<&str> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["accept", "user-agent", "cookie"]);
        assert_eq!(headers["user-agent"].as_bytes(), "ü".as_bytes());
    }

    #[test]
    fn more_headers_than_a_map_holds_are_a_bad_request() {
        let pairs: Vec<(String, &str)> = (0..40_000).map(|n| (format!("x-{n}"), "")).collect();
        assert!(header_map(&serde_json::to_string(&pairs).unwrap()).is_err());
    }
}
