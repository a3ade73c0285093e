//! What runners say of jobs goes to the REST side, which has the tables, and those who watch are told from there. The relay's crate cannot
//! know it, as it depends on this one; the Worker that exports the object hands in what stores and reads when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use protocol::relay_contract::WatchContext;
use protocol::terminal::agent::ToAgent;
use worker::Env;

use crate::relay::JobNews;
use crate::watch::JobText;

/// Stores what a machine says of its jobs and answers what is to be said to it, or says in words why it cannot. The same again changes
/// nothing.
pub type Store = fn(Env, ObjectId, JobNews) -> Pin<Box<dyn Future<Output = Result<Vec<ToAgent>, String>>>>;

/// Reads what a job has written from an offset on; nothing if the watcher may not see it any more.
pub type Read = fn(Env, WatchContext, u64) -> Pin<Box<dyn Future<Output = Result<Option<JobText>, String>>>>;

static TABLES: OnceLock<(Store, Read)> = OnceLock::new();

/// Hands both in, once, before the first object lives.
pub fn set(store: Store, read: Read) {
    // Each instance of the Worker starts once.
    let _ = TABLES.set((store, read));
}

/// Stores.
pub async fn store(env: &Env, machine: &ObjectId, news: JobNews) -> Result<Vec<ToAgent>, String> {
    let (store, _) = TABLES.get().ok_or("nothing that stores jobs was handed in")?;
    store(env.clone(), machine.clone(), news).await
}

/// Reads.
pub async fn read(env: &Env, context: WatchContext, offset: u64) -> Result<Option<JobText>, String> {
    let (_, read) = TABLES.get().ok_or("nothing that reads jobs was handed in")?;
    read(env.clone(), context, offset).await
}
