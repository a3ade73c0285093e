//! `/api/groups`: an anonymous caller, a stranger, a colleague and an administrator at each route, and terminals that end
//! with the group that allowed them.
mod contents;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, super_admin};

/// A machine that nothing runs on; gives its row and its public name.
async fn machine(owner: &Account, name: &str) -> (String, String) {
    let created = owner.post("/api/machines", json!({"name": name})).await.ok();
    (text(&created["id"]), text(&created["agent_id"]))
}

async fn group(admin: &Account, body: Value) -> String {
    text(&admin.post("/api/groups", body).await.ok()["id"])
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// The entries of an action, newest first, as the log of somebody's organization has them: by whom, and the details.
async fn logged(admin: &Account, action: &str) -> Vec<(String, Value)> {
    let log = admin.get(&format!("/api/audit?action={action}")).await.ok();
    let entries = log["logs"].as_array().expect("a list");
    entries
        .iter()
        .map(|entry| (text(&entry["username"]), entry["details"].clone()))
        .collect()
}

#[tokio::test]
async fn a_group_is_made_read_changed_and_deleted() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    let (_, agent_id) = machine(&admin, "web").await;
    let body = json!({"name": " Operators ", "description": "on call", "member_ids": [colleague.id], "machine_ids": [agent_id]});
    let created = admin.post("/api/groups", body.clone()).await;
    assert_eq!(created.status, 201, "{created:#?}");
    let mut made = created.body;
    let wrapped = take(&mut made, "group");
    assert_eq!(wrapped, made, "wrapped and flat");
    let id = text(&take(&mut made, "id"));
    assert!(hex(&id, 24) && is_recent(&take(&mut made, "created_at")) && is_recent(&take(&mut made, "updated_at")));
    let expected = json!({
        "name": "Operators", "description": "on call", "tenant_id": admin.username, "tenant_name": admin.username,
        "keycloak_id": "", "member_count": 1, "machine_count": 1, "member_ids": [colleague.id], "machine_ids": [agent_id],
    });
    assert_eq!(made, expected);
    let path = format!("/api/groups/{id}");
    for reader in [&admin, &colleague] {
        let mut read = reader.get(&path).await.ok();
        assert_eq!(take(&mut read, "group"), wrapped);
        assert_eq!(read, wrapped);
        let listed = reader.get("/api/groups").await.ok();
        let expected = json!({"groups": [wrapped], "total": 1, "page": 1, "limit": 1, "total_pages": 1});
        assert_eq!(listed, expected);
    }
    let listed = colleague.get("/api/machines").await.ok();
    assert_eq!(listed["machines"][0]["group_ids"], json!([id]));

    let taken = admin.post("/api/groups", json!({"name": "OPERATORS"})).await.refusal();
    assert_eq!(taken, (409, "Group already exists in this tenant".to_owned()));
    let changed = admin.put(&path, json!({"name": "Ops"})).await.ok();
    let (mut flat, mut expected) = (changed, wrapped);
    let mut changed = take(&mut flat, "group");
    assert_eq!(flat, changed, "wrapped and flat");
    expected["name"] = json!("Ops");
    for group in [&mut changed, &mut expected] {
        assert!(is_recent(&take(group, "updated_at")));
    }
    assert_eq!(changed, expected);
    let gone = admin.delete(&path).await.ok();
    assert_eq!(gone, json!({"message": "Group deleted successfully"}));
    assert_eq!(admin.get(&path).await.refusal(), (404, "Group not found".to_owned()));
    assert_eq!(
        colleague.get("/api/machines").await.ok()["total"],
        0,
        "what it allowed is over"
    );

    let by = |details| (admin.username.clone(), details);
    let members = json!([colleague.username]);
    let expected = [by(
        json!({"name": "Operators", "members": members, "machines": ["web"]}),
    )];
    assert_eq!(logged(&admin, "group_created").await, expected);
    let expected = [by(
        json!({"group": "Operators", "name": {"old": "Operators", "new": "Ops"}}),
    )];
    assert_eq!(logged(&admin, "group_updated").await, expected);
    assert_eq!(logged(&admin, "group_deleted").await, [by(json!({"group": "Ops"}))]);
}

