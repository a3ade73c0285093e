//! `/api/users`: the people of an organization, and who may do what with them.
mod changing;
mod leaving;
mod listing;
mod making;
mod rights;

use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::join;

/// An administrator, and somebody in the same organization who has no rights there.
async fn team() -> (&'static Stack, Account, Account) {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    (stack, admin, colleague)
}

fn user(account: &Account) -> String {
    format!("/api/users/{}", account.id)
}

/// A name nobody has, and its address.
fn somebody() -> (String, String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let email = format!("{name}@example.com");
    (name, email)
}

async fn login(anyone: &Anonymous, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    anyone.ask(Method::POST, "/api/auth/login", Some(body)).await
}

fn names(list: &Value) -> Vec<&str> {
    let users = list["users"].as_array().expect("a list").iter();
    users.map(|user| user["username"].as_str().expect("a name")).collect()
}

/// Takes out of a user what differs between runs, looking at each.
fn redact(user: &mut Value) {
    assert!(hex(take(user, "id").as_str().expect("an id"), 24));
    assert!(take(user, "int_id").as_i64().is_some_and(|number| number > 0));
    for field in ["created_at", "updated_at"] {
        assert!(is_recent(&take(user, field)));
    }
}

fn person(account: &Account, tenant: &str, role: &str) -> Value {
    json!({
        "username": account.username, "email": account.email, "first_name": "", "last_name": "", "display_name": null,
        "avatar_url": null, "tenant_id": tenant, "tenant_name": tenant, "role": role, "machine_role": "", "machine_role_name": "",
        "groups": [], "group_ids": [], "roles": [], "email_verified": false, "enabled": true, "is_active": true, "pending": false,
        "keycloak_id": "", "last_login": null, "last_login_at": null, "invite_accepted_at": null, "must_reset_password": null,
        "mfa_enabled": null
    })
}
