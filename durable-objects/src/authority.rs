//! Who may: asked of the REST side, which has the rules. The relay's crate cannot know them, as they depend on it; the Worker
//! that exports the object hands them in when it starts.
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use protocol::ids::ObjectId;
use worker::Env;

use crate::relay::{Question, Verdict};

/// Answers a question about a machine, or says in words why it cannot.
pub type Authority = fn(Env, ObjectId, Question) -> Pin<Box<dyn Future<Output = Result<Verdict, String>>>>;

static AUTHORITY: OnceLock<Authority> = OnceLock::new();

/// Hands in the rules, once, before the first object lives. Without them nobody is let in.
pub fn set(authority: Authority) {
    // Each instance of the Worker starts once.
    let _ = AUTHORITY.set(authority);
}

/// Asks.
pub async fn ask(env: &Env, machine: &ObjectId, question: &Question) -> Result<Verdict, String> {
    let authority = AUTHORITY.get().ok_or("no rules were handed in")?;
    authority(env.clone(), machine.clone(), question.clone()).await
}
