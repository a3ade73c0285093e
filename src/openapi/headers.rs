//! What the API document says of the headers of answers, and of the answer that is nothing but headers.
use serde_json::{Map, Value, json};

use crate::platform::error::Surface;

/// Says of every answer in the document which headers it has.
pub fn complete(document: &mut Value) {
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
                answers(method == "get", responses);
                if Surface::of(path) == Surface::V1 {
                    limited(responses);
                }
            }
        }
    }
}

fn answers(reads: bool, responses: &mut Map<String, Value>) {
    if reads && responses.get("200").is_some_and(is_tagged) {
        let unchanged = json!({"description": "What the client has, as its `If-None-Match` says, has not changed"});
        responses.insert("304".to_owned(), unchanged);
    }
    let tag = "Names this answer, for `If-None-Match`";
    for (status, response) in responses {
        let header = match status.as_str() {
            "200" if reads && is_tagged(response) => ("ETag", "string", tag),
            "304" => ("ETag", "string", tag),
            "401" => ("WWW-Authenticate", "string", "`Bearer`"),
            "426" => ("Upgrade", "string", "`websocket`"),
            "429" => ("Retry-After", "integer", "Seconds to wait"),
            _ => continue,
        };
        let (name, kind, description) = header;
        if let Some(response) = response.as_object_mut() {
            let header = json!({"description": description, "required": true, "schema": {"type": kind}});
            response.insert("headers".to_owned(), json!({ name: header }));
        }
    }
}

/// What every answer of `/v1` says, but the handshake of a socket.
fn limited(responses: &mut Map<String, Value>) {
    for (_, response) in responses.iter_mut().filter(|(status, _)| *status != "101") {
        let Some(response) = response.as_object_mut() else {
            continue;
        };
        let headers = response.entry("headers").or_insert_with(|| json!({}));
        for (name, description) in [
            ("X-RateLimit-Limit", "Requests that a client may send in a minute"),
            ("X-RateLimit-Remaining", "How many of them are left, as far as is known"),
            (
                "X-RateLimit-Reset",
                "When the next minute begins, in seconds since the Unix epoch",
            ),
        ] {
            headers[name] = json!({"description": description, "required": true, "schema": {"type": "integer"}});
        }
    }
}

/// Whether an answer is tagged (`http/etag.rs`): JSON is, and files are not.
fn is_tagged(response: &Value) -> bool {
    let content = response.get("content").and_then(Value::as_object);
    content.is_some_and(|kinds| kinds.keys().eq(["application/json"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_its_headers_and_a_file_has_no_tag() {
        let json = json!({"content": {"application/json": {}}});
        let file = json!({"content": {"application/json": {}, "text/csv": {}}});
        let mut document = json!({"paths": {
            "/list": {"get": {"responses": {"200": json, "401": {}}}, "post": {"responses": {"200": json, "429": {}}}},
            "/file": {"get": {"responses": {"200": file}}},
        }});
        complete(&mut document);
        let headers = |path: &str, method: &str, status: &str| {
            let headers = &document["paths"][path][method]["responses"][status]["headers"];
            headers
                .as_object()
                .map(|headers| headers.keys().cloned().collect::<Vec<_>>().join(", "))
        };
        assert_eq!(headers("/list", "get", "200").as_deref(), Some("ETag"));
        assert_eq!(headers("/list", "get", "304").as_deref(), Some("ETag"));
        assert_eq!(headers("/list", "get", "401").as_deref(), Some("WWW-Authenticate"));
        assert_eq!(headers("/list", "post", "429").as_deref(), Some("Retry-After"));
        for (path, method, status) in [
            ("/list", "post", "200"),
            ("/list", "post", "304"),
            ("/file", "get", "200"),
            ("/file", "get", "304"),
        ] {
            assert_eq!(headers(path, method, status), None, "{method} {path} {status}");
        }
    }
}
