//! Which rights new files of a login do not give.
use nix::sys::stat::Mode;

use crate::system::System;

/// Where an administrator says so, as `pam_umask` reads it.
const FILE: &str = "etc/login.defs";

/// Nobody else may write.
const USUAL: Mode = Mode::from_bits_truncate(0o022);

/// The mask of every program of an account.
pub fn of_logins(system: &System) -> Mode {
    let text = String::from_utf8_lossy(&system.read(FILE)).into_owned();
    text.lines().filter_map(setting).next_back().unwrap_or(USUAL)
}

fn setting(line: &str) -> Option<Mode> {
    let mut words = line.split_whitespace();
    let value = words
        .next()
        .filter(|name| *name == "UMASK")
        .and_then(|_| words.next())?;
    u32::from_str_radix(value, 8)
        .ok()
        .filter(|mask| *mask <= 0o777)
        .map(Mode::from_bits_truncate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mask_is_the_administrators_or_the_usual_one() {
        assert_eq!(setting("UMASK\t\t077"), Some(Mode::from_bits_truncate(0o077)));
        assert_eq!(setting("  UMASK 27 # comment"), Some(Mode::from_bits_truncate(0o027)));
        for line in [
            "# UMASK 077",
            "UMASK",
            "UMASK abc",
            "UMASK 9",
            "UMASK 7777",
            "UMASKS 077",
            "",
        ] {
            assert_eq!(setting(line), None, "{line:?}");
        }
        assert_eq!(of_logins(&System::at("/no/such/folder".into())), USUAL);
    }
}
