//! What an organization grants each session on its machines. The edge says it whenever something starts, so a change holds for what
//! starts from then on, and nothing has to be told to machines on which nothing does.
use serde::{Deserialize, Serialize};

/// Longest idle timeout, in minutes (contract of the published settings).
pub const MAX_IDLE_MINUTES: u32 = 240;

/// Fewest processes that a session may be bound to: a shell, its hooks, and a pipeline of some programs.
pub const MIN_PROCESSES: u32 = 16;

/// Most processes: Linux has no more numbers for them.
pub const MAX_PROCESSES: u32 = 4_194_304;

/// Least memory that a session may be bound to, in MiB: a shell with an editor.
pub const MIN_MEMORY_MB: u32 = 64;

/// Most memory, in MiB: 16 TiB, more than machines have.
pub const MAX_MEMORY_MB: u32 = 16 * 1024 * 1024;

/// The word for a session that ended because nobody typed for too long: in its row, the audit log, and what ends it on sockets.
pub const IDLE_TIMEOUT: &str = "idle_timeout";

/// What one session may do. 0 is as much as it likes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SessionLimits {
    /// After how many minutes without a key it ends. Commands have a time of their own.
    pub idle_minutes: u32,
    /// How many processes it may have at once.
    pub max_processes: u32,
    /// How much memory they may take together, in MiB.
    pub max_memory_mb: u32,
}

impl SessionLimits {
    /// Whether there is none.
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_older_version_does_not_say_is_no_limit() {
        let read = |text| serde_json::from_str::<SessionLimits>(text).unwrap();
        assert!(read("{}").is_none());
        let limits = read(r#"{"idle_minutes":5}"#);
        assert_eq!((limits.idle_minutes, limits.max_processes), (5, 0));
        assert!(!limits.is_none());
    }
}
