//! Which key a host has, by the file in which `ssh` keeps that: a pure function of its bytes. It reads what `ssh` reads, and is compared
//! with `ssh-keygen -F` in the tests.
pub mod file;
mod pattern;

use data_encoding::{BASE64, BASE64_NOPAD};
use ring::hmac;
use russh::keys::key::parse_public_key;
use russh::keys::{Algorithm, PublicKey};
use sha2::{Digest, Sha256};

/// The port that a name stands for which has none.
const SSH_PORT: u16 = 22;

/// How a name begins that is kept as a digest.
const HASHED: &[u8] = b"|1|";

/// What is said of a host's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// It is the host's.
    Trusted,
    /// Nothing is known of the host.
    Unknown,
    /// The host has others.
    Changed {
        /// The line with one of them, from 1: of the same type, if there is one.
        line: usize,
        /// Its fingerprint.
        known: String,
    },
    /// The key must not be trusted.
    Revoked {
        /// The line that says so, from 1.
        line: usize,
    },
}

/// A line that is about a host.
#[derive(Debug)]
struct Entry {
    line: usize,
    revoked: bool,
    key: PublicKey,
    blob: Vec<u8>,
}

/// What a file says of a key, which is given as it travels, for a host at a port.
pub fn look_up(file: &[u8], host: &str, port: u16, key: &[u8]) -> Known {
    let exact = entries(file, &name(host, port));
    // What is known of the host without a port counts where nothing is known of it with this one.
    let (plain, is_plain) = match port {
        SSH_PORT => (Vec::new(), false),
        _ => (entries(file, &name(host, SSH_PORT)), true),
    };
    let revoked = exact
        .iter()
        .chain(&plain)
        .find(|entry| entry.revoked && entry.blob == key);
    if let Some(entry) = revoked {
        return Known::Revoked { line: entry.line };
    }
    let has = |entries: &[Entry]| entries.iter().any(|entry| !entry.revoked && entry.blob == key);
    if has(&exact) {
        return Known::Trusted;
    }
    let same_type = |entry: &&Entry| algorithm(&entry.blob) == algorithm(key);
    let others = || exact.iter().filter(|entry| !entry.revoked);
    match others().find(same_type).or_else(|| others().next()) {
        Some(other) => Known::Changed {
            line: other.line,
            known: fingerprint(&other.blob),
        },
        None if is_plain && has(&plain) => Known::Trusted,
        None => Known::Unknown,
    }
}

/// The kinds of keys that are known of a host at a port, which is then to show one of these: one of another kind would be a change.
pub fn kinds(file: &[u8], host: &str, port: u16) -> Vec<Algorithm> {
    let mut known = entries(file, &name(host, port));
    if known.is_empty() && port != SSH_PORT {
        known = entries(file, &name(host, SSH_PORT));
    }
    known
        .into_iter()
        .filter(|entry| !entry.revoked)
        .map(|entry| entry.key.algorithm())
        .collect()
}

/// The line that makes a key known.
pub fn line(host: &str, port: u16, key: &[u8]) -> String {
    let kind = algorithm(key).map(String::from_utf8_lossy).unwrap_or_default();
    format!("{} {kind} {}\n", name(host, port), BASE64.encode(key))
}

/// A key as people compare it.
pub fn fingerprint(key: &[u8]) -> String {
    format!("SHA256:{}", BASE64_NOPAD.encode(&Sha256::digest(key)))
}

/// A key with its type, as people compare it.
pub fn described(key: &[u8]) -> String {
    let kind = algorithm(key).map(String::from_utf8_lossy).unwrap_or_default();
    format!("{kind} {}", fingerprint(key))
}

/// What a host is called in the file.
fn name(host: &str, port: u16) -> String {
    let host = host.to_lowercase();
    match port {
        SSH_PORT => host,
        port => format!("[{host}]:{port}"),
    }
}

/// The lines about a host with keys that make sense.
fn entries(file: &[u8], name: &str) -> Vec<Entry> {
    let lines = file.split(|byte| *byte == b'\n').enumerate();
    lines.filter_map(|(at, line)| entry(at + 1, line, name)).collect()
}

fn entry(line: usize, text: &[u8], name: &str) -> Option<Entry> {
    let text = text.strip_suffix(b"\r").unwrap_or(text);
    let mut words = text.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty());
    let mut hosts = words.next().filter(|word| !word.starts_with(b"#"))?;
    let mut revoked = false;
    if hosts.starts_with(b"@") {
        // The key of an authority is no host's, and what else there may be is for programs that know it.
        revoked = (hosts == b"@revoked").then_some(true)?;
        hosts = words.next().filter(|word| !word.starts_with(b"@"))?;
    }
    if !is_about(hosts, name) {
        return None;
    }
    let (kind, blob) = (words.next()?, BASE64.decode(words.next()?).ok()?);
    let key = parse_public_key(&blob).ok()?;
    // Whose words do not agree with the key is no key.
    let agrees = algorithm(&blob) == Some(kind) && !matches!(key.algorithm(), Algorithm::Other(_));
    agrees.then_some(Entry {
        line,
        revoked,
        key,
        blob,
    })
}

fn is_about(hosts: &[u8], name: &str) -> bool {
    match hosts.strip_prefix(HASHED) {
        Some(hashed) => is_hash_of(hashed, name).unwrap_or(false),
        None => pattern::fits_list(hosts, name.as_bytes()),
    }
}

/// Whether `salt|digest` is of a name.
fn is_hash_of(hashed: &[u8], name: &str) -> Option<bool> {
    let at = hashed.iter().position(|byte| *byte == b'|')?;
    let (salt, digest) = hashed.split_at(at);
    let salt = BASE64.decode(salt).ok()?;
    let digest = BASE64.decode(digest.strip_prefix(b"|")?).ok()?;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &salt);
    Some(hmac::verify(&key, name.as_bytes(), &digest).is_ok())
}

/// The name that a key begins with, as it travels.
fn algorithm(blob: &[u8]) -> Option<&[u8]> {
    let (length, rest) = blob.split_first_chunk::<4>()?;
    rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests;
