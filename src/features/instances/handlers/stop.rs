//! Stopping instances: one, those of a service, or all.
use chrono::{TimeDelta, Utc};
use protocol::api::error::ErrorBody;
use protocol::api::instances::{StopHow, StopInstance};
use protocol::api::jobs::JobStarted;
use protocol::api::validate::{Faults, Validate};
use protocol::ids::ObjectId;

use crate::auth::caller::Credentials;
use crate::features::instances::access::StopRight;
use crate::features::instances::row::Known;
use crate::features::instances::{store, work};
use crate::features::jobs::edge::EdgeJob;
use crate::features::services;
use crate::http::extract::{OptionalJson, PathPair, PathParam, ValidJson};
use crate::http::json_text::Json;
use crate::platform::context::App;
use crate::platform::db::{Query, stored};
use crate::platform::error::ApiError;

/// How old a list may be to be believed that it has all there is. What an older one has not, the job looks for.
const FRESH: TimeDelta = TimeDelta::minutes(10);

/// Halts an instance, by a job: it keeps its disk and its address, and costs as much. With `destroy`, and its label as `confirm`, it is
/// destroyed with all that is on it.
#[utoipa::path(post, path = "/api/instances/{label}/{region}/stop", summary = "Stop an instance",
    params(("label" = String, Path, description = "The instance's label"), ("region" = String, Path, description = "Where it is: `mel`")),
    request_body(content = Option<StopHow>, description = "Only to destroy it"),
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "A list of less than ten minutes ago has no such instance", body = ErrorBody)))]
pub async fn stop_instance(
    app: App,
    credentials: Credentials,
    PathPair(label, region): PathPair,
    OptionalJson(how): OptionalJson<StopHow>,
) -> Result<Json<JobStarted>, ApiError> {
    let StopHow { destroy, confirm } = how.unwrap_or_default();
    let stop = StopInstance {
        label,
        region,
        destroy,
        confirm,
    };
    let mut faults = Faults::default();
    stop.validate(&mut faults);
    match faults.into_vec() {
        faults if faults.is_empty() => one(&app, credentials, stop).await,
        faults => Err(ApiError::invalid(faults)),
    }
}

/// The same as `POST /api/instances/{label}/{region}/stop`.
#[utoipa::path(post, path = "/api/instances/stop", summary = "Stop an instance that the body names", request_body = StopInstance,
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "A list of less than ten minutes ago has no such instance", body = ErrorBody)))]
pub async fn stop_named_instance(
    app: App,
    credentials: Credentials,
    ValidJson(stop): ValidJson<StopInstance>,
) -> Result<Json<JobStarted>, ApiError> {
    one(&app, credentials, stop).await
}

async fn one(app: &App, credentials: Credentials, stop: StopInstance) -> Result<Json<JobStarted>, ApiError> {
    let known = known(credentials.user_id(), &stop);
    let (caller, known) = credentials.load(&app.db()?, known).await?;
    for (field, text) in [("label", &stop.label), ("region", &stop.region)] {
        if text.is_empty() {
            return Err(ApiError::refused_field(
                field,
                "must not be empty",
                "label and region are required",
            ));
        }
    }
    start(app, StopRight::of_instance(caller, &known, stop)?).await
}

/// Whether it is known that there is such an instance.
pub fn known(caller: &ObjectId, stop: &StopInstance) -> Query<Known> {
    let after = stored(Utc::now() - FRESH);
    store::known(caller, &stop.label, &stop.region, &after)
}

/// Halts the instances of a service, by a job: those that have its directory's name for a tag.
#[utoipa::path(post, path = "/api/services/{name}/stop", summary = "Stop a service",
    params(("name" = String, Path, description = "The service's `name`")),
    responses((status = 200, description = "The job runs", body = JobStarted),
        (status = 404, description = "No such service in the caller's organization", body = ErrorBody)))]
pub async fn stop_service(
    app: App,
    credentials: Credentials,
    PathParam(name): PathParam,
) -> Result<Json<JobStarted>, ApiError> {
    let find = services::store::runner(credentials.user_id(), &name);
    let (caller, found) = credentials.load(&app.db()?, find).await?;
    start(&app, StopRight::of_service(caller, found)?).await
}

/// Halts all instances of the organization, by a job.
#[utoipa::path(post, path = "/api/services/actions/stop-all", summary = "Stop all instances",
    responses((status = 200, description = "The job runs", body = JobStarted)))]
pub async fn stop_all(app: App, credentials: Credentials) -> Result<Json<JobStarted>, ApiError> {
    let (caller, ()) = credentials.load(&app.db()?, ()).await?;
    start(&app, StopRight::of_all(caller)).await
}

async fn start(app: &App, right: StopRight) -> Result<Json<JobStarted>, ApiError> {
    let job = EdgeJob::begin(app, right.caller(), right.names(), &|job| right.event(job)).await?;
    let which = right.into_which();
    Ok(job.run(|job| Box::pin(work::stop(job, which))))
}
