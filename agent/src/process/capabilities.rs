//! What of root's rights this process has.
use std::fs;

/// One of them, by its number in `linux/capability.h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Capability {
    /// Files are open to it, whatever their mode.
    DacOverride = 1,
    /// The same for reading only.
    DacReadSearch = 2,
    /// It may write records of the audit system.
    AuditWrite = 29,
}

impl Capability {
    /// It alone, as a set.
    pub fn mask(self) -> u64 {
        1 << (self as u32)
    }

    /// Whether it is in a set.
    pub fn is_in(self, set: u64) -> bool {
        set & self.mask() != 0
    }
}

/// Those that are in effect; none where the system does not say.
pub fn own() -> u64 {
    fs::read_to_string("/proc/self/status").map_or(0, |status| effective(&status))
}

fn effective(status: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    line.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok())
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_effective_set_is_read_and_no_other() {
        let status = "Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t00000000200000c3\nCapBnd:\t000001ffffffffff\n";
        assert_eq!(effective(status), 0x2000_00c3);
        assert!(Capability::AuditWrite.is_in(effective(status)));
        assert!(!Capability::DacReadSearch.is_in(effective(status)));
        assert_eq!(effective("Name:\tx\n"), 0);
    }
}
