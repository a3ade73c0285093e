//! That a machine does worse or better goes to the REST side, which writes down that it happened. The relay's crate cannot know it, as it
//! depends on this one; the Worker that exports the object hands in what writes when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::api::health::Health;
use protocol::api::machines::Metrics;
use protocol::ids::ObjectId;
use worker::Env;

/// Writes down how a machine does, and with which figures, or says in words why it cannot. What is written down already is no news.
pub type Write = fn(Env, ObjectId, Health, Metrics) -> Pin<Box<dyn Future<Output = Result<(), String>>>>;

static WRITE: OnceLock<Write> = OnceLock::new();

/// Hands it in, once, before the first object lives.
pub fn set(write: Write) {
    // Each instance of the Worker starts once.
    let _ = WRITE.set(write);
}

/// A machine may do worse or better than it did.
pub async fn changed(env: &Env, machine: &ObjectId, health: Health, metrics: Metrics) -> Result<(), String> {
    let write = WRITE.get().ok_or("nothing that writes was handed in")?;
    write(env.clone(), machine.clone(), health, metrics).await
}
