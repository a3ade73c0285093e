//! Sessions of the machine's own PAM around programs, by a helper: `vsay-pam`, which stands between the agent and the program
//! as its parent. It is used where it is installed, the machine has a service for it, and the agent has the rights it takes.
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use login::question::{self, Answer, LONGEST_ANSWER, Question};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use super::capabilities::{self, Capability};
use super::child::Child;
use super::own::Own;
use crate::system::System;

/// The helper's name.
pub const HELPER: &str = "vsay-pam";

/// What it is asked to only tell whether the machine has PAM.
const CHECK: &str = "check";

/// Where it is, if not beside this program: where programs lie that only programs run.
const DIRECTORIES: [&str; 2] = ["usr/libexec/vsay", "usr/lib/vsay"];

/// Where PAM's services are described.
const SERVICES_DIRECTORY: &str = "etc/pam.d";

/// The first of these that the machine has: one that an administrator made for us, or that of whoever logs people in.
const SERVICES: [&str; 3] = ["vsay-agent", "sshd", "login"];

/// How long PAM may take. A directory or a home on the network has timeouts of its own, mostly of up to half a minute; what
/// takes longer does not come any more, and somebody waits.
const ANSWERED_WITHIN: Duration = Duration::from_secs(60);

/// The helper's environment, since modules run programs by name. They get no other variable of ours.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

/// How a session is opened on this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pam {
    helper: PathBuf,
    service: &'static str,
    /// Where the services are, if not where PAM looks.
    directory: Option<PathBuf>,
}

/// What came of asking the helper.
pub enum Asked {
    /// The program runs.
    Started(Box<Child>),
    /// This machine has no PAM after all; why.
    NoPam(String),
}

impl Pam {
    /// How sessions are opened on `system`. The error says why none are.
    pub fn find(system: &System) -> Result<Self, String> {
        let own = std::env::current_exe().ok();
        let helper = helper(system, own.as_deref()).ok_or_else(|| format!("{HELPER} is not installed"))?;
        let directory = system.path(SERVICES_DIRECTORY);
        let service = SERVICES.into_iter().find(|service| directory.join(service).is_file());
        let service = service.ok_or_else(|| format!("{} has no service for it", directory.display()))?;
        if !may_be_used(capabilities::own()) {
            return Err("the agent's service lacks rights that it takes; run `vsay-agent configure` again".to_owned());
        }
        Ok(Self {
            helper,
            service,
            directory: (!system.is_own()).then_some(directory),
        })
    }

    /// The service that is asked.
    pub fn service(&self) -> &str {
        self.service
    }

    /// Has the helper start a program. `attach` gives it its outputs and, as its input, the socket it is asked by.
    pub fn start(
        &self,
        begin: impl FnOnce(&mut Command),
        attach: impl FnOnce(&mut Command, OwnedFd) -> io::Result<()>,
        question: impl FnOnce(String, Option<PathBuf>) -> Question,
    ) -> io::Result<Asked> {
        let (ours, theirs) = UnixStream::pair()?;
        let mut command = Command::new(&self.helper);
        command.env_clear().env("PATH", PATH);
        attach(&mut command, theirs.into())?;
        begin(&mut command);
        let mut command = tokio::process::Command::from(command);
        let started = Own::start(|| command.spawn(), |helper| helper.id());
        // Our copy of the helper's end is in here, and would keep ours open.
        drop(command);
        let (helper, own) = match started {
            Ok(started) => started,
            Err(error) => return Ok(Asked::NoPam(format!("cannot run {}: {error}", self.helper.display()))),
        };
        let question = question(self.service.to_owned(), self.directory.clone());
        let answer = ask(&ours, &question, ANSWERED_WITHIN);
        if let Ok(Some(Answer::Started { pid, fault })) = answer {
            if let Some(fault) = fault {
                tracing::warn!(service = self.service, "PAM opened no session: {fault}");
            }
            let child = Child::below(helper, own, Pid::from_raw(pid));
            return Ok(Asked::Started(Box::new(child)));
        }
        // One that has answered ends by itself. One that a module keeps does not, and what the module has started is in its
        // group, too.
        if !matches!(answer, Ok(Some(_)))
            && let Some(id) = helper.id().and_then(|id| i32::try_from(id).ok())
        {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        match answer {
            Ok(Some(Answer::NoPam(why))) => Ok(Asked::NoPam(why)),
            Ok(Some(Answer::NotStarted(error))) => Err(io::Error::from_raw_os_error(error)),
            Ok(Some(Answer::Refused(words))) => Err(refused(&question, &words)),
            Ok(_) => Err(refused(
                &question,
                "it ended without an answer; the system's log may say why",
            )),
            Err(error) => Err(refused(&question, &error.to_string())),
        }
    }
}

/// Why there is no shell, in words for whoever wanted one.
fn refused(question: &Question, words: &str) -> io::Error {
    let Question { user, service, .. } = question;
    io::Error::other(format!(
        "PAM on this machine (service {service}) does not let {user} in: {words}"
    ))
}

fn ask(helper: &UnixStream, question: &Question, within: Duration) -> io::Result<Option<Answer>> {
    helper.set_write_timeout(Some(within))?;
    helper.set_read_timeout(Some(within))?;
    question::send(helper, question)?;
    match question::receive(helper, LONGEST_ANSWER) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(io::Error::new(
            io::ErrorKind::TimedOut,
            format!("a module has not answered within {} seconds", within.as_secs()),
        )),
        received => received,
    }
}

