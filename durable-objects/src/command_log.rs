//! Where records of commands go: to the REST side, which has the table, its masking and its search. The relay's crate cannot
//! know them, as they depend on it; the Worker that exports the object hands in what stores them when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::{CommandId, ObjectId};
use protocol::relay_contract::AskedCommand;
use protocol::terminal::command_record::CommandRecord;
use worker::Env;

/// Stores records of a machine, or says in words why it cannot. A record that is stored already stays as it is.
pub type Store = fn(Env, ObjectId, Vec<CommandRecord>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Adds commands that were sent to a machine, and whose ends the directory knows, or says in words why it cannot.
pub type StoreSent = fn(Env, ObjectId, Vec<CommandId>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Writes down commands that were asked for in terminals of a machine, as those are that the API takes, or says in words why it
/// cannot. One that is written down already stays as it is.
pub type StoreAsked = fn(Env, ObjectId, Vec<AskedCommand>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

/// Writes down that commands wait for somebody to approve them, and why they do, or says in words why it cannot. One that was decided
/// of already stays as it is.
pub type StoreAwaiting =
    fn(Env, ObjectId, Vec<(CommandId, String)>) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

static STORE: OnceLock<(Store, StoreSent, StoreAsked, StoreAwaiting)> = OnceLock::new();

/// Hands them in, once, before the first object lives. Without them records stay with the agents.
pub fn set(store: Store, sent: StoreSent, asked: StoreAsked, awaiting: StoreAwaiting) {
    // Each instance of the Worker starts once.
    let _ = STORE.set((store, sent, asked, awaiting));
}

/// Stores.
pub async fn store(env: &Env, machine: &ObjectId, records: Vec<CommandRecord>) -> Result<(), String> {
    let (store, ..) = STORE.get().ok_or("nothing that stores records was handed in")?;
    store(env.clone(), machine.clone(), records).await
}

/// Adds what was sent and has ended.
pub async fn store_sent(env: &Env, machine: &ObjectId, commands: Vec<CommandId>) -> Result<(), String> {
    let (_, store, ..) = STORE.get().ok_or("nothing that stores records was handed in")?;
    store(env.clone(), machine.clone(), commands).await
}

/// Writes down what was asked for in terminals.
pub async fn store_asked(env: &Env, machine: &ObjectId, commands: Vec<AskedCommand>) -> Result<(), String> {
    let (_, _, store, _) = STORE.get().ok_or("nothing that stores records was handed in")?;
    store(env.clone(), machine.clone(), commands).await
}

/// Writes down what waits for approval.
pub async fn store_awaiting(env: &Env, machine: &ObjectId, commands: Vec<(CommandId, String)>) -> Result<(), String> {
    let (.., store) = STORE.get().ok_or("nothing that stores records was handed in")?;
    store(env.clone(), machine.clone(), commands).await
}
