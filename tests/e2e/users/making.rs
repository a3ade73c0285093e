//! New accounts: by invitation, or with a password.
use reqwest::Method;
use serde_json::{Value, json};

use super::{login, redact, somebody, team};
use crate::support::account::{Account, PASSWORD};
use crate::support::mail::letter;
use crate::support::redact::take;
use crate::support::team::super_admin;

#[tokio::test]
async fn somebody_is_invited_and_accepts() {
    let (stack, admin, colleague) = team().await;
    let (name, email) = somebody();
    let body = json!({"username": name, "email": email.to_uppercase(), "display_name": "Newcomer"});
    assert_eq!(colleague.post("/api/users/invite", body.clone()).await.status, 403);
    let invited = admin.post("/api/users/invite", body.clone()).await;
    assert_eq!(invited.status, 200);
    let invited = invited.body;
    let link = letter(stack, &email, "invites you").await.link("/accept-invite/");
    let token = &invited["token"];
    assert!(link.ends_with(token.as_str().expect("a token")), "{link}");
    let account = &invited["user"];
    let expected = json!({"status": "invited", "user": account, "invite_sent": true, "token": token, "invite_token": token,
        "invite_url": link});
    assert_eq!(invited, expected);
    let mut shown = account.clone();
    redact(&mut shown);
    assert_eq!(
        shown,
        json!({
            "username": name, "email": email, "first_name": "", "last_name": "", "display_name": "Newcomer", "avatar_url": null,
            "tenant_id": admin.username, "tenant_name": admin.username, "role": "user", "machine_role": "",
            "machine_role_name": "", "groups": [], "group_ids": [], "roles": [], "email_verified": false, "enabled": false,
            "is_active": false, "pending": true, "keycloak_id": "", "last_login": null, "last_login_at": null,
            "invite_accepted_at": null, "must_reset_password": false, "mfa_enabled": false
        })
    );
    for (field, text) in [
        ("username", "Email already in use"),
        ("email", "Username already exists"),
    ] {
        let mut again = body.clone();
        again[field] = json!(format!("x{}", again[field].as_str().expect("text")));
        assert_eq!(admin.post("/api/users", again).await.refusal(), (400, text.to_owned()));
    }
    assert_eq!(login(&admin.anonymous, &email, "anything at all").await.status, 401);

    let path = format!("/api/users/{}/resend-invite", account["id"].as_str().expect("an id"));
    assert_eq!(colleague.post(&path, json!({})).await.status, 403);
    let resent = admin.post(&path, json!({})).await.ok();
    let (user, token, url) = (&resent["user"], &resent["token"], &resent["invite_url"]);
    let expected = json!({"status": "invite_resent", "user": user, "invite_sent": true, "token": token, "invite_token": token,
        "invite_url": url});
    assert_eq!(resent, expected);
    assert!((user, token) == (account, &resent["invite_token"]) && *token != invited["token"]);
    let accept = async |token: &Value| {
        let path = format!("/api/auth/invite/{}", token.as_str().expect("a token"));
        admin
            .anonymous
            .ask(Method::POST, &path, Some(json!({"password": PASSWORD})))
            .await
    };
    assert_eq!(accept(&invited["token"]).await.status, 400, "the first link is void");
    accept(&resent["token"]).await.ok();
    login(&admin.anonymous, &email, PASSWORD).await.ok();
    let refused = admin.post(&path, json!({})).await.refusal();
    assert_eq!(refused, (400, "User has already accepted their invite".to_owned()));
    let log = admin.get("/api/audit?action=user.invite").await.ok();
    assert_eq!(
        log["logs"][0]["details"],
        json!({"invited_username": name, "email": email, "role": "user"})
    );
}