#[tokio::test]
async fn every_route_knows_who_may_read_and_who_may_write() {
    let stack = Stack::shared().await;
    let (admin, stranger) = (Account::new(stack).await, Account::new(stack).await);
    let (colleague, root) = (join(stack, &admin, "user").await, super_admin(stack).await);
    let (_, agent_id) = machine(&admin, "web").await;
    let id = group(&admin, json!({"name": "ops", "machine_ids": [agent_id]})).await;
    let path = |rest: &str| format!("/api/groups/{id}{rest}");
    let routes = [
        (Method::GET, path(""), None),
        (Method::GET, path("/members"), None),
        (Method::GET, path("/machines"), None),
        (Method::PUT, path(""), Some(json!({"description": "x"}))),
        (Method::POST, path("/members"), Some(json!({"user_id": colleague.id}))),
        (Method::DELETE, path("/members"), Some(json!({"user_id": colleague.id}))),
        (
            Method::POST,
            path("/machines"),
            Some(json!({"machine_ids": [agent_id]})),
        ),
        (Method::DELETE, path(&format!("/machines/{agent_id}")), None),
        (Method::DELETE, path(""), None),
    ];
    let ask = async |account: &Account, (method, path, body): &(Method, String, Option<Value>)| {
        let request = account.request(method.clone(), path);
        send(match body {
            Some(body) => request.json(body),
            None => request,
        })
        .await
    };
    for route in &routes {
        let (method, path, body) = route;
        let answer = admin.anonymous.ask(method.clone(), path, body.clone()).await;
        assert_eq!(
            answer.refusal(),
            (401, "Authorization header required".to_owned()),
            "{route:?}"
        );
        let answer = ask(&stranger, route).await;
        assert_eq!(answer.refusal(), (404, "Group not found".to_owned()), "{route:?}");
        let answer = ask(&colleague, route).await;
        if *method == Method::GET {
            assert_eq!(answer.status, 200, "{route:?}");
        } else {
            let detail = "Permission denied: administrators only";
            let expected = json!({"error": "Admin access required", "detail": detail, "code": "forbidden"});
            assert_eq!((answer.status, answer.body), (403, expected), "{route:?}");
        }
    }
    let answer = colleague.post("/api/groups", json!({"name": "mine"})).await;
    assert_eq!(answer.status, 403);
    for route in &routes {
        assert_eq!(ask(&root, route).await.status, 200, "{route:?}");
    }
    let bad = admin.get("/api/groups/nonsense").await.refusal();
    assert_eq!(bad, (400, "Invalid group ID".to_owned()));

    // A super administrator chooses the organization, and nobody else.
    let theirs = root
        .post("/api/groups", json!({"name": "made", "tenant_id": admin.username}))
        .await
        .ok();
    assert_eq!(theirs["tenant_id"], admin.username);
    let ours = stranger
        .post("/api/groups", json!({"name": "made", "tenant_id": admin.username}))
        .await
        .ok();
    assert_eq!(ours["tenant_id"], stranger.username);
    let nowhere = root
        .post("/api/groups", json!({"name": "made", "tenant_id": "nowhere"}))
        .await;
    assert_eq!(nowhere.refusal(), (404, "Organization not found".to_owned()));
    for (reader, tenant) in [(&root, &admin.username), (&stranger, &stranger.username)] {
        let list = reader
            .get(&format!("/api/groups?tenant_id={}", admin.username))
            .await
            .ok();
        assert_eq!(
            (&list["total"], &list["groups"][0]["tenant_id"]),
            (&json!(1), &json!(tenant))
        );
    }
}

#[tokio::test]
async fn groups_are_listed_by_name_in_pages_and_searched() {
    let admin = Account::new(Stack::shared().await).await;
    for n in 0..12 {
        group(
            &admin,
            json!({"name": format!("group-{n:02}"), "description": "100% ours"}),
        )
        .await;
    }
    let list = async |query: &str| {
        let list = admin.get(&format!("/api/groups{query}")).await.ok();
        let names: Vec<String> = list["groups"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|group| text(&group["name"]))
            .collect();
        (
            names,
            list["total"].clone(),
            list["limit"].clone(),
            list["total_pages"].clone(),
        )
    };
    let (names, total, limit, pages) = list("").await;
    assert!(names.len() == 12 && names.is_sorted() && (total, limit, pages) == (json!(12), json!(12), json!(1)));
    let (names, ..) = list("?limit=5&page=3").await;
    assert_eq!(names, ["group-10", "group-11"]);
    let (names, total, limit, pages) = list("?search=100%25").await;
    assert_eq!(
        (names.len(), total, limit, pages),
        (10, json!(12), json!(10), json!(2)),
        "what is found comes in pages"
    );
    assert_eq!(list("?search=GROUP-07").await.0, ["group-07"]);
    assert!(list("?search=_").await.0.is_empty());
}
