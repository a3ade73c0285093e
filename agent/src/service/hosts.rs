//! Lines of ours in the hosts file, for an edge that no name server knows.
use std::fs;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;
use std::str::FromStr;

use thiserror::Error;

use super::ServiceError;

/// The hosts file of the system.
pub const FILE: &str = "/etc/hosts";

const BEGIN: &str = "# BEGIN vsay-agent: lines up to END are replaced by `vsay-agent configure`";
const END: &str = "# END vsay-agent";

/// Longest name in the domain name system.
const MAX_DOMAIN: usize = 253;

/// One address and its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostEntry {
    address: IpAddr,
    domain: String,
}

/// Why a text is no host entry.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not IP:DOMAIN, such as 10.0.0.5:edge.example")]
pub struct InvalidHostEntry(String);

impl FromStr for HostEntry {
    type Err = InvalidHostEntry;

    fn from_str(text: &str) -> Result<Self, InvalidHostEntry> {
        let invalid = || InvalidHostEntry(text.to_owned());
        // From the right: an IPv6 address has colons of its own.
        let (address, domain) = text.rsplit_once(':').ok_or_else(invalid)?;
        let address = address
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse()
            .map_err(|_| invalid())?;
        let label = |label: &str| {
            !label.is_empty()
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if domain.len() > MAX_DOMAIN || !domain.split('.').all(label) {
            return Err(invalid());
        }
        Ok(Self {
            address,
            domain: domain.to_owned(),
        })
    }
}

/// Puts `entries` into a hosts file in place of those that were put there before, and says whether anything changed.
pub fn update(file: &Path, entries: &[HostEntry]) -> Result<bool, ServiceError> {
    let failed = |error| ServiceError::file(file, error);
    let before = match fs::read_to_string(file) {
        // A machine may do without.
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        read => read.map_err(failed)?,
    };
    let after = with_entries(&before, entries);
    if after == before {
        return Ok(false);
    }
    // In place and not by renaming: in a container this file is often a mount of its own.
    fs::write(file, after).map_err(failed)?;
    Ok(true)
}

fn with_entries(hosts: &str, entries: &[HostEntry]) -> String {
    let mut ours = false;
    let mut lines: Vec<String> = Vec::new();
    for line in hosts.lines() {
        ours |= line == BEGIN;
        if !ours {
            lines.push(line.to_owned());
        }
        ours &= line != END;
    }
    if !entries.is_empty() {
        lines.push(BEGIN.to_owned());
        lines.extend(
            entries
                .iter()
                .map(|entry| format!("{} {}", entry.address, entry.domain)),
        );
        lines.push(END.to_owned());
    }
    lines.into_iter().map(|line| line + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(texts: &[&str]) -> Vec<HostEntry> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn an_entry_is_an_address_and_a_name() {
        for good in ["10.0.0.5:edge.example", "::1:localhost", "[2001:db8::1]:edge.example"] {
            assert!(good.parse::<HostEntry>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "edge.example",
            "10.0.0.5",
            "10.0.0.5:",
            "10.0.0.256:x",
            "10.0.0.5:a b",
            "10.0.0.5:a\nb",
            "1.2.3.4:a..b",
        ] {
            assert!(bad.parse::<HostEntry>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn our_lines_are_replaced_and_all_others_are_left_alone() {
        let before = "127.0.0.1 localhost\n# a comment\n";
        let once = with_entries(before, &entries(&["10.0.0.5:edge.example"]));
        assert_eq!(once, format!("{before}{BEGIN}\n10.0.0.5 edge.example\n{END}\n"));
        let after = with_entries(
            &format!("{once}10.9.9.9 added.later\n"),
            &entries(&["10.0.0.6:edge.example"]),
        );
        assert_eq!(
            after,
            format!("{before}10.9.9.9 added.later\n{BEGIN}\n10.0.0.6 edge.example\n{END}\n")
        );
        assert_eq!(with_entries(&once, &[]), before);
    }

    #[test]
    fn a_file_is_written_only_when_it_changes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "127.0.0.1 localhost\n").unwrap();
        assert!(!update(file.path(), &[]).unwrap());
        assert!(update(file.path(), &entries(&["10.0.0.5:edge.example"])).unwrap());
        assert!(!update(file.path(), &entries(&["10.0.0.5:edge.example"])).unwrap());
    }

    #[test]
    fn a_machine_without_the_file_gets_one_only_for_an_entry() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hosts");
        assert!(!update(&file, &[]).unwrap() && !file.exists());
        assert!(update(&file, &entries(&["10.0.0.5:edge.example"])).unwrap());
        assert!(fs::read_to_string(&file).unwrap().contains("10.0.0.5 edge.example\n"));
    }
}
