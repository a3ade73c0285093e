//! A recording as one file: its parts one behind the other, read and sent one at a time, so that its length costs no memory.
use std::collections::VecDeque;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::stream::try_unfold;
use protocol::api::recordings::RecordingState;
use protocol::recording::{Encoder, Header, MEDIA_TYPE, V3};
use protocol::terminal::Size;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};
use worker::send::SendFuture;

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

/// A file in the making.
struct Writing {
    app: App,
    recording: RecordingRow,
    format: Format,
    walk: Walk,
    parts: VecDeque<Stored>,
    v3: V3,
    begun: bool,
    done: bool,
}

/// The file. One of a session that runs has what is stored so far. A failure half-way breaks the transfer off, so that no part is
/// taken for the whole.
pub fn answer(app: App, recording: RecordingRow, format: Format) -> Result<Response, ApiError> {
    app.recordings()?;
    let writing = Writing {
        app,
        walk: Walk::from(&recording.id, 0),
        format,
        parts: VecDeque::new(),
        v3: V3::default(),
        begun: false,
        done: false,
        recording,
    };
    let disposition = format!("attachment; filename=\"recording-{}.cast\"", writing.recording.id);
    let chunks = try_unfold(writing, |writing| SendFuture::new(next(writing)));
    let headers = [
        (header::CONTENT_TYPE, MEDIA_TYPE.to_owned()),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    Ok((headers, Body::from_stream(chunks)).into_response())
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
    /// The next lines, which may be none.
    async fn lines(&mut self) -> Result<Vec<u8>, String> {
        let failed = |error: ApiError| error.cause().to_owned();
        let recordings = self.app.recordings().map_err(failed)?;
        if self.parts.is_empty() && !self.walk.is_over() {
            self.parts = self.walk.next(&recordings, LISTED).await.map_err(failed)?.into();
        }
        let Some(part) = self.parts.pop_front() else {
            return match (self.walk.is_over(), self.begun) {
                (false, _) => Ok(Vec::new()),
                (true, false) => self.beginning(),
                (true, true) => Ok(self.end()),
            };
        };
        // The first part has the header, if it is there.
        let mut lines = match self.begun || part.span.start == 0 {
            true => Vec::new(),
            false => self.beginning()?,
        };
        self.begun = true;
        let text = recordings.read(&part.key).await.map_err(failed)?;
        let text = text.ok_or_else(|| format!("{} is gone", part.key))?;
        lines.extend(self.formatted(text)?);
        Ok(lines)
    }

    fn formatted(&mut self, text: Vec<u8>) -> Result<Vec<u8>, String> {
        match self.format {
            Format::V2 => Ok(text),
            Format::V3 => self.v3.lines(&text).map_err(|error| error.to_string()),
        }
    }

    /// The header and an event, of a recording of which nothing is stored.
    fn beginning(&mut self) -> Result<Vec<u8>, String> {
        self.begun = true;
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
        self.formatted(text)
    }

    /// How the shell exited, where a file says that.
    fn end(&mut self) -> Vec<u8> {
        self.done = true;
        let complete = self.recording.state == RecordingState::Complete;
        match (self.format, self.recording.exit_code.filter(|_| complete)) {
            (Format::V3, Some(code)) => self.v3.exit(self.recording.duration_ms, code),
            _ => Vec::new(),
        }
    }
}
