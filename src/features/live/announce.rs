//! Telling those who listen what a request has changed.
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use protocol::live::Topic;

use crate::auth::denials::Attempt;
use crate::platform::context::App;
use crate::platform::log;

/// Surrounds all routes: whatever somebody known has changed, the channel of their organization is told, after the answer and
/// without a word about what it was.
pub async fn announce(app: App, request: Request, next: Next) -> Response {
    let attempt = request.extensions().get::<Attempt>().cloned();
    let path = request.extensions().get::<MatchedPath>().cloned();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    let response = next.run(request).await;
    let changed = match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => true,
        status => status.is_success() && !reads,
    };
    let organization = attempt.as_ref().and_then(Attempt::organization);
    if let (true, Some(organization), Some(path)) = (changed, organization, path) {
        let (organization, topics) = (organization.clone(), Topic::of_operation(path.as_str()));
        if topics.is_empty() {
            return response;
        }
        app.background().clone().run(async move {
            let told = match app.channel(&organization) {
                Ok(channel) => channel.tell(topics).await,
                Err(error) => Err(error),
            };
            if let Err(error) = told {
                log::error(&format!("the channel was not told what has changed: {}", error.cause()));
            }
        });
    }
    response
}
