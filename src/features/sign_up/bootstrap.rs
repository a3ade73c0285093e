//! The super administrator that the settings of a server name: made when an isolate starts, unless there is one.
//!
//! So a server that was deployed with these settings is never anybody's who happens to open its page first.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn_with_state};
use protocol::api::auth::{MAX_PASSWORD, is_username};
use protocol::api::secret::Secret;
use protocol::api::validate::is_email;
use serde::Deserialize;
use worker::send::SendFuture;

use super::first_account::{self, FirstAccount};
use crate::audit::{Action, Event, Resource};
use crate::features::accounts::store::{self, Taken};
use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::db::{Query, flag, statements};
use crate::platform::error::ApiError;
use crate::platform::{log, random};

/// Shortest password, in characters. Longer than people's: everybody can try it from the first second on, and nobody has to
/// remember it.
const MIN_PASSWORD: usize = 12;

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

/// The account to be made.
#[derive(Debug, Clone)]
pub struct SuperAdmin {
    username: String,
    email: String,
    password: Secret,
}

impl SuperAdmin {
    /// The account that the settings name, if any; otherwise what is wrong with them, without their values.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let names = ["SUPER_ADMIN_USERNAME", "SUPER_ADMIN_EMAIL", "SUPER_ADMIN_PASSWORD"];
        let (username, email, password) = match names.map(get) {
            [None, None, None] => return Ok(None),
            [Some(username), Some(email), Some(password)] => (username, email.to_lowercase(), password),
            _ => return Err(format!("{} are needed together", names.join(", "))),
        };
        if !is_username(&username) {
            return Err("SUPER_ADMIN_USERNAME must have 3 to 50 characters of A-Z a-z 0-9 . _ -".to_owned());
        }
        if !is_email(&email) {
            return Err("SUPER_ADMIN_EMAIL must be a mail address".to_owned());
        }
        let long_enough = (MIN_PASSWORD..=MAX_PASSWORD).contains(&password.chars().count());
        if !long_enough || password.to_lowercase().contains(&username.to_lowercase()) {
            return Err(format!(
                "SUPER_ADMIN_PASSWORD must have at least {MIN_PASSWORD} characters and not contain the username"
            ));
        }
        Ok(Some(Self {
            username,
            email,
            password: password.into(),
        }))
    }
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
    use crate::testing::World;

    fn parse(username: &str, email: &str, password: &str) -> Result<Option<SuperAdmin>, String> {
        SuperAdmin::parse(|name| {
            let value = match name {
                "SUPER_ADMIN_USERNAME" => username,
                "SUPER_ADMIN_EMAIL" => email,
                _ => password,
            };
            Some(value.to_owned()).filter(|value| !value.is_empty())
        })
    }

    #[test]
    fn an_account_needs_all_three_settings_and_a_password_worth_the_name() {
        assert!(parse("", "", "").unwrap().is_none());
        let account = parse("root", "Root@Example.org", "correct horse").unwrap().unwrap();
        assert_eq!(
            (account.username.as_str(), account.email.as_str()),
            ("root", "root@example.org")
        );
        for (username, email, password, name) in [
            ("root", "", "correct horse", "SUPER_ADMIN_EMAIL"),
            ("root", "root@example.org", "", "SUPER_ADMIN_PASSWORD"),
            ("r", "root@example.org", "correct horse", "SUPER_ADMIN_USERNAME"),
            ("root", "root", "correct horse", "SUPER_ADMIN_EMAIL"),
            ("root", "root@example.org", "hunter2", "SUPER_ADMIN_PASSWORD"),
            (
                "root",
                "root@example.org",
                "hunter2-Root-hunter2",
                "SUPER_ADMIN_PASSWORD",
            ),
        ] {
            let error = parse(username, email, password).unwrap_err();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn it_is_needed_until_somebody_runs_the_server_and_never_again() {
        let is_needed = |world: &World| world.run(needed())[0].needed;
        let world = World::new();
        assert!(is_needed(&world));
        world.user("ann", "acme", "company_admin");
        assert!(
            is_needed(&world),
            "whoever signs up runs an organization and not the server"
        );
        world.execute("UPDATE users SET role = 'super_admin'");
        assert!(!is_needed(&world));
        world.execute("UPDATE users SET deleted_at = 'x'; INSERT INTO setup SELECT 1, id, 'x' FROM organizations");
        assert!(!is_needed(&world));
    }
}
