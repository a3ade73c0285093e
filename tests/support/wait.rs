//! Waiting for a condition, with a deadline that is only reached when something is broken.
use std::future::Future;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

/// How long anything may take. Generous, since other work may share the machine, and programs may be emulated.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How often a condition is looked at that cannot be waited for.
const GLANCE: Duration = Duration::from_millis(25);

/// Looks again and again until `look` finds something; fails with `what` after [`PATIENCE`].
pub async fn eventually<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    let mut glances = interval(GLANCE);
    glances.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        glances.tick().await;
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {PATIENCE:?} in vain for: {what}");
    }
}

/// Waits for a future; fails with `what` after [`PATIENCE`].
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("waited {PATIENCE:?} in vain for: {what}"),
    }
}
