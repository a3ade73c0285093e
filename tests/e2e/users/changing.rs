//! Changing accounts.
use serde_json::json;

use super::{login, redact, somebody, team, user};
use crate::support::account::{Account, PASSWORD};
use crate::support::agent::World;
use crate::support::mail::letter;
use crate::support::redact::{is_recent, take};
use crate::support::team::join;
use crate::support::viewer::Viewer;

#[tokio::test]
async fn an_account_is_changed_by_either_apis_fields() {
    let (_, admin, colleague) = team().await;
    let denied = colleague.put(&user(&colleague), json!({"role": "company_admin"})).await;
    assert_eq!(
        (denied.status, &denied.body["detail"]),
        (403, &json!("Permission denied: users.edit"))
    );
    let body =
        json!({"first_name": "Col", "last_name": "League", "machine_role": "non-sudo", "email": "NEW.Col@Example.com"});
    let changed = admin.put(&user(&colleague), body).await.ok();
    let mut shown = changed.clone();
    let mut wrapped = take(&mut shown, "user");
    assert_eq!(shown, wrapped, "wrapped and flat, and no permissions");
    redact(&mut wrapped);
    assert!(is_recent(&take(&mut wrapped, "last_login")) && is_recent(&take(&mut wrapped, "last_login_at")));
    assert_eq!(
        wrapped,
        json!({
            "username": colleague.username, "email": "new.col@example.com", "first_name": "Col", "last_name": "League",
            "display_name": "Col League", "avatar_url": null, "tenant_id": admin.username, "tenant_name": admin.username,
            "role": "user", "machine_role": "non_sudo", "machine_role_name": "non-sudo", "groups": [], "group_ids": [],
            "roles": [], "email_verified": false, "enabled": true, "is_active": true, "pending": false, "keycloak_id": "",
            "invite_accepted_at": null, "must_reset_password": false, "mfa_enabled": false
        })
    );
    let named = json!({"display_name": "Collie", "email": "", "first_name": null});
    let named = admin.put(&user(&colleague), named).await.ok();
    for (field, value) in [
        ("display_name", "Collie"),
        ("email", "new.col@example.com"),
        ("first_name", "Col"),
    ] {
        assert_eq!(named[field], value, "empty and null are as absent");
    }
    let taken = admin
        .put(&user(&colleague), json!({"email": admin.email}))
        .await
        .refusal();
    assert_eq!(taken, (400, "Email already in use".to_owned()));
    for field in ["enabled", "is_active"] {
        let own = admin.put(&user(&admin), json!({field: false})).await.refusal();
        assert_eq!(own, (400, "Cannot deactivate your own account".to_owned()));
        let off = admin.put(&user(&colleague), json!({field: false})).await.ok();
        assert_eq!((&off["enabled"], &off["is_active"]), (&json!(false), &json!(false)));
        assert_eq!(
            login(&admin.anonymous, "new.col@example.com", PASSWORD).await.status,
            401
        );
        admin.put(&user(&colleague), json!({field: true})).await.ok();
        login(&admin.anonymous, "new.col@example.com", PASSWORD).await.ok();
    }
    assert_eq!(
        colleague.get("/api/auth/me").await.status,
        401,
        "a token from before stays dead"
    );
    let log = admin.get("/api/audit?action=user_updated").await.ok();
    let details = &log["logs"][log["logs"].as_array().map_or(0, Vec::len) - 1]["details"];
    assert_eq!(
        details["email"],
        json!({"old": colleague.email, "new": "new.col@example.com"})
    );
}

#[tokio::test]
async fn an_administrator_gives_somebody_a_password_to_choose_another_one_with() {
    let (stack, admin, colleague) = team().await;
    let path = |account: &Account| format!("{}/reset-password", user(account));
    let new = "given by an administrator";
    let body = json!({"password": new});
    assert_eq!(colleague.post(&path(&admin), body.clone()).await.status, 403);
    let stranger = Account::new(stack).await;
    assert_eq!(
        stranger.post(&path(&colleague), body.clone()).await.refusal(),
        (404, "User not found".to_owned())
    );
    let short = admin.post(&path(&colleague), json!({"password": "1234567"})).await;
    assert_eq!(short.body["fields"][0]["field"], "password", "{short:#?}");

    let given = admin.post(&path(&colleague), body.clone()).await.ok();
    let message = "The password works now; its owner must choose another one";
    assert_eq!(given, json!({"status": "ok", "message": message}));
    letter(stack, &colleague.email, "Your password was changed").await;
    assert_eq!(colleague.get("/api/auth/me").await.status, 401, "signed out");
    assert_eq!(login(&admin.anonymous, &colleague.email, PASSWORD).await.status, 401);
    let signed_in = login(&admin.anonymous, &colleague.email, new).await.ok();
    assert_eq!(signed_in["user"]["must_reset_password"], true);
    let colleague = Account {
        token: signed_in["token"].as_str().expect("a token").to_owned(),
        ..colleague
    };
    let own = json!({"new_password": "chosen by its owner"});
    let changed = colleague.post("/api/auth/change-password", own).await.ok();
    assert_eq!(changed["user"]["must_reset_password"], false);
    let log = admin.get("/api/audit?action=auth.password_reset").await.ok();
    let (entry, text) = (&log["logs"][0], log.to_string());
    assert_eq!(
        (&log["total"], &entry["username"], &entry["details"]),
        (
            &json!(1),
            &json!(admin.username),
            &json!({"username": colleague.username})
        )
    );
    assert!(!text.contains(new) && !text.contains("1234567"), "{text}");

    let own = admin.post(&path(&admin), json!({"new_password": new})).await.refusal();
    assert_eq!(own.0, 400);
    assert!(own.1.contains("/api/auth/change-password"), "{own:?}");
    let (username, email) = somebody();
    let invited = json!({"username": username, "email": email});
    let id = admin.post("/api/users", invited).await.ok()["user"]["id"].take();
    let path = format!("/api/users/{}/reset-password", id.as_str().expect("an id"));
    let pending = admin.post(&path, body.clone()).await;
    assert_eq!((pending.status, &pending.body["code"]), (409, &json!("pending")));
    stack.sql(&format!(
        "UPDATE users SET role = 'super_admin', pending = 0 WHERE username = '{username}'"
    ));
    assert_eq!(
        admin.post(&path, body).await.refusal(),
        (403, "Cannot modify a super admin".to_owned())
    );
}

#[tokio::test]
async fn a_terminal_ends_with_the_password_it_was_opened_by() {
    let world = World::shared().await;
    let other = join(world.stack, &world.owner, "company_admin").await;
    let mut viewer = Viewer::attached(&other, &world.agent, "password-reset").await;
    viewer.run("echo here-$((40+2))", "here-42").await;
    let path = format!("{}/reset-password", user(&other));
    world.owner.post(&path, json!({"password": "given anew"})).await.ok();
    assert_eq!(viewer.wait_closed().await.0, 1008);
}
