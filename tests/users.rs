//! `/api/users`: the people of an organization, and who may do what with them.
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, Anonymous, Answer, PASSWORD};
use crate::support::agent::World;
use crate::support::mail::letter;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;

/// An administrator, and somebody in the same organization who has no rights there.
async fn team() -> (&'static Stack, Account, Account) {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let colleague = admin.colleague(stack).await;
    (stack, admin, colleague)
}

fn user(account: &Account) -> String {
    format!("/api/users/{}", account.id)
}

/// A name nobody has, and its address.
fn somebody() -> (String, String) {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("new-{}", COUNT.fetch_add(1, Ordering::Relaxed));
    let email = format!("{name}@example.com");
    (name, email)
}

async fn login(anyone: &Anonymous, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    anyone.ask(Method::POST, "/api/auth/login", Some(body)).await
}

fn names(list: &Value) -> Vec<&str> {
    let users = list["users"].as_array().expect("a list").iter();
    users.map(|user| user["username"].as_str().expect("a name")).collect()
}

/// Takes out of a user what differs between runs, looking at each.
fn redact(user: &mut Value) {
    assert!(hex(take(user, "id").as_str().expect("an id"), 24));
    assert!(take(user, "int_id").as_i64().is_some_and(|number| number > 0));
    for field in ["created_at", "updated_at"] {
        assert!(is_recent(&take(user, field)));
    }
}

fn person(account: &Account, tenant: &str, role: &str) -> Value {
    json!({
        "username": account.username, "email": account.email, "first_name": "", "last_name": "", "display_name": null,
        "avatar_url": null, "tenant_id": tenant, "tenant_name": tenant, "role": role, "machine_role": "", "machine_role_name": "",
        "groups": [], "group_ids": [], "roles": [], "email_verified": false, "enabled": true, "is_active": true, "pending": false,
        "keycloak_id": "", "last_login": null, "last_login_at": null, "invite_accepted_at": null, "must_reset_password": null,
        "mfa_enabled": null
    })
}

#[tokio::test]
async fn administrators_list_the_people_of_their_organization() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let refused = admin.anonymous.ask(Method::GET, "/api/users", None).await.refusal();
    assert_eq!(refused.0, 401);
    let denied = colleague.get("/api/users").await;
    let expected =
        json!({"error": "Admin access required", "detail": "Permission denied: users.view", "code": "forbidden"});
    assert_eq!((denied.status, denied.body), (403, expected));

    let mut list = admin.get("/api/users").await.ok();
    assert!(!list.to_string().contains(&colleague.api_key) && !list.to_string().contains("hash"));
    let mut users = take(&mut list, "users");
    assert_eq!(
        list,
        json!({"total": 2, "page": 1, "limit": 2, "per_page": 2, "total_pages": 1})
    );
    let second = &mut users[1];
    redact(second);
    assert!(is_recent(&take(second, "last_login")) && is_recent(&take(second, "last_login_at")));
    let mut expected = person(&colleague, &admin.username, "user");
    take(&mut expected, "last_login");
    take(&mut expected, "last_login_at");
    expected["must_reset_password"] = json!(false);
    expected["mfa_enabled"] = json!(false);
    assert_eq!(*second, expected);
    assert_eq!(users[0]["roles"][0]["name"], "super-admin");

    assert_eq!(
        names(&stranger.get("/api/users").await.ok()),
        [stranger.username.as_str()]
    );
    let foreign = stranger
        .get(&format!("/api/users?tenant_id={}", admin.username))
        .await
        .ok();
    assert_eq!(
        names(&foreign),
        [stranger.username.as_str()],
        "only a super administrator chooses"
    );
    let found = admin
        .get(&format!("/api/users?search={}", colleague.email.to_uppercase()))
        .await
        .ok();
    assert_eq!(names(&found), [colleague.username.as_str()]);
    let page = admin.get("/api/users?page=2&per_page=1").await.ok();
    assert_eq!(
        (names(&page), &page["total"], &page["total_pages"]),
        (vec![colleague.username.as_str()], &json!(2), &json!(2))
    );
}

