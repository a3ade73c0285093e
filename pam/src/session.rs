//! A session around a program, in the order in which `sshd` does it.
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use login::question::{self, Answer, Question};
use login::{Setting, end_as, outlast};
use nix::errno::Errno;
use nix::sys::prctl::get_no_new_privs;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::{Pid, dup2_stderr, dup2_stdout};

use crate::library::{self, Credentials, Fault, Handle, Item};
use crate::texts::Texts;

/// What a program without a terminal has in its place, as with `sshd`: modules that want to know one know this word.
const NO_TERMINAL: &str = "ssh";

/// A file in whose presence nobody is greeted, as with `sshd` and `login`.
const HUSH: &str = ".hushlogin";

/// How long closing a session may take. The person waits for it, who is told how the program ended after it; a module that
/// takes longer, as one that asks a server which is gone, is left behind.
const CLOSED_WITHIN: Duration = Duration::from_secs(10);

/// Does what is asked. Once the program was started, this process lives as long, and ends as that did; the answer that is
/// given back is that it was not.
pub fn run(agent: &UnixStream, question: Question) -> Answer {
    let texts = Texts::default();
    let Question { service, directory, .. } = &question;
    let mut pam = match library::start(service, &question.user, directory.clone(), &texts) {
        Ok(Ok(pam)) => pam,
        Ok(Err(Fault(words))) => return Answer::Refused(words),
        Err(words) => return Answer::NoPam(words),
    };
    if let Err(Fault(words)) = let_in(&mut pam, &question) {
        return Answer::Refused(texts.take_line(&words));
    }
    // Before credentials, which may be groups: those of the system would wipe them out.
    if let Some(identity) = &question.login.identity
        && let Err(error) = identity.take_groups()
    {
        return Answer::NotStarted(error.raw_os_error().unwrap_or_default());
    }
    // Many a stack has none for whoever did not prove themselves to it. That keeps nobody out, as with a key by `sshd`.
    let _ = pam.set_credentials(Credentials::Establish);
    let fault = match pam.open_session() {
        Ok(()) => None,
        Err(Fault(words)) if is_confined() => Some(words),
        Err(Fault(words)) => {
            let words = format!("no session: {words}");
            let words = texts.take_line(&words);
            let _ = pam.set_credentials(Credentials::Delete);
            return Answer::Refused(words);
        }
    };
    if question.login.setting == Setting::Terminal {
        greet(&question, &texts, fault.as_deref());
    }
    let child = match start(&question, &mut pam) {
        Ok(child) => child,
        Err(error) => {
            close(pam, fault.is_none());
            return Answer::NotStarted(error.raw_os_error().unwrap_or_default());
        }
    };
    live(agent, pam, child, fault)
}

/// Whether the agent's service may gain no privileges, and so keeps few of root's rights. A session that cannot be opened keeps
/// people out, as with `sshd`; but a module that cannot do there what it does elsewhere must not make the machine unreachable.
fn is_confined() -> bool {
    get_no_new_privs().unwrap_or(false)
}

fn let_in(pam: &mut Handle<'_>, question: &Question) -> Result<(), Fault> {
    pam.set(Item::Terminal, question.terminal.as_deref().unwrap_or(NO_TERMINAL))?;
    pam.set(Item::RemoteHost, &question.host)?;
    pam.set(Item::RemoteUser, &question.person)?;
    pam.account()
}

/// Shows what modules have to say, such as the message of the day.
fn greet(question: &Question, texts: &Texts, fault: Option<&str>) {
    let mut said = texts.take();
    if fs::symlink_metadata(Path::new(&question.login.home).join(HUSH)).is_ok() {
        said.clear();
    }
    if let Some(words) = fault {
        said.extend_from_slice(format!("PAM could not open a session for this shell: {words}\n").as_bytes());
    }
    // A terminal that takes nothing is one that is gone, and the shell will see it.
    let _ = io::stdout().write_all(&said).and_then(|()| io::stdout().flush());
}

/// Starts the program, with the variables of PAM over its own.
fn start(question: &Question, pam: &mut Handle<'_>) -> io::Result<Child> {
    let mut program = question.program.clone();
    program.environment.extend(pam.environment());
    let mut command = program.command();
    command.stdin(match question.login.setting {
        Setting::Terminal => Stdio::from(io::stdout().as_fd().try_clone_to_owned()?),
        Setting::Supervised => Stdio::null(),
    });
    question.login.of_begun(&mut command)?;
    command.spawn()
}

/// Lives as long as the program does, closes the session and ends as the program did.
fn live(agent: &UnixStream, pam: Handle<'_>, child: Child, fault: Option<String>) -> ! {
    let is_open = fault.is_none();
    // The terminal is the program's alone. What cannot be done here is no reason to leave the program alone.
    let _ = let_go();
    let _ = outlast();
    let pid = i32::try_from(child.id()).unwrap_or_default();
    // An agent that is gone has hung the terminal up, and the program ends by that.
    let _ = question::send(agent, &Answer::Started { pid, fault });
    let _ = agent.shutdown(std::net::Shutdown::Both);
    // The process stays until its session is closed, so that whoever wants to end it ends nobody who has got its number since.
    wait_for(Pid::from_raw(pid));
    let child = Arc::new(Mutex::new(child));
    let late = child.clone();
    thread::spawn(move || {
        thread::sleep(CLOSED_WITHIN);
        end_with(&late)
    });
    close(pam, is_open);
    end_with(&child)
}

/// Ends as a child that has ended.
fn end_with(child: &Mutex<Child>) -> ! {
    let mut child = child.lock().unwrap_or_else(PoisonError::into_inner);
    // One that somebody else has waited for counts as a success.
    end_as(child.wait().unwrap_or_default().into_raw())
}

/// Closes what was opened. There is nobody to tell any more that this did not work; PAM itself writes it to the system's log.
fn close(mut pam: Handle<'_>, is_open: bool) {
    if is_open {
        let _ = pam.close_session();
    }
    let _ = pam.set_credentials(Credentials::Delete);
}

/// Takes `/dev/null` in the place of the outputs.
fn let_go() -> io::Result<()> {
    let null = File::options().write(true).open("/dev/null")?;
    dup2_stdout(&null)?;
    dup2_stderr(&null)?;
    Ok(())
}

/// Waits until a child has ended, and leaves it as it is.
fn wait_for(child: Pid) {
    let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    // Any other error than an interruption says that it has ended: of one that a real-time signal ended, there are no words.
    while waitid(Id::Pid(child), how) == Err(Errno::EINTR) {}
}
