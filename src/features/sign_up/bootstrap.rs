//! The super administrator that the settings of a server name: made when an isolate starts, unless there is one.
//!
//! So a server that was deployed with these settings is never anybody's who happens to open its page first.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn_with_state};
use serde::Deserialize;
use worker::send::SendFuture;

use super::first_account::{self, FirstAccount};
use crate::audit::{Action, Event, Resource};
use crate::features::accounts::row::Taken;
use crate::features::accounts::store;
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::db::{Query, flag, statements};
use crate::platform::error::ApiError;
use crate::platform::settings::super_admin::SuperAdmin;
use crate::platform::{log, random};

/// The slug and name of its organization (contract).
const ORGANIZATION: (&str, &str) = ("super-admin", "Super Admin Organization");

statements! {
    /// Whether nobody runs this server, nor ever did.
    NEEDED = "SELECT NOT EXISTS (SELECT 1 FROM setup WHERE one = 1)
         AND NOT EXISTS (SELECT 1 FROM users WHERE role = 'super_admin' AND deleted_at IS NULL) AS needed";
}

#[derive(Debug, Deserialize)]
struct Needed {
    #[serde(deserialize_with = "flag")]
    needed: bool,
}

/// Surrounds all routes, if an account is to be made: no request of an isolate is served before it is there. A failure is logged,
/// and the next request tries again.
pub fn before(router: Router<Arc<Config>>, config: &Arc<Config>) -> Router<Arc<Config>> {
    match &config.super_admin {
        Ok(None) => router,
        Ok(Some(account)) => {
            let (account, done) = (account.clone(), Arc::new(AtomicBool::new(false)));
            let first = move |app: App, request: Request, next: Next| {
                let (account, done) = (account.clone(), done.clone());
                SendFuture::new(async move {
                    if !done.load(Ordering::Relaxed) {
                        match ensure(&app, &account).await {
                            Ok(()) => done.store(true, Ordering::Relaxed),
                            Err(error) => {
                                log::error(&format!("the super administrator was not made: {}", error.cause()))
                            }
                        }
                    }
                    next.run(request).await
                })
            };
            router.layer(from_fn_with_state(config.clone(), first))
        }
        Err(why) => {
            log::error(&format!("the super administrator was not made: {why}"));
            router
        }
    }
}

async fn ensure(app: &App, account: &SuperAdmin) -> Result<(), ApiError> {
    let (slug, name) = ORGANIZATION;
    let queries = (needed(), store::find_taken(&account.username, &account.email, slug));
    let (needed, taken) = app.db()?.run(queries).await?;
    if !needed.iter().any(|row| row.needed) {
        return Ok(());
    }
    let taken = |is: fn(&Taken) -> bool| taken.iter().any(is);
    if taken(|taken| taken.username) {
        // Anybody may have signed up under it.
        log::error("the super administrator was not made: somebody has the name SUPER_ADMIN_USERNAME");
        return Ok(());
    }
    let slug = match taken(|taken| taken.slug) {
        true => format!("{slug}-{}", random::hex::<3>()?),
        false => slug.to_owned(),
    };
    let first = FirstAccount {
        username: &account.username,
        email: &account.email,
        password: &account.password,
        first_name: "Super",
        last_name: "Admin",
        organization: (&slug, name),
        vault_password: None,
    };
    let event = Event::of(Action::Setup, Resource::Auth).detail("by", "settings");
    // Nothing: another isolate was faster.
    first_account::make(app, first, event).await.map(drop)
}

fn needed() -> Query<Needed> {
    Query::new(NEEDED, [])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::TestDb;

    #[test]
    fn it_is_needed_until_somebody_runs_the_server_and_never_again() {
        let is_needed = |db: &TestDb| db.run(needed())[0].needed;
        let db = TestDb::new();
        assert!(is_needed(&db));
        db.user("ann", "acme", "company_admin");
        assert!(
            is_needed(&db),
            "whoever signs up runs an organization and not the server"
        );
        db.execute("UPDATE users SET role = 'super_admin'");
        assert!(!is_needed(&db));
        db.execute("UPDATE users SET deleted_at = 'x'; INSERT INTO setup SELECT 1, id, 'x' FROM organizations");
        assert!(!is_needed(&db));
    }
}