/// The helper that an agent at `agent` uses on a system.
fn helper(system: &System, agent: Option<&Path>) -> Option<PathBuf> {
    let beside = agent.map(|agent| agent.with_file_name(HELPER));
    let installed = DIRECTORIES.map(|directory| system.path(directory).join(HELPER));
    beside.into_iter().chain(installed).find(|path| path.is_file())
}

/// Whether this machine has the helper, for a service that runs `agent`.
pub fn is_installed(agent: &Path) -> bool {
    helper(&System::default(), Some(agent)).is_some()
}

/// Whether `helper` can use the PAM of this machine. The error says why not.
pub fn check(helper: &Path) -> Result<(), String> {
    let checked = Command::new(helper)
        .arg(CHECK)
        .env_clear()
        .stdin(Stdio::null())
        .output();
    match checked {
        Ok(output) if output.status.success() => Ok(()),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let line = said.lines().next_back().unwrap_or("it does not say why").trim();
            Err(line.trim_start_matches("vsay-pam: ").to_owned())
        }
        // The program is there. What starts those of glibc is not.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err("its C library is not glibc".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

/// What modules need, or else fail for everybody: to tell the audit system, as the library itself does wherever it is
/// compiled with that, and to read the shadow file, which some distributions close even to root.
fn may_be_used(held: u64) -> bool {
    let has = |capability: Capability| capability.is_in(held);
    has(Capability::AuditWrite) && (has(Capability::DacOverride) || has(Capability::DacReadSearch))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn the_service_is_the_agents_own_or_that_of_whoever_logs_people_in() {
        let root = tempfile::tempdir().unwrap();
        let system = System::at(root.path().to_owned());
        let found = || Pam::find(&system).map(|pam| pam.service);
        assert_eq!(found(), Err("vsay-pam is not installed".to_owned()));
        for directory in [DIRECTORIES[0], SERVICES_DIRECTORY] {
            fs::create_dir_all(system.path(directory)).unwrap();
        }
        fs::write(system.path(DIRECTORIES[0]).join(HELPER), "").unwrap();
        assert!(found().unwrap_err().contains("no service"));
        for service in SERVICES.into_iter().rev() {
            fs::write(system.path(SERVICES_DIRECTORY).join(service), "").unwrap();
            if may_be_used(capabilities::own()) {
                assert_eq!(found(), Ok(service));
            } else {
                assert!(found().unwrap_err().contains("configure"));
            }
        }
    }

    fn question() -> Question {
        Question {
            service: "login".into(),
            directory: None,
            user: "deploy".into(),
            terminal: None,
            person: "ann".into(),
            host: "edge.example".into(),
            login: login::Login {
                setting: login::Setting::Supervised,
                identity: None,
                home: "/".into(),
                privileges: false,
                group: None,
            },
            program: login::Program {
                path: "/bin/true".into(),
                name: None,
                arguments: Vec::new(),
                environment: Vec::new(),
            },
        }
    }

    #[test]
    fn a_module_that_hangs_is_given_up_in_words() {
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let error = ask(&ours, &question(), Duration::from_millis(20)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(
            refused(&question(), &error.to_string()).to_string(),
            "PAM on this machine (service login) does not let deploy in: a module has not answered within 0 seconds"
        );
    }

    #[test]
    fn a_helper_that_ends_has_let_nobody_in() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        theirs.shutdown(std::net::Shutdown::Write).unwrap();
        assert_eq!(ask(&ours, &question(), ANSWERED_WITHIN).unwrap(), None);
    }

    #[test]
    fn a_helper_that_finds_no_pam_is_believed() {
        assert_eq!(check(Path::new("/bin/true")), Ok(()));
        assert_eq!(check(Path::new("/bin/false")), Err("it does not say why".to_owned()));
    }

    #[test]
    fn without_the_rights_it_takes_pam_is_left_alone() {
        let of = |held: &[Capability]| held.iter().fold(0, |mask, capability| mask | capability.mask());
        for (held, expected) in [
            (&[][..], false),
            (&[Capability::AuditWrite], false),
            (&[Capability::DacReadSearch, Capability::DacOverride], false),
            (&[Capability::AuditWrite, Capability::DacReadSearch], true),
            (&[Capability::AuditWrite, Capability::DacOverride], true),
        ] {
            assert_eq!(may_be_used(of(held)), expected, "{held:?}");
        }
    }
}
