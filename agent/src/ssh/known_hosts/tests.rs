use std::collections::BTreeSet;
use std::process::Command;

use proptest::prelude::*;

use super::*;

const FIRST: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFR/5r2Dj8nwB59VE0B7MFDY7Q3b72DeOXOnOZ7W4M4k";
const SECOND: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJNLBxCpDFgEofHyRoHinI6sBue3cfQ9j5jRj/Z4KYXd";
const THIRD: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKSdAa5SgSJFuTPgN/IoJ1kf35LJWE+VpLvGbJbebs5l";
const ECDSA: &str = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBGN0dg851Re2AGD2CtC4vlytZlRX0KAj80FdhQLQqgssMBg2+UYZaDtW0K/9W3OkJx9AtZhIsAtMZcHDj/2Bqwo=";

fn blob(key: &str) -> Vec<u8> {
    BASE64.decode(key.split(' ').nth(1).unwrap().as_bytes()).unwrap()
}

fn known(file: &str, host: &str, port: u16, key: &str) -> Known {
    look_up(file.as_bytes(), host, port, &blob(key))
}

#[test]
fn a_key_is_trusted_if_one_of_the_hosts_keys_is_it() {
    let file = format!("# two of a type\nweb {FIRST}\nweb {SECOND} with a comment\n\nweb {ECDSA}\n");
    for key in [FIRST, SECOND, ECDSA] {
        assert_eq!(known(&file, "web", 22, key), Known::Trusted);
    }
    let changed = Known::Changed {
        line: 2,
        known: fingerprint(&blob(FIRST)),
    };
    assert_eq!(known(&file, "web", 22, THIRD), changed);
    assert_eq!(known(&file, "db", 22, FIRST), Known::Unknown);
    assert_eq!(known(&file, "WEB", 22, FIRST), Known::Trusted);
}

#[test]
fn a_host_that_is_known_by_another_kind_of_key_has_changed() {
    let file = format!("web {ECDSA}\n");
    assert!(matches!(known(&file, "web", 22, FIRST), Known::Changed { line: 1, .. }));
    assert_eq!(
        kinds(file.as_bytes(), "web", 22),
        [parse_public_key(&blob(ECDSA)).unwrap().algorithm()]
    );
    assert!(kinds(file.as_bytes(), "db", 22).is_empty());
}

#[test]
fn a_port_has_keys_of_its_own_and_those_of_the_host_where_it_has_none() {
    let file = format!("web {FIRST}\n[db]:2222 {SECOND}\ndb {FIRST}\n");
    assert_eq!(known(&file, "web", 2222, FIRST), Known::Trusted);
    assert_eq!(known(&file, "web", 2222, SECOND), Known::Unknown);
    assert_eq!(known(&file, "db", 2222, SECOND), Known::Trusted);
    assert!(matches!(
        known(&file, "db", 2222, FIRST),
        Known::Changed { line: 2, .. }
    ));
    assert_eq!(known(&file, "db", 22, FIRST), Known::Trusted);
}

#[test]
fn a_revoked_key_counts_more_than_what_trusts_it() {
    for file in [
        format!("web {FIRST}\n@revoked web {FIRST}\n"),
        format!("@revoked * {FIRST}\nweb {FIRST}\n"),
        format!("@revoked\tweb\t{FIRST}\n"),
    ] {
        assert!(
            matches!(known(&file, "web", 22, FIRST), Known::Revoked { .. }),
            "{file}"
        );
    }
    let file = format!("@revoked web {FIRST}\nweb {SECOND}\n");
    assert_eq!(known(&file, "web", 22, SECOND), Known::Trusted);
    let only = format!("@revoked web {FIRST}\n");
    assert_eq!(known(&only, "web", 22, SECOND), Known::Unknown);
    assert!(matches!(known(&only, "web", 2222, FIRST), Known::Revoked { line: 1 }));
}

#[test]
fn an_authoritys_key_is_no_hosts() {
    let file = format!("@cert-authority web {FIRST}\n");
    assert_eq!(known(&file, "web", 22, FIRST), Known::Unknown);
    assert!(kinds(file.as_bytes(), "web", 22).is_empty());
}

#[test]
fn lines_that_make_no_sense_say_nothing() {
    let mut file = b"web ssh-ed25519\nweb ssh-ed25519 AAAA\nweb\n@odd web x\nweb \xff\xfe\n".to_vec();
    file.extend(
        format!(
            "web ssh-rsa {}\n@revoked @revoked web {FIRST}\n",
            &FIRST["ssh-ed25519 ".len()..]
        )
        .bytes(),
    );
    file.extend(b"\xff\xff not UTF-8 \xff\n");
    assert_eq!(look_up(&file, "web", 22, &blob(FIRST)), Known::Unknown);
    file.extend(format!("web {FIRST} \u{fffd}").bytes());
    assert_eq!(look_up(&file, "web", 22, &blob(FIRST)), Known::Trusted);
}

