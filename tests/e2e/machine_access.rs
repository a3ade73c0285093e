//! `/api/machines/{agent_id}/access`: lending a machine, and who may use it.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo, super_admin};
use crate::support::viewer::{Viewer, open, stream_headers};

/// A machine that nothing runs on, by its public name.
async fn machine(owner: &Account, name: &str) -> String {
    let created = owner
        .post("/api/machines", json!({"name": name, "allow_sudo": true}))
        .await
        .ok();
    created["agent_id"].as_str().expect("an agent id").to_owned()
}

/// Who may use a machine, as far as it does not differ between runs.
async fn users(reader: &Account, agent_id: &str) -> Vec<Value> {
    let mut list = reader.get(&format!("/api/machines/{agent_id}/access/users")).await.ok();
    let mut users = take(&mut list, "users").as_array().expect("a list").clone();
    assert_eq!(list, json!({"total": users.len()}));
    for user in &mut users {
        let since = take(user, "granted_at");
        assert!(
            since.is_null() && user["via"] == "admin" || is_recent(&since),
            "{user:#}"
        );
    }
    users
}

fn user(account: &Account, role: &str, machine_role: &str, ways: &[&str]) -> Value {
    let name = if machine_role == "allow_sudo" {
        "sudo"
    } else {
        "non-sudo"
    };
    json!({"user_id": account.id, "username": account.username, "email": account.email, "role": role,
        "machine_role": machine_role, "machine_role_name": name, "effective_role": machine_role, "via": ways[0], "ways": ways, "granted_by": null, "expires_at": null})
}

#[tokio::test]
async fn a_machine_is_lent_and_taken_back() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let (owner, guest) = (join(stack, &admin, "user").await, join(stack, &admin, "user").await);
    let agent_id = machine(&owner, "lent").await;
    let path = |rest: &str| format!("/api/machines/{agent_id}{rest}");
    let everybody = [
        user(&admin, "company_admin", "allow_sudo", &["admin"]),
        user(&owner, "user", "allow_sudo", &["owner"]),
    ];
    assert_eq!(users(&owner, &agent_id).await, everybody);
    assert_eq!(guest.get(&path("")).await.status, 403);

    let granted = owner
        .post(&path("/access/grant"), json!({"username": guest.username}))
        .await
        .ok();
    assert_eq!(granted, json!({"message": "Access granted"}));
    let mut lent = user(&guest, "user", "non_sudo", &["direct"]);
    lent["granted_by"] = json!(owner.username);
    let expected = [everybody.as_slice(), std::slice::from_ref(&lent)].concat();
    assert_eq!(
        users(&guest, &agent_id).await,
        expected,
        "who has access may see who else has"
    );
    assert_eq!(
        guest.get(&path("")).await.ok()["allowed_users"],
        json!([owner.username, guest.username])
    );

    // Again, by the other name and on other terms.
    let body = json!({"user_id": guest.id, "machine_role": "sudo", "duration_hours": 2});
    admin.post(&path("/access/grant"), body).await.ok();
    let mut list = users(&owner, &agent_id).await;
    let ends = take(&mut list[2], "expires_at");
    let ends: chrono::DateTime<chrono::Utc> = ends.as_str().expect("a time").parse().expect("a time");
    let hours = (ends - chrono::Utc::now()).num_minutes();
    assert!((118..=120).contains(&hours), "{hours}");
    assert_eq!(
        (&list[2]["machine_role"], &list[2]["granted_by"]),
        (&json!("allow_sudo"), &json!(admin.username))
    );

    for _ in 0..2 {
        let revoked = owner
            .post(&path("/access/revoke"), json!({"user_id": guest.id}))
            .await
            .ok();
        assert_eq!(revoked, json!({"message": "Access revoked"}));
        assert_eq!(users(&owner, &agent_id).await, everybody);
    }
    let log = admin.get("/api/audit?action=access_revoked").await.ok();
    assert_eq!(log["total"], 1, "what changed nothing is not logged: {log:#}");
    let log = admin.get("/api/audit?action=access_granted").await.ok();
    let mut details = log["logs"][1]["details"].clone();
    assert_eq!(log["logs"][1]["username"], owner.username);
    let expected = json!({"machine": "lent", "user_id": guest.id, "username": guest.username, "machine_role": "", "expires_at": null});
    assert_eq!(details.take(), expected);
}

