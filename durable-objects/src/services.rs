//! What runners tell of their services goes to the REST side, which has the tables. The relay's crate cannot know it, as it depends on
//! this one; the Worker that exports the object hands in what stores them when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use worker::Env;

use crate::relay::Catalog;

/// Makes a catalog that of a machine, or says in words why it cannot. The same again changes nothing but its time.
pub type Store = fn(Env, ObjectId, Catalog) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

static STORE: OnceLock<Store> = OnceLock::new();

/// Hands it in, once, before the first object lives.
pub fn set(store: Store) {
    // Each instance of the Worker starts once.
    let _ = STORE.set(store);
}

/// Stores.
pub async fn store(env: &Env, machine: &ObjectId, catalog: Catalog) -> Result<(), String> {
    let store = STORE.get().ok_or("nothing that stores services was handed in")?;
    store(env.clone(), machine.clone(), catalog).await
}
