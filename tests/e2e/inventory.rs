//! The inventory: things of the types that come with the product and of an organization's own, tags, rules, and who may do what.
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::redact::{is_recent, take};
use crate::support::stack::Stack;
use crate::support::team::{allow, join};

struct Team {
    admin: Account,
    /// Somebody with a role that allows nothing yet, and that role's number.
    somebody: Account,
    role: Value,
}

async fn team() -> Team {
    let stack = Stack::shared().await;
    let admin = Account::new(stack).await;
    let somebody = join(stack, &admin, "user").await;
    let role = allow(&admin, &somebody, &[]).await["id"].clone();
    Team { admin, somebody, role }
}

impl Team {
    async fn server(&self, hostname: &str) -> String {
        let body = json!({"data": {"hostname": hostname}});
        self.admin.post("/api/inventory/server", body).await.ok()["id"].to_string()
    }

    /// What the role allows from now on.
    async fn allows(&self, codenames: &[&str]) {
        let catalogue = self.admin.get("/api/roles/permissions").await.ok();
        let families = catalogue["permissions"].as_object().expect("families");
        let all = families.values().flat_map(|family| family.as_array().expect("a list"));
        let ids: Vec<&Value> = all
            .filter(|permission| codenames.iter().any(|name| permission["codename"] == *name))
            .map(|permission| &permission["id"])
            .collect();
        assert_eq!(ids.len(), codenames.len());
        let path = format!("/api/roles/{}", self.role);
        self.admin.put(&path, json!({"permission_ids": ids})).await.ok();
    }

    async fn rule(&self, object: &str, permission: &str, effect: &str) -> String {
        let body = json!({"role_id": self.role, "permission": permission, "effect": effect});
        let made = self
            .admin
            .post(&format!("/api/inventory/server/{object}/acl"), body)
            .await
            .ok();
        assert_eq!(
            (&made["permission"], &made["effect"]),
            (&json!(permission), &json!(effect))
        );
        made["id"].to_string()
    }
}

#[tokio::test]
async fn types_are_listed_for_everybody_with_fields_actions_and_source() {
    let team = team().await;
    let types = team.somebody.get("/api/inventory/types").await.ok();
    let slugs: Vec<&str> = types["types"]
        .as_array()
        .expect("types")
        .iter()
        .map(|of| of["slug"].as_str().expect("a slug"))
        .collect();
    assert_eq!(slugs, ["credential", "deployment", "server", "service", "user"]);
    let mut server = team.somebody.get("/api/inventory/types/server").await.ok();
    assert!(take(&mut server, "id").is_i64() && is_recent(&server["created_at"]));
    assert_eq!(server["fields"][0]["name"], "hostname");
    assert_eq!(
        server["actions"][0],
        json!({"name": "ssh", "label": "SSH", "type": "ssh", "scope": "object", "icon": "terminal", "destructive": false})
    );
    assert_eq!(server["sync"], json!({"source": "vultr_inventory"}));
    let missing = team.somebody.get("/api/inventory/types/rack").await.refusal();
    assert_eq!(missing, (404, "Inventory type 'rack' not found".to_owned()));
}

