//! Logins that did not pass the edge go to the REST side, which has the table and the audit log. The relay's crate cannot know them, as
//! they depend on it; the Worker that exports the object hands in what stores them when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use protocol::terminal::logins::Logins;
use worker::Env;

/// Stores the logins of a machine, or says in words why it cannot. What is stored already is no news.
pub type Store = fn(Env, ObjectId, Logins) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

static STORE: OnceLock<Store> = OnceLock::new();

/// Hands it in, once, before the first object lives.
pub fn set(store: Store) {
    // Each instance of the Worker starts once.
    let _ = STORE.set(store);
}

/// Stores.
pub async fn store(env: &Env, machine: &ObjectId, logins: Logins) -> Result<(), String> {
    let store = STORE.get().ok_or("nothing that stores logins was handed in")?;
    store(env.clone(), machine.clone(), logins).await
}
