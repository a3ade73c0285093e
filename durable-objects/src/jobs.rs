//! What runners say of jobs goes to the REST side, which has the tables. The relay's crate cannot know it, as it depends on this one; the
//! Worker that exports the object hands in what stores it when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use protocol::terminal::agent::ToAgent;
use worker::Env;

use crate::relay::JobNews;

/// Stores what a machine says of its jobs and answers what is to be said to it, or says in words why it cannot. The same again changes
/// nothing.
pub type Store = fn(Env, ObjectId, JobNews) -> Pin<Box<dyn Future<Output = Result<Vec<ToAgent>, String>>>>;

static STORE: OnceLock<Store> = OnceLock::new();

/// Hands it in, once, before the first object lives.
pub fn set(store: Store) {
    // Each instance of the Worker starts once.
    let _ = STORE.set(store);
}

/// Stores.
pub async fn store(env: &Env, machine: &ObjectId, news: JobNews) -> Result<Vec<ToAgent>, String> {
    let store = STORE.get().ok_or("nothing that stores jobs was handed in")?;
    store(env.clone(), machine.clone(), news).await
}
