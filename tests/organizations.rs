//! `/api/admin/organizations` for super administrators, and `/api/organization` for administrators.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, PASSWORD, send};
use crate::support::agent::{Agent, configure};
use crate::support::process::scratch;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{join, may_sudo, super_admin};
use crate::support::viewer::Viewer;

fn path(organization: &str) -> String {
    format!("/api/admin/organizations/{organization}")
}

/// An organization as it is at first, with what differs between runs taken out and looked at.
fn new(slug: &str, name: &str, description: &str, people: u64) -> Value {
    json!({
        "name": slug, "display_name": name, "description": description, "keycloak_realm": slug, "enabled": true,
        "user_count": people, "machine_count": 0, "otp": "off", "otp_expiry_minutes": 10, "admins_create_machines": false,
        "inactive_days": 30,
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
        "session_count_today": 0, "total_users": 2, "admin_users": 1, "regular_users": 1, "total_groups": 1}});
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
    let gone = confirm(&admin.username).await.ok();
    assert_eq!(gone, json!({"message": "Organization deleted successfully"}));
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

#[tokio::test]
async fn administrators_run_their_own_organization() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    for (method, body) in [(Method::GET, None), (Method::PUT, Some(json!({"inactive_days": 0})))] {
        let answer = admin
            .anonymous
            .ask(method.clone(), "/api/organization", body.clone())
            .await;
        assert_eq!(answer.refusal().0, 401);
        let request = colleague.request(method, "/api/organization");
        let answer = send(request.json(&body.unwrap_or_default())).await;
        assert_eq!(
            (answer.status, &answer.body["error"]),
            (403, &json!("Admin access required"))
        );
    }
    let mut expected = new(&admin.username, &admin.username, "", 2);
    assert_eq!(one(admin.get("/api/organization").await.ok()), expected);
    let body =
        json!({"display_name": "Ours", "otp_expiry_minutes": 5, "admins_create_machines": true, "inactive_days": 0});
    for (field, value) in body.as_object().expect("an object") {
        expected[field] = value.clone();
    }
    assert_eq!(one(admin.put("/api/organization", body).await.ok()), expected);
    let log = admin.get("/api/audit?action=settings_changed").await.ok();
    let details = json!({
        "organization": admin.username,
        "old": {"otp_expiry_minutes": 10, "admins_create_machines": false, "inactive_days": 30},
        "new": {"otp_expiry_minutes": 5, "admins_create_machines": true, "inactive_days": 0},
    });
    assert_eq!(log["logs"][0]["details"], details);

    let machine = json!({"name": "web"});
    let refused = colleague.post("/api/machines", machine.clone()).await.refusal();
    assert_eq!(
        refused,
        (
            403,
            "Only administrators may create machines in this organization".to_owned()
        )
    );
    let config = scratch().join(format!("{}.yaml", colleague.username));
    let enrolled = configure(&config, &stack.url, &colleague.api_key).await;
    assert!(
        enrolled.is_err_and(|error| error.contains("Only administrators")),
        "nor with a key"
    );
    assert_eq!(admin.post("/api/machines", machine).await.status, 201);

    for (body, error) in [
        (
            json!({"enabled": false}),
            "enabled is for super administrators to change",
        ),
        (json!({"otp_expiry_minutes": 0}), "otp_expiry_minutes must be 1 to 60"),
        (
            json!({"display_name": " "}),
            "display_name must have 1 to 100 characters",
        ),
    ] {
        assert_eq!(
            admin.put("/api/organization", body).await.refusal(),
            (400, error.to_owned())
        );
    }
    assert_eq!(
        admin
            .put("/api/organization", json!({"otp": "sometimes"}))
            .await
            .refusal()
            .0,
        400
    );
}

#[tokio::test]
async fn codes_by_mail_need_a_server_that_sends_mail() {
    let with = Account::new(Stack::shared().await).await;
    assert_eq!(
        with.put("/api/organization", json!({"otp": "on"})).await.ok()["otp"],
        "on"
    );
    let stack = Stack::start(&[("MAIL_TRANSPORT", "")]).await;
    let without = Account::new(&stack).await;
    let refused = without.put("/api/organization", json!({"otp": "on"})).await;
    assert_eq!(refused.body["fields"][0]["field"], "otp", "{refused:?}");
    assert_eq!(
        without.put("/api/organization", json!({"otp": "off"})).await.status,
        200
    );
}