#[test]
fn what_is_written_is_found_again() {
    for (host, port) in [("web", 22), ("Web", 2222), ("10.0.0.5", 22), ("fe80::1", 2222)] {
        let line = line(host, port, &blob(FIRST));
        assert_eq!(known(&line, host, port, FIRST), Known::Trusted, "{line}");
    }
    assert_eq!(line("Web", 2222, &blob(FIRST)), format!("[web]:2222 {FIRST}\n"));
}

/// What `ssh-keygen -F` finds for a name: the numbers of the lines, and which of them say that a key is revoked.
fn found_by_ssh_keygen(file: &std::path::Path, name: &str) -> Option<BTreeSet<(usize, bool)>> {
    let found = Command::new("ssh-keygen")
        .arg("-F")
        .arg(name)
        .arg("-f")
        .arg(file)
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&found.stdout).into_owned();
    let lines = text.lines().filter_map(|line| {
        line.strip_prefix("# Host ")?
            .rsplit_once(" found: line ")
            .map(|(_, rest)| rest)
    });
    let place = |rest: &str| {
        let (line, mark) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        (mark.trim() != "CA").then(|| (line.parse().unwrap(), mark.trim() == "REVOKED"))
    };
    Some(lines.filter_map(place).collect())
}

fn agrees_with_ssh_keygen(file: &[u8], names: &[(&str, u16)]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known_hosts");
    std::fs::write(&path, file).unwrap();
    for (host, port) in names {
        let name = name(host, *port);
        let Some(expected) = found_by_ssh_keygen(&path, &name) else {
            return eprintln!("ssh-keygen is not there: nothing is compared with it");
        };
        let found: BTreeSet<_> = entries(file, &name)
            .iter()
            .map(|entry| (entry.line, entry.revoked))
            .collect();
        assert_eq!(found, expected, "{name}\n{}", String::from_utf8_lossy(file));
    }
}

/// `file` with its names as digests, by ssh-keygen.
fn hashed(file: &str) -> Option<Vec<u8>> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("known_hosts");
    std::fs::write(&path, file).unwrap();
    let done = Command::new("ssh-keygen")
        .arg("-H")
        .arg("-f")
        .arg(&path)
        .output()
        .ok()?;
    done.status.success().then(|| std::fs::read(&path).unwrap())
}

#[test]
fn it_reads_what_ssh_keygen_reads() {
    let names = [
        ("web", 22),
        ("web1", 22),
        ("web", 2222),
        ("db.example.com", 22),
        ("10.0.0.5", 22),
        ("x", 22),
        ("x", 2222),
    ];
    let lines = [
        format!("web {FIRST}"),
        format!("web,web1 {SECOND} a comment"),
        format!("  \tweb\t{THIRD}"),
        format!("WEB {ECDSA}"),
        format!("web* {FIRST}"),
        format!("web*,!web1 {FIRST}"),
        format!("!web {FIRST}"),
        format!("* {SECOND}"),
        format!("[web]:2222 {FIRST}"),
        format!("[*]:2222 {FIRST}"),
        format!("w?b {FIRST}"),
        format!("*.example.com {ECDSA}"),
        format!("10.0.0.* {ECDSA}"),
        format!("@revoked web {FIRST}"),
        format!("@revoked *,!x {SECOND}"),
        format!("@cert-authority *.example.com,web {FIRST}"),
        format!("@cert-authority web {FIRST}"),
        format!("#web {FIRST}"),
        format!("# web {FIRST}"),
        String::new(),
        "   ".to_owned(),
        format!(",web,, {FIRST}"),
        format!("|1|odd {FIRST}"),
    ];
    for line in &lines {
        agrees_with_ssh_keygen(format!("{line}\n").as_bytes(), &names);
    }
    agrees_with_ssh_keygen(lines.join("\n").as_bytes(), &names);
    let mut not_text = b"\xff\xfe \xff\nweb \xff\n".to_vec();
    not_text.extend(format!("web {FIRST} \n").bytes());
    let found = entries(&not_text, "web");
    assert_eq!((found.len(), found[0].line), (1, 3));
    let plain = format!("web {FIRST}\n[web]:2222 {SECOND}\n10.0.0.5 {ECDSA}\n@revoked x {THIRD}\n");
    if let Some(file) = hashed(&plain) {
        assert!(file.windows(3).any(|part| part == b"|1|"));
        agrees_with_ssh_keygen(&file, &names);
        assert_eq!(look_up(&file, "web", 2222, &blob(SECOND)), Known::Trusted);
        assert_eq!(look_up(&file, "WEB", 22, &blob(FIRST)), Known::Trusted);
    }
}

proptest! {
    #[test]
    fn whatever_is_in_the_file_nothing_breaks(file: Vec<u8>, host in "[a-z.]{0,9}", port: u16) {
        look_up(&file, &host, port, &blob(FIRST));
        kinds(&file, &host, port);
    }
}
