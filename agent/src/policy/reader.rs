//! Reading commands in a process of its own, this program again, with bounds of time and memory: what breaks it, or takes too long, is
//! refused, and nothing else ends with it.
use std::io::{self, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use nix::sys::resource::{Resource, setrlimit};
use protocol::api::command_policy::Policies;
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::{Place, Verdict, judge};
use crate::process;

/// This program, also after an update has put another in its place.
const THIS: &str = "/proc/self/exe";

/// What this program is told by its arguments to do this.
pub const SUBCOMMAND: &str = "read-commands";

/// How long the process may compute, in seconds: a command of the longest text takes some milliseconds.
const SECONDS: u64 = 5;

/// What it may have of memory, in bytes. Allocators like to set aside a gigabyte of addresses.
const MEMORY: u64 = 2 << 30;

/// The stack of the thread that reads, in bytes: constructs that stand within each other take some kilobytes each.
const STACK: usize = 64 << 20;

const NOT_READ: &str = "it could not be read, so that nobody knows what it would run";

/// What is to be judged.
#[derive(Debug, Serialize, Deserialize)]
struct Question {
    texts: Vec<(String, Place)>,
    policies: Policies,
}

/// What the policies have to say of some texts, each where it is to run, in their order.
pub async fn verdicts(texts: Vec<(String, Place)>, policies: Policies) -> Vec<Verdict> {
    let count = texts.len();
    if policies.are_empty() {
        return vec![Verdict::Allowed; count];
    }
    let question = Question { texts, policies };
    let asked = spawn_blocking(move || match ask(&question) {
        Ok(verdicts) => verdicts,
        // One of them breaks the reader, and the others are not to pay for it.
        Err(_) if question.texts.len() > 1 => one_by_one(question),
        Err(error) => {
            tracing::warn!(%error, "a command could not be read");
            vec![refused()]
        }
    });
    asked.await.unwrap_or_else(|_| vec![refused(); count])
}

fn refused() -> Verdict {
    Verdict::Refused(NOT_READ.to_owned())
}

fn one_by_one(question: Question) -> Vec<Verdict> {
    let Question { texts, policies } = question;
    let alone = |text| Question {
        texts: vec![text],
        policies: policies.clone(),
    };
    let verdict = |question| ask(&question).ok().and_then(|verdicts| verdicts.into_iter().next());
    texts
        .into_iter()
        .map(|text| verdict(alone(text)).unwrap_or_else(refused))
        .collect()
}

fn ask(question: &Question) -> io::Result<Vec<Verdict>> {
    let mut command = Command::new(THIS);
    command.arg(SUBCOMMAND).env_clear().stderr(Stdio::null());
    let output = process::output_of(&mut command, &serde_json::to_vec(question)?)?;
    if !output.status.success() {
        return Err(io::Error::other(format!("the reader ended with {}", output.status)));
    }
    let verdicts: Vec<Verdict> = serde_json::from_slice(&output.stdout)?;
    match verdicts.len() == question.texts.len() {
        true => Ok(verdicts),
        false => Err(io::Error::other("the reader answered something else")),
    }
}

/// The process: reads a question from its standard input, and writes the answers to its standard output.
pub fn main() -> io::Result<()> {
    setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
    setrlimit(Resource::RLIMIT_CPU, SECONDS, SECONDS)?;
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    let mut input = Vec::new();
    io::stdin().read_to_end(&mut input)?;
    let question: Question = serde_json::from_slice(&input)?;
    let judged = thread::Builder::new().stack_size(STACK).spawn(move || {
        let Question { texts, policies } = question;
        let verdict = |(text, place): &(String, Place)| judge(text, &policies, place);
        texts.iter().map(verdict).collect::<Vec<_>>()
    })?;
    let verdicts = judged.join().map_err(|_| io::Error::other("the reader broke"))?;
    io::stdout().write_all(&serde_json::to_vec(&verdicts)?)
}
