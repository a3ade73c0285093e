//! Requests to what stands outside.
use worker::{Headers, Method, Request, RequestInit, RequestRedirect};

/// How we call ourselves: GitHub answers nobody who does not.
const USER_AGENT: &str = "vsay-edge";

/// A request for `url` alone. With a body it is a POST.
pub fn request(url: &str, headers: &[(&str, &str)], body: Option<String>) -> worker::Result<Request> {
    let method = if body.is_some() { Method::Post } else { Method::Get };
    request_by(method, url, headers, body)
}

/// The same by any method: it is not led to another address, which was not looked at and is not to learn what `headers` and `body` say.
pub fn request_by(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<String>,
) -> worker::Result<Request> {
    let all = Headers::new();
    all.set("user-agent", USER_AGENT)?;
    for (name, value) in headers {
        all.set(name, value)?;
    }
    let mut init = RequestInit::new();
    init.with_method(method)
        .with_headers(all)
        .with_redirect(RequestRedirect::Manual)
        .with_body(body.map(Into::into));
    Request::new_with_init(url, &init)
}
