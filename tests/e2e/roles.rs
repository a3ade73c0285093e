//! `/api/roles`: what comes with the product, and what an organization makes.
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{allow, join};

#[tokio::test]
async fn everybody_sees_the_roles_of_the_product_and_those_who_may_those_of_the_organization() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    let seen = colleague.get("/api/roles").await.ok();
    let names = |list: &Value| -> Vec<String> {
        let roles = list.as_array().expect("a list").iter();
        roles
            .map(|role| role["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    let built_in = ["super_admin", "company_admin", "user", "allow_sudo", "non_sudo"];
    assert_eq!(names(&seen["roles"]), built_in);
    assert_eq!(seen["total"], 5);
    let all = admin.get("/api/roles").await.ok();
    assert_eq!(all["roles"].as_array().map(Vec::len), Some(6));
    for (path, field, expected) in [
        ("/api/roles/portal", "portal_roles", &built_in[..3]),
        ("/api/roles/machine", "machine_roles", &built_in[3..]),
    ] {
        assert_eq!(names(&all[field]), expected);
        let answer = colleague.get(path).await.ok();
        assert_eq!(answer, json!({"roles": all[field], "total": expected.len()}));
        assert_eq!(admin.anonymous.ask(Method::GET, path, None).await.refusal().0, 401);
    }
    assert_eq!(
        all["roles"][1],
        json!({
            "id": "company_admin", "name": "company_admin", "display_name": "Company Admin", "type": "portal",
            "description": "Administers the people, groups and machines of one organization.",
            "permissions": ["manage_groups", "manage_machines", "manage_users", "view_org_resources"]
        })
    );
    let mut system = all["roles"][5].clone();
    assert!(take(&mut system, "id").is_i64() && is_recent(&take(&mut system, "created_at")));
    let permissions = take(&mut system, "permissions");
    // The published ones, and those that came since.
    assert!(permissions.as_array().is_some_and(|all| all.len() > 31));
    let first = json!({"id": 1, "codename": "instances.view", "category": "instances", "label": "View Instances"});
    assert_eq!(permissions[0], first);
    assert_eq!(
        system,
        json!({"name": "super-admin", "display_name": "super-admin", "description": "Full system access", "type": "custom",
            "is_system": true, "user_count": 1})
    );
}

#[tokio::test]
async fn the_permissions_are_listed_by_family() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    let denied = colleague.get("/api/roles/permissions").await.refusal();
    assert_eq!(denied, (403, "Permission denied: roles.view".to_owned()));
    let permissions = admin.get("/api/roles/permissions").await.ok()["permissions"].take();
    let families: Vec<&String> = permissions.as_object().expect("families").keys().collect();
    assert_eq!(
        families,
        [
            "costs",
            "instances",
            "inventory",
            "inventory.credential",
            "inventory.deployment",
            "inventory.server",
            "inventory.service",
            "inventory.user",
            "jobs",
            "roles",
            "schedules",
            "services",
            "system",
            "users"
        ]
    );
    let expected = json!([
        {"id": 28, "codename": "costs.refresh", "label": "Refresh Costs", "description": "Ask the provider for costs again."},
        {"id": 27, "codename": "costs.view", "label": "View Costs", "description": "See what the infrastructure costs."}
    ]);
    let mut costs = permissions["costs"].clone();
    for (index, id) in [(0, 29), (1, 28)] {
        assert_eq!(costs[index]["id"], id);
        costs[index]["id"] = expected[index]["id"].clone();
    }
    assert_eq!(costs, expected);
}

#[tokio::test]
async fn a_role_is_made_changed_and_deleted() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    let made = admin
        .post(
            "/api/roles",
            json!({"name": " ops ", "description": "those who operate", "permission_ids": [15, 9999]}),
        )
        .await;
    assert_eq!(made.status, 200);
    let role = made.body;
    let id = role["id"].as_i64().expect("a number");
    let path = format!("/api/roles/{id}");
    let mut shown = role.clone();
    assert!(is_recent(&take(&mut shown, "created_at")));
    let users_view = json!({"id": 15, "codename": "users.view", "category": "users", "label": "View Users"});
    assert_eq!(
        shown,
        json!({"id": id, "name": "ops", "display_name": "ops", "description": "those who operate", "type": "custom",
            "is_system": false, "permissions": [users_view], "user_count": 0})
    );
    assert_eq!(admin.get(&path).await.ok(), role);
    for (body, text) in [
        (json!({"name": "OPS"}), "Role name already exists"),
        (json!({"name": "x"}), "name must have 2 to 50 characters"),
    ] {
        let refused = admin.post("/api/roles", body).await.refusal();
        assert_eq!(refused, (400, text.to_owned()));
    }
    let reserved = admin.post("/api/roles", json!({"name": "company_admin"})).await;
    assert_eq!(
        (reserved.status, &reserved.body["error"]),
        (400, &json!("Role name already exists"))
    );

    let changed = admin
        .put(&path, json!({"name": "operators", "permission_ids": []}))
        .await
        .ok();
    let mut expected = role;
    for (field, value) in [
        ("name", json!("operators")),
        ("display_name", json!("operators")),
        ("permissions", json!([])),
    ] {
        expected[field] = value;
    }
    assert_eq!(changed, expected);
    admin.post("/api/roles", json!({"name": "ops"})).await.ok();
    assert_eq!(
        admin.put(&path, json!({"name": "ops"})).await.refusal(),
        (400, "Role name already exists".to_owned())
    );

    let assign = format!("/api/users/{}/roles", colleague.id);
    admin.post(&assign, json!({"role_ids": [id]})).await.ok();
    assert_eq!(admin.get(&path).await.ok()["user_count"], 1);
    let used = admin.delete(&path).await.refusal();
    assert_eq!(used, (400, "Cannot delete role with assigned users".to_owned()));
    admin.put(&assign, json!({"role_ids": []})).await.ok();
    let gone = admin.delete(&path).await.ok();
    assert_eq!(
        gone,
        json!({"status": "deleted", "message": "Role deleted successfully"})
    );
    for answer in [
        admin.get(&path).await,
        admin.delete(&path).await,
        admin.get("/api/roles/ops").await,
    ] {
        assert_eq!(answer.refusal(), (404, "Role not found".to_owned()));
    }
    let log = admin.get("/api/audit?action=role.delete").await.ok();
    assert_eq!(
        (&log["total"], &log["logs"][0]["details"]),
        (&json!(1), &json!({"name": "operators"}))
    );
}

