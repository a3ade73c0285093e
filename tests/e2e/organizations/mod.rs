//! `/api/admin/organizations` for super administrators, and `/api/organization` for administrators.
mod ending;
mod networks;
mod own;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, super_admin};

fn path(organization: &str) -> String {
    format!("/api/admin/organizations/{organization}")
}

/// An organization as it is at first, with what differs between runs taken out and looked at.
fn new(slug: &str, name: &str, description: &str, people: u64) -> Value {
    json!({
        "name": slug, "display_name": name, "description": description, "keycloak_realm": slug, "enabled": true,
        "user_count": people, "machine_count": 0, "otp": "off", "otp_expiry_minutes": 10, "admins_create_machines": false,
        "inactive_days": 30, "record_sessions": true, "recording_days": 90,
        "command_log_days": 90, "command_masks": [], "terminal_idle_minutes": 0, "max_sessions": 0, "max_user_sessions": 0,
        "max_processes": 0, "max_memory_mb": 0,
        "allowed_networks": [], "networks_for_agents": false,
        "command_policy": {"allowed_commands": [], "blocked_commands": [], "approval_required_commands": []},
    })
}

/// Checks that an answer has an organization wrapped and flat, and gives it without what differs between runs.
fn one(mut body: Value) -> Value {
    let wrapped = take(&mut body, "organization");
    assert_eq!(wrapped, body, "wrapped and flat");
    redacted(body)
}

fn redacted(mut organization: Value) -> Value {
    assert!(hex(take(&mut organization, "id").as_str().expect("an id"), 24));
    assert!(is_recent(&take(&mut organization, "created_at")));
    assert!(is_recent(&take(&mut organization, "updated_at")));
    organization
}

#[tokio::test]
async fn a_super_administrator_makes_finds_and_changes_organizations() {
    let stack = Stack::shared().await;
    let root = super_admin(stack).await;
    let slug = format!("acme-{}", root.username);
    let body =
        json!({"name": format!(" Acme {} ", root.username), "display_name": "Acme Inc", "description": "makes things"});
    let created = root.post("/api/admin/organizations", body.clone()).await;
    assert_eq!(created.status, 201);
    let id = created.body["id"].as_str().expect("an id").to_owned();
    let made = new(&slug, "Acme Inc", "makes things", 0);
    assert_eq!(one(created.body), made);
    let taken = root.post("/api/admin/organizations", body).await.refusal();
    assert_eq!(taken, (409, "Organization already exists".to_owned()));
    for name in [&id, &slug] {
        assert_eq!(one(root.get(&path(name)).await.ok()), made);
    }
    let mut list = root.get(&format!("/api/admin/organizations?search={slug}")).await.ok();
    assert_eq!(redacted(take(&mut list, "organizations")[0].take()), made);
    assert_eq!(list, json!({"total": 1, "page": 1, "limit": 1, "total_pages": 1}));
    let page = root.get("/api/admin/organizations?limit=1&page=2").await.ok();
    assert!(
        page["total"].as_u64() > Some(1)
            && page["limit"] == 1
            && page["organizations"].as_array().expect("a list").len() == 1
    );

    let body = json!({"display_name": "Acme 2", "inactive_days": 90});
    let mut expected = made;
    expected["display_name"] = json!("Acme 2");
    expected["inactive_days"] = json!(90);
    assert_eq!(one(root.put(&path(&slug), body).await.ok()), expected);
    let log = root.get(&format!("/api/audit?tenant_id={slug}")).await.ok();
    let entry = |n: usize| (log["logs"][n]["action"].clone(), log["logs"][n]["details"].clone());
    let changed = |old: Value, new: Value| json!({"organization": slug, "old": old, "new": new});
    let expected = [
        (
            json!("settings_changed"),
            changed(json!({"inactive_days": 30}), json!({"inactive_days": 90})),
        ),
        (
            json!("organization_updated"),
            changed(json!({"display_name": "Acme Inc"}), json!({"display_name": "Acme 2"})),
        ),
        (
            json!("organization_created"),
            json!({"organization": slug, "display_name": "Acme Inc"}),
        ),
    ];
    assert_eq!([entry(0), entry(1), entry(2)], expected);
    for body in [
        json!({}),
        json!({"name": "ab", "display_name": "x"}),
        json!({"name": "a/b", "display_name": "x"}),
    ] {
        assert_eq!(root.post("/api/admin/organizations", body).await.refusal().0, 400);
    }
}

