//! When output came that a recorder had no room for: what is read from the log later still has the time at which it was written.
use std::collections::VecDeque;

/// Marks that are kept: 64 KiB of memory. Beyond that, what comes has the time of the last one.
const MARKS: usize = 4096;

/// Marks closer than this many milliseconds are one: nobody sees the difference.
const APART: u64 = 20;

/// Offsets and times, the oldest first.
#[derive(Debug, Default)]
pub struct Marks(VecDeque<(u64, u64)>);

impl Marks {
    /// Output from `offset` on came at `at`.
    pub fn note(&mut self, offset: u64, at: u64) {
        let news = self
            .0
            .back()
            .is_none_or(|(last, time)| *last < offset && at >= time + APART);
        if news && self.0.len() < MARKS {
            self.0.push_back((offset, at));
        }
    }

    /// When the output at an offset came, if that is known.
    pub fn take(&mut self, offset: u64) -> Option<u64> {
        let after = self.0.partition_point(|(first, _)| *first <= offset);
        let time = self.0.get(after.checked_sub(1)?).map(|(_, time)| *time);
        self.0.drain(..after.saturating_sub(1));
        time
    }

    /// What came before `offset` is stored.
    pub fn forget_before(&mut self, offset: u64) {
        let after = self.0.partition_point(|(first, _)| *first <= offset);
        self.0.drain(..after.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_has_the_time_of_the_mark_before_it() {
        let mut marks = Marks::default();
        assert_eq!(marks.take(5), None);
        marks.note(10, 1_000);
        marks.note(20, 1_005);
        marks.note(30, 2_000);
        assert_eq!(marks.take(9), None, "it came before anything was noted");
        assert_eq!(marks.take(25), Some(1_000), "5 ms are no difference");
        assert_eq!(marks.take(29), Some(1_000));
        assert_eq!(marks.take(30), Some(2_000));
        assert_eq!(marks.take(99), Some(2_000));
    }

    #[test]
    fn marks_are_bounded() {
        let mut marks = Marks::default();
        for at in 0..2 * MARKS as u64 {
            marks.note(at, at * APART);
        }
        assert_eq!(marks.0.len(), MARKS);
        marks.forget_before(u64::MAX);
        assert_eq!(marks.0.len(), 1);
    }
}