#[tokio::test]
async fn the_system_role_stays_as_it_is() {
    let admin = Account::new(Stack::shared().await).await;
    let roles = admin.get("/api/roles").await.ok();
    let path = format!("/api/roles/{}", roles["roles"][5]["id"]);
    let refused = admin.put(&path, json!({"name": "mine"})).await.refusal();
    assert_eq!(refused, (400, "Cannot modify system roles".to_owned()));
    assert_eq!(
        admin.delete(&path).await.refusal(),
        (400, "Cannot delete system roles".to_owned())
    );
}

#[tokio::test]
async fn nobody_makes_a_role_that_allows_more_than_they_may() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    for (method, path, permission) in [
        (Method::POST, "/api/roles", "roles.create"),
        (Method::PUT, "/api/roles/1", "roles.edit"),
        (Method::DELETE, "/api/roles/1", "roles.delete"),
        (Method::GET, "/api/roles/1", "roles.view"),
    ] {
        let body = json!({"name": "mine"});
        let request = colleague.request(method, path).json(&body);
        let denied = crate::support::account::send(request).await.refusal();
        assert_eq!(denied, (403, format!("Permission denied: {permission}")));
    }
    let own = allow(&admin, &colleague, &["roles.create", "roles.edit", "costs.view"]).await;
    let (costs, users_edit) = (28, 17);
    let made = colleague
        .post("/api/roles", json!({"name": "mine", "permission_ids": [costs]}))
        .await
        .ok();
    let denied = (403, "You do not hold users.edit yourself".to_owned());
    let more = json!({"name": "more", "permission_ids": [costs, users_edit]});
    assert_eq!(colleague.post("/api/roles", more.clone()).await.refusal(), denied);
    for role in [&made["id"], &own["id"]] {
        assert_eq!(
            colleague
                .put(&format!("/api/roles/{role}"), more.clone())
                .await
                .refusal(),
            denied
        );
    }
    // What a role allows already may stay.
    let wider = json!({"permission_ids": [costs, users_edit]});
    admin
        .put(&format!("/api/roles/{}", made["id"]), wider.clone())
        .await
        .ok();
    colleague.put(&format!("/api/roles/{}", made["id"]), wider).await.ok();
}
