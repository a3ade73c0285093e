//! Organizations that are disabled or deleted.
use reqwest::Method;
use serde_json::json;

use super::path;
use crate::support::account::{Account, PASSWORD, send};
use crate::support::agent::Agent;
use crate::support::picture::{GIF, gone, uploaded};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo, super_admin};
use crate::support::viewer::Viewer;

#[tokio::test]
async fn a_disabled_organization_is_shut_out_at_once() {
    let stack = Stack::shared().await;
    let (admin, root) = (Account::new(stack).await, super_admin(stack).await);
    let agent = Agent::new(&admin, "shut").await;
    let mut viewer = Viewer::attached(&admin, &agent, "shut").await;
    let disabled = root.put(&path(&admin.username), json!({"enabled": false})).await.ok();
    assert_eq!(
        (&disabled["enabled"], &disabled["organization"]["enabled"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(viewer.wait_closed().await, (1008, "Access revoked".to_owned()));
    assert_eq!(
        admin.get("/api/machines").await.refusal(),
        (401, "Invalid or expired token".to_owned())
    );
    let login = json!({"email": admin.email, "password": PASSWORD});
    let refused = admin
        .anonymous
        .ask(Method::POST, "/api/login", Some(login.clone()))
        .await;
    assert_eq!(refused.refusal(), (401, "Invalid credentials".to_owned()));

    root.put(&path(&admin.username), json!({"enabled": true})).await.ok();
    assert_eq!(admin.get("/api/machines").await.status, 401, "old tokens stay dead");
    let again = admin.anonymous.ask(Method::POST, "/api/login", Some(login)).await.ok();
    let admin = Account {
        token: again["token"].as_str().expect("a token").to_owned(),
        ..admin
    };
    assert_eq!(admin.get("/api/machines").await.ok()["total"], 1);
    for body in [json!({"enabled": false}), json!({"enabled": true})] {
        let own = root.put(&path(&root.username), body.clone()).await;
        assert_eq!(own.status, if body["enabled"] == false { 409 } else { 200 });
    }
}

#[tokio::test]
async fn an_organization_is_deleted_with_everything_in_it_only_by_somebody_who_means_it() {
    let stack = Stack::shared().await;
    let (admin, root) = (Account::new(stack).await, super_admin(stack).await);
    let bystander = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    may_sudo(stack, &colleague);
    let agent = Agent::new(&admin, "doomed").await;
    let group = json!({"name": "ops", "member_ids": [colleague.id], "machine_ids": [agent.agent_id]});
    admin.post("/api/groups", group).await.ok();
    let mut viewer = Viewer::attached(&colleague, &agent, "doomed").await;
    let picture = uploaded(&colleague, GIF).await;

    let text = "Cannot delete organization with existing users";
    let refused = root.delete(&path(&admin.username)).await;
    let expected = json!({"error": text, "detail": text, "code": "organization_has_users", "user_count": 2});
    assert_eq!((refused.status, refused.body), (409, expected));
    let confirm = |name: &str| {
        let request = root.request(Method::DELETE, &path(&admin.username));
        send(request.json(&json!({"confirm": name})))
    };
    assert_eq!(confirm("acme").await.refusal().0, 400);
    viewer.run("echo still-$((40+2))", "still-42").await;
    let answer = confirm(&admin.username).await.ok();
    assert_eq!(answer, json!({"message": "Organization deleted successfully"}));
    gone(&colleague, &picture).await;
    assert_eq!(viewer.wait_closed().await, (1008, "Access revoked".to_owned()));
    assert_eq!(root.get(&path(&admin.username)).await.status, 404);
    for account in [&admin, &colleague] {
        assert_eq!(account.get("/api/auth/me").await.status, 401);
    }
    let rows = stack.sql(&format!(
        "SELECT COUNT(*) AS n FROM users WHERE username IN ('{}', '{}')",
        admin.username, colleague.username
    ));
    assert_eq!(rows[0]["n"], 0);
    let again = json!({"name": admin.username, "display_name": "Another"});
    let again = root.post("/api/admin/organizations", again).await;
    assert_eq!(
        again.status, 201,
        "nothing of it is in the way of another one of its name"
    );
    assert_eq!(
        (&again.body["user_count"], &again.body["machine_count"]),
        (&json!(0), &json!(0))
    );
    let log = root.get("/api/audit?action=group_created&limit=200").await.ok();
    let kept = log["logs"]
        .as_array()
        .expect("a list")
        .iter()
        .any(|entry| entry["username"] == admin.username);
    assert!(kept, "what the log says of it stays");
    let log = root
        .get(&format!(
            "/api/audit?action=organization_deleted&tenant_id={}",
            root.username
        ))
        .await
        .ok();
    let expected =
        json!({"organization": admin.username, "display_name": admin.username, "user_count": 2, "machine_count": 1});
    assert_eq!(log["logs"][0]["details"], expected);

    assert_eq!(bystander.get("/api/auth/me").await.status, 200);
    let own = root.delete(&format!("{}?force=true", path(&root.username))).await;
    assert_eq!(own.refusal().0, 409, "nobody saws off the branch they sit on");
    let forced = root.delete(&format!("{}?force=true", path(&bystander.username))).await;
    assert_eq!(forced.status, 200);
}
