//! What instances cost.
use protocol::api::instances::{Costs, CostsByRegion, CostsByTag};
use protocol::api::jobs::JobStarted;

use crate::audit::{Action, Resource};
use crate::auth::caller::Credentials;
use crate::features::instances::{body, store, work};
use crate::features::jobs::edge::EdgeJob;
use crate::http::json_text::{Json, JsonText};
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// Reads what the instances that were listed last cost in a month, each and together. An instance whose plan has no known price costs 0; one
/// that is halted costs as much as one that runs.
#[utoipa::path(get, path = "/api/costs", summary = "Read costs",
    responses((status = 200, description = "The costs", body = Costs)))]
pub async fn read_costs(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let costs = store::costs(credentials.user_id());
    let (_, (all, each, tags, regions)) = credentials.load(&app.db()?, costs).await?;
    Ok(body::costs(&all, &each, &tags, &regions))
}

/// Reads what the instances of each tag cost in a month. One with several tags counts for each of them.
#[utoipa::path(get, path = "/api/costs/by-tag", summary = "Read costs by tag",
    responses((status = 200, description = "The costs", body = CostsByTag)))]
pub async fn read_costs_by_tag(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let costs = store::costs_by_tag(credentials.user_id());
    let (_, (at, rows)) = credentials.load(&app.db()?, costs).await?;
    Ok(body::by_tag(&at, &rows))
}

/// Reads what the instances of each region cost in a month.
#[utoipa::path(get, path = "/api/costs/by-region", summary = "Read costs by region",
    responses((status = 200, description = "The costs", body = CostsByRegion)))]
pub async fn read_costs_by_region(app: App, credentials: Credentials) -> Result<JsonText, ApiError> {
    let costs = store::costs_by_region(credentials.user_id());
    let (_, (at, rows)) = credentials.load(&app.db()?, costs).await?;
    Ok(body::by_region(&at, &rows))
}

/// Asks the provider what the account owes and what the instances cost, by a job. The instances are listed anew on that occasion.
#[utoipa::path(post, path = "/api/costs/refresh", summary = "Ask for costs anew",
    responses((status = 200, description = "The job runs", body = JobStarted)))]
pub async fn refresh_costs(app: App, credentials: Credentials) -> Result<Json<JobStarted>, ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    let event = |_: &_| caller.event(Action::CostsRefreshed, Resource::Costs);
    let job = EdgeJob::begin(&app, &caller, ("costs", "refresh"), &event).await?;
    Ok(job.run(|job| Box::pin(work::costs(job))))
}
