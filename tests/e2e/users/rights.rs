//! What accounts may do, and who says so.
use serde_json::{Value, json};

use super::{somebody, team, user};
use crate::support::account::Account;
use crate::support::redact::take;
use crate::support::team::join;

#[tokio::test]
async fn nobody_gains_rights_through_the_accounts_of_others() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let victim = join(stack, &admin, "user").await;
    // The colleague may create, edit and assign; the victim may also see costs.
    let role = |name: &str, ids: Value| json!({"name": name, "permission_ids": ids});
    let staff = admin
        .post("/api/roles", role("staff", json!([16, 17, 18, 19])))
        .await
        .ok()["id"]
        .take();
    let costs = admin.post("/api/roles", role("costs", json!([28]))).await.ok()["id"].take();
    admin
        .post(&format!("{}/roles", user(&colleague)), json!({"role_ids": [staff]}))
        .await
        .ok();
    let assigned = json!({"role_ids": [costs, 999_999]});
    let assigned = admin.post(&format!("{}/roles", user(&victim)), assigned).await.ok();
    assert_eq!(assigned["roles"], json!([{"id": costs, "name": "costs"}]));

    let system = admin.get("/api/roles").await.ok()["roles"][5]["id"].take();
    let new = |extra: Value| {
        let (username, email) = somebody();
        let mut body = json!({"username": username, "email": email});
        body.as_object_mut()
            .expect("an object")
            .extend(extra.as_object().expect("an object").clone());
        body
    };
    for extra in [
        json!({"role_ids": [system]}),
        json!({"role_id": costs}),
        json!({"role": "company_admin"}),
        json!({"role": "super_admin"}),
        json!({"groups": ["operators"]}),
        json!({"tenant_id": stranger.username}),
    ] {
        assert_eq!(
            colleague.post("/api/users", new(extra.clone())).await.status,
            403,
            "{extra}"
        );
    }
    colleague
        .post("/api/users", new(json!({"role_ids": [staff]})))
        .await
        .ok();
    assert_eq!(
        admin
            .post("/api/users", new(json!({"role": "super_admin"})))
            .await
            .status,
        403
    );

    // Nor privileges on machines, which the colleague does not have.
    let sudo = (403, "Only administrators give privileges on machines".to_owned());
    let roles = format!("{}/roles", user(&colleague));
    let body = json!({"machine_role": "sudo"});
    assert_eq!(colleague.put(&user(&colleague), body.clone()).await.refusal(), sudo);
    assert_eq!(colleague.post(&roles, body.clone()).await.refusal(), sudo);
    assert_eq!(
        colleague.post(&roles, json!({"roles": ["allow_sudo"]})).await.refusal(),
        sudo
    );
    assert_eq!(colleague.post("/api/users", new(body)).await.refusal(), sudo);
    colleague.post(&roles, json!({"machine_role": "non_sudo"})).await.ok();

    let more = (403, "This account may do more than yours".to_owned());
    for target in [&admin, &victim] {
        assert_eq!(
            colleague
                .put(&user(target), json!({"email": "mine@example.com"}))
                .await
                .refusal(),
            more
        );
        assert_eq!(colleague.delete(&user(target)).await.refusal(), more);
        assert_eq!(
            colleague
                .post(&format!("{}/roles", user(target)), json!({"role_ids": []}))
                .await
                .refusal(),
            more
        );
    }
    for body in [
        json!({"role_ids": [costs]}),
        json!({"role_ids": [system]}),
        json!({"portal_role": "company_admin"}),
    ] {
        assert_eq!(
            colleague
                .post(&format!("{}/roles", user(&colleague)), body.clone())
                .await
                .status,
            403,
            "{body}"
        );
    }
    let text = "Cannot assign super admin role".to_owned();
    let body = json!({"roles": ["super_admin"]});
    assert_eq!(
        admin.post(&format!("{}/roles", user(&admin)), body).await.refusal(),
        (403, text)
    );

    stack.sql(&format!(
        "UPDATE users SET role = 'super_admin' WHERE id = '{}'",
        victim.id
    ));
    let refused = admin.put(&user(&victim), json!({"enabled": false})).await.refusal();
    assert_eq!(refused, (403, "Cannot modify a super admin".to_owned()));
    assert_eq!(
        admin.delete(&user(&victim)).await.refusal(),
        (403, "Cannot delete super admin".to_owned())
    );
    let own = victim.put(&user(&victim), json!({"role": "user"})).await.refusal();
    assert_eq!(own, (403, "Cannot remove your own super admin role".to_owned()));
    let elsewhere = victim
        .put(&user(&stranger), json!({"first_name": "Stranger"}))
        .await
        .ok();
    assert_eq!(
        elsewhere["user"]["first_name"], "Stranger",
        "super administrators reach every organization"
    );
}

