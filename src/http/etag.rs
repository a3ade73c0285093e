//! Answers that have not changed since the client read them: it says by which tag it knows what it has, and is answered that this
//! still holds. A list that a page reads again every few seconds then costs a line.
//!
//! Answers stay `no-store`: they are for whoever asked, and no cache on the way or on a disk keeps them. A client that wants to be
//! spared the body keeps it in its own memory.
use std::hash::{DefaultHasher, Hasher};

use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::platform::error::ApiError;

/// Tags what is read, and answers 304 to who has it already.
pub async fn revalidate(request: Request, next: Next) -> Response {
    let known = match *request.method() {
        Method::GET => request
            .headers()
            .get_all(header::IF_NONE_MATCH)
            .into_iter()
            .cloned()
            .collect(),
        _ => return next.run(request).await,
    };
    let response = next.run(request).await;
    match is_taggable(&response) {
        true => tagged(known, response).await,
        false => response,
    }
}

/// Only JSON that is whole: a file is made piece by piece, and its length is not known beforehand.
fn is_taggable(response: &Response) -> bool {
    let is_json = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    response.status() == StatusCode::OK && is_json && response.body().size_hint().exact().is_some()
}

async fn tagged(known: Vec<HeaderValue>, response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    // Its length is known, and it is in memory already.
    let bytes = match to_bytes(body, usize::MAX).await {
        Ok(bytes) => bytes,
        Err(error) => return ApiError::internal(error).into_response(),
    };
    // Nobody gains from two bodies with one tag, and by chance there are none: a cryptographic hash would take a tenth of what a
    // list takes. Another version may make other tags, and its first answers are whole.
    let mut hasher = DefaultHasher::new();
    hasher.write(&bytes);
    // Weak: the same content, whatever coding it travels in.
    let tag = format!("W/\"{:016x}\"", hasher.finish());
    let is_known = known.iter().any(|list| names(list, &tag));
    if let Ok(tag) = HeaderValue::try_from(tag) {
        parts.headers.insert(header::ETAG, tag);
    }
    if is_known {
        return (StatusCode::NOT_MODIFIED, only_tag(&parts.headers)).into_response();
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// What a 304 repeats of the headers; the rest belongs to a body.
fn only_tag(headers: &HeaderMap) -> HeaderMap {
    headers
        .get(header::ETAG)
        .map(|tag| (header::ETAG, tag.clone()))
        .into_iter()
        .collect()
}

/// Whether a list of tags has this one. Tags are compared weakly, as `If-None-Match` does.
fn names(list: &HeaderValue, tag: &str) -> bool {
    let opaque = |tag: &str| tag.strip_prefix("W/").unwrap_or(tag).to_owned();
    let list = list.to_str().unwrap_or_default();
    list.split(',')
        .map(str::trim)
        .any(|one| one == "*" || opaque(one) == opaque(tag))
}

#[cfg(test)]
mod tests {
    use axum::middleware::from_fn;
    use axum::{Json, Router, routing};
    use futures_util::future::FutureExt;
    use serde_json::json;
    use tower_service::Service;

    use super::*;

    /// Status, tag and body of an answer of a server that lists `rows`.
    fn ask(rows: usize, method: &str, path: &str, known: &[&str]) -> (u16, Option<String>, String) {
        let mut server = Router::new()
            .route(
                "/list",
                routing::any(move || std::future::ready(Json(json!({"rows": rows})))),
            )
            .route("/text", routing::get(async || "text"))
            .route("/gone", routing::get(async || (StatusCode::NOT_FOUND, Json(json!({})))))
            .layer(from_fn(revalidate));
        let mut request = Request::builder().method(method).uri(path);
        for tag in known {
            request = request.header(header::IF_NONE_MATCH, *tag);
        }
        let request = request.body(Body::empty()).unwrap();
        async {
            let response = server.call(request).await.unwrap();
            let tag = response
                .headers()
                .get(header::ETAG)
                .map(|tag| tag.to_str().unwrap().to_owned());
            let status = response.status().as_u16();
            let body = to_bytes(response.into_body(), 1024).await.unwrap();
            (status, tag, String::from_utf8(body.into()).unwrap())
        }
        .now_or_never()
        .unwrap()
    }

    #[test]
    fn who_has_the_answer_already_is_spared_it_until_it_changes() {
        let (status, tag, body) = ask(1, "GET", "/list", &[]);
        let tag = tag.unwrap();
        assert_eq!((status, body.as_str()), (200, r#"{"rows":1}"#));
        let unchanged = (304, Some(tag.clone()), String::new());
        let strong = tag.strip_prefix("W/").unwrap();
        for known in [
            &[tag.as_str()][..],
            &[&format!("\"x\", {tag}")],
            &["\"x\"", &tag],
            &[strong],
            &["*"],
        ] {
            assert_eq!(ask(1, "GET", "/list", known), unchanged, "{known:?}");
        }
        let (status, changed, body) = ask(2, "GET", "/list", &[&tag]);
        assert_eq!((status, body.as_str()), (200, r#"{"rows":2}"#));
        assert_ne!(changed.unwrap(), tag);
    }

    #[test]
    fn only_json_that_is_read_and_there_has_a_tag() {
        for (method, path) in [("POST", "/list"), ("GET", "/text"), ("GET", "/gone")] {
            let (status, tag, _) = ask(1, method, path, &["*"]);
            assert!(status != 304 && tag.is_none(), "{method} {path}");
        }
    }
}
