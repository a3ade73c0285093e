//! The sign-in of our own console, in cookies that its script cannot read: whatever runs in the page by mistake may use it as
//! long as the page is open, and does not take it away.
//!
//! The console says that it asks by a header. A page of another origin may send no such header without asking first (CORS), and is
//! never allowed to bring cookies along; a link, a form and a socket have no header at all. So the cookie counts for requests of
//! the console's own pages and for nothing else. In here it is turned into what everybody else sends, and the tokens of answers
//! into cookies, so that no operation knows of it.
use std::sync::Arc;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::Scheme;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::api::secret::Secret;
use serde_json::{Map, Value};

use super::token::TokenKey;
use crate::http::argument::{Argument, Asked};
use crate::platform::config::Config;
use crate::platform::error::ApiError;

/// The header with which the console says that it asks.
const HEADER: &str = "x-vsay-console";

/// Where a browser says whose page it asks for.
const FETCH_SITE: &str = "sec-fetch-site";

/// The one GET that acts (contract). It counts only for whoever proves themselves by a header of their own.
const ACTS: &str = "/api/instances/refresh";

/// The operation after which nothing is kept, whatever it answers: the person wants to be gone.
const SIGN_OUT: &str = "/api/auth/logout";

/// Largest cookie that browsers keep has 4096 bytes, with its name and attributes.
const MAX_COOKIE: usize = 3800;

/// Largest answer in which a token is looked for: that of a sign-in, with a thousand permissions.
const MAX_ANSWER: usize = 256 * 1024;

/// The fields of answers that hold a bearer token.
const TOKENS: [&str; 2] = ["token", "access_token"];

/// The field of answers with what opens the other organizations of a sign-in.
const PROOF: &str = "session_token";

/// What the console's cookie has of what opens the other organizations of a sign-in.
#[derive(Clone)]
pub struct KeptProof(pub Secret);

impl Argument for Option<KeptProof> {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Ok(asked.parts.extensions.get().cloned())
    }
}

/// A console that asks, with its cookies' names and attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Console {
    /// Whether it came by https. `__Host-` keeps others of the domain and http from setting the cookie; by http, which only a
    /// console on one's own computer uses, browsers refuse that name.
    is_secure: bool,
    /// The port, where it is not the usual one: browsers send cookies to all ports of a host, and another edge may be there.
    port: Option<u16>,
}

/// Lets the console ask by cookie and answers it by cookie. For everybody else nothing changes.
pub async fn carry(State(config): State<Arc<Config>>, mut request: Request, next: Next) -> Response {
    let acts = request.method() == Method::GET && request.uri().path() == ACTS;
    let Some(console) = Console::of(request.uri(), request.headers()).filter(|_| !acts) else {
        return next.run(request).await;
    };
    let before = console.present(&config, &mut request);
    let signs_out = request.uri().path() == SIGN_OUT;
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    if signs_out {
        console.forget(response)
    } else if reads {
        response
    } else {
        console.keep(&config, before, response).await
    }
}

impl Console {
    /// The console, if it is the console that asks.
    fn of(uri: &Uri, headers: &HeaderMap) -> Option<Self> {
        let is_own = match headers.get(FETCH_SITE) {
            Some(site) => site.as_bytes() == b"same-origin",
            // Browsers that do not say it send the origin with whatever may have an effect.
            None => headers
                .get(header::ORIGIN)
                .is_none_or(|origin| is_origin(uri, origin.as_bytes())),
        };
        let asks = headers.contains_key(HEADER) && !headers.contains_key(header::UPGRADE) && is_own;
        asks.then(|| Self {
            is_secure: uri.scheme() == Some(&Scheme::HTTPS),
            port: uri.port_u16(),
        })
    }

    fn session_name(self) -> String {
        self.name("vsay-session")
    }

    fn proof_name(self) -> String {
        self.name("vsay-proof")
    }

    fn name(self, of: &str) -> String {
        let prefix = if self.is_secure { "__Host-" } else { "" };
        let port = self.port.map(|port| format!("-{port}")).unwrap_or_default();
        format!("{prefix}{of}{port}")
    }

