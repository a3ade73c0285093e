//! Who is logged in by the files of systemd-logind, which are for itself and for `sd-login(3)`: a line for each fact.
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use nix::unistd::Pid;
use protocol::terminal::logins::{ExternalLogin, MAX_LOGINS};

use crate::process::parent;

/// The logins of a folder of sessions, but for our own.
pub fn logins(folder: &Path) -> Vec<ExternalLogin> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    // Beside the session `5` there is a pipe `5.ref`.
    let names = names.filter(|name| !name.contains('.'));
    // Twice as many as are told of: which those are is not for this to say.
    names
        .take(2 * MAX_LOGINS)
        .filter_map(|name| login(&name, &fs::read_to_string(folder.join(&name)).ok()?))
        .collect()
}

fn login(name: &str, session: &str) -> Option<ExternalLogin> {
    let lines = session.lines().filter_map(|line| line.split_once('='));
    let facts: HashMap<&str, &str> = lines.collect();
    let fact = |name: &str| facts.get(name).copied().unwrap_or_default();
    let leader = fact("LEADER").parse().ok().map(Pid::from_raw);
    // Sessions of PAM that the agent has opened are led by its helper.
    let is_ours = leader.and_then(parent) == Some(Pid::this());
    if !fact("CLASS").starts_with("user") || fact("STATE") == "closing" || fact("USER").is_empty() || is_ours {
        return None;
    }
    let remote = fact("REMOTE") == "1";
    let microseconds: u64 = fact("REALTIME").parse().ok()?;
    Some(ExternalLogin {
        seed: format!("{name}-{microseconds}"),
        protocol: if remote { "ssh" } else { "console" }.to_owned(),
        os_user: fact("USER").to_owned(),
        source_ip: fact("REMOTE_HOST").to_owned(),
        line: fact("TTY").to_owned(),
        login_at: microseconds / 1000,
        logout_at: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As systemd 252 writes it.
    fn session(class: &str, state: &str, leader: u32) -> String {
        format!(
            "# This is private data. Do not parse.\nUID=1000\nUSER=ada\nACTIVE=1\nIS_DISPLAY=0\nSTATE={state}\nREMOTE=1\n\
             LEADER_FD_SAVED=1\nTYPE=tty\nORIGINAL_TYPE=tty\nCLASS={class}\nSCOPE=session-5.scope\nTTY=pts/3\nREMOTE_HOST=203.0.113.7\n\
             SERVICE=sshd\nLEADER={leader}\nAUDIT=5\nREALTIME=1768003200000123\nMONOTONIC=1\n"
        )
    }

    #[test]
    fn a_session_of_somebody_is_a_login_and_one_of_a_service_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: &str| fs::write(folder.path().join(name), content).unwrap();
        write("5", &session("user", "active", 1));
        write("5.ref", &session("user", "active", 1));
        write("6", &session("background", "active", 1));
        write("7", &session("manager", "active", 1));
        write("8", &session("user", "closing", 1));
        write("9", "nonsense");
        let logins = logins(folder.path());
        let expected = ExternalLogin {
            seed: "5-1768003200000123".to_owned(),
            protocol: "ssh".to_owned(),
            os_user: "ada".to_owned(),
            source_ip: "203.0.113.7".to_owned(),
            line: "pts/3".to_owned(),
            login_at: 1_768_003_200_000,
            logout_at: None,
        };
        assert_eq!(logins, [expected]);
    }

    #[test]
    fn one_that_the_agent_has_opened_is_no_login() {
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let ours = login("5", &session("user", "active", child.id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(ours, None);
    }
}
