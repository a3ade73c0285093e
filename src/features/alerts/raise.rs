//! When rules are applied: every minute, and soon after what a request did.
use chrono::{DateTime, Utc};

use super::store::raise;
use crate::features::webhooks::courier;
use crate::platform::context::App;
use crate::platform::error::ApiError;
use crate::platform::log;

/// Most rounds of one run. What is left waits for the next.
const MAX_ROUNDS: usize = 10;

/// Applies rules to what happened until `now`. One look-up if nothing did.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    for _ in 0..MAX_ROUNDS {
        let waiting = db.run(raise::waiting(now)).await?.into_iter().next();
        let Some(waiting) = waiting.filter(|waiting| waiting.due || waiting.until.is_some()) else {
            break;
        };
        db.run(raise::run(waiting.until.unwrap_or_default(), now)).await?;
    }
    Ok(())
}

/// The same behind the answer to a request, and sends what follows. Should it fail, the clock does it.
pub fn soon(app: &App) {
    let again = app.clone();
    app.background().run(async move {
        let now = Utc::now();
        let done = match run(&again, now).await {
            Ok(()) => courier::send_due(&again, now).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            log::error(&format!("raising alerts failed: {}", error.cause()));
        }
    });
}
