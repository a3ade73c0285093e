//! How many requests of `/v1` one client may send, and the headers that say so. The platform's limiter decides; it does not say how many
//! are left, so each isolate counts what it has seen, which is all there is while one serves the client.
use std::cell::RefCell;
use std::collections::HashMap;

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::client::Client;
use crate::platform::context::App;
use crate::platform::error::{ApiError, Surface};
use crate::platform::secrets;

/// Binding of the limit.
const BINDING: &str = "V1_REQUESTS";

/// The limiter's period, in seconds (`wrangler.toml`).
const PERIOD: u64 = 60;

/// Most clients that an isolate counts. Of others it is said that nothing was used.
const REMEMBERED: usize = 10_000;

const LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");

/// The headers that an answer keeps when it becomes an error.
pub const HEADERS: [HeaderName; 3] = [LIMIT, REMAINING, RESET];

thread_local! {
    static COUNTED: RefCell<Counted> = RefCell::default();
}

/// What was asked in one period.
#[derive(Debug, Default)]
struct Counted {
    period: u64,
    requests: HashMap<String, u32>,
}

impl Counted {
    /// How many requests a client has sent in the period of `now`, in seconds since the Unix epoch, with this one.
    fn count(&mut self, client: &str, now: u64) -> u32 {
        if self.period != now / PERIOD {
            self.period = now / PERIOD;
            self.requests.clear();
        }
        if self.requests.len() >= REMEMBERED && !self.requests.contains_key(client) {
            return 1;
        }
        let count = self.requests.entry(client.to_owned()).or_default();
        *count = count.saturating_add(1);
        *count
    }
}

/// Refuses a request of `/v1` with 429 above the limit, and says in every answer how much is left. A preflight is the browser's.
#[worker::send]
pub async fn limit(app: App, request: Request, next: Next) -> Response {
    if Surface::of(request.uri().path()) != Surface::V1 || request.method() == Method::OPTIONS {
        return next.run(request).await;
    }
    let client = client(request.headers());
    let now = chrono::Utc::now().timestamp().unsigned_abs();
    let most = app.config.v1_requests;
    let used = COUNTED.with_borrow_mut(|counted| counted.count(&client, now));
    let (mut response, left) = match within(&app, client).await {
        Ok(true) => (next.run(request).await, most.saturating_sub(used)),
        Ok(false) => (ApiError::too_many_requests().into_response(), 0),
        Err(error) => (error.into_response(), most.saturating_sub(used)),
    };
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let reset = (now / PERIOD + 1) * PERIOD;
        for (name, value) in [
            (LIMIT, most.into()),
            (REMAINING, left.into()),
            (RESET, HeaderValue::from(reset)),
        ] {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

async fn within(app: &App, client: String) -> Result<bool, ApiError> {
    Ok(app.rate_limiter(BINDING)?.limit(client).await?.success)
}

/// Whom a request counts for: a digest of what it proves itself by, so that no token is kept where the counters are, or else its address.
fn client(headers: &HeaderMap) -> String {
    match headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()) {
        Some(proof) => secrets::digest(proof),
        None => Client::from_headers(headers).address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_counts_each_client_for_itself_and_begins_anew() {
        let mut counted = Counted::default();
        assert_eq!([1, 59].map(|now| counted.count("a", now)), [1, 2]);
        assert_eq!(counted.count("b", 59), 1);
        assert_eq!(counted.count("a", 60), 1);
    }

    #[test]
    fn what_is_counted_is_bounded() {
        let mut counted = Counted::default();
        for n in 0..=REMEMBERED {
            counted.count(&n.to_string(), 0);
        }
        assert_eq!(counted.requests.len(), REMEMBERED);
        assert_eq!(counted.count("0", 0), 2, "those that are known are counted on");
    }

    #[test]
    fn a_client_is_known_by_its_proof_or_else_by_its_address() {
        let of = |pairs: &[(HeaderName, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            client(&pairs.collect())
        };
        let address = HeaderName::from_static("cf-connecting-ip");
        assert_eq!(of(&[(address.clone(), "192.0.2.7")]), "192.0.2.7");
        let known = of(&[(address, "192.0.2.7"), (header::AUTHORIZATION, "Bearer a")]);
        assert_eq!(known, of(&[(header::AUTHORIZATION, "Bearer a")]));
        assert!(!known.contains("Bearer"));
    }
}
