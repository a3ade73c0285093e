//! People of one organization. There is no quicker way into one than the database.
use serde_json::{Value, json};

use super::account::Account;
use super::stack::Stack;

/// Somebody new in the organization of `admin`, with `role` there.
pub async fn join(stack: &Stack, admin: &Account, role: &str) -> Account {
    let account = Account::new(stack).await;
    stack.sql(&format!(
        "UPDATE users SET role = '{role}', organization_id = (SELECT organization_id FROM users WHERE id = '{}') WHERE id = '{}'",
        admin.id, account.id
    ));
    account
}

/// Somebody who administers all organizations, in one of their own.
pub async fn super_admin(stack: &Stack) -> Account {
    let account = Account::new(stack).await;
    stack.sql(&format!(
        "UPDATE users SET role = 'super_admin' WHERE id = '{}'",
        account.id
    ));
    account
}

/// Lets somebody's shells gain privileges, where their machines do: where the tests run as root, so do the shells, and nobody
/// else gets one.
pub fn may_sudo(stack: &Stack, account: &Account) {
    stack.sql(&format!(
        "UPDATE users SET machine_role = 'allow_sudo' WHERE id = '{}'",
        account.id
    ));
}

/// Gives an account a role that allows these permissions, as an administrator would.
pub async fn allow(admin: &Account, account: &Account, codenames: &[&str]) -> Value {
    let catalogue = admin.get("/api/roles/permissions").await.ok();
    let families = catalogue["permissions"].as_object().expect("families");
    let all = families.values().flat_map(|family| family.as_array().expect("a list"));
    let ids: Vec<&Value> = all
        .filter(|permission| codenames.iter().any(|name| permission["codename"] == *name))
        .map(|permission| &permission["id"])
        .collect();
    assert_eq!(ids.len(), codenames.len());
    let name = format!("role of {}", account.username);
    let role = admin
        .post("/api/roles", json!({"name": name, "permission_ids": ids}))
        .await
        .ok();
    let body = json!({"role_ids": [role["id"]]});
    admin.post(&format!("/api/users/{}/roles", account.id), body).await.ok();
    role
}
