//! Sends what is due: of each receiver one at a time, several receivers at once, so that one that hangs holds nobody else up. What fails
//! is tried again with growing pauses, and a webhook where nothing arrives for days is switched off.
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{LocalBoxFuture, join_all};
use protocol::api::secret::Secret;
use protocol::ids::ObjectId;

use super::address::{self, Policy};
use super::attempt;
use super::row::{Dead, Due};
use super::store;
use super::store::outbox::{self, Outcome};
use crate::audit::{self, Action, Event, Resource};
use crate::platform::context::App;
use crate::platform::db::stored;
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;
use crate::platform::random;
use crate::platform::secrets::SealingKey;

/// The pause after the first failure. Each further one is three times as long, …
const FIRST_PAUSE: TimeDelta = TimeDelta::seconds(30);

/// …up to this: so that what was broken for a night arrives in the morning.
const LONGEST_PAUSE: TimeDelta = TimeDelta::hours(8);

/// Whoever takes a delivery has it for so long: an attempt is over by then, or it was lost with whoever made it.
pub const TAKEN_FOR: TimeDelta = TimeDelta::minutes(2);

/// After so long no further round begins: the platform lets work after an answer go on for half a minute, and a round takes up to ten
/// seconds.
const BUDGET: TimeDelta = TimeDelta::seconds(15);

/// For how long the secret of before signs beside a new one: as long as a delivery is tried, and a working day to change a receiver.
pub const FORMER_SIGNS_FOR: TimeDelta = TimeDelta::hours(24);

/// For how long nothing must have arrived at a webhook for it to be switched off.
const DEAD_AFTER: TimeDelta = TimeDelta::days(3);

/// What this deployment lets webhooks lead to.
pub fn policy(app: &App) -> Policy {
    Policy {
        private: app.config.webhook_private_addresses,
        own: app.address().into_iter().chain(app.config.base_url.clone()).collect(),
    }
}

/// What a webhook's secret is sealed with.
pub fn associated(webhook: &ObjectId) -> String {
    format!("webhooks.secret:{webhook}")
}

/// Sends what is due at `now`, round by round.
pub async fn send_due(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let (db, began) = (app.db()?, Utc::now());
    loop {
        let due = db.run(outbox::take(&stored(now), &stored(now + TAKEN_FOR))).await?;
        if due.is_empty() {
            return Ok(());
        }
        for sent in join_all(due.iter().map(|due| send(app, due, now))).await {
            sent?;
        }
        if Utc::now() - began > BUDGET {
            return Ok(());
        }
    }
}

/// Sends one delivery now, if nobody else has taken it.
pub async fn send_one(app: &App, id: &ObjectId) -> Result<(), ApiError> {
    let now = Utc::now();
    let taken = outbox::take_one(id, &stored(now), &stored(now + TAKEN_FOR));
    for due in app.db()?.run(taken).await? {
        send(app, &due, now).await?;
    }
    Ok(())
}

/// Boxed, so that it is compiled once.
fn send<'a>(app: &'a App, due: &'a Due, now: DateTime<Utc>) -> LocalBoxFuture<'a, Result<(), ApiError>> {
    Box::pin(async move {
        let outcome = match (&due.webhook_id, &due.url, &due.secret_sealed) {
            (Some(id), Some(url), Some(sealed)) => post(app, due, id, url, sealed).await,
            _ => mail(app, due).await,
        };
        let failed = !outcome.error.is_empty();
        let again_at = (failed && due.attempts < due.max_attempts).then(|| stored(now + pause(due.attempts, chance())));
        let end = outbox::end_attempt(due, &outcome, again_at.as_deref());
        let (failed_at, put_off) = (failed.then(|| stored(now)), stored(now + FIRST_PAUSE));
        let of_webhook = due.webhook_id.as_ref().map(|id| {
            let waits = failed.then(|| outbox::put_off(id, &put_off));
            (outbox::mark(id, failed_at.as_deref()), waits)
        });
        app.db()?.run((end, of_webhook)).await?;
        Ok(())
    })
}

async fn post(app: &App, due: &Due, webhook: &ObjectId, url: &str, sealed: &str) -> Outcome {
    // Again, as the deployment may have other settings than when the address was given.
    if let Err(error) = address::check(url, &policy(app)) {
        return not_sent(format!("The address {error}"));
    }
    match secrets(&app.config.sealing, webhook, sealed, due.former_sealed.as_deref()) {
        Some(secrets) => attempt::post(url, &secrets, &format!("msg_{}", due.id), &due.payload).await,
        None => not_sent("The webhook's secret cannot be opened: SECRETS_KEY has changed".to_owned()),
    }
}

/// What a webhook's deliveries are signed with: its secret, and those of before whose time is not over. One of before that cannot be opened
/// is left out, so that a new secret helps whoever lost the key.
fn secrets(key: &SealingKey, webhook: &ObjectId, sealed: &str, former: Option<&str>) -> Option<Vec<Secret>> {
    let open = |sealed: &str| key.try_open(&associated(webhook), sealed);
    let former = former.unwrap_or_default().split(' ').filter_map(open);
    Some([open(sealed)?].into_iter().chain(former).collect())
}

async fn mail(app: &App, due: &Due) -> Outcome {
    let Some(email) = &due.email else {
        return not_sent("Nobody can be written to".to_owned());
    };
    let letter = Letter::Alert {
        summary: &due.summary,
        text: &due.payload,
    };
    let sent = app.mailer().send(email, &letter).await;
    not_sent(sent.err().map(|error| error.to_string()).unwrap_or_default())
}

