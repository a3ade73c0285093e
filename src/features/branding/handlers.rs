//! Reading and changing it.
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use chrono::{SecondsFormat, Utc};
use protocol::api::branding::{Branding, UpdateBranding};
use protocol::api::error::ErrorBody;

use super::store::{self, AS_IT_COMES};
use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::http::extract::ValidJson;
use crate::http::json_text::{BodyRow, JsonText};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What was published of this answer alone.
const NEVER_KEPT: [(HeaderName, &str); 2] = [
    (header::CACHE_CONTROL, "no-store, no-cache, must-revalidate"),
    (header::PRAGMA, "no-cache"),
];

/// How the product is called here, and what it looks like, for a page that signs people in.
#[utoipa::path(get, path = "/api/branding", summary = "Read name and look",
    responses((status = 200, description = "Name and look", body = Branding)))]
pub async fn find_branding(app: App) -> Result<Response, ApiError> {
    let rows = app.db()?.run(store::find()).await?;
    Ok((NEVER_KEPT, body(rows)).into_response())
}

/// Changes how the product is called here, and what it looks like. Pictures are an `https` address, or a path of this server.
#[utoipa::path(put, path = "/api/admin/branding", summary = "Change name and look", request_body = UpdateBranding,
    responses((status = 200, description = "Name and look as they are now", body = Branding),
        (status = 403, description = "The caller is no super administrator", body = ErrorBody)))]
pub async fn update_branding(
    app: App,
    credentials: Credentials,
    ValidJson(request): ValidJson<UpdateBranding>,
) -> Result<Response, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let event = caller
        .event(Action::BrandingChanged, Resource::Unknown)
        .detail("new", serde_json::to_value(&request).map_err(ApiError::internal)?);
    let now = Utc::now().to_rfc3339_opts(SecondsFormat::Millis, true);
    let (rows, _) = db.run((store::save(&request, &now)?, audit::record(&event))).await?;
    Ok(body(rows).into_response())
}

fn body(rows: Vec<BodyRow>) -> JsonText {
    let row = rows.into_iter().next();
    JsonText(row.map_or_else(|| AS_IT_COMES.to_owned(), |row| row.body))
}
