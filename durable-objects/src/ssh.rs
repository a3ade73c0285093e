//! That runners trust hosts which nobody knew goes to the REST side, which has the audit log. The relay's crate cannot know it, as it
//! depends on it; the Worker that exports the object hands in what writes it down when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use worker::Env;

use crate::relay::HostTrusted;

/// Writes down which hosts a runner trusts from now on, or says in words why it cannot.
pub type Store = fn(Env, ObjectId, Vec<HostTrusted>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

static STORE: OnceLock<Store> = OnceLock::new();

/// Hands it in, once, before the first object lives.
pub fn set(store: Store) {
    // Each instance of the Worker starts once.
    let _ = STORE.set(store);
}

/// Writes it down.
pub async fn store(env: &Env, machine: &ObjectId, trusted: Vec<HostTrusted>) -> Result<(), String> {
    let store = STORE
        .get()
        .ok_or("nothing that writes down trusted hosts was handed in")?;
    store(env.clone(), machine.clone(), trusted).await
}
