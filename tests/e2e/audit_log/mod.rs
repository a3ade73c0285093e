//! The audit log: who may read it, what it says, and that changing it does not stay hidden.
mod refused;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::{Account, send};
use crate::support::cli::Cli;
use crate::support::redact::{hex, is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{allow, join, super_admin};
use crate::support::wait::eventually;

/// Every route of the log.
const ROUTES: [&str; 6] = [
    "/api/audit",
    "/api/audit-logs",
    "/api/audit/tenants",
    "/api/audit-logs/tenants",
    "/api/audit/export",
    "/api/audit/verify",
];

/// An administrator, and somebody in the same organization who has no rights there.
async fn team(stack: &Stack) -> (Account, Account) {
    let admin = Account::new(stack).await;
    let colleague = join(stack, &admin, "user").await;
    (admin, colleague)
}

/// The refused attempts of an organization, the newest first, once there are so many: they are written after the answer.
async fn denied(reader: &Account, count: usize) -> Value {
    let what = format!("{count} refused attempts in the log");
    eventually(&what, async || {
        let log = reader.get("/api/audit?action=denied&limit=200").await.ok();
        (log["total"] == count).then_some(log)
    })
    .await
}

/// What differs between runs, taken out of an entry.
fn settled(mut entry: Value) -> Value {
    assert!(take(&mut entry, "int_id").as_i64() > Some(0));
    for (field, digits) in [("organization_id", 24), ("id", 24), ("hash", 64)] {
        assert!(hex(take(&mut entry, field).as_str().expect("text"), digits), "{field}");
    }
    let created_at = take(&mut entry, "created_at");
    assert!(is_recent(&created_at));
    assert_eq!(take(&mut entry, "timestamp"), created_at);
    assert_eq!(take(&mut entry, "ip_address"), "127.0.0.1");
    entry
}

#[tokio::test]
async fn the_log_is_for_those_who_may_read_it() {
    let stack = Stack::shared().await;
    let (admin, colleague) = team(stack).await;
    let stranger = Account::new(stack).await;
    for path in ROUTES {
        let answer = admin.anonymous.ask(Method::GET, path, None).await;
        let text = "Authorization header required";
        let expected = json!({"error": text, "detail": text, "code": "unauthorized"});
        assert_eq!((answer.status, answer.body), (401, expected), "{path}");

        let answer = colleague.get(path).await;
        let detail = match path.ends_with("tenants") {
            true => "Permission denied: administrators only",
            false => "Permission denied: system.audit_log",
        };
        let expected = json!({"error": "Admin access required", "detail": detail, "code": "forbidden"});
        assert_eq!((answer.status, answer.body), (403, expected), "{path}");
    }
    denied(&admin, ROUTES.len()).await;
    let log = stranger.get("/api/audit?action=denied").await.ok();
    assert_eq!(log["total"], 0, "{log:#}");

    let tenant = |account: &Account| json!({"tenants": [{"tenant_id": account.username, "tenant_name": account.username}], "next": null});
    for account in [&admin, &stranger] {
        for path in ["/api/audit/tenants", "/api/audit-logs/tenants"] {
            assert_eq!(account.get(path).await.ok(), tenant(account));
        }
    }
    let foreign = stranger
        .get(&format!("/api/audit?action=denied&tenant_id={}", admin.username))
        .await
        .ok();
    assert_eq!(foreign["total"], 0, "only a super administrator chooses");
}

#[tokio::test]
async fn an_entry_says_who_did_what_from_where() {
    let stack = Stack::shared().await;
    let (admin, colleague) = team(stack).await;
    let request = colleague
        .request(Method::GET, "/api/audit?q=secret-in-the-query")
        .header("user-agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0");
    assert_eq!(send(request).await.status, 403);

    denied(&admin, 1).await;
    let mut page = admin.get("/api/audit?action=denied&limit=1").await.ok();
    for list in ["logs", "entries"] {
        let entry = page[list][0].take();
        page[list][0] = settled(entry);
    }
    let entry = json!({
        "user_id": colleague.id, "username": colleague.username, "tenant_id": admin.username, "action": "denied",
        "resource": "audit", "resource_type": "audit", "resource_id": null, "status": "failure", "response_status": 403,
        "severity": "warning", "method": "GET", "endpoint": "/api/audit",
        "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/120.0", "browser": "Firefox", "os": "Linux", "source": "ui",
        "error": "Admin access required", "details": {}, "request_body": null
    });
    // The kind of thing for one published reader, a path for the other.
    let expected = json!({
        "logs": [entry], "entries": [entry], "total": 1, "page": 1, "limit": 1, "per_page": 1, "total_pages": 1
    });
    assert_eq!(page, expected);
    let loud = admin.get("/api/audit?severity=loud").await.refusal();
    assert_eq!(loud, (400, "severity must be info, warning or critical".to_owned()));
    for (query, status) in [
        ("from=yesterday", 400),
        ("to=2026-13-01", 400),
        ("from=2026-01-01&to=2026-01-31T12:00:00Z", 200),
    ] {
        assert_eq!(
            admin.get(&format!("/api/audit?{query}")).await.status,
            status,
            "{query}"
        );
    }
}

#[tokio::test]
async fn entries_are_found_by_their_severity() {
    let stack = Stack::shared().await;
    let (admin, colleague) = team(stack).await;
    colleague.get("/api/audit").await;
    denied(&admin, 1).await;
    let created = admin.post("/api/machines", json!({"name": "short"})).await.ok();
    let agent_id = created["agent_id"].as_str().expect("an agent id");
    admin.delete(&format!("/api/machines/{agent_id}")).await.ok();
    let whole = admin.get("/api/audit?limit=200").await.ok();
    let mut found = 0;
    let expected = [
        ("info", "machine_created"),
        ("warning", "denied"),
        ("critical", "machine_deleted"),
    ];
    for (severity, action) in expected {
        let log = admin.get(&format!("/api/audit?severity={severity}")).await.ok();
        let entries = log["logs"].as_array().expect("a list");
        assert!(entries.iter().all(|entry| entry["severity"] == severity), "{log:#}");
        assert!(entries.iter().any(|entry| entry["action"] == action), "{log:#}");
        found += entries.len();
    }
    assert_eq!(whole["total"], found);
    // Only now, as each export is an entry itself.
    for (severity, action) in expected {
        let exported = admin
            .get(&format!("/api/audit/export?severity={severity}&action={action}"))
            .await
            .ok();
        assert_eq!(exported.as_array().map(Vec::len), Some(1), "{severity}");
    }
}

#[tokio::test]
async fn a_role_lets_somebody_read_export_and_verify_the_log() {
    let stack = Stack::shared().await;
    let (admin, auditor) = team(stack).await;
    allow(&admin, &auditor, &["system.audit_log"]).await;
    let exported = auditor.get("/api/audit/export").await.ok();
    let log = auditor.get("/api/audit?limit=200").await.ok();
    assert_eq!(auditor.get("/api/audit-logs?limit=200").await.ok(), log);
    let mut entries = log["logs"].as_array().expect("a list").clone();
    assert_eq!(entries[0]["action"], "audit_exported");
    let head = entries[0]["hash"].clone();
    entries.reverse();
    assert_eq!(
        exported,
        json!(entries),
        "the export holds what the list does, and itself"
    );

    let report = auditor.get("/api/audit/verify").await.ok();
    let mut expected = json!({
        "valid": true, "entries": entries.len(), "unsealed": 0, "unauthenticated": 0, "head": head, "broken_at": null, "next": null
    });
    assert_eq!(report, expected);
    let behind = auditor
        .get(&format!("/api/audit/verify?after={}", entries[0]["int_id"]))
        .await
        .ok();
    expected["entries"] = json!(entries.len() - 1);
    assert_eq!(behind, expected);
    for (after, status) in [("x", 400), ("0", 404)] {
        assert_eq!(
            auditor
                .get(&format!("/api/audit/verify?after={after}"))
                .await
                .refusal()
                .0,
            status
        );
    }
    let stranger = Account::new(stack).await;
    let foreign = stranger
        .get(&format!("/api/audit/verify?after={}", entries[0]["int_id"]))
        .await;
    assert_eq!(foreign.refusal().0, 404, "another organization's entry is none");
    assert_eq!(auditor.get("/api/audit/tenants").await.status, 403);
}

#[tokio::test]
async fn super_administrators_read_every_log_or_the_one_they_choose() {
    let stack = Stack::shared().await;
    let (admin, colleague) = team(stack).await;
    let root = super_admin(stack).await;
    colleague.get("/api/audit").await;
    let denied = denied(&admin, 1).await;
    let by_name = format!("/api/audit?action=denied&username={}", colleague.username);
    assert_eq!(root.get(&by_name).await.ok()["logs"], denied["logs"]);
    let chosen = root
        .get(&format!("/api/audit?action=denied&tenant_id={}", admin.username))
        .await
        .ok();
    assert_eq!(chosen["logs"], denied["logs"]);
    let own = root
        .get(&format!("/api/audit?action=denied&tenant_id={}", root.username))
        .await
        .ok();
    assert_eq!(own["total"], 0);
    let login = json!({"email": "nobody@nowhere.example", "password": "wrong and long"});
    assert_eq!(
        root.anonymous.ask(Method::POST, "/api/login", Some(login)).await.status,
        401
    );
    let nobodys = root.get("/api/audit?tenant_id=-&action=login_failed").await.ok();
    assert_eq!(
        (&nobodys["logs"][0]["tenant_id"], &nobodys["logs"][0]["user_id"]),
        (&json!(""), &Value::Null)
    );
    for path in ["/api/audit", "/api/audit/export", "/api/audit/verify"] {
        let unknown = root.get(&format!("{path}?tenant_id=no-such")).await.refusal();
        assert_eq!(unknown, (404, "Organization not found".to_owned()), "{path}");
        assert_eq!(
            admin.get(&format!("{path}?tenant_id=no-such")).await.status,
            200,
            "others read their own"
        );
    }
    let tenants = root.get("/api/audit/tenants").await.ok();
    let tenants = tenants["tenants"].as_array().expect("a list");
    for account in [&admin, &root] {
        let tenant = json!({"tenant_id": account.username, "tenant_name": account.username});
        assert!(tenants.contains(&tenant), "{tenants:#?}");
    }
}

#[tokio::test]
async fn the_log_is_exported_whole_however_long_it_is() {
    let stack = Stack::start(&[]).await;
    let (admin, colleague) = team(&stack).await;
    colleague.get("/api/audit").await;
    denied(&admin, 1).await;
    // Sessions that ended: the only entries that the server writes of what it finds in the database.
    stack.sql(&format!(
        "WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 2500)
         INSERT INTO session_ends (organization_id, user_id, username, machine_id, ip_address, user_agent, source, details, ended_at)
         SELECT organization_id, id, '=1+1', id, '', '', 'ui', '{{\"n\":' || n || '}}', '2026-01-01T00:00:00.000Z'
         FROM n, users WHERE users.id = '{}'",
        admin.id
    ));
    eventually("all ends to be in the log", async || {
        let log = admin.get("/api/audit?action=session_ended&limit=1").await.ok();
        (log["total"] == 2500).then_some(())
    })
    .await;
    let exported = admin.get("/api/audit/export").await;
    let disposition = exported.headers["content-disposition"].to_str().expect("text");
    assert_eq!(disposition, "attachment; filename=\"audit.json\"");
    let entries = exported.ok();
    let entries = entries.as_array().expect("an array");
    let numbers: Vec<i64> = entries
        .iter()
        .map(|entry| entry["int_id"].as_i64().expect("a number"))
        .collect();
    assert!(numbers.len() >= 2500 && numbers.is_sorted_by(|a, b| a < b));
    assert!(entries.iter().all(|entry| entry["hash"].is_string()));

    let csv = admin.get("/api/audit/export?format=csv&username=%3D1%2B1").await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    let text = csv.ok();
    let lines: Vec<&str> = text.as_str().expect("text").lines().collect();
    assert_eq!(lines.len(), 2501);
    assert!(
        lines[0].starts_with("int_id,id,created_at,") && lines[1].contains(",'=1+1,"),
        "{}",
        lines[1]
    );
    assert_eq!(admin.get("/api/audit/export?format=xml").await.refusal().0, 400);

    let report = admin.get("/api/audit/verify").await.ok();
    assert_eq!(
        (&report["valid"], &report["unsealed"], &report["next"]),
        (&json!(true), &json!(0), &Value::Null),
        "{report}"
    );
    assert!(report["entries"].as_u64() > Some(2500), "{report}");
}

#[tokio::test]
async fn the_people_are_exported_for_those_who_may_see_them() {
    let stack = Stack::shared().await;
    let (admin, colleague) = team(stack).await;
    assert_eq!(colleague.get("/api/users/export").await.status, 403);
    let users = admin.get("/api/users/export").await.ok();
    let names: Vec<&Value> = users
        .as_array()
        .expect("an array")
        .iter()
        .map(|user| &user["username"])
        .collect();
    assert_eq!(names, [&json!(admin.username), &json!(colleague.username)]);
    let text = users.to_string();
    assert!(!text.contains("hash") && !text.contains(&admin.api_key), "{text}");
    let csv = admin.get("/api/users/export?format=csv").await.ok();
    assert_eq!(csv.as_str().expect("text").lines().count(), 3);
}

#[tokio::test]
async fn whoever_changes_the_log_is_found_out() {
    let stack = Stack::start(&[]).await;
    let (admin, colleague) = team(&stack).await;
    for _ in 0..3 {
        colleague.get("/api/audit").await;
    }
    denied(&admin, 3).await;
    let cli = Cli::signed_in(&admin, &stack.url).await;
    let export = cli.run(&["audit", "export"], "").await;
    let file = cli.config().with_file_name("audit.json");
    std::fs::write(&file, &export.out).expect("a file");
    let file = file.to_str().expect("a path");
    for args in [&["audit", "verify"][..], &["audit", "verify", file]] {
        let said = cli.run(args, "").await;
        assert!(said.status == 0 && said.out.contains("entries in order"), "{said:?}");
    }

    let at = denied(&admin, 3).await["logs"][1]["int_id"].as_i64().expect("a number");
    let refused = stack.try_sql(&format!("UPDATE audit_log SET username = 'eve' WHERE int_id = {at}"));
    assert!(refused.is_err_and(|error| error.contains("never changed")));
    stack.sql("DROP TRIGGER audit_log_is_not_changed");
    stack.sql(&format!("UPDATE audit_log SET username = 'eve' WHERE int_id = {at}"));
    let report = admin.get("/api/audit/verify").await.ok();
    assert_eq!(
        (&report["valid"], &report["broken_at"]["int_id"]),
        (&json!(false), &json!(at)),
        "{report}"
    );
    let said = cli.run(&["audit", "verify"], "").await;
    assert!(
        said.status == 1 && said.out.contains(&format!("BROKEN at entry {at}")),
        "{said:?}"
    );
    // What was exported before is still proof of what it said.
    assert_eq!(cli.run(&["audit", "verify", file], "").await.status, 0);
}

#[tokio::test]
async fn whoever_writes_to_the_database_has_nothing_sealed() {
    for (forgery, says) in [
        (
            "UPDATE audit_log SET username = 'eve', hash = NULL WHERE action = 'denied'",
            "not as this server wrote it",
        ),
        (
            "INSERT INTO audit_log SELECT NULL, 'forged', organization_id, user_id, username, 'login', resource, resource_id, status,
               response_status, method, endpoint, ip_address, user_agent, source, error, details, created_at, NULL, NULL
             FROM audit_log WHERE action = 'denied'",
            "This server did not write it",
        ),
    ] {
        let stack = Stack::start(&[]).await;
        let (admin, colleague) = team(&stack).await;
        colleague.get("/api/audit").await;
        denied(&admin, 1).await;
        let cli = Cli::signed_in(&admin, &stack.url).await;
        assert_eq!(cli.run(&["audit", "verify"], "").await.status, 0);
        stack.sql("DROP TRIGGER audit_log_is_not_changed");
        stack.sql(forgery);
        stack.scheduled("");
        let report = admin.get("/api/audit/verify").await.ok();
        assert_eq!(report["valid"], false, "{report}");
        let reason = report["broken_at"]["reason"].as_str().expect("a reason");
        assert!(reason.contains(says), "{reason}");
        let said = cli.run(&["audit", "verify"], "").await;
        assert!(said.status == 1 && said.out.contains(says), "{said:?}");
    }
}

#[tokio::test]
async fn an_entry_says_how_it_was_answered_and_what_was_made() {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let name = |word: &str| format!("{word}-{}", admin.username);
    let user = json!({"username": name("u"), "email": format!("{}@example.com", name("u")), "password": "a long and good one",
        "first_name": "U", "last_name": "V"});
    let invited = json!({"username": name("i"), "email": format!("{}@example.com", name("i"))});
    for (path, body, action, collection) in [
        ("/api/roles", json!({"name": "ops"}), "role.create", "roles"),
        ("/api/groups", json!({"name": "ops"}), "group_created", "groups"),
        ("/api/machines", json!({"name": "web"}), "machine_created", "machines"),
        ("/api/users", user, "user_created", "users"),
        ("/api/users", invited, "user.invite", "users"),
        ("/api/api-keys", json!({"name": "ci"}), "api_key_created", "users"),
    ] {
        let answer = admin.post(path, body).await;
        assert!(matches!(answer.status, 200 | 201), "{path}: {answer:#?}");
        let page = admin.get(&format!("/api/audit?action={action}&limit=1")).await.ok();
        let (log, entry) = (&page["logs"][0], &page["entries"][0]);
        assert_eq!(log["response_status"], answer.status, "{log:#}");
        let id = log["resource_id"].as_str().expect("what was made");
        assert_eq!(entry["resource"], format!("{collection}/{id}"));
        assert_eq!(log["resource"], log["resource_type"]);
        assert!(answer.body.to_string().contains(id), "{id}: {}", answer.body);
    }
}
