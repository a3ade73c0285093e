//! What a service says of itself when a job of it has ended well, on its way to whatever keeps it. This feature keeps nothing of it: credentials
//! are in it.
use std::sync::OnceLock;

use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use worker::Env;

pub use super::row::EndingJob;
use crate::platform::log;

/// Keeps what the service of a job says of itself, values of credentials included, and answers whether it has kept anything; or says in words
/// why it could not. The list is what the service's `outputs/service_outputs.yaml` has, of 16 KiB at most, as people write it.
///
/// It is called in the relay's object when the runner says that a deployment or a script has ended well and nobody has called it off, before
/// that is stored, once more for each time that it is said: the same again must change nothing. The environment is the Worker's, so
/// [`Config::from_env`](crate::platform::config::Config::from_env) has the key that seals, and [`Db`](crate::platform::db::Db) the tables.
pub type Keep = fn(Env, EndingJob, Vec<Value>) -> LocalBoxFuture<'static, Result<bool, String>>;

static KEEP: OnceLock<Keep> = OnceLock::new();

/// Hands in what keeps them, once, before the first object lives.
pub fn set(keep: Keep) {
    // Each instance of the Worker starts once.
    let _ = KEEP.set(keep);
}

/// What keeps them, if anything does.
pub fn keeper() -> Option<Keep> {
    KEEP.get().copied()
}

/// Has them kept, and answers the last line of the job's output, if there is something to say (contract).
pub async fn keep(keep: Keep, env: Env, job: EndingJob, outputs: Vec<Value>) -> Option<String> {
    let service = job.service.clone();
    line(&service, keep(env, job, outputs).await)
}

fn line(service: &str, kept: Result<bool, String>) -> Option<String> {
    match kept {
        Ok(true) => Some(format!("[Service outputs synced for {service}]")),
        Ok(false) => None,
        Err(error) => {
            log::error(&format!("the outputs of a service are not kept: {error}"));
            Some(format!("[Warning: service outputs of {service} could not be synced]"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_says_that_outputs_were_kept_only_when_some_were() {
        assert_eq!(
            line("web", Ok(true)).as_deref(),
            Some("[Service outputs synced for web]")
        );
        assert_eq!(line("web", Ok(false)), None);
    }
}
