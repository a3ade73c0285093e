//! What stands between us and the relay now, and what comes of it next.
use std::pin::Pin;

use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::link::{Failure, Link};

/// A connection that is being made.
pub type Opening = Pin<Box<dyn Future<Output = Result<Link, Failure>> + Send>>;

/// Where the connection is in its life.
pub enum Line {
    /// The next attempt is due then.
    Waiting(Instant),
    /// It is being made.
    Opening(Opening),
    /// It stands.
    Up(Box<Link>),
}

/// What came of it.
pub enum Step {
    /// It is time for an attempt.
    Due,
    /// The attempt is over.
    Opened(Result<Link, Failure>),
    /// A frame came, or the end with its reason.
    Received(Result<Message, String>),
}

impl Line {
    /// Waits for what comes next. May be given up and asked again.
    pub async fn step(&mut self) -> Step {
        match self {
            Self::Waiting(due) => {
                sleep_until(*due).await;
                Step::Due
            }
            Self::Opening(opening) => Step::Opened(opening.await),
            Self::Up(link) => Step::Received(link.receive().await),
        }
    }
}
