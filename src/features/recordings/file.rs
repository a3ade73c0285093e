//! A recording as one file, or some of it as a segment: its parts one behind the other, read and sent one at a time, so that its
//! length costs no memory.
use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use protocol::api::recordings::RecordingState;
use protocol::recording::{Encoder, Header, MEDIA_TYPE, Segment, V3};
use protocol::terminal::Size;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use worker::send::SendFuture;

use super::playback::Range;
use super::row::RecordingRow;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;
use crate::platform::recordings::{Stored, Walk};

/// Parts listed in one go, the platform's most.
const LISTED: u32 = 1000;

/// Which version of asciicast a file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// What all players and converters read.
    #[default]
    V2,
    /// What asciinema 3 and later write: with how the shell exited.
    V3,
}

/// How a file is asked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FormatQuery {
    /// `v2` (the default) or `v3` of asciicast.
    #[param(inline, value_type = Option<Format>)]
    pub format: Option<String>,
}

impl FormatQuery {
    pub fn parse(&self) -> Result<Format, ApiError> {
        match self.format.as_deref() {
            None | Some("" | "v2") => Ok(Format::V2),
            Some("v3") => Ok(Format::V3),
            Some(_) => Err(ApiError::invalid_field("format", "must be v2 or v3")),
        }
    }
}

/// What is made of the lines of parts.
enum Form {
    V2,
    V3(V3),
    Segment(Segment),
}

/// A file or a segment in the making.
struct Writing {
    app: App,
    recording: RecordingRow,
    form: Form,
    walk: Walk,
    parts: VecDeque<Stored>,
    /// Where the part begins that has its beginning.
    from: u64,
    /// No part that begins here or later is in it.
    until: u64,
    begun: bool,
    done: bool,
}

/// The file. One of a session that runs has what is stored so far. A failure half-way breaks the transfer off, so that no part is
/// taken for the whole.
pub fn answer(app: App, recording: RecordingRow, format: Format) -> Result<Response, ApiError> {
    app.recordings()?;
    let disposition = format!("attachment; filename=\"recording-{}.cast\"", recording.id);
    let writing = Writing {
        app,
        walk: Walk::from(&recording.id, 0),
        form: match format {
            Format::V2 => Form::V2,
            Format::V3 => Form::V3(V3::default()),
        },
        parts: VecDeque::new(),
        from: 0,
        until: u64::MAX,
        begun: false,
        done: false,
        recording,
    };
    let headers = [(header::CONTENT_DISPOSITION, disposition)];
    Ok((headers, writing.answer(MEDIA_TYPE)).into_response())
}

/// A segment, if one can begin to play there. A failure half-way breaks the transfer off, and players refuse what they got.
pub async fn segment(app: App, recording: RecordingRow, range: Range) -> Result<Option<Response>, ApiError> {
    let mut walk = Walk::from(&recording.id, range.offset);
    let parts = walk.next(&app.recordings()?, LISTED).await?;
    let first = parts.first().map(|part| part.span);
    // The first part of all begins with the header, also if it is not there yet.
    if range.offset > 0 && first.is_none_or(|span| !span.screen || span.start != range.offset) {
        return Ok(None);
    }
    let writing = Writing {
        app,
        walk,
        form: Form::Segment(Segment::new(range.saved)),
        parts: parts.into(),
        from: range.offset,
        until: range.until,
        begun: false,
        done: false,
        recording,
    };
    Ok(Some(writing.answer("application/json")))
}

async fn next(mut writing: Writing) -> Result<Option<(Bytes, Writing)>, String> {
    if writing.done {
        return Ok(None);
    }
    let lines = writing.lines().await.inspect_err(|error| {
        log::error(&format!("a recording broke off: {error}"));
    })?;
    Ok(Some((lines.into(), writing)))
}

impl Writing {
    fn answer(self, media_type: &'static str) -> Response {
        let chunks = try_unfold(self, |writing| SendFuture::new(next(writing)));
        ([(header::CONTENT_TYPE, media_type)], Body::from_stream(chunks)).into_response()
    }

    /// The next lines, which may be none.
    async fn lines(&mut self) -> Result<Vec<u8>, String> {
        let failed = |error: ApiError| error.cause().to_owned();
        let recordings = self.app.recordings().map_err(failed)?;
        if self.parts.is_empty() && !self.walk.is_over() {
            self.parts = self.walk.next(&recordings, LISTED).await.map_err(failed)?.into();
        }
        let part = match self.parts.pop_front() {
            Some(part) if part.span.start < self.until => part,
            None if !self.walk.is_over() => return Ok(Vec::new()),
            _ if self.begun => return self.end(),
            _ => return self.beginning(),
        };
        // The first part has the header, if it is there.
        let mut lines = match self.begun || part.span.start == self.from {
            true => Vec::new(),
            false => self.beginning()?,
        };
        let text = recordings.read(&part.key).await.map_err(failed)?;
        let text = text.ok_or_else(|| format!("{} is gone", part.key))?;
        lines.extend(self.formatted(text, part.span.saved.is_some())?);
        Ok(lines)
    }

    /// `is_counted`: whether it is known of these lines how much less their pauses take.
    fn formatted(&mut self, text: Vec<u8>, is_counted: bool) -> Result<Vec<u8>, String> {
        let is_first = !std::mem::replace(&mut self.begun, true);
        let written = match &mut self.form {
            Form::V2 => Ok(text),
            Form::V3(v3) => v3.lines(&text),
            Form::Segment(segment) if is_first => segment.begin(&text, is_counted),
            Form::Segment(segment) => segment.events(&text, is_counted),
        };
        written.map_err(|error| error.to_string())
    }

    /// The header and an event, of a recording of which nothing is stored.
    fn beginning(&mut self) -> Result<Vec<u8>, String> {
        let recording = &self.recording;
        let header = Header {
            size: Size {
                cols: recording.cols,
                rows: recording.rows,
            },
            timestamp: recording.started_at.timestamp().unsigned_abs(),
            title: Header::title(&recording.session_id, &recording.username),
        };
        let text = Encoder::beginning(&header).take().text;
        self.formatted(text, true)
    }

    /// How the shell exited, where a file says that.
    fn end(&mut self) -> Result<Vec<u8>, String> {
        self.done = true;
        let complete = self.recording.state == RecordingState::Complete;
        Ok(match (&mut self.form, self.recording.exit_code.filter(|_| complete)) {
            (Form::V3(v3), Some(code)) => v3.exit(self.recording.duration_ms, code),
            (Form::Segment(_), _) => Segment::end().to_vec(),
            _ => Vec::new(),
        })
    }
}
