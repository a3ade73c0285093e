//! Things of a type as a file.
use axum::response::Response;
use protocol::api::error::ErrorBody;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use crate::audit::{self, Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::inventory::access::known_type;
use crate::features::inventory::export::ansible::Inventory;
use crate::features::inventory::export::table::Columns;
use crate::features::inventory::store::{self, list};
use crate::http::export::{Format, Table, file, stream};
use crate::http::extract::{PathParam, QueryParams};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// How many things are read in one round trip: six megabytes if each is as large as one may be.
const PAGE: i64 = 200;

/// How things are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum InventoryFormat {
    /// For programs: an array, one thing per line.
    Json,
    /// For spreadsheets.
    Csv,
    /// For Ansible: an inventory, whose groups are the tags.
    Ansible,
}

impl InventoryFormat {
    fn parse(text: Option<&str>) -> Result<Self, ApiError> {
        match text {
            None | Some("" | "json") => Ok(Self::Json),
            Some("csv") => Ok(Self::Csv),
            Some("ansible") => Ok(Self::Ansible),
            Some(_) => Err(ApiError::invalid_field("format", "must be csv, json or ansible")),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Csv => "csv",
            Self::Ansible => "ansible",
        }
    }
}

/// How a file is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// `json` (the default), `csv` or `ansible`.
    #[param(inline, value_type = Option<InventoryFormat>)]
    pub format: Option<String>,
}

/// The things of a type that the caller may see as a file, those first that were made first. Secrets are not in it, nor what the type has no
/// field for. For Ansible it is an inventory: hosts go by their `hostname` or name, their address is `ip_address`, and their tags are groups.
#[utoipa::path(get, path = "/api/inventory/{type_slug}/export", summary = "Export things",
    params(("type_slug" = String, Path, description = "The type's `slug`"), ExportQuery),
    responses((status = 200, description = "A file: a JSON array, CSV, or YAML",
            content((Vec<Object> = "application/json"), (String = "text/csv"), (Object = "application/yaml"))),
        (status = 400, description = "The format is not valid", body = ErrorBody),
        (status = 403, description = "The caller may see none of the type", body = ErrorBody),
        (status = 404, description = "No such type in the caller's organization", body = ErrorBody)))]
pub async fn export_objects(
    app: App,
    credentials: Credentials,
    PathParam(slug): PathParam,
    QueryParams(query): QueryParams<ExportQuery>,
) -> Result<Response, ApiError> {
    let format = InventoryFormat::parse(query.format.as_deref())?;
    let db = app.db()?;
    let asks = credentials.user_id();
    let find = (store::find_type(asks, &slug), list::total(asks, &slug));
    let (caller, (found, total)) = credentials.load(&db, find).await?;
    let found = known_type(found, &slug)?;
    if !total.first().is_some_and(|total| total.sees) {
        return Err(ApiError::forbidden("forbidden", "Permission denied"));
    }
    let event = caller.event(Action::InventoryExported, Resource::Inventory);
    let event = event.on(&slug).detail("format", format.as_str());
    db.run(audit::record(&event)).await?;
    let (caller, name) = (caller.id().clone(), slug.clone());
    let page = move |after| list::after(&caller, &slug, after, PAGE);
    let format = match format {
        InventoryFormat::Json => Format::Json,
        InventoryFormat::Csv => Format::Csv,
        InventoryFormat::Ansible => {
            let mut inventory = Inventory::of(&found.definition);
            let write = move |things, part| inventory.write(things, part);
            return stream(
                app,
                &format!("{name}.yaml"),
                "application/yaml; charset=utf-8",
                PAGE,
                page,
                write,
            );
        }
    };
    let columns = Columns::of(&found.definition);
    let table = Table {
        columns: columns.names(),
        page,
        row: move |thing| columns.row(thing),
        at_once: PAGE,
    };
    file(app, format, &name, table)
}