    /// Gives a request what its cookies hold. A token that it brings itself counts alone. Answers which sign-in the cookies are of.
    fn present(self, config: &Config, request: &mut Request) -> Option<String> {
        let token = cookie(request.headers(), &self.session_name());
        let before = token.and_then(|token| TokenKey::of(config).verify(token).ok());
        if let Some(proof) = cookie(request.headers(), &self.proof_name()) {
            let proof = KeptProof(Secret::from(proof.to_owned()));
            request.extensions_mut().insert(proof);
        }
        let before = before.map(|proof| proof.sign_in);
        if request.headers().contains_key(header::AUTHORIZATION) {
            return before;
        }
        let bearer = cookie(request.headers(), &self.session_name())
            .and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        if let Some(bearer) = bearer {
            request.headers_mut().insert(header::AUTHORIZATION, bearer);
        }
        before
    }

    /// Moves the tokens of an answer into cookies. What opens other organizations goes with the sign-in it was of.
    async fn keep(self, config: &Config, before: Option<String>, response: Response) -> Response {
        let is_json = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        if !response.status().is_success() || !is_json {
            return response;
        }
        let (mut parts, body) = response.into_parts();
        let Ok(bytes) = to_bytes(body, MAX_ANSWER).await else {
            return refuse(ApiError::internal("the answer to the console is too long to look into"));
        };
        match Kept::of(config, &bytes) {
            Ok(None) => Response::from_parts(parts, Body::from(bytes)),
            Ok(Some(kept)) => {
                let lifetime = config.token_lifetime_seconds();
                let cookies = [
                    (self.session_name(), Some(kept.session)),
                    (self.proof_name(), kept.proof),
                ];
                let goes_on = before.as_ref() == Some(&kept.sign_in);
                for (name, secret) in cookies {
                    let secret = secret.filter(|secret| secret.expose().len() <= MAX_COOKIE);
                    let cookie = match secret {
                        Some(secret) => self.cookie(&name, secret.expose(), lifetime),
                        None if goes_on => None,
                        None => self.cookie(&name, "", 0),
                    };
                    parts.headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
                }
                Response::from_parts(parts, Body::from(kept.rest))
            }
            Err(fault) => refuse(fault),
        }
    }

    /// Takes the cookies away.
    fn forget(self, mut response: Response) -> Response {
        for name in [self.session_name(), self.proof_name()] {
            let cookie = self.cookie(&name, "", 0);
            response
                .headers_mut()
                .extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        }
        response
    }

    fn cookie(self, name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let text = format!("{name}={value}; Max-Age={seconds}; Path=/; HttpOnly; SameSite=Strict{secure}");
        HeaderValue::try_from(text).ok()
    }
}

/// What is kept of an answer.
struct Kept {
    session: Secret,
    /// Which sign-in it is of.
    sign_in: String,
    proof: Option<Secret>,
    /// The answer without it.
    rest: Vec<u8>,
}

impl Kept {
    /// Looks for a bearer token of ours, whichever operation answers it.
    fn of(config: &Config, body: &Bytes) -> Result<Option<Self>, ApiError> {
        let key = TokenKey::of(config);
        let Ok(mut fields) = serde_json::from_slice::<Map<String, Value>>(body) else {
            return Ok(None);
        };
        let token = fields.get("token").and_then(Value::as_str);
        let Some(Ok(proof)) = token.map(|token| key.verify(token)) else {
            return Ok(None);
        };
        let session = key.renew(&proof)?;
        let sign_in = proof.sign_in;
        let proof = strip(&mut fields);
        if let Some(copy) = fields.get_mut("data").and_then(Value::as_object_mut) {
            strip(copy);
        }
        let rest = serde_json::to_vec(&fields).map_err(ApiError::internal)?;
        Ok(Some(Self {
            session,
            sign_in,
            proof,
            rest,
        }))
    }
}

/// Takes the tokens out of an answer, and gives what opens other organizations.
fn strip(fields: &mut Map<String, Value>) -> Option<Secret> {
    for name in TOKENS {
        fields.remove(name);
    }
    match fields.remove(PROOF) {
        Some(Value::String(proof)) => Some(Secret::from(proof)),
        _ => None,
    }
}

fn refuse(error: ApiError) -> Response {
    error.into_response()
}

/// The value of a cookie.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(of, value)| *of == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// Whether it is the origin of an address.
fn is_origin(uri: &Uri, origin: &[u8]) -> bool {
    let own = uri.scheme_str().zip(uri.authority());
    own.is_some_and(|(scheme, authority)| format!("{scheme}://{authority}").as_bytes() == origin)
}

#[cfg(test)]
mod tests;
