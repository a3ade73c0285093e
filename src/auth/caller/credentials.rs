//! What a request proves, before the database was asked.
use std::sync::Arc;

use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use chrono::Utc;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use protocol::ids::ObjectId;
use serde::Deserialize;
use worker::send::SendFuture;

use super::account::{Caller, CallerRow, INVALID_TOKEN};
use super::proof::Proof;
use crate::audit::RequestContext;
use crate::auth::account_store;
use crate::auth::api_key::{self, API_KEY_PREFIX};
use crate::auth::denials::Attempt;
use crate::auth::rule::{Operation, Rule};
use crate::auth::ticket;
use crate::auth::token::{TokenFault, TokenKey};
use crate::http::argument::{Argument, Asked, Step};
use crate::http::client::is_source;
use crate::http::extract::{PathParam, QueryParams};
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::db::{Batch, Db};
use crate::platform::error::ApiError;

/// What a ticket that is wrong, expired, used or for another machine is answered.
const INVALID_TICKET: &str = "Invalid or expired ticket";

/// What a socket is answered for which nothing was shown.
const TOKEN_REQUIRED: &str =
    "Token required for WebSocket connection (use ?token= query parameter or Authorization header)";

/// What was verified of a request: by which account, in which way, and for which operation. Whether the account is still active
/// and may do this is only known after [`Self::load`].
#[derive(Debug)]
pub struct Credentials {
    proof: Proof,
    operation: Operation,
    context: RequestContext,
    attempt: Attempt,
}

impl Credentials {
    /// The account they are for, to bind to the query that goes along in [`Self::load`].
    pub fn user_id(&self) -> &ObjectId {
        self.proof.user_id()
    }

    /// How the request came.
    pub fn context(&self) -> &RequestContext {
        &self.context
    }

    /// Runs `batch` together with the look-up of the account, in one round trip.
    ///
    /// Fails with 401 if the account has been disabled or deleted, or its tokens revoked, and with 403 if the operation's rule
    /// does not let it pass. From here on it is known whose attempt the request is, should it be refused.
    pub fn load<B: Batch>(self, db: &Db, batch: B) -> impl Future<Output = Result<(Caller, B::Rows), ApiError>> {
        let account = account_store::find_caller(self.user_id(), &self.proof.sign_in());
        db.run((account, batch)).map(move |ran| {
            let (accounts, rows) = ran?;
            Ok((self.admit(accounts)?, rows))
        })
    }

    /// Apart, so that it is compiled once instead of within everything that loads.
    fn admit(self, accounts: Vec<CallerRow>) -> Result<Caller, ApiError> {
        let caller = Caller::admit(accounts.into_iter().next(), self.proof, self.context)?;
        self.attempt.is_by(&caller);
        caller.pass(self.operation)?;
        Ok(caller)
    }

    fn presented(asked: &mut Asked) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(SendFuture::new(async {
            let token =
                bearer(&asked.parts.headers)?.ok_or_else(|| ApiError::unauthorized("Authorization header required"))?;
            let credentials = Self::verify(&asked.parts, &asked.config, token).await?;
            asked.find(credentials);
            Ok(())
        }))
    }

    /// What a token proves that came in a frame instead of a request, and may be used to open a socket.
    pub async fn of_bearer(app: &App, token: &str) -> Result<Self, ApiError> {
        let mut parts = app.bare_request();
        parts.extensions.insert(Operation::from(Rule::Object));
        Self::verify(&parts, &app.config, token).await
    }

    async fn verify(parts: &Parts, config: &Arc<Config>, token: &str) -> Result<Self, ApiError> {
        let proof = if token.starts_with(API_KEY_PREFIX) {
            let app = App::from_parts(parts, config)?;
            Proof::Key(api_key::verify(&app, token).await?)
        } else {
            Proof::Token(TokenKey::of(config).verify(token).map_err(|fault| match fault {
                TokenFault::Invalid => ApiError::unauthorized(INVALID_TOKEN),
                TokenFault::NoUser => ApiError::unauthorized("Invalid user ID in token"),
            })?)
        };
        Self::proven(parts, proof)
    }

    fn proven(parts: &Parts, proof: Proof) -> Result<Self, ApiError> {
        let mut context = RequestContext::from_parts(parts);
        let operation = parts
            .extensions
            .get::<Operation>()
            .map(|operation| operation.asked_with(&parts.headers));
        let operation = operation.ok_or_else(|| ApiError::internal("the request is not of an operation"))?;
        // What a token was issued to, its bearer does not choose. A key's bearer may name itself.
        match &proof {
            Proof::Token(proof) => context.client.source.clone_from(&proof.source),
            Proof::Key(_) if parts.headers.contains_key("x-source") => {}
            Proof::Key(_) => context.client.source = source_param(parts.uri.query().unwrap_or_default()),
        }
        Ok(Self {
            attempt: Attempt::of(parts),
            proof,
            operation,
            context,
        })
    }
}