#[tokio::test]
async fn an_account_is_read_by_its_id_or_number_and_by_colleagues_in_part() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let mut seen = colleague.get(&user(&admin)).await.ok();
    let mut wrapped = take(&mut seen, "user");
    assert_eq!(seen, wrapped, "wrapped and flat, and no permissions");
    redact(&mut wrapped);
    let roles = take(&mut wrapped, "roles");
    assert_eq!(roles[0]["name"], "super-admin");
    let mut expected = person(&admin, &admin.username, "company_admin");
    take(&mut expected, "roles");
    assert_eq!(wrapped, expected);

    let by_admin = admin.get(&user(&colleague)).await.ok();
    assert_eq!(
        by_admin["permissions"],
        json!(["use_assigned_machines", "view_assigned_machines", "view_own_profile"])
    );
    assert_eq!(by_admin["mfa_enabled"], false);
    assert!(by_admin["last_login"].is_string() && by_admin.get("api_key").is_none());
    let by_number = admin.get(&format!("/api/users/{}", by_admin["int_id"])).await.ok();
    assert_eq!(by_number, by_admin);
    assert_eq!(
        colleague.get(&user(&colleague)).await.ok(),
        by_admin,
        "one's own account is seen whole"
    );

    let unknown = stranger.get("/api/users/00000000000000000000000a").await;
    assert_eq!(
        (unknown.status, &unknown.body["error"]),
        (404, &json!("User not found"))
    );
    for path in [user(&admin), format!("/api/users/{}", by_admin["int_id"])] {
        assert_eq!(stranger.get(&path).await.body, unknown.body);
    }
    assert_eq!(
        admin.get("/api/users/nobody").await.refusal(),
        (400, "Invalid user ID".to_owned())
    );
}