/// What became of an attempt that got no answer, or needs none.
fn not_sent(error: String) -> Outcome {
    Outcome {
        response_status: None,
        duration_ms: 0,
        response: String::new(),
        error,
    }
}

/// How long to wait after so many failures: up to a quarter longer by `chance`, a number of 0 to 255, so that what failed together does
/// not come back together.
fn pause(failures: u32, chance: u8) -> TimeDelta {
    let factor = 3_i32.saturating_pow(failures.saturating_sub(1)).min(10_000);
    let pause = (FIRST_PAUSE * factor).min(LONGEST_PAUSE);
    pause + pause * i32::from(chance) / 1024
}

fn chance() -> u8 {
    random::bytes::<1>().map_or(0, |[byte]| byte)
}

/// Switches off the webhooks where nothing has arrived for days, with an entry in the log and letters to administrators.
pub async fn switch_off(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let dead = db.run(store::dead(&stored(now - DEAD_AFTER))).await?;
    let now = stored(now);
    let batch = dead.iter().map(|dead| {
        let event = switched_off(dead);
        (
            store::switch_off(dead, &now),
            audit::record_if_changed(&event),
            store::tell_of_switch(dead, &now),
        )
    });
    db.run(batch.collect::<Vec<_>>()).await?;
    Ok(())
}

fn switched_off(dead: &Dead) -> Event {
    Event::of(Action::WebhookDisabled, Resource::Webhook)
        .within(&dead.organization_id)
        .on(&dead.id)
        .detail("name", dead.name.as_str())
        .detail("url", dead.url.as_str())
        .detail("failing_since", dead.failing_since.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestDb, id};

    #[test]
    fn pauses_grow_to_their_bound_and_last_about_a_day_in_all() {
        let seconds = |failures| pause(failures, 0).num_seconds();
        assert_eq!([1, 2, 3, 4].map(seconds), [30, 90, 270, 810]);
        assert_eq!(seconds(9), LONGEST_PAUSE.num_seconds());
        assert_eq!(seconds(u32::MAX), LONGEST_PAUSE.num_seconds());
        let attempts = u32::try_from(outbox::MAX_ATTEMPTS).unwrap();
        let hours = (1..attempts).map(seconds).sum::<i64>() / 3600;
        assert!((20..30).contains(&hours), "{hours}");
    }

    #[test]
    fn what_failed_together_comes_back_apart() {
        assert_eq!(pause(1, 0).num_milliseconds(), 30_000);
        assert!((37_000..37_500).contains(&pause(1, 255).num_milliseconds()));
    }

    #[test]
    fn a_former_secret_that_cannot_be_opened_keeps_no_delivery_back() {
        let [key, other] = ["0a", "0b"].map(|byte| SealingKey::from_hex(&byte.repeat(32)).unwrap());
        let webhook: ObjectId = id("ops").parse().unwrap();
        let seal = |key: &SealingKey, text: &str| key.seal(&associated(&webhook), &text.to_owned().into()).unwrap();
        let (new, old, lost) = (seal(&key, "new"), seal(&key, "old"), seal(&other, "lost"));
        let shown = |sealed: &str, former: Option<&str>| {
            secrets(&key, &webhook, sealed, former).map(|secrets| {
                secrets
                    .iter()
                    .map(|secret| secret.expose().to_owned())
                    .collect::<Vec<_>>()
            })
        };
        assert_eq!(shown(&new, None), Some(vec!["new".to_owned()]));
        assert_eq!(
            shown(&new, Some(&format!("{old} {lost}"))),
            Some(vec!["new".to_owned(), "old".to_owned()])
        );
        assert_eq!(shown(&lost, Some(&old)), None);
    }

    #[test]
    fn a_dead_webhook_is_switched_off_once_with_an_entry_and_letters() {
        let db = TestDb::new();
        db.user("ann", "acme", "company_admin");
        db.user("bob", "acme", "user");
        db.webhook("ops", "acme", &[]);
        db.execute("UPDATE webhooks SET failing_since = '2026-01-01T00:00:00.000Z'");
        let dead = |now: &str| db.run(store::dead(&stored(now.parse::<DateTime<Utc>>().unwrap() - DEAD_AFTER)));
        assert!(dead("2026-01-03T23:59:59Z").is_empty());
        // Two runs at the same time.
        let now = "2026-01-04T00:00:00.000Z";
        for dead in [dead(now), dead(now)].iter().flatten() {
            assert_eq!(dead.id.as_str(), id("ops"));
            db.run(store::switch_off(dead, now));
            db.run(audit::record_if_changed(&switched_off(dead)));
            db.run(store::tell_of_switch(dead, now));
        }
        assert_eq!(db.count("webhooks WHERE active = 0"), 1);
        assert_eq!(
            db.count(
                "deliveries WHERE event = 'webhook_disabled' AND summary = 'The webhook ops was switched off'
                 AND payload LIKE '% since 1 Jan 2026, 00:00 UTC. Switch it on again%'"
            ),
            1
        );
        assert_eq!(
            db.count(
                "audit_log WHERE action = 'webhook_disabled' AND source = 'system' AND details ->> 'name' = 'ops'"
            ),
            1
        );
    }
}
