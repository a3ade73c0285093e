//! Reading what services there are.
use protocol::api::error::ErrorBody;
use protocol::api::services::{DeploymentList, ServiceDetail, ServiceList};

use super::store;
use crate::auth::caller::Credentials;
use crate::http::extract::PathParam;
use crate::http::json_text::JsonText;
use crate::platform::context::App;
use crate::platform::db::now;
use crate::platform::error::ApiError;

/// Lists the services of all runners of the organization, by name, as they were told of last.
#[utoipa::path(get, path = "/api/services", summary = "List services",
    responses((status = 200, description = "The services", body = ServiceList)))]
pub async fn list_services(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::list(credentials.user_id(), &now());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("services", &rows))
}

/// Lists the directories of services that have the inventory of a deployment, by name, whether they can be deployed again or not.
#[utoipa::path(get, path = "/api/services/active-deployments", summary = "List what is deployed",
    responses((status = 200, description = "What is deployed", body = DeploymentList)))]
pub async fn list_active_deployments(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let list = store::deployments(credentials.user_id(), &now());
    let (_, rows) = credentials.load(&app.db()?, list).await?;
    Ok(JsonText::all("deployments", &rows))
}

/// Reads a service, with all of its `instance.yaml`.
#[utoipa::path(get, path = "/api/services/{name}", summary = "Read a service",
    params(("name" = String, Path, description = "The service's `name`, or that of its directory with `@` and its runner's `agent_id`")),
    responses((status = 200, description = "The service", body = ServiceDetail),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody)))]
pub async fn find_service(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
) -> Result<JsonText, ApiError> {
    let find = store::find(credentials.user_id(), &name, &now());
    let (_, rows) = credentials.load(&app.db()?, find).await?;
    let body = rows.into_iter().next().map(|row| row.body);
    Ok(JsonText(body.ok_or_else(|| ApiError::not_found("Service not found"))?))
}
