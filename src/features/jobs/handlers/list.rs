//! Lists of jobs.
use protocol::api::jobs::JobList;
use protocol::terminal::jobs::MAX_JOB_OUTPUT;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::auth::caller::Credentials;
use crate::features::jobs::output::with_output;
use crate::features::jobs::row::{ListedJob, OutputRow};
use crate::features::jobs::store::{self, Filter};
use crate::http::extract::QueryParams;
use crate::http::json_text::JsonText;
use crate::http::page::PageQuery;
use crate::platform::context::App;
use crate::platform::db::Count;
use crate::platform::error::ApiError;

/// Jobs on a page if nobody says how many (contract)…
const PER_PAGE: u64 = 100;

/// …and at most (contract).
const MAX_PER_PAGE: u64 = 500;

/// Which jobs to list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Those that somebody started, by `int_id`.
    user_id: Option<String>,
    /// The same, by name.
    username: Option<String>,
    /// Those of a service.
    service: Option<String>,
    /// Those with a status, such as `running`.
    status: Option<String>,
    /// Those that do something, such as `deploy`.
    action: Option<String>,
    /// Those that run a script.
    script: Option<String>,
    /// Those that repeat a job, by its `id`.
    parent_job_id: Option<String>,
    /// Those that are about an object of the inventory, by its `id`.
    object_id: Option<String>,
    /// Those that are about objects of a type.
    type_slug: Option<String>,
    /// `1` if what they wrote is wanted, too: of the newest, as many as wrote 4 MiB together.
    include_output: Option<String>,
}

impl ListQuery {
    fn filter(self) -> Filter {
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        // What is no number is nobody's, and none of an object.
        let number = |text| some(text).map(|id| id.parse().unwrap_or(-1));
        Filter {
            user_id: number(self.user_id),
            username: some(self.username),
            service: some(self.service),
            status: some(self.status),
            action: some(self.action),
            script: some(self.script),
            parent: some(self.parent_job_id),
            object_id: number(self.object_id),
            type_slug: some(self.type_slug),
        }
    }
}

/// Lists jobs of the organization, newest first: all of them to whoever holds `jobs.view_all`, their own to whoever holds `jobs.view_own`,
/// and none to others.
#[utoipa::path(get, path = "/api/jobs", summary = "List jobs", params(ListQuery, PageQuery),
    responses((status = 200, description = "The jobs", body = JobList)))]
pub async fn list_jobs(
    app: App,
    credentials: Credentials,
    QueryParams(query): QueryParams<ListQuery>,
    QueryParams(page): QueryParams<PageQuery>,
) -> Result<JsonText, ApiError> {
    let (page, db) = (page.always_of(PER_PAGE, MAX_PER_PAGE), app.db()?);
    let with = matches!(query.include_output.as_deref(), Some("1" | "true"));
    let batch = store::list(credentials.user_id(), query.filter(), page);
    let (caller, (rows, count)) = credentials.load(&db, batch).await?;
    let output = match with.then(|| that_fit(&rows)) {
        Some(jobs) if !jobs.is_empty() => db.run(store::output(caller.id(), &jobs)).await?,
        _ => Vec::new(),
    };
    let bodies: Vec<String> = rows.iter().map(|row| body(row, &output)).collect();
    let paging = page.of(Count::of(&count));
    Ok(JsonText(format!(
        "{{\"jobs\":[{}],\"total\":{},\"page\":{},\"per_page\":{}}}",
        bodies.join(","),
        paging.total,
        paging.page,
        paging.limit
    )))
}

/// Those of the newest whose output is one answer.
fn that_fit(rows: &[ListedJob]) -> Vec<&str> {
    let mut room = MAX_JOB_OUTPUT;
    let fits = |row: &&ListedJob| room.checked_sub(row.output_bytes).map(|rest| room = rest).is_some();
    rows.iter().take_while(fits).map(|row| row.id.as_str()).collect()
}

fn body(row: &ListedJob, output: &[OutputRow]) -> String {
    let mut parts = output
        .iter()
        .filter(|part| part.job_id == row.id)
        .map(|part| part.text.as_str())
        .peekable();
    match parts.peek() {
        Some(_) => with_output(&row.body, parts, row.note.as_deref()),
        None => row.body.clone(),
    }
}