#[tokio::test]
async fn a_thing_is_made_found_changed_and_removed() {
    let team = team().await;
    let admin = &team.admin;
    let body = json!({"data": {"hostname": "alpha", "ip_address": "10.0.0.1", "rack": 7}});
    let mut made = admin.post("/api/inventory/server", body).await.ok();
    let id = take(&mut made, "id");
    assert!(id.as_i64().is_some_and(|id| id > 0));
    for time in ["created_at", "updated_at"] {
        assert!(is_recent(&take(&mut made, time)), "{time}");
    }
    assert!(take(&mut made, "type_id").is_i64());
    assert_eq!(
        made,
        json!({"type_slug": "server", "name": "alpha", "data": {"hostname": "alpha", "ip_address": "10.0.0.1", "rack": 7}, "tags": [],
            "created_by": admin.id, "may": ["view", "edit", "delete", "ssh", "refresh", "stop", "destroy"], "acl_rules": []})
    );
    let refusals = [
        (json!({"data": {}}), 400, "Missing required field: hostname"),
        (
            json!({"data": {"hostname": "alpha"}}),
            409,
            "Duplicate value for unique field: hostname",
        ),
        (
            json!({"data": {"hostname": "b", "power_status": "on"}}),
            400,
            "data.power_status must be one of running, stopped, suspended, unknown",
        ),
        (json!({}), 400, "data is required"),
    ];
    for (body, status, words) in refusals {
        assert_eq!(
            admin.post("/api/inventory/server", body).await.refusal(),
            (status, words.to_owned())
        );
    }
    team.server("beta").await;
    let all = admin.get("/api/inventory/server").await.ok();
    assert_eq!(
        (&all["total"], &all["page"], &all["per_page"]),
        (&json!(2), &json!(1), &json!(100))
    );
    assert_eq!(all["objects"][0]["name"], "beta");
    let found = admin.get("/api/inventory/server?search=ALPHA").await.ok();
    assert_eq!((&found["total"], &found["objects"][0]["id"]), (&json!(1), &id));
    let by = admin
        .get("/api/inventory/server?sort=hostname&per_page=1&f.ip_address=10.0.0.1")
        .await
        .ok();
    assert_eq!((&by["total"], &by["objects"][0]["id"]), (&json!(1), &id));
    let wrong = admin.get("/api/inventory/server?sort=notes").await.refusal();
    assert_eq!(
        wrong,
        (
            400,
            "sort must be id or a field of the type that has an order, which notes is not".to_owned()
        )
    );

    let path = format!("/api/inventory/server/{id}");
    let changed = admin
        .put(&path, json!({"data": {"region": "mel", "vultr_id": "not me"}}))
        .await
        .ok();
    assert_eq!(
        changed["data"],
        json!({"hostname": "alpha", "ip_address": "10.0.0.1", "rack": 7, "region": "mel"})
    );
    let taken = admin.put(&path, json!({"data": {"hostname": "beta"}})).await.refusal();
    assert_eq!(taken, (409, "Duplicate value for unique field: hostname".to_owned()));
    assert_eq!(admin.delete(&path).await.ok(), json!({"status": "deleted"}));
    assert_eq!(admin.get(&path).await.refusal(), (404, "Object not found".to_owned()));
    let log = admin.get("/api/audit?per_page=200").await.ok();
    let actions: Vec<(&str, &str)> = log["entries"]
        .as_array()
        .expect("entries")
        .iter()
        .map(|entry| {
            (
                entry["action"].as_str().unwrap_or_default(),
                entry["resource"].as_str().unwrap_or_default(),
            )
        })
        .filter(|(action, _)| action.starts_with("inventory."))
        .collect();
    let of = format!("inventory/server/{id}");
    assert_eq!(actions.first(), Some(&("inventory.delete", of.as_str())));
    assert!(
        actions.contains(&("inventory.create", of.as_str())) && actions.contains(&("inventory.update", of.as_str())),
        "{actions:?}"
    );
}

#[tokio::test]
async fn whoever_has_no_right_sees_and_makes_nothing() {
    let team = team().await;
    let id = team.server("alpha").await;
    let denied = |words: &str| (403, words.to_owned());
    let list = team.somebody.get("/api/inventory/server").await.refusal();
    assert_eq!(list, denied("Permission denied"));
    let one = team
        .somebody
        .get(&format!("/api/inventory/server/{id}"))
        .await
        .refusal();
    assert_eq!(one, denied("Permission denied: inventory.server.view"));
    let body = json!({"data": {"hostname": "x"}});
    let made = team
        .somebody
        .post("/api/inventory/server", body.clone())
        .await
        .refusal();
    assert_eq!(made, denied("Permission denied: inventory.server.create"));
    let nowhere = team.admin.post("/api/inventory/rack", body).await.refusal();
    assert_eq!(nowhere, (404, "Inventory type 'rack' not found".to_owned()));
    team.allows(&["inventory.server.view", "inventory.server.create"]).await;
    assert_eq!(team.somebody.get("/api/inventory/server").await.ok()["total"], 1);
    let made = team
        .somebody
        .post("/api/inventory/server", json!({"data": {"hostname": "x"}}))
        .await
        .ok();
    assert_eq!(made["may"], json!(["view"]));
}

