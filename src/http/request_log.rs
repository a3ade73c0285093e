//! The id that every request has, and the line that the log keeps of some: of those that failed, were slow, or may have changed
//! something. What was only read, and in time, leaves none: that is nearly all that a console asks.
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use chrono::Utc;

use crate::platform::log::{Level, Line, Scope, is_request_id, write};
use crate::platform::random;

/// The header of the id, in requests and answers.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// What the network in front of the Worker calls a request.
const RAY: &str = "cf-ray";

/// From how many milliseconds on an answer is slow. A read is one round trip to the database, of some tens of milliseconds; a
/// second is what a person notices.
const SLOW_MS: i64 = 1000;

/// What stands for a path that is none of ours, which may be anything.
const UNMATCHED: &str = "unmatched";

/// The work of a request: its id is the client's own if that is well-formed, else that of the network, else a new one.
pub fn scope(headers: &HeaderMap) -> Scope {
    let given = |name: &str| {
        let id = headers.get(name).and_then(|value| value.to_str().ok());
        id.filter(|id| is_request_id(id)).map(str::to_owned)
    };
    let id = given(HEADER.as_str())
        .or_else(|| given(RAY))
        .or_else(|| random::hex::<8>().ok());
    Scope::new(id.unwrap_or_default())
}

/// Says in an answer which request it is of. A handshake belongs to the relay that made it.
pub fn name(response: &mut Response, scope: &Scope) {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let id = HeaderValue::try_from(scope.request_id());
        response.headers_mut().extend(id.ok().map(|id| (HEADER, id)));
    }
}

/// Surrounds all routes: writes the line of a request, if it has one.
pub async fn log(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let (method, began) = (request.method().clone(), Utc::now());
    let response = next.run(request).await;
    let status = response.status();
    let took = (Utc::now() - began).num_milliseconds();
    if let Some(level) = level(&method, status, took) {
        let mut line = Line::of("request");
        line.method = method.as_str();
        line.route = route.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        line.status = Some(status.as_u16());
        line.duration_ms = Some(took);
        write(level, line);
    }
    response
}

/// How much a request matters; nothing if it has no line. One that opened a socket may do anything with it.
fn level(method: &Method, status: StatusCode, took: i64) -> Option<Level> {
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if status.is_server_error() {
        Some(Level::Error)
    } else if status.is_client_error() || took >= SLOW_MS {
        Some(Level::Warn)
    } else if !reads || status == StatusCode::SWITCHING_PROTOCOLS {
        Some(Level::Info)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        scope(&headers.collect()).request_id().to_owned()
    }

    #[test]
    fn a_request_has_the_id_it_came_with_or_a_new_one() {
        assert_eq!(
            id(&[("x-request-id", "trace-0001"), ("cf-ray", "8f2d4c6b7a-FRA")]),
            "trace-0001"
        );
        for bad in ["x", "two words", &"x".repeat(500)] {
            assert_eq!(
                id(&[("x-request-id", bad), ("cf-ray", "8f2d4c6b7a-FRA")]),
                "8f2d4c6b7a-FRA"
            );
        }
        let made = [id(&[]), id(&[("x-request-id", "{}")])];
        assert!(made.iter().all(|id| id.len() == 16) && made[0] != made[1], "{made:?}");
    }

    #[test]
    fn what_failed_was_slow_or_changed_something_has_a_line() {
        for (method, status, took, wanted) in [
            (Method::GET, 200, 0, None),
            (Method::GET, 304, SLOW_MS - 1, None),
            (Method::OPTIONS, 200, 0, None),
            (Method::GET, 200, SLOW_MS, Some(Level::Warn)),
            (Method::GET, 101, 0, Some(Level::Info)),
            (Method::PUT, 200, 0, Some(Level::Info)),
            (Method::GET, 404, 0, Some(Level::Warn)),
            (Method::POST, 500, 0, Some(Level::Error)),
            (Method::GET, 503, 0, Some(Level::Error)),
        ] {
            let status = StatusCode::from_u16(status).unwrap();
            assert_eq!(level(&method, status, took), wanted, "{method} {status} {took}");
        }
    }
}
