//! What runners say of their jobs, on its way to the tables.
use chrono::{DateTime, TimeDelta, Utc};
use durable_objects::relay::JobNews;
use futures_util::future::LocalBoxFuture;
use protocol::ids::{JobId, ObjectId};
use protocol::terminal::agent::ToAgent;
use protocol::terminal::jobs::JobEnd;
use worker::Env;

use super::{outputs, store};
use crate::features::inventory::sync;
use crate::platform::db::{Db, DbError, stored};

/// How old a job is at least of which its runner must know: the order to run one may be on its way when it says what it has.
const KNOWN_AFTER: TimeDelta = TimeDelta::seconds(30);

/// Stores what a machine says of its jobs and answers what is to be said to it. Handed to the relays' crate when the Worker starts.
pub fn store(env: Env, machine: ObjectId, news: JobNews) -> LocalBoxFuture<'static, Result<Vec<ToAgent>, String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let answers = match news {
            JobNews::Known(jobs) => known(&db, &machine, &jobs, Utc::now()).await,
            JobNews::Output(output) => {
                let job = output.job.clone();
                let batch = store::append(&machine, &output);
                db.run(batch).await.map(|(_, _, rows)| vec![store::answer(job, &rows)])
            }
            JobNews::Ended(end) => ended(&env, &db, &machine, end).await,
        };
        answers.map_err(|error| error.to_string())
    })
}

async fn ended(env: &Env, db: &Db, machine: &ObjectId, mut end: JobEnd) -> Result<Vec<ToAgent>, DbError> {
    let outputs = std::mem::take(&mut end.outputs.0);
    if let Some(keeper) = outputs::keeper()
        && end.code == Some(0)
        && !outputs.is_empty()
        && let Some(job) = db.run(store::ending(machine, &end.job)).await?.into_iter().next()
    {
        let line = outputs::keep(keeper, env.clone(), job, outputs).await;
        end.note = end.note.or(line);
    }
    let batch = store::end(machine, &end, &stored(Utc::now()));
    db.run(batch).await?;
    // A deployment is a thing of the inventory.
    sync::catch_up(env, db, machine).await;
    Ok(vec![ToAgent::ForgetJob { job: end.job }])
}

async fn known(db: &Db, machine: &ObjectId, jobs: &[JobId], now: DateTime<Utc>) -> Result<Vec<ToAgent>, DbError> {
    let batch = store::compare(machine, jobs, &stored(now), &stored(now - KNOWN_AFTER));
    let (_, rows) = db.run(batch).await?;
    Ok(rows.into_iter().flat_map(store::answers).collect())
}
