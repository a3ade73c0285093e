//! What is in a group: its people, its machines, and the terminals that end with it.
use reqwest::Method;
use serde_json::json;

use super::{group, logged, machine, text};
use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo};
use crate::support::viewer::Viewer;

#[tokio::test]
async fn people_come_and_go_one_by_one_or_several_at_once() {
    let stack = Stack::shared().await;
    let (admin, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let (bob, cid) = (join(stack, &admin, "user").await, join(stack, &admin, "user").await);
    let id = group(&admin, json!({"name": "ops"})).await;
    let path = format!("/api/groups/{id}/members");

    let mut added = admin.post(&path, json!({"user_id": bob.id})).await.ok();
    assert_eq!(take(&mut added, "group")["member_ids"], json!([bob.id]));
    assert_eq!(added, json!({"message": "Member added to group", "added_count": 1}));
    let several = json!({"user_ids": [bob.id, cid.id, cid.id, stranger.id, "nonsense"]});
    let added = admin.post(&path, several).await.ok();
    assert_eq!(
        (&added["added_count"], &added["group"]["member_count"]),
        (&json!(1), &json!(2)),
        "{added:#}"
    );
    for (id, status, error) in [
        (stranger.id.as_str(), 404, "User not found"),
        ("00000000000000000000000a", 404, "User not found"),
        ("nonsense", 400, "user_id is not an account's id"),
    ] {
        assert_eq!(
            admin.post(&path, json!({"user_id": id})).await.refusal(),
            (status, error.to_owned())
        );
    }
    assert_eq!(admin.post(&path, json!({})).await.refusal().0, 400);

    let mut list = bob.get(&path).await.ok();
    for member in list["members"].as_array_mut().expect("a list") {
        assert!(is_recent(&take(member, "added_at")));
    }
    let member = |account: &Account| {
        json!({"id": account.id, "user_id": account.id, "username": account.username, "email": account.email, "first_name": "",
            "last_name": "", "role": "user", "machine_role": "", "enabled": true})
    };
    let expected =
        json!({"members": [member(&bob), member(&cid)], "total": 2, "page": 1, "limit": 2, "total_pages": 1});
    assert_eq!(list, expected);
    let page = bob.get(&format!("{path}?limit=1&page=2")).await.ok();
    assert_eq!((&page["members"][0]["id"], &page["total"]), (&json!(cid.id), &json!(2)));

    let mut left = send(admin.request(Method::DELETE, &path).json(&json!({"user_id": bob.id})))
        .await
        .ok();
    assert_eq!(take(&mut left, "group")["member_ids"], json!([cid.id]));
    assert_eq!(left, json!({"message": "Member removed from group"}));
    let left = admin.delete(&format!("{path}?user_id={}", cid.id)).await.ok();
    assert_eq!(left["group"]["member_count"], 0);
    for (id, status, error) in [
        (cid.id.as_str(), 404, "User not in group"),
        (stranger.id.as_str(), 404, "User not found"),
        ("nonsense", 400, "user_id is not an account's id"),
    ] {
        let answer = admin.delete(&format!("{path}?user_id={id}")).await;
        assert_eq!(answer.refusal(), (status, error.to_owned()));
    }
    assert_eq!(
        admin.delete(&path).await.refusal(),
        (400, "user_id is required".to_owned())
    );
    let by = |members| (admin.username.clone(), json!({"group": "ops", "members": members}));
    let expected = [by([&cid.username]), by([&bob.username])];
    assert_eq!(
        logged(&admin, "group_member_added").await,
        expected,
        "what changed nothing is not logged"
    );
    assert_eq!(logged(&admin, "group_member_removed").await, expected);
}

#[tokio::test]
async fn machines_come_and_go_by_either_of_their_names() {
    let stack = Stack::shared().await;
    let (admin, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let bob = join(stack, &admin, "user").await;
    let ((web_id, web), (_, db)) = (machine(&admin, "web").await, machine(&admin, "db").await);
    let (_, theirs) = machine(&stranger, "theirs").await;
    let id = group(&admin, json!({"name": "ops", "member_ids": [bob.id]})).await;
    let path = format!("/api/groups/{id}/machines");

    assert_eq!(bob.get(&format!("/api/machines/{web}")).await.status, 403);
    let mut added = admin.post(&path, json!({"machine_ids": [web_id, web]})).await.ok();
    assert_eq!(take(&mut added, "group")["machine_ids"], json!([web]));
    assert_eq!(
        added,
        json!({"message": "Machines added to group", "added_count": 1, "total_machines": 1})
    );
    assert_eq!(
        bob.get(&format!("/api/machines/{web}")).await.status,
        200,
        "its people reach it"
    );
    let added = admin.post(&path, json!({"machine_ids": [web, db]})).await.ok();
    assert_eq!(
        (&added["added_count"], &added["total_machines"]),
        (&json!(1), &json!(2))
    );
    for foreign in [theirs.as_str(), "00000000000a", "nonsense"] {
        let answer = admin.post(&path, json!({"machine_ids": [web, foreign]})).await;
        assert_eq!(answer.refusal(), (404, "Machine not found".to_owned()), "{foreign}");
        let answer = admin
            .post("/api/groups", json!({"name": "new", "machine_ids": [foreign]}))
            .await;
        assert_eq!(
            answer.refusal(),
            (400, format!("Machine not found or not in tenant: {foreign}"))
        );
    }
    let answer = admin
        .post("/api/groups", json!({"name": "new", "member_ids": [stranger.id]}))
        .await;
    assert_eq!(
        answer.refusal(),
        (400, format!("User not found or not in tenant: {}", stranger.id))
    );
    let answer = admin
        .post("/api/groups", json!({"name": "new", "member_ids": ["x"]}))
        .await;
    assert_eq!(answer.refusal(), (400, "Invalid member ID: x".to_owned()));

    let mut list = bob.get(&path).await.ok();
    for machine in list["machines"].as_array_mut().expect("a list") {
        assert!(is_recent(&take(machine, "added_at")) && hex(&text(&take(machine, "id")), 24));
    }
    let machines = json!([{"agent_id": db, "name": "db", "status": "pending"}, {"agent_id": web, "name": "web", "status": "pending"}]);
    assert_eq!(
        list,
        json!({"machines": machines, "total": 2, "page": 1, "limit": 2, "total_pages": 1})
    );

    let mut left = admin.delete(&format!("{path}/{web_id}")).await.ok();
    assert_eq!(take(&mut left, "group")["machine_ids"], json!([db]));
    assert_eq!(left, json!({"message": "Machine removed from group"}));
    assert_eq!(
        bob.get(&format!("/api/machines/{web}")).await.status,
        403,
        "its people reach it no longer"
    );
    for gone in [web.as_str(), &theirs, "nonsense"] {
        let answer = admin.delete(&format!("{path}/{gone}")).await;
        assert_eq!(answer.refusal(), (404, "Machine not in group".to_owned()), "{gone}");
    }
    let by = |machine: &str| (admin.username.clone(), json!({"group": "ops", "machines": [machine]}));
    assert_eq!(logged(&admin, "group_machine_added").await, [by("db"), by("web")]);
    assert_eq!(logged(&admin, "group_machine_removed").await, [by("web")]);
}

#[tokio::test]
async fn a_terminal_ends_with_the_last_group_that_allowed_it() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    may_sudo(stack, &colleague);
    let agent = Agent::new(&admin, "grouped").await;
    let body = |name: &str| json!({"name": name, "member_ids": [colleague.id], "machine_ids": [agent.agent_id]});
    let revoked = (1008, "Access revoked".to_owned());

    let (first, second) = (group(&admin, body("first")).await, group(&admin, body("second")).await);
    let mut viewer = Viewer::attached(&colleague, &agent, "by-groups").await;
    let members = |id: &str| format!("/api/groups/{id}/members?user_id={}", colleague.id);
    admin.delete(&members(&first)).await.ok();
    viewer.run("echo still-$((40+2))", "still-42").await;
    admin.delete(&members(&second)).await.ok();
    assert_eq!(viewer.wait_closed().await, revoked, "taken out of the last group");

    let path = format!("/api/groups/{first}/members");
    admin.post(&path, json!({"user_id": colleague.id})).await.ok();
    let mut viewer = Viewer::attached(&colleague, &agent, "by-machine").await;
    admin
        .delete(&format!("/api/groups/{first}/machines/{}", agent.agent_id))
        .await
        .ok();
    assert_eq!(viewer.wait_closed().await, revoked, "the machine was taken out");

    let path = format!("/api/groups/{second}/members");
    admin.post(&path, json!({"user_id": colleague.id})).await.ok();
    let mut viewer = Viewer::attached(&colleague, &agent, "by-group").await;
    admin.delete(&format!("/api/groups/{second}")).await.ok();
    assert_eq!(viewer.wait_closed().await, revoked, "the group was deleted");
    assert_eq!(
        colleague.get(&format!("/api/machines/{}", agent.agent_id)).await.status,
        403
    );
}