#[tokio::test]
async fn an_organization_keeps_an_administrator() {
    let (_, admin, colleague) = team().await;
    let last = (
        409,
        "This is the last administrator of the organization; make another one first".to_owned(),
    );
    let roles = format!("{}/roles", user(&admin));
    assert_eq!(admin.put(&user(&admin), json!({"role": "user"})).await.refusal(), last);
    assert_eq!(admin.post(&roles, json!({"role_ids": []})).await.refusal(), last);
    assert_eq!(admin.post(&roles, json!({"roles": ["user"]})).await.refusal(), last);
    assert_eq!(
        admin.get("/api/audit?action=role_changed").await.ok()["total"],
        0,
        "what was refused is not in the log"
    );

    // The system role and being an administrator are one thing.
    let system = admin.get("/api/roles").await.ok()["roles"][5]["id"].take();
    let promoted = admin
        .post(&format!("{}/roles", user(&colleague)), json!({"role_ids": [system]}))
        .await
        .ok();
    assert_eq!(
        (&promoted["portal_role"], &promoted["user"]["role"]),
        (&json!("company_admin"), &json!("company_admin"))
    );
    assert_eq!(promoted["roles"], json!([{"id": system, "name": "super-admin"}]));
    assert_eq!(
        colleague.get(&format!("/api/roles/{system}")).await.ok()["user_count"],
        2,
        "at once"
    );
    admin.put(&roles, json!({"role_ids": []})).await.ok();
    assert_eq!(admin.get("/api/users").await.status, 403);
    let log = colleague.get("/api/audit?action=role_changed").await.ok();
    let change = |entry: &Value| (entry["details"]["old"].clone(), entry["details"]["new"].clone());
    assert_eq!(change(&log["logs"][0]), (json!("company_admin"), json!("user")));
    assert_eq!(change(&log["logs"][1]), (json!("user"), json!("company_admin")));
}

#[tokio::test]
async fn roles_are_assigned_by_name_and_read_by_their_owner_and_administrators() {
    let (stack, admin, colleague) = team().await;
    let other = join(stack, &admin, "user").await;
    let body = json!({"roles": ["company_admin", "sudo"]});
    let denied = colleague
        .post(&format!("{}/roles", user(&colleague)), body.clone())
        .await;
    assert_eq!(
        (denied.status, &denied.body["error"]),
        (403, &json!("Admin access required"))
    );
    let assigned = admin
        .post(&format!("/api/roles/users/{}/roles", colleague.id), body)
        .await
        .ok();
    assert_eq!(assigned["message"], "Roles assigned successfully");
    assert_eq!(
        (&assigned["portal_role"], &assigned["machine_role"]),
        (&json!("company_admin"), &json!("allow_sudo"))
    );
    let mut flat = assigned.clone();
    for field in ["message", "portal_role"] {
        take(&mut flat, field);
    }
    let wrapped = take(&mut flat, "user");
    assert_eq!(flat, wrapped, "wrapped and flat");
    assert_eq!(wrapped["id"], colleague.id);
    assert_eq!(admin.get(&user(&colleague)).await.ok()["user"], wrapped);
    let demoted = json!({"portal_role": "user", "machine_role": ""});
    admin.post(&format!("{}/roles", user(&colleague)), demoted).await.ok();
    let path = format!("{}/roles", user(&colleague));
    let mut roles = colleague.get(&path).await.ok();
    assert_eq!(
        roles,
        admin.get(&format!("/api/roles/users/{}", colleague.id)).await.ok()
    );
    assert_eq!(take(&mut roles, "portal_role")["display_name"], "User");
    let expected = json!({"user_id": colleague.id, "username": colleague.username, "roles": ["user"], "machine_role": null, "role_ids": []});
    assert_eq!(roles, expected);
    let refused = other.get(&path).await.refusal();
    assert_eq!(refused, (403, "Cannot view other users' roles".to_owned()));
    for (body, text) in [
        (json!({"portal_role": "king"}), "Invalid portal role"),
        (json!({"machine_role": "root"}), "Invalid machine role"),
        (
            json!({}),
            "role_ids is required, or roles, portal_role or machine_role in its place",
        ),
    ] {
        assert_eq!(admin.post(&path, body).await.refusal(), (400, text.to_owned()));
    }
}

#[tokio::test]
async fn a_key_does_not_administer_the_account_that_it_belongs_to() {
    let (_, admin, colleague) = team().await;
    let body = json!({"name": "program", "scope": "people:admin"});
    let key = admin.post("/api/api-keys", body).await.ok()["key"].take();
    let program = Account {
        token: key.as_str().expect("a key").to_owned(),
        ..admin.clone()
    };
    let own = user(&admin);
    for answer in [
        program.put(&own, json!({"email": "mine@example.com"})).await,
        program.post(&format!("{own}/roles"), json!({"roles": ["user"]})).await,
        program
            .post(&format!("{own}/reset-password"), json!({"password": "mine now"}))
            .await,
        program.delete(&format!("{own}/mfa")).await,
    ] {
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (403, &json!("sign_in_required")),
            "{answer:#?}"
        );
    }
    program.put(&user(&colleague), json!({"first_name": "Col"})).await.ok();
}
