//! Accounts that nobody uses are warned twice and then disabled (`inactive_days` of their organization). An administrator can
//! enable them again.
use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::auth::Role;
use protocol::ids::ObjectId;

use super::stored;
use crate::audit::{self, Action, Event, Resource};
use crate::features::accounts::store::inactivity::{self as store, Account};
use crate::features::sessions::revocation::{self, Whose};
use crate::platform::context::App;
use crate::platform::db::{Exists, Nothing, Query};
use crate::platform::error::ApiError;
use crate::platform::mail::Letter;

/// How long an account is not looked at again.
const CHECK_EVERY: TimeDelta = TimeDelta::days(1);

/// How long before the end the warnings are due, the first one first. Where the whole time is no longer than that, there is
/// no such warning.
const WARNINGS: [TimeDelta; 2] = [TimeDelta::days(7), TimeDelta::days(1)];

/// What becomes of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Nothing yet.
    Keep,
    /// It is warned: which warning, from 1, and how many days are left.
    Warn {
        warning: i64,
        days_left: i64,
    },
    Disable,
}

/// What becomes of an account at `now`, where `admins` administrators are left.
fn step(account: &Account, admins: i64, now: DateTime<Utc>) -> Step {
    let last_admin = account.role == Role::CompanyAdmin && admins <= 1;
    if account.days <= 0 || account.waits || account.role == Role::SuperAdmin || last_admin {
        return Step::Keep;
    }
    let whole = TimeDelta::days(account.days);
    let left = whole - (now - account.active_at);
    if left <= TimeDelta::zero() {
        return Step::Disable;
    }
    // The last warning that is due; those before it are no longer worth sending.
    let due = (1_i64..)
        .zip(WARNINGS)
        .filter(|(_, before)| *before < whole && left <= *before)
        .last();
    match due {
        Some((warning, _)) if warning > account.warnings => Step::Warn {
            warning,
            days_left: (left + TimeDelta::days(1) - TimeDelta::milliseconds(1)).num_days(),
        },
        _ => Step::Keep,
    }
}

/// Looks at the accounts that are due at `now`.
pub async fn run(app: &App, now: DateTime<Utc>) -> Result<(), ApiError> {
    let db = app.db()?;
    let steps = steps(db.run(store::due(now)).await?, now);
    let writes: Vec<_> = steps
        .iter()
        .map(|(account, step)| writes(account, *step, now))
        .collect();
    let written = db.run(writes).await?;
    let taken = steps.iter().zip(&written).filter(|(_, written)| is_taken(written));
    let mailer = app.mailer();
    let mut disabled: BTreeMap<ObjectId, Vec<&Account>> = BTreeMap::new();
    for ((account, step), _) in taken {
        let (username, organization) = (account.username.as_str(), account.organization.as_str());
        match step {
            Step::Keep => {}
            Step::Warn { days_left, .. } => mailer.post(
                &account.email,
                &Letter::InactivityWarning {
                    username,
                    organization,
                    days_left: *days_left,
                },
            ),
            Step::Disable => {
                mailer.post(
                    &account.email,
                    &Letter::Deactivated {
                        username,
                        organization,
                        days: account.days,
                    },
                );
                revocation::withdraw(app, Whose::User(&account.id)).await?;
                disabled
                    .entry(account.organization_id.clone())
                    .or_default()
                    .push(account);
            }
        }
    }
    for (id, accounts) in disabled {
        let usernames: Vec<String> = accounts.iter().map(|account| account.username.clone()).collect();
        let Some(first) = accounts.first() else { continue };
        let letter = Letter::DeactivatedUsers {
            usernames: &usernames,
            organization: &first.organization,
            days: first.days,
        };
        for admin in db.run(store::admins(&id)).await? {
            mailer.post(&admin.email, &letter);
        }
    }
    Ok(())
}

/// What becomes of each. Who is disabled here is no administrator any more for those who come after.
fn steps(accounts: Vec<Account>, now: DateTime<Utc>) -> Vec<(Account, Step)> {
    let mut gone: BTreeMap<ObjectId, i64> = BTreeMap::new();
    accounts
        .into_iter()
        .map(|account| {
            let gone = gone.entry(account.organization_id.clone()).or_default();
            let step = step(&account, account.admins - *gone, now);
            if step == Step::Disable && account.role == Role::CompanyAdmin {
                *gone += 1;
            }
            (account, step)
        })
        .collect()
}

/// The check of an account, and if it is disabled that with its entry in the log.
type Writes = (Query<Exists>, Option<(Query<Exists>, Query<Nothing>)>);

/// What came of them.
type Written = (Vec<Exists>, Option<(Vec<Exists>, Vec<Nothing>)>);

/// Whether it was this run that took the step. Only then are letters sent: another run at the same time sends its own.
fn is_taken((checked, disabled): &Written) -> bool {
    match disabled {
        Some((disabled, _)) => !disabled.is_empty(),
        None => !checked.is_empty(),
    }
}

fn writes(account: &Account, step: Step, now: DateTime<Utc>) -> Writes {
    let warnings = match step {
        Step::Warn { warning, .. } => warning,
        Step::Keep | Step::Disable => account.warnings,
    };
    let disable = (step == Step::Disable).then(|| {
        let event = Event::of(Action::UserDeprovisioned, Resource::User)
            .within(&account.organization_id)
            .on(&account.id)
            .detail("username", account.username.as_str())
            .detail("reason", format!("not used for {} days", account.days))
            .detail("last_active", stored(account.active_at));
        (store::disable(account, now), audit::record_if_changed(&event))
    });
    (store::check(account, now + CHECK_EVERY, warnings, now), disable)
}

#[cfg(test)]
mod tests;
