//! What a service says of itself after a job of it: its credentials are kept in the inventory.
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use worker::Env;

use crate::features::inventory::credentials;
use crate::features::jobs::outputs::EndingJob;
use crate::platform::config::Config;
use crate::platform::db::Db;
use crate::platform::error::ApiError;

/// Keeps the credentials among the outputs of a job's service. Handed to the jobs when the Worker starts.
pub fn keep(env: Env, job: EndingJob, outputs: Vec<Value>) -> LocalBoxFuture<'static, Result<bool, String>> {
    Box::pin(async move {
        let kept = async {
            let (db, config) = (Db::new(&env)?, Config::from_env(&env).map_err(ApiError::internal)?);
            credentials::keep(&db, &config.sealing, &job.organization_id, &job.service, &outputs).await
        };
        kept.await.map_err(|error| error.cause().to_string())
    })
}
