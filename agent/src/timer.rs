//! Waiting for what may not be awaited.
use std::future::pending;

use tokio::time::{Instant, sleep_until};

/// Waits until a point in time, or for ever if there is none.
pub async fn reach(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => pending().await,
    }
}
