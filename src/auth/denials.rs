//! Refused attempts, for the audit log: whatever refuses a caller who is known, the error passes [`audit_denials`] on its way out,
//! so that no handler has to think of it.
use std::sync::{Arc, OnceLock};

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;
use protocol::ids::ObjectId;

use super::caller::Caller;
use crate::audit::{self, Action, Event, Resource};
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;

/// Binding of the limit on what is remembered of one account's refused attempts: the log keeps everything for good, and must
/// not be filled by somebody who tries all the time.
const BY_ACCOUNT: &str = "REFUSALS_BY_ACCOUNT";

/// Longest part of a path that is remembered, in characters: as long as the longest id, which is a session's.
const MAX_ID: usize = 128;

/// Whose attempt a request is, once that is known.
#[derive(Debug, Clone, Default)]
pub struct Attempt(Arc<OnceLock<Caller>>);

impl Attempt {
    /// The attempt that a request is.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get().cloned().unwrap_or_default()
    }

    /// Says whose it is.
    pub fn is_by(&self, caller: &Caller) {
        // A request that proved its caller once more than once has the same one.
        let _ = self.0.set(caller.clone());
        if let Some(scope) = log::Scope::current() {
            scope.is_by(caller.organization_id().as_str(), caller.id().as_str());
        }
    }

    /// The organization of whose attempt it is, once that is known.
    pub fn organization(&self) -> Option<&ObjectId> {
        self.0.get().map(Caller::organization_id)
    }

    /// What the log is to remember of it, if it failed like this at `path`, and whom to count it for.
    fn refused(&self, error: &ApiError, path: &str) -> Option<(ObjectId, Event)> {
        let caller = self.0.get().filter(|_| error.status() == StatusCode::FORBIDDEN)?;
        let endpoint = &caller.context().endpoint;
        let event = caller
            .event(Action::Denied, Resource::of_endpoint(endpoint))
            .failed(error.status().as_u16(), error.text());
        let event = named(endpoint, path).fold(event, |event, (name, id)| event.detail(name, id));
        Some((caller.id().clone(), event))
    }
}

/// The ids in a path, with the names that the API document gives them. Other parts of paths may be secrets.
fn named<'a>(endpoint: &'a str, path: &'a str) -> impl Iterator<Item = (&'a str, String)> {
    let pairs = endpoint.split('/').zip(path.split('/'));
    pairs.filter_map(|(name, part)| {
        let name = name.strip_prefix('{')?.strip_suffix('}')?;
        name.ends_with("_id")
            .then(|| (name, part.chars().take(MAX_ID).collect()))
    })
}

/// Surrounds all routes: has the audit log keep what was answered 403 to a caller who is known. The answer neither waits
/// for that nor depends on it.
pub async fn audit_denials(app: App, mut request: Request, next: Next) -> Response {
    let attempt = Attempt::default();
    request.extensions_mut().insert(attempt.clone());
    let uri = request.uri().clone();
    let response = next.run(request).await;
    let refused = response.extensions().get::<ApiError>();
    if let Some((account, event)) = refused.and_then(|error| attempt.refused(error, uri.path())) {
        app.background().clone().run(async move {
            if let Err(error) = record(&app, &account, &event).await {
                log::error(&format!("a refused attempt was not recorded: {}", error.cause()));
            }
        });
    }
    response
}

async fn record(app: &App, account: &ObjectId, event: &Event) -> Result<(), ApiError> {
    if app.rate_limiter(BY_ACCOUNT)?.limit(account.to_string()).await?.success {
        app.db()?.run(audit::record(event)).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    fn attempt() -> Attempt {
        let db = TestDb::new();
        db.user("ann", "acme", "user");
        let attempt = Attempt::default();
        attempt.is_by(&db.caller("ann"));
        attempt
    }

    #[test]
    fn only_a_refusal_of_somebody_known_is_remembered() {
        let refusal = ApiError::not_authorized();
        assert!(attempt().refused(&refusal, "/test").is_some());
        assert!(Attempt::default().refused(&refusal, "/test").is_none());
        for error in [
            ApiError::unauthorized("x"),
            ApiError::not_found("x"),
            ApiError::bad_request("x"),
            ApiError::too_many_requests(),
            ApiError::internal("x"),
        ] {
            assert!(attempt().refused(&error, "/test").is_none(), "{error:?}");
        }
    }

    #[test]
    fn the_ids_of_a_path_are_remembered_and_nothing_else_of_it() {
        let of = |endpoint, path| named(endpoint, path).collect::<Vec<_>>();
        assert_eq!(
            of(
                "/api/groups/{group_id}/machines/{machine_id}",
                "/api/groups/g1/machines/m1"
            ),
            [("group_id", "g1".to_owned()), ("machine_id", "m1".to_owned())]
        );
        assert!(of("/api/auth/invite/{token}", "/api/auth/invite/secret").is_empty());
        assert!(of("", "/api/nothing").is_empty());
        let long = "x".repeat(5000);
        assert_eq!(of("/{user_id}", &format!("/{long}"))[0].1.len(), MAX_ID);
    }
}
