//! Opening a link.
use chrono::Utc;
use network::websocket::{self, OpenError, Opened, Refusal};
use protocol::api::agents::{CHALLENGE_HEADER, NEXT_KEY_HEADER, NEXT_TOKEN_HEADER, NOT_ROTATED};
use protocol::limits::MAX_AGENT_TEXT;
use protocol::terminal::AGENT_SUBPROTOCOL;
use protocol::terminal::frame::MAX_FRAME;
use reqwest::StatusCode;
use serde::Deserialize;
use thiserror::Error;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::clock::{self, Clock};
use super::serve::Agent;
use crate::enroll::words_of;
use crate::identity::IdentityError;

/// What the socket may hold unwritten beyond one frame. Small, because a keystroke's echo waits behind it.
const WRITE_BUFFER: usize = 128 * 1024;

/// How much is read from the socket at once. The library clears as much before it reads, twice for each key; what comes are keys,
/// and what is larger takes several reads.
const READ_BUFFER: usize = 8 * 1024;

/// Which run of the agent asks, so that the edge can tell an agent that comes back from a second one with the same key.
const BOOT: &str = "x-vsay-boot";

/// What the edge calls the latter.
const DUPLICATE: &str = "agent_duplicate";

/// Why there is no link.
#[derive(Debug, Error)]
pub enum ConnectError {
    /// The edge answered that this machine may not connect.
    #[error("the edge refuses this machine ({0}): {1}")]
    Refused(StatusCode, String),
    /// The edge refused a token that was dated by a wrong clock. The next one is not.
    #[error("the edge does not accept what is dated by this machine's clock")]
    Clock,
    /// Another agent has this machine's key and its link.
    #[error("the edge refuses this agent, because another one is connected with the same key: {0}")]
    Duplicate(String),
    /// The edge takes no new key, and the old one as before.
    #[error("the machine keeps its key: {0}")]
    NotRotated(String),
    /// There is no new key to hand in.
    #[error("no new key can be made: {0}")]
    Key(#[from] IdentityError),
    /// The edge answered something that is no link.
    #[error("the edge answered {0} instead of opening a link: {1}")]
    Answer(StatusCode, String),
    /// There is no answer, or none that makes sense.
    #[error(transparent)]
    Open(OpenError),
    /// No token could be made.
    #[error("cannot sign a token: {0}")]
    Token(#[from] jwt_compact::CreationError),
}

/// Opens a link. What the answer says of the time is taken down in `clock`.
pub async fn connect(agent: &mut Agent, clock: &mut Clock) -> Result<Opened, ConnectError> {
    let mut address = agent.config.server.endpoint().clone();
    address.set_path("/agent/connect");
    let (id, now) = (&agent.config.agent.id, clock.edge_time(Utc::now()));
    let token = agent.keys.identity().token(id, now)?;
    let mut request = agent
        .client
        .get(address)
        .bearer_auth(token)
        .header(BOOT, agent.boot.as_str());
    let handed_in = match agent.keys.hand_in()? {
        Some((next, challenge)) => {
            request = request
                .header(NEXT_KEY_HEADER, next.public_key())
                .header(NEXT_TOKEN_HEADER, next.token(id, now)?)
                .header(CHALLENGE_HEADER, challenge);
            true
        }
        None => false,
    };
    let largest = MAX_FRAME.max(MAX_AGENT_TEXT);
    let config = WebSocketConfig::default()
        .max_frame_size(Some(largest))
        .max_message_size(Some(largest))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        .max_write_buffer_size(WRITE_BUFFER + 2 * largest);
    match websocket::open(request, AGENT_SUBPROTOCOL, config).await {
        Ok(opened) => {
            if let Some(time) = clock::time_of(&opened.headers, &[]) {
                clock.compare(Utc::now(), time);
            }
            agent.keys.accepted(handed_in);
            Ok(opened)
        }
        Err(OpenError::Refused(refusal)) => Err(refused(&refusal, clock)),
        Err(error) => Err(ConnectError::Open(error)),
    }
}

fn refused(refusal: &Refusal, clock: &mut Clock) -> ConnectError {
    let Refusal { status, headers, body } = refusal;
    let dated_anew = clock::time_of(headers, body).is_some_and(|time| clock.compare(Utc::now(), time));
    let words = words_of(body);
    match *status {
        StatusCode::UNAUTHORIZED if dated_anew => ConnectError::Clock,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => ConnectError::Refused(*status, words),
        StatusCode::CONFLICT if code_of(body).as_deref() == Some(NOT_ROTATED) => ConnectError::NotRotated(words),
        StatusCode::CONFLICT if code_of(body).as_deref() == Some(DUPLICATE) => ConnectError::Duplicate(words),
        _ => ConnectError::Answer(*status, words),
    }
}

fn code_of(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Coded {
        code: String,
    }
    serde_json::from_slice::<Coded>(body).ok().map(|coded| coded.code)
}