#[tokio::test]
async fn an_account_made_with_a_password_is_usable_and_its_owner_gets_a_link_and_no_password() {
    let (stack, admin, _) = team().await;
    let (name, email) = somebody();
    admin.post("/api/groups", json!({"name": "operators"})).await.ok();
    let body = json!({"username": name, "email": email, "password": PASSWORD, "first_name": "New", "last_name": "Comer",
        "machine_role": "sudo", "groups": ["Operators"]});
    let made = admin.post("/api/users", body.clone()).await;
    assert_eq!(made.status, 201);
    let mut account = made.body["user"].clone();
    assert_eq!(made.body["username"], account["username"]);
    redact(&mut account);
    assert_eq!(take(&mut account, "group_ids").as_array().map(Vec::len), Some(1));
    let mut expected = json!({
        "username": name, "email": email, "first_name": "New", "last_name": "Comer", "display_name": "New Comer",
        "avatar_url": null, "tenant_id": admin.username, "tenant_name": admin.username, "role": "user",
        "machine_role": "allow_sudo", "machine_role_name": "sudo", "groups": ["operators"], "roles": [],
        "email_verified": false, "enabled": true, "is_active": true, "pending": false, "keycloak_id": "", "last_login": null,
        "last_login_at": null, "invite_accepted_at": null, "must_reset_password": true, "mfa_enabled": false
    });
    assert_eq!(account, expected.take());
    let mail = letter(stack, &email, "Your VSAY Edge account").await;
    assert!(!mail.text.contains(PASSWORD) && !mail.html.contains(PASSWORD));
    let link = mail.link("/reset-password/");
    let token = link.rsplit('/').next().expect("a token");
    let reset = format!("/api/auth/password-reset/{token}");
    let body_of_reset = json!({"password": "another horse battery"});
    admin
        .anonymous
        .ask(Method::POST, &reset, Some(body_of_reset))
        .await
        .ok();
    login(&admin.anonymous, &email, "another horse battery").await.ok();

    let groups = admin
        .get(&format!(
            "/api/users/{}/groups",
            made.body["id"].as_str().expect("an id")
        ))
        .await
        .ok();
    assert_eq!(groups["groups"][0]["name"], "operators");
    assert_eq!(groups, admin.get("/api/groups").await.ok());
    assert_eq!(
        admin.post("/api/users", body.clone()).await.refusal(),
        (409, "Username already exists".to_owned())
    );
    let (other, _) = somebody();
    let mut again = body;
    again["username"] = json!(other);
    assert_eq!(
        admin.post("/api/users", again.clone()).await.refusal(),
        (409, "Email already exists".to_owned())
    );
    again["email"] = json!(format!("{other}@example.com"));
    again["groups"] = json!(["nowhere"]);
    assert_eq!(admin.post("/api/users", again).await.refusal().0, 400);
}

#[tokio::test]
async fn an_account_with_a_password_needs_both_names() {
    let (_, admin, _) = team().await;
    let (name, email) = somebody();
    for (first, last, field) in [
        (json!(null), json!("B"), "first_name"),
        (json!("A"), json!(null), "last_name"),
        (json!("A"), json!("  "), "last_name"),
        (json!(""), json!("B"), "first_name"),
    ] {
        let body =
            json!({"username": name, "email": email, "password": PASSWORD, "first_name": first, "last_name": last});
        let answer = admin.post("/api/users", body).await;
        assert_eq!(answer.status, 400, "{answer:#?}");
        assert_eq!(answer.body["fields"][0]["field"], field);
    }
}

#[tokio::test]
async fn another_organizations_role_is_refused_and_not_dropped() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let foreign = stranger.post("/api/roles", json!({"name": "theirs"})).await.ok()["id"].take();
    let own = admin.post("/api/roles", json!({"name": "ours"})).await.ok()["id"].take();
    let (name, email) = somebody();
    let path = format!("/api/users/{}/roles", colleague.id);
    for ids in [json!([foreign]), json!([own, foreign])] {
        let body = json!({"role_ids": ids, "username": name, "email": email});
        for answer in [
            admin.post(&path, body.clone()).await,
            admin.put(&path, body.clone()).await,
            admin.post("/api/users", body.clone()).await,
        ] {
            assert_eq!(answer.body["fields"][0]["field"], "role_ids", "{answer:#?}");
            assert_eq!(answer.status, 400);
        }
    }
    let body = json!({"role_id": foreign, "username": name, "email": email});
    assert_eq!(admin.post("/api/users", body).await.status, 400);
    let roles = admin.get(&path).await.ok();
    assert_eq!(roles["role_ids"], json!([]), "{roles:#}");
}

#[tokio::test]
async fn only_a_super_administrator_makes_accounts_elsewhere() {
    let (stack, admin, _) = team().await;
    let (stranger, root) = (Account::new(stack).await, super_admin(stack).await);
    let new = |tenant: &str| {
        let (username, email) = somebody();
        json!({"username": username, "email": email, "tenant_id": tenant})
    };
    for tenant in [stranger.username.as_str(), "nowhere"] {
        let refused = admin.post("/api/users", new(tenant)).await;
        let expected = json!({"error": "Super admin access required", "detail": "tenant_id is not yours to choose", "code": "forbidden"});
        assert_eq!((refused.status, refused.body), (403, expected), "{tenant}");
    }
    for (caller, tenant) in [(&admin, &admin.username), (&root, &stranger.username)] {
        let made = caller.post("/api/users", new(tenant)).await.ok();
        assert_eq!(made["user"]["tenant_id"], json!(tenant));
    }
    let refused = root.post("/api/users", new("nowhere")).await.refusal();
    assert_eq!(refused, (404, "Organization not found".to_owned()));
}
