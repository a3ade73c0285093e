//! Where records of commands go: to the REST side, which has the table, its masking and its search. The relay's crate cannot
//! know them, as they depend on it; the Worker that exports the object hands in what stores them when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use protocol::terminal::command_record::CommandRecord;
use worker::Env;

/// Stores records of a machine, or says in words why it cannot. A record that is stored already stays as it is.
pub type Store = fn(Env, ObjectId, Vec<CommandRecord>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

static STORE: OnceLock<Store> = OnceLock::new();

/// Hands it in, once, before the first object lives. Without it records stay with the agents.
pub fn set(store: Store) {
    // Each instance of the Worker starts once.
    let _ = STORE.set(store);
}

/// Stores.
pub async fn store(env: &Env, machine: &ObjectId, records: Vec<CommandRecord>) -> Result<(), String> {
    let store = STORE.get().ok_or("nothing that stores records was handed in")?;
    store(env.clone(), machine.clone(), records).await
}
