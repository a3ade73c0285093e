//! Reading the log, taking it away as a file, and proving that nobody changed it.
use axum::response::Response;
use protocol::api::audit::{AuditEntry, AuditPage, AuditTenants, ChainReport};
use protocol::api::error::ErrorBody;
use serde::Deserialize;
use utoipa::IntoParams;

use super::chain;
use super::export::COLUMNS;
use super::filter::LogQuery;
use super::store::{self, Scope, Selection};
use crate::audit::{Action, Resource, record};
use crate::auth::caller::{Caller, Credentials};
use crate::http::export::{self, Format, FormatQuery, Table};
use crate::http::extract::QueryParams;
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Count, Db};
use crate::platform::error::ApiError;

/// Chooses the entries that belong to no organization.
const NO_ORGANIZATION: &str = "-";

/// Which chain to check, and from where.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct VerifyQuery {
    /// Of one organization, by its name in URLs; `-` for entries that belong to none. Super administrators only.
    tenant_id: Option<String>,
    /// Begin behind the entry with this `int_id`: the `next` of the answer before.
    #[param(value_type = Option<i64>)]
    after: Option<String>,
}

/// From where to list organizations.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TenantsQuery {
    /// Begin behind the organization of this name: the `next` of the answer before.
    after: Option<String>,
}

/// Reads the log, newest entry first.
#[utoipa::path(get, path = "/api/audit", summary = "Read the audit log", params(LogQuery),
    responses((status = 200, description = "A page of entries", body = AuditPage),
        (status = 400, description = "A filter is not valid", body = ErrorBody),
        (status = 403, description = "The caller may not read the log", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn list_audit(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<LogQuery>,
) -> Result<Json<AuditPage>, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let filter = query.filter()?;
    let scope = scope(&db, &caller, query.tenant_id.as_deref()).await?;
    seal(&app, &scope).await?;
    let (page, limit) = query.page();
    let selection = Selection::new(&scope, &filter)?;
    let window = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let (rows, counts) = db
        .run((
            selection.list(window(limit), window((page - 1) * limit)),
            selection.count(),
        ))
        .await?;
    let entries: Vec<AuditEntry> = rows.into_iter().map(AuditEntry::from).collect();
    let total = Count::of(&counts);
    Ok(Json(AuditPage {
        logs: entries.clone(),
        entries: entries.into_iter().map(with_path).collect(),
        total,
        page,
        limit,
        per_page: limit,
        total_pages: total.div_ceil(limit),
    }))
}

/// The entry with a path in place of the kind of thing it is about (contract).
fn with_path(mut published: AuditEntry) -> AuditEntry {
    let collection = Resource::collection(&published.entry.resource);
    published.entry.resource = match &published.entry.resource_id {
        Some(id) => format!("{collection}/{id}"),
        None => collection.to_owned(),
    };
    published
}

/// Lists the organizations whose log the caller may read, at most 1000 at a time.
#[utoipa::path(get, path = "/api/audit/tenants", summary = "List the organizations to choose a log by", params(TenantsQuery),
    responses((status = 200, description = "The organizations", body = AuditTenants),
        (status = 403, description = "The caller is no administrator", body = ErrorBody)))]
pub async fn list_audit_tenants(
    app: App,
    credentials: Credentials,
    QueryParams(TenantsQuery { after }): QueryParams<TenantsQuery>,
) -> Result<Json<AuditTenants>, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let query = match caller.is_super_admin() {
        true => store::tenants(after.as_deref().unwrap_or_default()),
        false => store::tenant(caller.organization_id().as_str()),
    };
    let tenants = db.run(query).await?;
    let full = tenants.len() == store::MAX_TENANTS;
    let next = tenants.last().filter(|_| full).map(|tenant| tenant.tenant_id.clone());
    Ok(Json(AuditTenants { tenants, next }))
}