#[tokio::test]
async fn organizations_are_nobody_elses_business() {
    let stack = Stack::shared().await;
    let (admin, root) = (Account::new(stack).await, super_admin(stack).await);
    let colleague = join(stack, &admin, "user").await;
    let of = |rest: &str| format!("{}{rest}", path(&admin.username));
    for (method, path, body) in [
        (Method::GET, "/api/admin/organizations".to_owned(), None),
        (
            Method::POST,
            "/api/admin/organizations".to_owned(),
            Some(json!({"name": "abc", "display_name": "x"})),
        ),
        (Method::GET, of(""), None),
        (Method::PUT, of(""), Some(json!({"enabled": false}))),
        (Method::DELETE, of("?force=true"), None),
        (Method::GET, of("/stats"), None),
        (Method::GET, of("/users"), None),
        (Method::GET, of("/groups"), None),
    ] {
        let answer = admin.anonymous.ask(method.clone(), &path, body.clone()).await;
        assert_eq!(
            answer.refusal(),
            (401, "Authorization header required".to_owned()),
            "{method} {path}"
        );
        for account in [&admin, &colleague] {
            let request = account.request(method.clone(), &path);
            let answer = send(match &body {
                Some(body) => request.json(body),
                None => request,
            })
            .await;
            let detail = "Permission denied: super administrators only";
            let expected = json!({"error": "Super admin access required", "detail": detail, "code": "forbidden"});
            assert_eq!((answer.status, answer.body), (403, expected), "{method} {path}");
        }
    }
    for rest in ["", "/stats", "/users", "/groups"] {
        let answer = root.get(&format!("{}{rest}", path("nowhere"))).await;
        assert_eq!(answer.refusal(), (404, "Organization not found".to_owned()));
    }
}

#[tokio::test]
async fn an_organizations_people_groups_and_numbers_are_shown() {
    let stack = Stack::shared().await;
    let (admin, root) = (Account::new(stack).await, super_admin(stack).await);
    let colleague = join(stack, &admin, "user").await;
    admin.post("/api/machines", json!({"name": "web"})).await.ok();
    let group = admin
        .post("/api/groups", json!({"name": "ops", "member_ids": [colleague.id]}))
        .await
        .ok();
    let of = |rest: &str| format!("{}{rest}", path(&admin.username));

    let mut stats = root.get(&of("/stats")).await.ok();
    let mut expected = new(&admin.username, &admin.username, "", 2);
    expected["machine_count"] = json!(1);
    assert_eq!(redacted(take(&mut stats, "organization")), expected);
    let expected = json!({"stats": {"user_count": 2, "machine_count": 1, "online_machine_count": 0, "group_count": 1,
        "session_count_today": 0, "active_session_count": 0, "total_users": 2, "admin_users": 1, "regular_users": 1, "total_groups": 1}});
    assert_eq!(stats, expected);

    let users = root.get(&of("/users")).await.ok();
    let names: Vec<&Value> = users["users"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|user| &user["username"])
        .collect();
    assert_eq!(names, [&json!(admin.username), &json!(colleague.username)]);
    assert!(!users.to_string().contains(&admin.api_key) && !users.to_string().contains("api_key"));
    assert_eq!((&users["total"], &users["total_pages"]), (&json!(2), &json!(1)));
    let page = root.get(&of("/users?limit=1&page=2")).await.ok();
    assert_eq!(
        (&page["users"][0]["id"], &page["total"]),
        (&json!(colleague.id), &json!(2))
    );
    let groups = root.get(&of("/groups")).await.ok();
    let expected = json!({"groups": [group["group"]], "total": 1, "page": 1, "limit": 1, "total_pages": 1});
    assert_eq!(groups, expected);
}