#[tokio::test]
async fn only_those_who_manage_a_machine_lend_it_and_only_within_its_organization() {
    let stack = Stack::shared().await;
    let (admin, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let (owner, guest) = (join(stack, &admin, "user").await, join(stack, &admin, "user").await);
    let (third, root) = (join(stack, &admin, "user").await, super_admin(stack).await);
    let agent_id = machine(&owner, "lent").await;
    let path = |rest: &str| format!("/api/machines/{agent_id}/access/{rest}");
    owner
        .post(&path("grant"), json!({"username": guest.username}))
        .await
        .ok();
    let body = json!({"username": third.username});
    for (method, path) in [
        (Method::GET, path("users")),
        (Method::POST, path("grant")),
        (Method::POST, path("revoke")),
    ] {
        let ask = async |account: &Account| {
            let request = account.request(method.clone(), &path);
            let request = if method == Method::POST {
                request.json(&body)
            } else {
                request
            };
            send(request).await
        };
        let answer = owner.anonymous.ask(method.clone(), &path, Some(body.clone())).await;
        assert_eq!(answer.refusal().0, 401, "{path}");
        assert_eq!(
            ask(&stranger).await.refusal(),
            (404, "Machine not found".to_owned()),
            "{path}"
        );
        assert_eq!(
            ask(&third).await.refusal(),
            (403, "Not authorized".to_owned()),
            "{path}"
        );
        if method == Method::POST {
            assert_eq!(
                ask(&guest).await.refusal(),
                (403, "Not authorized".to_owned()),
                "a guest lends nothing on"
            );
        }
        for account in [&admin, &root] {
            assert_eq!(ask(account).await.status, 200, "{path}");
        }
    }
    for (body, status, error) in [
        (json!({}), 400, "user_id is required, or username in its place"),
        (json!({"username": stranger.username}), 404, "User not found"),
        (json!({"user_id": stranger.id}), 404, "User not found"),
        (json!({"user_id": root.id}), 404, "User not found"),
        (json!({"username": "nobody"}), 404, "User not found"),
    ] {
        for rest in ["grant", "revoke"] {
            let answer = owner.post(&path(rest), body.clone()).await;
            assert_eq!(answer.refusal(), (status, error.to_owned()), "{rest} {body}");
        }
    }
    for (body, error) in [
        (
            json!({"machine_role": "root"}),
            "machine_role must be allow_sudo, non_sudo or empty",
        ),
        (
            json!({"expires_at": "2020-01-01T00:00:00Z"}),
            "expires_at must be in the future",
        ),
        (json!({"duration_hours": 0}), "duration_hours must be 1 to 87600"),
    ] {
        let mut body = body;
        body["username"] = json!(guest.username);
        assert_eq!(
            owner.post(&path("grant"), body).await.refusal(),
            (400, error.to_owned())
        );
    }
    let own = json!({"username": owner.username});
    let answer = admin.post(&path("revoke"), own.clone()).await;
    assert_eq!(
        answer.refusal(),
        (400, "The owner's access cannot be revoked".to_owned())
    );
    assert_eq!(admin.post(&path("grant"), own).await.refusal().0, 400);
}

#[tokio::test]
async fn a_grant_that_has_expired_is_listed_nowhere() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let guest = join(stack, &owner, "user").await;
    let agent_id = machine(&owner, "past").await;
    let path = format!("/api/machines/{agent_id}");
    owner
        .post(&format!("{path}/access/grant"), json!({"user_id": guest.id}))
        .await
        .ok();
    assert_eq!(users(&owner, &agent_id).await.len(), 2);
    // The scheduled handler may not have removed it yet.
    stack.sql(&format!(
        "UPDATE machine_grants SET expires_at = '2026-01-01T00:00:00.000Z' WHERE user_id = '{}'",
        guest.id
    ));
    assert_eq!(
        users(&owner, &agent_id).await,
        [user(&owner, "company_admin", "allow_sudo", &["owner", "admin"])]
    );
    assert_eq!(owner.get(&path).await.ok()["allowed_users"], json!([owner.username]));
    let list = owner.get("/api/machines").await.ok();
    assert_eq!(list["machines"][0]["allowed_users"], json!([owner.username]));
    assert_eq!(guest.get(&path).await.refusal(), (403, "Not authorized".to_owned()));
}

#[tokio::test]
async fn every_way_to_a_machine_is_listed_and_losing_one_leaves_the_others() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let guest = join(stack, &owner, "user").await;
    let agent_id = machine(&owner, "many").await;
    let path = |rest: &str| format!("/api/machines/{agent_id}/access/{rest}");
    let ways = async || {
        let users = users(&owner, &agent_id).await;
        let found = users.iter().find(|user| user["user_id"] == guest.id);
        found.map(|user| (user["via"].clone(), user["ways"].clone()))
    };
    let body = json!({"name": "ops", "member_ids": [guest.id], "machine_ids": [agent_id]});
    let group = owner.post("/api/groups", body).await.ok();
    owner.post(&path("grant"), json!({"user_id": guest.id})).await.ok();
    assert_eq!(ways().await, Some((json!("direct"), json!(["direct", "group:ops"]))));
    owner.post(&path("revoke"), json!({"user_id": guest.id})).await.ok();
    assert_eq!(ways().await, Some((json!("group:ops"), json!(["group:ops"]))));
    owner.post(&path("grant"), json!({"user_id": guest.id})).await.ok();
    owner
        .delete(&format!("/api/groups/{}", group["id"].as_str().expect("an id")))
        .await
        .ok();
    assert_eq!(ways().await, Some((json!("direct"), json!(["direct"]))));
    owner.post(&path("revoke"), json!({"user_id": guest.id})).await.ok();
    assert_eq!(ways().await, None);
}