/// The log as a file, oldest entry first. Without filters it holds whole chains, which `vsay audit verify` checks.
#[utoipa::path(get, path = "/api/audit/export", summary = "Export the audit log", params(FormatQuery, LogQuery),
    responses((status = 200, description = "A file: a JSON array, or CSV", content((Vec<AuditEntry> = "application/json"), (String = "text/csv"))),
        (status = 400, description = "A filter or the format is not valid", body = ErrorBody),
        (status = 403, description = "The caller may not read the log", body = ErrorBody),
        (status = 404, description = "No such organization", body = ErrorBody)))]
pub async fn export_audit(
    app: App,
    credentials: Credentials,
    QueryParams(FormatQuery { format }): QueryParams<FormatQuery>,
    QueryParams(query): QueryParams<LogQuery>,
) -> Result<Response, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let (format, filter) = (Format::parse(format.as_deref())?, query.filter()?);
    let scope = scope(&db, &caller, query.tenant_id.as_deref()).await?;
    let event = caller.event(Action::AuditExported, Resource::Audit);
    let event = event.detail("format", format.as_str());
    // What is written from now on may have no seal yet when the file gets there, so it ends here.
    let (_, newest) = db.run((record(&event), store::newest())).await?;
    let until = newest.first().map_or(0, |entry| entry.int_id);
    seal(&app, &scope).await?;
    let selection = Selection::new(&scope, &filter)?;
    let table = Table {
        columns: COLUMNS.iter().copied().map(str::to_owned).collect(),
        page: move |after| selection.walk(after, until, export::PAGE),
        row: AuditEntry::from,
        at_once: export::PAGE,
    };
    export::file(app, format, "audit", table)
}

/// Walks along the chain of an organization and says whether every entry is as it was sealed.
#[utoipa::path(get, path = "/api/audit/verify", summary = "Verify the audit log", params(VerifyQuery),
    responses((status = 200, description = "What was found", body = ChainReport),
        (status = 400, description = "`after` is no number", body = ErrorBody),
        (status = 403, description = "The caller may not read the log", body = ErrorBody),
        (status = 404, description = "No such organization or entry", body = ErrorBody)))]
pub async fn verify_audit(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<VerifyQuery>,
) -> Result<Json<ChainReport>, ApiError> {
    let db = app.db()?;
    let (caller, ()) = credentials.load(&db, ()).await?;
    let after = match query.after.as_deref() {
        None | Some("") => None,
        Some(text) => Some(
            text.parse()
                .map_err(|_| ApiError::invalid_field("after", "must be the int_id of an entry"))?,
        ),
    };
    let organization = match scope(&db, &caller, query.tenant_id.as_deref()).await? {
        Scope::Organization(id) => id,
        // There is no chain over all of them.
        Scope::Everywhere => caller.organization_id().to_string(),
    };
    chain::seal_organization(&app, &organization).await?;
    Ok(Json(chain::verify(&app, &organization, after).await?))
}

/// Whose entries the caller reads: its own organization's, or what a super administrator asks for.
async fn scope(db: &Db, caller: &Caller, tenant: Option<&str>) -> Result<Scope, ApiError> {
    if !caller.is_super_admin() {
        return Ok(Scope::Organization(caller.organization_id().to_string()));
    }
    match tenant.filter(|tenant| !tenant.is_empty()) {
        None => Ok(Scope::Everywhere),
        Some(NO_ORGANIZATION) => Ok(Scope::Organization(String::new())),
        Some(tenant) => {
            let found = db.run(store::organization(tenant)).await?.into_iter().next();
            let found = found.ok_or_else(|| ApiError::not_found("Organization not found"))?;
            Ok(Scope::Organization(found.id))
        }
    }
}

/// Seals what waits, so that nothing is shown without its seal.
async fn seal(app: &App, scope: &Scope) -> Result<(), ApiError> {
    match scope {
        Scope::Organization(id) => chain::seal_organization(app, id).await,
        Scope::Everywhere => chain::seal_waiting(app).await,
    }
}