impl Argument for Credentials {
    const FIRST: Option<Step> = Some(Self::presented);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        asked.found()
    }
}

/// Credentials of a WebSocket to one machine, which a browser cannot give a header: `?ticket=` counts before `?token=`, and that
/// before `Authorization`.
#[derive(Debug)]
pub struct SocketCredentials(pub Credentials);

#[derive(Deserialize)]
struct SocketParams {
    ticket: Option<String>,
    token: Option<String>,
}

impl SocketCredentials {
    /// What a ticket proves at the machine or recording that the path names. It is used up, whatever comes of it.
    async fn of_ticket(asked: &mut Asked, ticket: &str) -> Result<Credentials, ApiError> {
        // What the ticket is for: what the path names, or the path itself where it names nothing.
        let place = match PathParam::of(asked) {
            Ok(PathParam(named)) => named,
            Err(_) => asked.parts.uri.path().to_owned(),
        };
        let app = App::of(asked)?;
        let taken = match ticket::take(ticket) {
            Some(take) => app.db()?.run(take).await?.into_iter().next(),
            None => None,
        };
        let proof = taken
            .and_then(|taken| taken.proof(&place, Utc::now()))
            .ok_or_else(|| ApiError::unauthorized(INVALID_TICKET))?;
        Credentials::proven(&asked.parts, Proof::Token(proof))
    }

    async fn shown(asked: &mut Asked) -> Result<Credentials, ApiError> {
        let QueryParams(SocketParams { ticket, token }) = QueryParams::of(asked)?;
        if let Some(ticket) = ticket.filter(|ticket| !ticket.is_empty()) {
            return Self::of_ticket(asked, &ticket).await;
        }
        let parts = &asked.parts;
        let token = match token.filter(|token| !token.is_empty()) {
            Some(token) => Some(token),
            None => bearer(&parts.headers)?.map(str::to_owned),
        };
        let token = token.ok_or_else(|| ApiError::unauthorized(TOKEN_REQUIRED))?;
        Credentials::verify(parts, &asked.config, &token).await
    }

    fn presented(asked: &mut Asked) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(SendFuture::new(async {
            let credentials = Self::shown(asked).await?;
            asked.find(credentials);
            Ok(())
        }))
    }
}

impl Argument for SocketCredentials {
    const FIRST: Option<Step> = Some(Self::presented);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        asked.found().map(Self)
    }
}

/// The same of a socket that also opens for whom it has only to say that they may not have it. A handler that takes these answers by itself
/// for what is wrong with them.
pub struct ShownCredentials(pub Result<Credentials, ApiError>);

impl ShownCredentials {
    /// Whether nothing was shown at all.
    pub fn is_missing(&self) -> bool {
        self.0.as_ref().is_err_and(|error| error.text() == TOKEN_REQUIRED)
    }

    fn presented(asked: &mut Asked) -> BoxFuture<'_, Result<(), ApiError>> {
        Box::pin(SendFuture::new(async {
            let shown = SocketCredentials::shown(asked).await;
            asked.find(shown);
            Ok(())
        }))
    }
}

impl Argument for ShownCredentials {
    const FIRST: Option<Step> = Some(Self::presented);

    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        asked.found().map(Self)
    }
}

/// What a program that presents a key calls itself in the query, if it does.
fn source_param(query: &str) -> String {
    let named = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "source");
    match named {
        Some((_, source)) if is_source(&source) => source.into_owned(),
        _ => api_key::SOURCE.to_owned(),
    }
}

/// The token of an `Authorization` header, if there is one.
pub fn bearer(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    match parts {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(token.trim())),
        _ => Err(ApiError::unauthorized(
            "Invalid authorization format. Use: Bearer <token>",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_with_a_key_may_name_itself_in_the_query() {
        assert_eq!(source_param("page=1&source=backup-job"), "backup-job");
        for query in ["", "page=1", "source=", "source=a%20b"] {
            assert_eq!(source_param(query), "api_key", "{query}");
        }
    }

    #[test]
    fn a_bearer_token_is_found_whatever_the_case_of_its_scheme() {
        let of = |value: &str| {
            let headers = [(header::AUTHORIZATION, value.parse().unwrap())].into_iter().collect();
            bearer(&headers).map(|token| token.map(str::to_owned))
        };
        assert_eq!(of("Bearer abc").unwrap().as_deref(), Some("abc"));
        assert_eq!(of("bearer  abc ").unwrap().as_deref(), Some("abc"));
        assert!(bearer(&HeaderMap::new()).unwrap().is_none());
        for bad in ["", "abc", "Basic abc"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