#[tokio::test]
async fn somebody_is_invited_and_accepts() {
    let (stack, admin, colleague) = team().await;
    let (name, email) = somebody();
    let body = json!({"username": name, "email": email.to_uppercase(), "display_name": "Newcomer"});
    assert_eq!(colleague.post("/api/users/invite", body.clone()).await.status, 403);
    let invited = admin.post("/api/users/invite", body.clone()).await;
    assert_eq!(invited.status, 200);
    let invited = invited.body;
    assert_eq!(
        (&invited["invite_sent"], &invited["status"]),
        (&json!(true), &json!("invited"))
    );
    let account = &invited["user"];
    assert_eq!(
        (&account["username"], &account["email"], &account["display_name"]),
        (&json!(name), &json!(email), &json!("Newcomer"))
    );
    assert_eq!(
        (&account["is_active"], &account["pending"], &account["role"]),
        (&json!(false), &json!(true), &json!("user"))
    );
    assert_eq!(invited["token"], invited["invite_token"]);
    let link = letter(stack, &email, "invites you").await.link("/accept-invite/");
    assert_eq!(invited["invite_url"], link);
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
    assert_eq!(resent["status"], "invite_resent");
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
    assert_eq!(
        (&groups["total"], &groups["groups"][0]["name"]),
        (&json!(1), &json!("operators"))
    );
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
async fn nobody_gains_rights_through_the_accounts_of_others() {
    let (stack, admin, colleague) = team().await;
    let stranger = Account::new(stack).await;
    let victim = admin.colleague(stack).await;
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
async fn an_account_is_changed_by_either_apis_fields() {
    let (_, admin, colleague) = team().await;
    let denied = colleague.put(&user(&colleague), json!({"role": "company_admin"})).await;
    assert_eq!(
        (denied.status, &denied.body["detail"]),
        (403, &json!("Permission denied: users.edit"))
    );
    let body =
        json!({"first_name": "Col", "last_name": "League", "machine_role": "non-sudo", "email": "NEW.Col@Example.com"});
    let changed = admin.put(&user(&colleague), body).await.ok();
    for (field, value) in [
        ("first_name", "Col"),
        ("display_name", "Col League"),
        ("machine_role", "non_sudo"),
        ("machine_role_name", "non-sudo"),
        ("email", "new.col@example.com"),
    ] {
        assert_eq!(
            (&changed[field], &changed["user"][field]),
            (&json!(value), &json!(value)),
            "{field}"
        );
    }
    assert_eq!(
        admin
            .put(&user(&colleague), json!({"display_name": "Collie"}))
            .await
            .ok()["display_name"],
        "Collie"
    );
    let taken = admin
        .put(&user(&colleague), json!({"email": admin.email}))
        .await
        .refusal();
    assert_eq!(taken, (400, "Email already in use".to_owned()));
    for field in ["enabled", "is_active"] {
        let own = admin.put(&user(&admin), json!({field: false})).await.refusal();
        assert_eq!(own, (400, "Cannot deactivate your own account".to_owned()));
        let off = admin.put(&user(&colleague), json!({field: false})).await.ok();
        assert_eq!((&off["enabled"], &off["is_active"]), (&json!(false), &json!(false)));
        assert_eq!(
            login(&admin.anonymous, "new.col@example.com", PASSWORD).await.status,
            401
        );
        admin.put(&user(&colleague), json!({field: true})).await.ok();
        login(&admin.anonymous, "new.col@example.com", PASSWORD).await.ok();
    }
    assert_eq!(
        colleague.get("/api/auth/me").await.status,
        401,
        "a token from before stays dead"
    );
    let log = admin.get("/api/audit?action=user_updated").await.ok();
    let details = &log["logs"][log["logs"].as_array().map_or(0, Vec::len) - 1]["details"];
    assert_eq!(
        details["email"],
        json!({"old": colleague.email, "new": "new.col@example.com"})
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
    let other = admin.colleague(stack).await;
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
    assert_eq!(assigned["user"]["id"], colleague.id);
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
async fn who_is_deleted_is_gone_and_their_machines_stay() {
    let (_, admin, colleague) = team().await;
    let machine = colleague.post("/api/machines", json!({"name": "theirs"})).await.ok();
    assert_eq!(colleague.delete(&user(&admin)).await.status, 403);
    let own = admin.delete(&user(&admin)).await;
    assert_eq!(
        (own.status, &own.body["error"]),
        (400, &json!("Cannot delete your own account"))
    );
    let gone = admin.delete(&user(&colleague)).await.ok();
    assert_eq!(
        gone,
        json!({"message": "User deleted successfully", "status": "deactivated"})
    );
    assert_eq!(colleague.get("/api/auth/me").await.status, 401);
    assert_eq!(login(&admin.anonymous, &colleague.email, PASSWORD).await.status, 401);
    assert_eq!(
        admin.get(&user(&colleague)).await.refusal(),
        (404, "User not found".to_owned())
    );
    assert_eq!(names(&admin.get("/api/users").await.ok()), [admin.username.as_str()]);
    let kept = admin
        .get(&format!(
            "/api/machines/{}",
            machine["agent_id"].as_str().expect("an id")
        ))
        .await
        .ok();
    assert_eq!(
        (&kept["owner_id"], &kept["registration_token"]),
        (&json!(admin.id), &Value::Null)
    );
    let log = admin.get("/api/audit?action=user_deleted").await.ok();
    assert_eq!(
        log["logs"][0]["details"],
        json!({"username": colleague.username, "email": colleague.email})
    );
    let body = json!({"username": colleague.username, "email": colleague.email});
    assert_eq!(
        admin.post("/api/users", body).await.refusal(),
        (400, "Username already exists".to_owned())
    );
    let (name, _) = somebody();
    admin
        .post("/api/users", json!({"username": name, "email": colleague.email}))
        .await
        .ok();
}

#[tokio::test]
async fn an_open_terminal_ends_when_its_owner_is_demoted_disabled_or_deleted() {
    let world = World::shared().await;
    for (index, what) in ["demoted", "disabled", "deleted"].into_iter().enumerate() {
        let other = world.owner.colleague(world.stack).await;
        world
            .owner
            .put(&user(&other), json!({"role": "company_admin"}))
            .await
            .ok();
        let mut viewer = Viewer::attached(&other, &world.agent, &format!("users-{index}")).await;
        viewer.run("echo here-$((40+2))", "here-42").await;
        let (answer, then) = match what {
            "demoted" => (world.owner.put(&user(&other), json!({"role": "user"})).await, 403),
            "disabled" => (world.owner.put(&user(&other), json!({"is_active": false})).await, 401),
            _ => (world.owner.delete(&user(&other)).await, 401),
        };
        answer.ok();
        assert_eq!(viewer.wait_closed().await.0, 1008, "{what}");
        let next = other.get(&format!("/api/machines/{}", world.agent.agent_id)).await;
        assert_eq!(next.status, then, "{what}");
    }
}
