//! Telling a monitor.
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use protocol::api::error::ErrorBody;

use super::gauges::{GAUGES, queries};
use super::text::{MEDIA_TYPE, deployment, page};
use crate::auth::caller::bearer;
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::secrets::is_same;

/// Figures of the whole deployment for Prometheus, text format 0.0.4: machines, sessions, commands, recordings, the audit log,
/// accounts and the database. The bearer token is that of the deployment (`METRICS_TOKEN`) and of no account; without such a
/// setting the path does not exist. docs/deploy.md has each figure, and what to watch.
#[utoipa::path(get, path = "/metrics", summary = "Figures for a monitor",
    responses((status = 200, description = "The figures", body = String, content_type = "text/plain"),
        (status = 401, description = "The token is not that of the deployment", body = ErrorBody),
        (status = 404, description = "The deployment has no such token", body = ErrorBody)))]
pub async fn read_metrics(app: App, headers: HeaderMap) -> Result<Response, ApiError> {
    admit(&app.config, &headers)?;
    let (samples, bytes) = app.db()?.run_and_measure(queries()).await?;
    let mut text = page(&GAUGES, &samples);
    deployment(&mut text, env!("CARGO_PKG_VERSION"), bytes);
    Ok(([(header::CONTENT_TYPE, MEDIA_TYPE)], text).into_response())
}

/// Only who has the token of the deployment.
fn admit(config: &Config, headers: &HeaderMap) -> Result<(), ApiError> {
    let Some(token) = &config.metrics_token else {
        return Err(ApiError::not_found(
            "This deployment shows no figures: METRICS_TOKEN is not set",
        ));
    };
    match bearer(headers)? {
        Some(given) if is_same(given, token) => Ok(()),
        _ => Err(ApiError::unauthorized(
            "The token of this deployment (METRICS_TOKEN) is needed",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_deployments_token_opens_it_and_without_one_there_is_nothing() {
        let token = "0123456789abcdef0123456789abcdef";
        let with = |token: Option<&str>| Config {
            metrics_token: token.map(|token| token.to_owned().into()),
            ..Config::of_a_test()
        };
        let status = |config: &Config, authorization: Option<&str>| {
            let value = authorization.map(|text| (header::AUTHORIZATION, text.parse().unwrap()));
            admit(config, &value.into_iter().collect()).map_or_else(|error| error.status().as_u16(), |()| 200)
        };
        let (set, unset) = (with(Some(token)), with(None));
        let right = format!("Bearer {token}");
        assert_eq!(status(&set, Some(&right)), 200);
        for wrong in [
            "Bearer ",
            "Bearer x",
            &right[..right.len() - 1],
            &format!("{right}0"),
            "Basic x",
        ] {
            assert_eq!(status(&set, Some(wrong)), 401, "{wrong}");
            assert_eq!(status(&unset, Some(wrong)), 404, "{wrong}");
        }
        assert_eq!((status(&set, None), status(&unset, None)), (401, 404));
        assert_eq!(status(&unset, Some(&right)), 404);
    }
}