#[tokio::test]
async fn a_terminal_ends_with_the_grant_unless_a_group_still_allows_it() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let guest = join(stack, &owner, "user").await;
    may_sudo(stack, &guest);
    let agent = Agent::new(&owner, "lent").await;
    let path = |rest: &str| format!("/api/machines/{}/access/{rest}", agent.agent_id);
    let body = json!({"user_id": guest.id});
    owner.post(&path("grant"), body.clone()).await.ok();
    let mut viewer = Viewer::attached(&guest, &agent, "lent").await;
    let group = json!({"name": "ops", "member_ids": [guest.id], "machine_ids": [agent.agent_id]});
    let group = owner.post("/api/groups", group).await.ok();
    owner.post(&path("revoke"), body.clone()).await.ok();
    viewer.run("echo still-$((40+2))", "still-42").await;
    owner.post(&path("grant"), body.clone()).await.ok();
    owner
        .delete(&format!("/api/groups/{}", group["id"].as_str().expect("an id")))
        .await
        .ok();
    viewer.run("echo again-$((40+2))", "again-42").await;
    owner.post(&path("revoke"), body).await.ok();
    assert_eq!(viewer.wait_closed().await, (1008, "Access revoked".to_owned()));
}

#[tokio::test]
async fn what_happens_to_a_machine_and_on_it_is_in_the_log() {
    let stack = Stack::shared().await;
    let owner = Account::new(stack).await;
    let agent = Agent::new(&owner, "logged").await;
    let other = join(stack, &owner, "user").await;
    owner
        .post(
            &format!("/api/machines/{}/access/grant", agent.agent_id),
            json!({"user_id": other.id}),
        )
        .await
        .ok();
    let mut viewer = Viewer::attached(&owner, &agent, "logged").await;
    // A session's name that somebody else has: refused, and no access.
    let url = format!(
        "{}/api/terminal/{}/ws?token={}&session_id=logged",
        stack.url, agent.agent_id, other.token
    );
    let refused = open(&url, &stream_headers()).await;
    assert!(refused.is_err_and(|(status, _)| status == 403));
    owner.delete("/api/terminal/sessions/logged").await.ok();
    assert_eq!(viewer.wait_closed().await.0, 4008);
    owner.delete(&format!("/api/machines/{}", agent.agent_id)).await.ok();
    let log = owner.get("/api/audit?limit=100").await.ok();
    let of = |action: &str| {
        let entries = log["logs"].as_array().expect("a list").iter();
        let entries: Vec<&Value> = entries.filter(|entry| entry["action"] == action).collect();
        assert_eq!(entries.len(), 1, "{action}: {log:#}");
        let entry = entries[0];
        assert_eq!(
            (&entry["username"], &entry["resource_id"]),
            (&json!(owner.username), &json!(agent.machine_id)),
            "{action}"
        );
        (entry["resource"].clone(), entry["details"].clone())
    };
    let machine = |more: Value| {
        let mut details = json!({"machine": "logged", "agent_id": agent.agent_id});
        details
            .as_object_mut()
            .expect("an object")
            .extend(more.as_object().expect("an object").clone());
        details
    };
    assert_eq!(of("machine_created"), (json!("machine"), machine(json!({}))));
    assert_eq!(
        of("machine_registered"),
        (json!("machine"), machine(json!({"by": "token"})))
    );
    assert_eq!(
        of("machine_access"),
        (json!("terminal"), machine(json!({"session_id": "logged"})))
    );
    assert_eq!(
        of("session_terminated"),
        (json!("terminal"), json!({"session_id": "logged"}))
    );
    let (resource, mut ended) = of("session_ended");
    assert!(
        take(&mut ended, "seconds")
            .as_i64()
            .is_some_and(|seconds| (0..60).contains(&seconds))
    );
    assert_eq!(
        (resource, ended),
        (
            json!("terminal"),
            machine(json!({"session_id": "logged", "reason": "terminated"}))
        )
    );
    assert_eq!(of("machine_deleted"), (json!("machine"), machine(json!({}))));
}
