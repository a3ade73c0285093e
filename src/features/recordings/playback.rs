//! A recording as players load it: first an index, then segments, each some parts behind one another of which the first begins with
//! the screen. So one begins to play in the middle without what was before.
use protocol::api::recordings::{Playback, PlaybackSegment, PlaybackTerm};
use protocol::ids::ObjectId;
use protocol::recording::Position;

use super::row::RecordingRow;
use crate::platform::error::ApiError;
use crate::platform::recordings::{Recordings, Stored, Walk};

/// Parts listed in one go, the platform's most.
const LISTED: u32 = 1000;

/// The version of players' indexes.
const VERSION: u8 = 1;

/// Which parts a segment has, as its address says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The offset of the first.
    pub offset: u64,
    /// It has no part that begins here or later. What is stored after the index was made is not in it.
    pub until: u64,
    /// How many milliseconds of pauses are left out before it.
    pub saved: u64,
}

/// The index, and when the moment `at`, in milliseconds, is played.
pub async fn index(recordings: &Recordings, recording: &RecordingRow, at: Option<u64>) -> Result<Playback, ApiError> {
    let mut walk = Walk::from(&recording.id, 0);
    let (mut parts, mut end) = (Vec::new(), 0);
    while !walk.is_over() {
        parts.extend(walk.next(recordings, LISTED).await?);
    }
    // While a session runs, a part may be there before the one in front of it.
    let fits = |part: &&Stored| part.span.start == std::mem::replace(&mut end, part.span.end);
    let whole = parts.iter().take_while(fits).count();
    parts.truncate(whole);
    let start_at = match at {
        Some(at) => Some(played(recordings, &parts, at).await?),
        None => None,
    };
    Ok(index_of(recording, &parts, start_at))
}

fn index_of(recording: &RecordingRow, parts: &[Stored], start_at: Option<u64>) -> Playback {
    let last = parts.last().map(|part| part.span);
    let mut starts = vec![(Position::default(), 0)];
    let mut position = Position::default();
    for span in parts.iter().map(|part| part.span) {
        let mut begins = position;
        begins.event(span.from);
        // Players want each segment to begin later than the one before ends, and earlier than the recording ends.
        if span.screen && position.at < span.from && last.is_some_and(|last| span.from < last.to) {
            starts.push((begins, span.start));
        }
        position.chunk(&span);
    }
    let end = last.map_or(0, |last| last.start.saturating_add(1));
    let untils = starts.iter().skip(1).map(|(_, offset)| *offset).chain([end]);
    let segments = starts
        .iter()
        .zip(untils)
        .map(|((begins, offset), until)| PlaybackSegment {
            start: seconds(begins.played()),
            url: address(
                &recording.id,
                Range {
                    offset: *offset,
                    until,
                    saved: begins.saved,
                },
            ),
        });
    Playback {
        version: VERSION,
        duration: seconds(position.played()),
        term: PlaybackTerm {
            cols: recording.cols,
            rows: recording.rows,
        },
        segments: segments.collect(),
        start_at: start_at.map(seconds),
    }
}

fn address(recording: &ObjectId, range: Range) -> String {
    let Range { offset, until, saved } = range;
    format!("/api/recordings/{recording}/segments/{offset}?format=player&until={until}&saved={saved}")
}

/// As players read them, to the millisecond.
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// When a moment is played: of the part that has it the lines are read.
async fn played(recordings: &Recordings, parts: &[Stored], at: u64) -> Result<u64, ApiError> {
    let mut position = Position::default();
    for part in parts {
        if at < part.span.to {
            let text = recordings.read(&part.key).await?.unwrap_or_default();
            return position
                .moment(at, &text, part.span.saved.is_some())
                .map_err(ApiError::internal);
        }
        position.chunk(&part.span);
    }
    Ok(position.played())
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::api::recordings::RecordingState;
    use protocol::recording::Span;

    fn recording() -> RecordingRow {
        serde_json::from_value(serde_json::json!({
            "id": "0123456789abcdef01234567", "organization_id": "0123456789abcdef01234567", "tenant_id": "acme",
            "session_id": "s", "agent_id": "abc123def456", "machine_id": "0123456789abcdef01234567", "machine_name": "m",
            "user_id": "0123456789abcdef01234567", "username": "ada", "state": RecordingState::Complete,
            "started_at": "2026-01-01T00:00:00.000Z", "ended_at": null, "expires_at": null, "duration_ms": 0, "output_bytes": 0,
            "size_bytes": 0, "cols": 80, "rows": 24, "exit_code": null, "reaches": 1, "manages": 0
        }))
        .unwrap()
    }

    fn part(start: u64, end: u64, from: u64, to: u64, screen: bool) -> Stored {
        let span = Span {
            start,
            end,
            from,
            to,
            saved: Some(0),
            screen,
        };
        let (key, size) = (String::new(), 0);
        Stored { key, span, size }
    }

    fn segments(parts: &[Stored]) -> (f64, Vec<(f64, String)>) {
        let index = index_of(&recording(), parts, None);
        let segment = |segment: PlaybackSegment| {
            let (_, address) = segment.url.split_once("/segments/").unwrap();
            (segment.start, address.to_owned())
        };
        (index.duration, index.segments.into_iter().map(segment).collect())
    }

    #[test]
    fn a_segment_begins_where_the_screen_is_known_and_ends_before_the_next() {
        let parts = [
            part(0, 300, 0, 1_000, false),
            part(300, 500, 1_500, 2_000, false),
            part(500, 900, 62_000, 62_500, true),
            part(900, 950, 63_000, 64_001, false),
        ];
        let segment = |start, address: &str| (start, address.to_owned());
        assert_eq!(
            segments(&parts),
            (
                7.001,
                vec![
                    segment(0.0, "0?format=player&until=500&saved=0"),
                    segment(5.0, "500?format=player&until=901&saved=57000"),
                ]
            )
        );
    }

    #[test]
    fn players_are_given_no_segment_that_begins_when_another_ends_or_with_the_recording() {
        let same_time = [part(0, 300, 0, 1_000, false), part(300, 500, 1_000, 2_000, true)];
        let at_the_end = [part(0, 300, 0, 1_000, false), part(300, 500, 2_000, 2_000, true)];
        for parts in [same_time, at_the_end] {
            assert_eq!(
                segments(&parts),
                (2.0, vec![(0.0, "0?format=player&until=301&saved=0".to_owned())])
            );
        }
    }

    #[test]
    fn a_recording_of_which_nothing_is_stored_has_one_segment() {
        assert_eq!(
            segments(&[]),
            (0.0, vec![(0.0, "0?format=player&until=0&saved=0".to_owned())])
        );
    }
}
