//! Who may: asked of the REST side, which has the rules. The relay's crate cannot know them, as they depend on it; the Worker
//! that exports the object hands them in when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::api::secret::Secret;
use protocol::ids::{ObjectId, SessionId};
use protocol::relay_contract::ViewerContext;
use protocol::terminal::sessions_v1::Refusal;
use worker::Env;

use crate::relay::{Proof, Question, Verdict};

/// Answers a question about a machine, or says in words why it cannot.
pub type Authority = fn(Env, ObjectId, Question) -> Pin<Box<dyn Future<Output = Result<Verdict, String>>>>;

/// Says as whom a socket comes in that wants to attach to a session of a machine, proves itself by this
/// and came from this address, or why it does not.
pub type Prover =
    fn(Env, ObjectId, SessionId, Secret, String) -> Pin<Box<dyn Future<Output = Result<ViewerContext, Refusal>>>>;

static AUTHORITY: OnceLock<(Authority, Prover)> = OnceLock::new();

/// Hands in the rules, once, before the first object lives. Without them nobody is let in.
pub fn set(authority: Authority, prover: Prover) {
    // Each instance of the Worker starts once.
    let _ = AUTHORITY.set((authority, prover));
}

/// Asks.
pub async fn ask(env: &Env, machine: &ObjectId, question: &Question) -> Result<Verdict, String> {
    let (authority, _) = AUTHORITY.get().ok_or("no rules were handed in")?;
    authority(env.clone(), machine.clone(), question.clone()).await
}

/// Asks whose a socket is.
pub async fn prove(env: &Env, proof: Proof) -> Result<ViewerContext, Refusal> {
    let (_, prover) = AUTHORITY.get().ok_or(Refusal::Unavailable)?;
    prover(env.clone(), proof.machine, proof.session, proof.token, proof.address).await
}
