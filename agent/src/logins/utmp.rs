//! Who is logged in by utmp, as the GNU C library lays it out (see [`crate::process::utmp`], which writes our own sessions there).
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use protocol::terminal::logins::ExternalLogin;

use crate::process::OURS;
use crate::process::utmp::{
    HOST, HOST_LEN, LINE, LINE_LEN, PROCESS, RECORD, SESSION, USER, USER_LEN, USER_PROCESS, WIDE,
};

/// Where the time is, and how long its seconds are; the microseconds follow, and then the address.
const SECONDS: usize = SESSION + if WIDE { 8 } else { 4 };
const ADDRESS: usize = SECONDS + if WIDE { 16 } else { 8 };
const ADDRESS_LEN: usize = 16;

/// How the hosts begin of windows that a program opens for somebody who is logged in already.
const WINDOWS: [&str; 3] = ["tmux(", ":pts/", "screen"];

/// The logins in the bytes of a file, but for our own, those of windows, and those whose process is gone without a record of its end.
pub fn logins(bytes: &[u8]) -> Vec<ExternalLogin> {
    bytes.chunks_exact(RECORD).filter_map(login).collect()
}

fn login(record: &[u8]) -> Option<ExternalLogin> {
    let kind = u16::from_ne_bytes(field(record, 0)?);
    let process = i32::from_ne_bytes(field(record, PROCESS)?);
    let (user, host) = (text(record, USER, USER_LEN)?, text(record, HOST, HOST_LEN)?);
    let is_window = WINDOWS.iter().any(|window| host.starts_with(window));
    if kind != USER_PROCESS || user.is_empty() || host.starts_with(OURS) || is_window {
        return None;
    }
    if !Path::new("/proc").join(process.to_string()).exists() {
        return None;
    }
    let line = text(record, LINE, LINE_LEN)?;
    let seconds = match WIDE {
        true => u64::try_from(i64::from_ne_bytes(field(record, SECONDS)?)).ok()?,
        false => u64::from(u32::from_ne_bytes(field(record, SECONDS)?)),
    };
    // A display is at the machine.
    let remote = !host.is_empty() && !host.starts_with(':');
    let address = address(record).map(|address| address.to_string());
    Some(ExternalLogin {
        seed: format!("{line}-{process}-{seconds}"),
        protocol: if remote { "ssh" } else { "console" }.to_owned(),
        os_user: user,
        source_ip: match remote {
            true => address.unwrap_or(host),
            false => String::new(),
        },
        line,
        login_at: seconds.saturating_mul(1000),
        logout_at: None,
    })
}

fn field<const N: usize>(record: &[u8], at: usize) -> Option<[u8; N]> {
    record.get(at..at + N)?.try_into().ok()
}

/// A text, which ends with its field or with a zero.
fn text(record: &[u8], at: usize, len: usize) -> Option<String> {
    let bytes = record.get(at..at + len)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(len);
    Some(String::from_utf8_lossy(&bytes[..end]).into_owned())
}

/// Where somebody comes from, if that is written down: of 16 bytes, the first four are an address of version 4 if the others are zero.
fn address(record: &[u8]) -> Option<IpAddr> {
    let bytes: [u8; ADDRESS_LEN] = field(record, ADDRESS)?;
    if bytes == [0; ADDRESS_LEN] {
        return None;
    }
    let [a, b, c, d, rest @ ..] = bytes;
    Some(match rest == [0; 12] {
        true => Ipv4Addr::new(a, b, c, d).into(),
        false => Ipv6Addr::from(bytes).to_canonical(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u16, process: u32, line: &str, user: &str, host: &str, address: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; RECORD];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, &kind.to_ne_bytes());
        put(PROCESS, &process.to_ne_bytes());
        put(LINE, line.as_bytes());
        put(USER, user.as_bytes());
        put(HOST, host.as_bytes());
        put(SECONDS, &1_768_003_200_u32.to_ne_bytes());
        put(ADDRESS, address);
        bytes
    }

    fn one(host: &str, address: &[u8]) -> Option<ExternalLogin> {
        let process = std::process::id();
        logins(&record(USER_PROCESS, process, "pts/3", "ada", host, address)).pop()
    }

    #[test]
    fn a_login_over_ssh_says_from_where_and_one_at_the_console_that_it_is_there() {
        let ssh = one("laptop.example", &[203, 0, 113, 7]).unwrap();
        assert_eq!((ssh.protocol.as_str(), ssh.source_ip.as_str()), ("ssh", "203.0.113.7"));
        assert_eq!(
            (ssh.os_user.as_str(), ssh.line.as_str(), ssh.login_at),
            ("ada", "pts/3", 1_768_003_200_000)
        );
        assert_eq!(one("laptop.example", &[]).unwrap().source_ip, "laptop.example");
        let v6: [u8; 16] = Ipv6Addr::LOCALHOST.octets();
        assert_eq!(one("x", &v6).unwrap().source_ip, "::1");
        let mapped: [u8; 16] = Ipv4Addr::new(203, 0, 113, 7).to_ipv6_mapped().octets();
        assert_eq!(one("x", &mapped).unwrap().source_ip, "203.0.113.7");
        for host in ["", ":0"] {
            let console = one(host, &[]).unwrap();
            assert_eq!((console.protocol.as_str(), console.source_ip.as_str()), ("console", ""));
        }
    }

    #[test]
    fn sessions_of_ours_windows_and_what_is_over_are_no_logins() {
        for host in ["vsay:ann", "tmux(123).%0", ":pts/0:S.0"] {
            assert_eq!(one(host, &[]), None, "{host}");
        }
        let own = std::process::id();
        let dead = record(8, own, "pts/3", "ada", "", &[]);
        let gone = record(USER_PROCESS, u32::MAX / 2, "pts/3", "ada", "", &[]);
        let nobody = record(USER_PROCESS, own, "pts/3", "", "", &[]);
        assert!(logins(&[dead, gone, nobody].concat()).is_empty());
    }

    #[test]
    fn two_logins_one_after_another_on_one_line_are_two() {
        let mut later = record(USER_PROCESS, std::process::id(), "pts/3", "ada", "", &[]);
        let first = logins(&later).pop().unwrap();
        later[SECONDS..SECONDS + 4].copy_from_slice(&1_768_003_201_u32.to_ne_bytes());
        assert_ne!(logins(&later).pop().unwrap().seed, first.seed);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_in_the_file_is_read(bytes: Vec<u8>, kind: u16) {
            let mut record = bytes;
            record.resize(RECORD, 0xff);
            record[..2].copy_from_slice(&kind.to_ne_bytes());
            let _ = logins(&record);
        }
    }
}
