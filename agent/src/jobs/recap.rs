//! What the recaps in a job's output say of hosts. Ansible's exit code does not tell them apart: 2 is also an option that there is not, and 4
//! also a file that is no YAML, or a run in which one host failed and another was not reached.
use std::collections::BTreeMap;

/// How a recap begins.
const BEGIN: &str = "PLAY RECAP";

/// Hosts that are told apart. What is said of more is left out of the count, and the count says so.
const MAX_HOSTS: usize = 1000;

/// Longest name of a host that is looked at, in bytes: what DNS takes.
const MAX_HOST: usize = 255;

/// What became of a host. The worse comes later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Ok,
    Unreachable,
    Failed,
}

/// All recaps of a job.
#[derive(Debug, Default)]
pub struct Recap {
    /// Whether the lines of one are being read.
    within: bool,
    /// The worst that became of each, of all runs of Ansible in the job.
    hosts: BTreeMap<String, Fate>,
    is_more: bool,
}

impl Recap {
    /// A line of the output.
    pub fn line(&mut self, line: &str) {
        if line.contains(BEGIN) {
            self.within = true;
        } else if self.within && !line.trim().is_empty() {
            match of_host(&plain(line)) {
                Some((host, fate)) => self.add(host, fate),
                None => self.within = false,
            }
        }
    }

    fn add(&mut self, host: &str, fate: Fate) {
        let host = &host[..host.floor_char_boundary(MAX_HOST)];
        if let Some(known) = self.hosts.get_mut(host) {
            *known = fate.max(*known);
        } else if self.hosts.len() < MAX_HOSTS {
            self.hosts.insert(host.to_owned(), fate);
        } else {
            self.is_more = true;
        }
    }

    /// How many hosts had which fate, if there was a recap.
    pub fn words(&self) -> Option<String> {
        let count = |fate| self.hosts.values().filter(|of| **of == fate).count();
        let counts = [
            (count(Fate::Failed), "failed"),
            (count(Fate::Unreachable), "unreachable"),
            (count(Fate::Ok), "ok"),
        ];
        let said = counts.iter().filter(|(count, _)| *count > 0);
        let said: Vec<String> = said.map(|(count, word)| format!("{count} {word}")).collect();
        let of = match self.is_more {
            true => format!(", of the first {MAX_HOSTS}"),
            false => String::new(),
        };
        (!said.is_empty()).then(|| format!("Hosts: {}{of}", said.join(", ")))
    }
}

/// What a line of a recap says: `web-1 : ok=3 changed=1 unreachable=0 failed=0 …`.
fn of_host(line: &str) -> Option<(&str, Fate)> {
    let (host, counts) = line.split_once(": ok=")?;
    let is_some = |name: &str| {
        let mut counts = counts.split_whitespace();
        counts.any(|count| count.strip_prefix(name).is_some_and(|number| number != "0"))
    };
    let fate = match (is_some("failed="), is_some("unreachable=")) {
        (true, _) => Fate::Failed,
        (false, true) => Fate::Unreachable,
        (false, false) => Fate::Ok,
    };
    Some((host.trim(), fate))
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split("\x1b[");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        text.push_str(part.split_once('m').map_or("", |(_, after)| after));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(output: &str) -> Option<String> {
        let mut recap = Recap::default();
        output.lines().for_each(|line| recap.line(line));
        recap.words()
    }

    #[test]
    fn hosts_are_counted_by_what_became_of_them_in_colour_too() {
        let output = "PLAY RECAP *****\n\
            \x1b[0;31mweb-1\x1b[0m                      : \x1b[0;32mok=1   \x1b[0m changed=0    unreachable=0    \x1b[0;31mfailed=1   \x1b[0m skipped=0\n\
            db                         : ok=0    changed=0    \x1b[1;31munreachable=1   \x1b[0m failed=0    skipped=0\n\
            \x1b[0;32mlocalhost\x1b[0m                  : \x1b[0;32mok=4   \x1b[0m changed=0    unreachable=0    failed=0\r\n\
            fe80::1 : ok=1 changed=0 unreachable=0 failed=0\n";
        assert_eq!(words(output).as_deref(), Some("Hosts: 1 failed, 1 unreachable, 2 ok"));
    }

    #[test]
    fn of_several_runs_the_worst_counts_of_each_host() {
        let run = |web: &str, db: &str| {
            format!(
                "PLAY RECAP **\nweb : ok=1 unreachable=0 {web}\ndb : ok=1 {db} failed=0\n\nPLAY [all] **\nx : ok=9 failed=9\n"
            )
        };
        let output = run("failed=1", "unreachable=0") + &run("failed=0", "unreachable=1");
        assert_eq!(words(&output).as_deref(), Some("Hosts: 1 failed, 1 unreachable"));
        let output = run("failed=0", "unreachable=0").repeat(2);
        assert_eq!(words(&output).as_deref(), Some("Hosts: 2 ok"));
    }

    #[test]
    fn without_a_recap_nothing_is_said_and_of_many_hosts_how_many_were_counted() {
        assert_eq!(words("web : ok=1 failed=1\n"), None);
        assert_eq!(words("PLAY RECAP ****\n\nsomething else\nweb : ok=1 failed=1\n"), None);
        let hosts: String = (0..=MAX_HOSTS).map(|n| format!("h{n} : ok=1 failed=0\n")).collect();
        assert_eq!(
            words(&format!("PLAY RECAP **\n{hosts}")).as_deref(),
            Some("Hosts: 1000 ok, of the first 1000")
        );
    }
}
