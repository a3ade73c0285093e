//! The agent's helper for PAM. The agent may be linked statically, and then can load none of PAM's modules; this program is
//! linked with the system's C library, and can. The agent starts it in the place of a shell or a command, as root, and asks it
//! for a session around that ([`login::question`]). It asks PAM as `sshd` does, except for who somebody is, which the edge
//! knows: it lets the account in or not, opens a session, starts the program below itself as that account, and closes the
//! session when the program has ended. Then it ends as the program did. It is never between the program and its terminal.
#[cfg(not(target_os = "linux"))]
compile_error!("vsay-pam needs Linux, as the agent does");

mod library;
mod session;
mod texts;

use std::env;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use login::question::{self, Answer, LONGEST_QUESTION, Question};
use nix::unistd::{Gid, Uid, dup2_stdin};

/// The argument by which this only tells whether the machine has a PAM that it can use: by its status, with why not on standard
/// error.
const CHECK: &str = "check";

fn main() -> ExitCode {
    let done = if env::args_os().nth(1).is_some_and(|argument| argument == CHECK) {
        library::check().map(|()| ExitCode::SUCCESS)
    } else {
        // Where a program was started, this process has ended as that did.
        run().map(|()| ExitCode::FAILURE)
    };
    done.unwrap_or_else(|words| {
        eprintln!("vsay-pam: {words}");
        ExitCode::FAILURE
    })
}

fn run() -> Result<(), String> {
    // Set to root's id for whoever starts it, it would open sessions for anybody.
    let ids = [
        (Uid::current().as_raw(), Uid::effective().as_raw()),
        (Gid::current().as_raw(), Gid::effective().as_raw()),
    ];
    if ids.iter().any(|(real, effective)| real != effective) || !Uid::effective().is_root() {
        return Err("only root may run this, and not by a set-user-id bit".to_owned());
    }
    let agent = agent().map_err(|error| format!("this is started by vsay-agent ({error})"))?;
    let question = question::receive::<Question>(&agent, LONGEST_QUESTION);
    let answered = match question {
        Ok(Some(question)) => session::run(&agent, question),
        // The agent is gone, or is none.
        Ok(None) => return Err("this is started by vsay-agent, and nothing was asked".to_owned()),
        Err(error) => Answer::NoPam(format!(
            "the helper is of another version than the agent that runs: restart vsay-agent ({error})"
        )),
    };
    question::send(&agent, &answered).map_err(|error| format!("the agent is gone: {error}"))
}

/// The agent's end of the socket that standard input is, which becomes `/dev/null`: no module is to read there.
fn agent() -> io::Result<UnixStream> {
    let stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    // Anything but a socket has no other end.
    stream.peer_addr()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(stream)
}
