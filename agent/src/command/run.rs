//! One command, from its start to its end.
use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::time::Duration;

use protocol::ids::StreamId;
use protocol::limits::MAX_COMMAND_OUTPUT;
use protocol::terminal::agent::{FromAgent, NoResult};
use tokio::sync::{Notify, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep_until};

use super::Spec;
use super::captured::Captured;
use crate::account::Account;
use crate::process::{self, Child, RunAs};
use crate::session::exit_status;

/// How long output is awaited after the command itself has ended. What it left running in the background may hold its
/// output open for ever and is not waited for.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How often what a command writes is said while it runs. Those who look see it come; a command that is over sooner says it once.
const PART_EVERY: Duration = Duration::from_millis(250);

/// Runs a command. It ends by itself, when its time is up, or when it is to be killed. What it writes goes to `parts` as it comes,
/// where there is room.
pub async fn execute(spec: Spec, kill: &Notify, parts: &mpsc::Sender<FromAgent>) -> FromAgent {
    let stream = spec.stream;
    let (begun, timeout) = (Instant::now(), spec.timeout);
    match start(spec).await {
        Ok(child) => wait(stream, child, begun, timeout, kill, parts).await,
        Err(error) => {
            tracing::warn!(%stream, %error, "cannot run a command");
            let (error, reason) = (error.to_string(), NoResult::NotRun);
            FromAgent::RunFailed { stream, error, reason }
        }
    }
}

async fn start(spec: Spec) -> io::Result<Child> {
    // A network directory may take its time, and so may forking.
    let starting = spawn_blocking(move || {
        let account = Account::find_on(&spec.system, &spec.account).map_err(io::Error::other)?;
        let shell = account.command_shell(&spec.system)?;
        let arguments = if spec.script {
            script_arguments(&shell, spec.command)?
        } else {
            vec!["-c".into(), spec.command.into()]
        };
        let run_as = RunAs {
            account,
            privileges: spec.privileges,
            system: spec.system,
            origin: spec.origin,
            group: spec.cgroups.group(&spec.limits)?,
        };
        let mut program = run_as.program(&shell);
        program.arguments = arguments;
        run_as.start(program)
    });
    starting.await.map_err(io::Error::other)?
}

/// How bash runs a script: it ends at the first command that fails, and its output also goes to a file in its home, if one can be
/// written there. The shell that sets that up becomes the one that runs the script, so its end is the script's.
const SCRIPT: &str = r#"log=$HOME/script.log
if : 2>/dev/null >"$log"; then exec > >(exec tee -- "$log") 2>&1; fi
exec "$BASH" -euo pipefail -c "$1" script"#;

fn script_arguments(shell: &Path, script: String) -> io::Result<Vec<OsString>> {
    if shell.file_name() != Some("bash".as_ref()) {
        let error = format!(
            "scripts are run by bash, which this account does not have ({})",
            shell.display()
        );
        return Err(io::Error::other(error));
    }
    Ok(vec!["-c".into(), SCRIPT.into(), "script".into(), script.into()])
}

async fn wait(
    stream: StreamId,
    mut child: Child,
    begun: Instant,
    timeout: Duration,
    kill: &Notify,
    parts: &mpsc::Sender<FromAgent>,
) -> FromAgent {
    let deadline = begun + timeout;
    let pid = child.pid();
    let end = || process::kill_descendants(pid);
    let (stdout, stderr) = child.take_outputs();
    let mut stdout = Captured::new(stdout, MAX_COMMAND_OUTPUT);
    let mut stderr = Captured::new(stderr, MAX_COMMAND_OUTPUT);
    let (mut part, mut next_part) = (0, begun + PART_EVERY);
    let mut timed_out = false;
    let mut killed = false;
    let status = loop {
        tokio::select! {
            status = child.wait() => break status,
            () = stdout.read(), if !stdout.over() => {}
            () = stderr.read(), if !stderr.over() => {}
            () = sleep_until(deadline), if !timed_out && !killed => {
                timed_out = true;
                end();
            }
            () = kill.notified(), if !killed => {
                killed = true;
                end();
            }
            () = sleep_until(next_part), if stdout.has_news() || stderr.has_news() => {
                next_part = Instant::now() + PART_EVERY;
                // While nobody takes the one before, what is new waits.
                if let Ok(room) = parts.try_reserve() {
                    let (stdout, stderr) = (stdout.next_part(), stderr.next_part());
                    room.send(FromAgent::Running { stream, part, stdout, stderr });
                    part += 1;
                }
            }
        }
    };
    let duration = begun.elapsed();
    let last_words = Instant::now() + LAST_WORDS;
    while !(stdout.over() && stderr.over()) {
        tokio::select! {
            () = stdout.read(), if !stdout.over() => {}
            () = stderr.read(), if !stderr.over() => {}
            () = sleep_until(last_words) => break,
        }
    }
    let (stdout, more_out) = stdout.into_text();
    let (stderr, more_err) = stderr.into_text();
    FromAgent::Ran {
        stream,
        stdout,
        stderr,
        truncated: more_out || more_err,
        timed_out,
        duration_ms: u64::try_from(duration.as_millis()).ok(),
        status: exit_status(status),
    }
}
