//! Lists of commands.
use protocol::api::commands::{Command, CommandList};
use protocol::api::error::ErrorBody;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::commands::store::{self, Filter};
use crate::features::machines::{self, Key};
use crate::http::extract::QueryParams;
use crate::http::json_text::Json;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// Which commands to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Those of one machine, by its public name.
    agent_id: Option<String>,
    /// Those that were sent together, as `POST /api/commands` answered. Counts unless a machine is named.
    batch_id: Option<String>,
    /// Those with a status, such as `queued`.
    status: Option<String>,
}

/// Lists commands on the machines that the caller reaches, newest first, always in pages. Of a long text there are the first 1000
/// characters.
#[utoipa::path(get, path = "/api/commands", summary = "List commands", params(ListQuery, PageQuery),
    responses((status = 200, description = "The commands", body = CommandList),
        (status = 403, description = "The caller does not reach the machine", body = ErrorBody),
        (status = 404, description = "No such machine in the caller's organization", body = ErrorBody)))]
pub async fn list_commands(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<Json<CommandList>, ApiError> {
    let (page, db) = (page.always(), app.db()?);
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let status = some(query.status);
    let (rows, count) = if let Some(agent_id) = some(query.agent_id) {
        let access = machines::load(&app, credentials, Key::AgentId(agent_id)).await?;
        db.run(store::list(&Filter::Machine(&access), status.as_deref(), page))
            .await?
    } else {
        let (caller, batch) = (credentials.user_id().clone(), some(query.batch_id));
        let filter = match &batch {
            Some(batch) => Filter::Batch(&caller, batch),
            None => Filter::Organization(&caller),
        };
        let list = store::list(&filter, status.as_deref(), page);
        credentials.load(&db, list).await?.1
    };
    let paging = page.of(Count::of(&count));
    Ok(Json(CommandList {
        commands: rows.into_iter().map(|row| Command::from(row.command)).collect(),
        total: paging.total,
        page: paging.page,
        limit: paging.limit,
        total_pages: paging.total_pages,
    }))
}
