//! Seeing things, and their secrets.
use axum::http::Uri;
use protocol::api::error::ErrorBody;
use protocol::api::inventory::objects::{InventoryObjectDetail, ObjectList, Reveal as Asked, Revealed};

use super::{known, known_with};
use crate::audit::{self, Action};
use crate::auth::caller::Credentials;
use crate::auth::permission::Permission;
use crate::features::inventory::access::{ObjectAccess, Reveal, View, known_type};
use crate::features::inventory::row::{FoundObject, Listed};
use crate::features::inventory::store;
use crate::features::inventory::value::Place;
use crate::features::inventory::wanted::{ObjectQuery, Wanted};
use crate::http::extract::{PathPair, PathParam, QueryParams, ValidJson};
use crate::http::json_text::{Json, JsonText};
use crate::http::page::{PageQuery, Paging};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Lists the things of a type that the caller may see, newest first, always in pages. Whoever sees only some, by rules and tags, is listed
/// these.
#[utoipa::path(get, path = "/api/inventory/{type_slug}", summary = "List things",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ObjectQuery, PageQuery),
    responses((status = 200, description = "The things", body = ObjectList),
        (status = 403, description = "The caller may see none of the type", body = ErrorBody),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody)))]
pub async fn list_objects(
    app: App,
    credentials: Credentials,
    PathParam(slug): PathParam,
    address: Uri,
    QueryParams(query): QueryParams<ObjectQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let wanted = Wanted::read(query, &page, address.query().unwrap_or_default())?;
    let caller = credentials.user_id();
    let batch = (
        store::find_type(caller, &slug),
        store::list::list(caller, &slug, &wanted),
    );
    let (_, (found, (whole, rows))) = credentials.load(&app.db()?, batch).await?;
    let found = known_type(found, &slug)?;
    wanted.check(&found.definition)?;
    let whole: Vec<Listed> = whole.unwrap_or_default();
    let known = whole.iter().chain(&rows).find(|row| row.body.is_none());
    let total = known.filter(|row| row.sees).map(|row| row.total);
    let total = total.ok_or_else(|| ApiError::forbidden("forbidden", "Permission denied"))?;
    Ok(list(&rows, wanted.page.of(total)))
}

fn list(rows: &[Listed], paging: Paging) -> JsonText {
    let bodies: Vec<&str> = rows.iter().filter_map(|row| row.body.as_deref()).collect();
    let Paging {
        total,
        page,
        limit,
        total_pages,
    } = paging;
    JsonText(format!(
        "{{\"objects\":[{}],\"total\":{total},\"page\":{page},\"per_page\":{limit},\"total_pages\":{total_pages}}}",
        bodies.join(",")
    ))
}

/// Reads a thing. Whoever manages rules, or may change it, sees the rules about it, too.
#[utoipa::path(get, path = "/api/inventory/{type_slug}/{object_id}", summary = "Read a thing",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "The thing", body = InventoryObjectDetail),
        (status = 403, description = "The caller may not see it", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization", body = ErrorBody)))]
pub async fn find_object(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
) -> Result<JsonText, ApiError> {
    let access: ObjectAccess<View> = known(&app, credentials, &slug, &id).await?.with()?;
    let sees_rules = access.may("edit") || access.caller().may(Permission::InventoryAclManage);
    detail(access.found(), sees_rules)
}

/// A thing with what the caller may do with it.
pub fn detail(found: &FoundObject, sees_rules: bool) -> Result<JsonText, ApiError> {
    let body = found.object_body.as_deref().and_then(|body| body.strip_suffix('}'));
    let body = body.ok_or_else(|| ApiError::not_found("Object not found"))?;
    let may = serde_json::to_string(&found.may).map_err(ApiError::internal)?;
    let rules = match (sees_rules, &found.rules) {
        (true, Some(rules)) => format!(",\"acl_rules\":{rules}"),
        _ => String::new(),
    };
    Ok(JsonText(format!("{body},\"may\":{may}{rules}}}")))
}

/// Shows a secret of a thing. The log says who saw it.
#[utoipa::path(post, path = "/api/inventory/{type_slug}/{object_id}/reveal", summary = "Reveal a secret", request_body = Asked,
    params(("type_slug" = String, Path, description = "The type's `slug`"), ("object_id" = String, Path, description = "The thing's `id`")),
    responses((status = 200, description = "The secret", body = Revealed),
        (status = 403, description = "The caller may not see it", body = ErrorBody),
        (status = 404, description = "No such type or thing in the caller's organization, or no such secret is set", body = ErrorBody)))]
pub async fn reveal_secret(
    app: App,
    credentials: Credentials,
    PathPair(slug, id): PathPair,
    ValidJson(request): ValidJson<Asked>,
) -> Result<Json<Revealed>, ApiError> {
    let (known, ()) = known_with(&app, credentials, &slug, &id, ()).await?;
    let access: ObjectAccess<Reveal> = known.with()?;
    let sealed = access
        .found()
        .secrets
        .as_ref()
        .and_then(|secrets| secrets.get(&request.field));
    let sealed = sealed.ok_or_else(|| ApiError::not_found("This object has no such secret"))?;
    let place = Place {
        sealing: &app.config.sealing,
        organization: access.caller().organization_id(),
        id: access.id(),
    };
    let secret = app.config.sealing.open(&place.associated(&request.field), sealed)?;
    let event = access
        .event(Action::InventorySecretRevealed)
        .detail("field", request.field.as_str());
    // Nobody sees it whom the log does not name.
    app.db()?.run(audit::record(&event)).await?;
    Ok(Json(Revealed {
        field: request.field,
        value: secret.expose().to_owned(),
    }))
}