#[tokio::test]
async fn rules_open_and_close_single_things_and_lists_know_it() {
    let team = team().await;
    let (one, two) = (team.server("one").await, team.server("two").await);
    let at = |id: &str| format!("/api/inventory/server/{id}");
    assert_eq!(team.admin.get(&at(&one)).await.ok()["acl_rules"], json!([]));
    let allow = team.rule(&one, "view", "allow").await;
    assert_eq!(team.somebody.get(&at(&one)).await.ok()["may"], json!(["view"]));
    assert_eq!(team.somebody.get(&at(&two)).await.status, 403);
    let list = team.somebody.get("/api/inventory/server").await.ok();
    assert_eq!(
        (&list["total"], list["objects"].as_array().map(Vec::len)),
        (&json!(1), Some(1))
    );
    // What denies counts before what allows, and for all who have the role, whatever else they hold.
    team.allows(&["inventory.server.view"]).await;
    let deny = team.rule(&one, "view", "deny").await;
    assert_eq!(team.somebody.get(&at(&one)).await.status, 403);
    assert_eq!(team.somebody.get("/api/inventory/server").await.ok()["total"], 1);
    assert_eq!(team.admin.get("/api/inventory/server").await.ok()["total"], 2);
    for rule in [allow, deny] {
        let path = format!("{}/acl/{rule}", at(&one));
        assert_eq!(team.admin.delete(&path).await.ok(), json!({"status": "deleted"}));
        assert_eq!(
            team.admin.delete(&path).await.refusal(),
            (404, "ACL rule not found".to_owned())
        );
    }
    assert_eq!(team.somebody.get("/api/inventory/server").await.ok()["total"], 2);
    let path = format!("{}/acl", at(&one));
    let rules = json!({"rules": [{"role_id": team.role, "permission": "ssh"}, {"role_id": team.role, "permission": "view", "effect": "deny"}]});
    let set = team.admin.post(&path, rules).await.ok();
    assert_eq!(set["acl_rules"], set["acl"]);
    assert_eq!(set["acl"].as_array().map(Vec::len), Some(2));
    assert_eq!(team.somebody.get(&path).await.status, 403);
    for (body, status, words) in [
        (json!({"role_id": 999_999, "permission": "view"}), 404, "Role not found"),
        (
            json!({"role_id": team.role, "permission": "fly"}),
            400,
            "permission must be view, edit, delete, reveal or the name of an action of the type",
        ),
        (
            json!({"role_id": team.role, "permission": "view", "effect": "maybe"}),
            400,
            "effect must be one of allow, deny",
        ),
    ] {
        let refused = team.admin.post(&path, body).await;
        assert_eq!(refused.status, status);
        assert!(
            refused.body["error"]
                .as_str()
                .is_some_and(|text| text.starts_with(words) || text == "effect must be allow or deny"),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn nobody_gives_what_they_lack_by_a_rule_a_tag_or_by_lifting_one() {
    let team = team().await;
    let id = team.server("one").await;
    let at = |rest: &str| format!("/api/inventory/server/{id}{rest}");
    team.allows(&[
        "inventory.server.view",
        "inventory.server.edit",
        "inventory.tags.manage",
    ])
    .await;
    let grant = |permission: &str| json!({"role_id": team.role, "permission": permission});
    let refused = team.somebody.post(&at("/acl"), grant("delete")).await.refusal();
    assert_eq!(refused, (403, "You may not delete this yourself".to_owned()));
    team.somebody.post(&at("/acl"), grant("edit")).await.ok();
    // A tag that lets its role delete things is not to be had by whoever may only edit.
    let tag = team
        .admin
        .post("/api/inventory/tags", json!({"name": "doomed", "color": "#ff0000"}))
        .await
        .ok()["id"]
        .to_string();
    let path = format!("/api/inventory/tags/{tag}/permissions");
    team.admin.post(&path, grant("delete")).await.ok();
    let tags = json!({"tag_ids": [tag.parse::<i64>().expect("a number")]});
    for refused in [
        team.somebody.post(&at("/tags"), tags.clone()).await,
        team.somebody.put(&at(""), tags.clone()).await,
    ] {
        assert_eq!(refused.status, 403, "{refused:?}");
    }
    assert_eq!(
        team.admin.post(&at("/tags"), tags).await.ok()["tags"][0]["name"],
        "doomed"
    );
    assert_eq!(
        team.somebody.get(&at("")).await.ok()["may"],
        json!(["view", "edit", "delete"])
    );
    // Nor is a rule lifted by whom it keeps away.
    let deny = team.rule(&id, "delete", "deny").await;
    team.allows(&["inventory.server.view", "inventory.server.edit", "inventory.acl.manage"])
        .await;
    let refused = team.somebody.delete(&at(&format!("/acl/{deny}"))).await.refusal();
    assert_eq!(refused, (403, "You may not delete this yourself".to_owned()));
    assert_eq!(team.somebody.post(&at("/acl"), json!({"rules": []})).await.status, 403);
    // And who manages tags' permissions holds what they give with all types.
    let refused = team.somebody.post(&path, grant("view")).await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[tokio::test]
async fn a_right_over_one_thing_leads_nowhere_else() {
    let team = team().await;
    let (mine, other) = (team.server("mine").await, team.server("other").await);
    let at = |id: &str| format!("/api/inventory/server/{id}");
    team.allows(&["inventory.server.view", "inventory.server.edit"]).await;
    team.rule(&mine, "ssh", "allow").await;
    let change = async |data: Value| team.somebody.put(&at(&mine), json!({"data": data})).await;
    assert_eq!(
        change(json!({"hostname": "third"})).await.refusal(),
        (
            403,
            "hostname leads ssh elsewhere: you may ssh this one alone, and changing it takes inventory.server.ssh"
                .to_owned()
        )
    );
    let same = change(json!({"hostname": "mine", "notes": "rack 4"})).await.ok();
    assert_eq!(same["data"]["notes"], "rack 4");
    let renamed = team
        .somebody
        .put(&at(&other), json!({"data": {"hostname": "third"}}))
        .await
        .ok();
    assert_eq!(
        renamed["data"]["hostname"], "third",
        "who gains nothing by it renames it"
    );
    // Nor does a type of its own open what a rule about the server of that name keeps closed.
    let kvm = json!({"slug": "kvm", "label": "KVM", "fields": [{"name": "hostname", "type": "string"}],
        "actions": [{"name": "ssh", "type": "ssh"}]});
    assert_eq!(team.admin.post("/api/inventory/types", kvm).await.status, 201);
    let data = json!({"data": {"hostname": "third"}});
    let kvm = team.admin.post("/api/inventory/kvm", data).await.ok()["id"].to_string();
    team.allows(&["inventory.kvm.ssh", "inventory.server.ssh"]).await;
    let opens = async || {
        team.somebody
            .get(&format!("/api/inventory/ws/{kvm}/action"))
            .await
            .refusal()
    };
    let no_runner = (404, "No SSH credentials found for third".to_owned());
    assert_eq!(opens().await, no_runner);
    team.rule(&other, "ssh", "deny").await;
    assert_eq!(opens().await, (403, "Permission denied: SSH access".to_owned()));
}

#[tokio::test]
async fn tags_are_made_worn_counted_and_removed() {
    let team = team().await;
    let admin = &team.admin;
    let mut made = admin
        .post("/api/inventory/tags", json!({"name": " web ", "color": "#e8984a"}))
        .await
        .ok();
    let tag = take(&mut made, "id");
    assert_eq!(made, json!({"name": "web", "color": "#e8984a"}));
    let twice = admin
        .post("/api/inventory/tags", json!({"name": "web"}))
        .await
        .refusal();
    assert_eq!(twice, (409, "Tag already exists".to_owned()));
    let body = json!({"data": {"hostname": "worn"}, "tag_ids": [tag, 999_999]});
    let object = admin.post("/api/inventory/server", body).await.ok();
    assert_eq!(object["tags"], json!([{"id": tag, "name": "web", "color": "#e8984a"}]));
    team.server("plain").await;
    let list = admin.get("/api/inventory/server?tag=web").await.ok();
    assert_eq!(
        (&list["total"], &list["objects"][0]["name"]),
        (&json!(1), &json!("worn"))
    );
    assert_eq!(
        admin.get("/api/inventory/server?tag=none").await.ok(),
        json!({"objects": [], "total": 0, "page": 1, "per_page": 100, "total_pages": 0})
    );
    assert_eq!(
        admin.get("/api/inventory/tags").await.ok()["tags"][0]["object_count"],
        1
    );
    let path = format!("/api/inventory/tags/{tag}");
    assert_eq!(
        admin.put(&path, json!({"name": "www"})).await.ok(),
        json!({"id": tag, "name": "www", "color": "#e8984a"})
    );
    let of = format!("/api/inventory/server/{}/tags/{tag}", object["id"]);
    for _ in 0..2 {
        assert_eq!(admin.delete(&of).await.ok(), json!({"tags": []}));
    }
    assert_eq!(admin.delete(&path).await.ok(), json!({"status": "deleted"}));
    assert_eq!(
        admin.put(&path, json!({"name": "x"})).await.refusal(),
        (404, "Tag not found".to_owned())
    );
    assert_eq!(
        team.somebody
            .post("/api/inventory/tags", json!({"name": "x"}))
            .await
            .status,
        403
    );
}

#[tokio::test]
async fn a_secret_is_in_no_answer_but_the_one_that_reveals_it_and_the_log_says_to_whom() {
    let team = team().await;
    let admin = &team.admin;
    let body = json!({"data": {"name": "db", "value": "hunter2-secret", "username": "root"}});
    let made = admin.post("/api/inventory/credential", body).await.ok();
    assert_eq!(
        made["data"],
        json!({"name": "db", "value": "••••••••", "username": "root"})
    );
    let path = format!("/api/inventory/credential/{}", made["id"]);
    admin
        .put(&path, json!({"data": {"value": "••••••••", "username": "admin"}}))
        .await
        .ok();
    for place in [
        path.as_str(),
        "/api/inventory/credential",
        "/api/inventory/credential?search=hunter2-secret",
        "/api/audit?per_page=200",
    ] {
        assert!(!admin.get(place).await.body.to_string().contains("hunter2"), "{place}");
    }
    let reveal = format!("{path}/reveal");
    let shown = admin.post(&reveal, json!({"field": "value"})).await.ok();
    assert_eq!(shown, json!({"field": "value", "value": "hunter2-secret"}));
    let none = admin.post(&reveal, json!({"field": "username"})).await.refusal();
    assert_eq!(none, (404, "This object has no such secret".to_owned()));
    let entry = admin.get("/api/audit?action=inventory.reveal").await.ok()["entries"][0].take();
    assert_eq!(
        (&entry["username"], &entry["details"]),
        (&json!(admin.username), &json!({"field": "value"}))
    );
    // Seeing a thing is not seeing its secrets.
    team.allows(&["inventory.credential.view", "inventory.credential.edit"])
        .await;
    assert_eq!(team.somebody.post(&reveal, json!({"field": "value"})).await.status, 403);
    team.allows(&["inventory.credential.reveal"]).await;
    assert_eq!(team.somebody.post(&reveal, json!({"field": "value"})).await.status, 200);
}

#[tokio::test]
async fn an_organization_makes_types_of_its_own_with_permissions_of_their_own() {
    let team = team().await;
    let admin = &team.admin;
    let rack = json!({"slug": "rack", "label": "Rack", "fields": [{"name": "name", "type": "string", "required": true, "unique": true, "searchable": true},
        {"name": "height", "type": "integer"}], "actions": [{"name": "blink", "script": "blink.sh"}]});
    let made = admin.post("/api/inventory/types", rack.clone()).await;
    assert_eq!(made.status, 201);
    assert_eq!(
        (&made.body["is_builtin"], &made.body["actions"][0]["label"]),
        (&json!(false), &json!("Blink"))
    );
    let twice = admin.post("/api/inventory/types", rack).await.refusal();
    assert_eq!(twice, (409, "An inventory type of this name already exists".to_owned()));
    let permissions = admin.get("/api/roles/permissions").await.ok()["permissions"]["inventory.rack"].take();
    let names: Vec<&str> = permissions
        .as_array()
        .expect("a family")
        .iter()
        .map(|of| of["codename"].as_str().expect("a name"))
        .collect();
    assert_eq!(
        names,
        [
            "inventory.rack.blink",
            "inventory.rack.create",
            "inventory.rack.delete",
            "inventory.rack.edit",
            "inventory.rack.view"
        ]
    );
    assert_eq!(
        (&permissions[0]["label"], &permissions[4]["label"]),
        (&json!("Blink (Rack)"), &json!("View Racks"))
    );
    let me = admin.get("/api/auth/me").await.ok();
    assert!(
        me["permissions"]
            .as_array()
            .is_some_and(|all| all.contains(&json!("inventory.rack.blink"))),
        "{me}"
    );
    team.allows(&["inventory.rack.view", "inventory.rack.blink"]).await;
    let object = admin
        .post("/api/inventory/rack", json!({"name": "r1", "data": {"height": "42"}}))
        .await
        .ok();
    assert_eq!(object["data"], json!({"name": "r1", "height": 42}));
    let used = admin.delete("/api/inventory/types/rack").await;
    assert_eq!((used.status, &used.body["code"]), (409, &json!("type_used")));
    // An action that is gone takes its permission with it.
    let changed = admin
        .put("/api/inventory/types/rack", json!({"actions": []}))
        .await
        .ok();
    assert_eq!(changed["actions"], json!([]));
    let role = admin.get(&format!("/api/roles/{}", team.role)).await.ok();
    assert_eq!(role["permissions"].as_array().map(Vec::len), Some(1));
    admin
        .delete(&format!("/api/inventory/rack/{}", object["id"]))
        .await
        .ok();
    assert_eq!(
        admin.delete("/api/inventory/types/rack").await.ok(),
        json!({"status": "deleted"})
    );
    let builtin = admin.put("/api/inventory/types/server", json!({"label": "Box"})).await;
    assert_eq!((builtin.status, &builtin.body["code"]), (409, &json!("type_builtin")));
    assert_eq!(
        team.somebody
            .post(
                "/api/inventory/types",
                json!({"slug": "x", "label": "X", "fields": [{"name": "a", "type": "text"}]})
            )
            .await
            .status,
        403
    );
}
