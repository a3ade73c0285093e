//! `/api/groups`: an anonymous caller, a stranger, a colleague and an administrator at each route, and terminals that end
//! with the group that allowed them.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::agent::Agent;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo, super_admin};
use crate::support::viewer::Viewer;

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
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Ops"), &json!("on call"))
    );
    assert_eq!(changed["group"]["name"], "Ops");
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
