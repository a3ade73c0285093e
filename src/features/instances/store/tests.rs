use protocol::api::instances::{Costs, CostsByRegion, CostsByTag, InstanceList, ProviderState};
use serde_json::{Value, json};

use super::*;
use crate::features::instances::body;
use crate::http::json_text::JsonText;
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-01-10T00:00:00.000Z";
const LATER: &str = "2026-01-10T00:10:00.000Z";

fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("eve", "evil", "company_admin");
    for name in ["ann", "eve"] {
        db.run(set_key(&db.caller(name), &format!("key of {name}"), NOW));
    }
    db
}

fn organization(db: &TestDb, name: &str) -> ObjectId {
    db.caller(name).organization_id().clone()
}

fn caller(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

fn instance(id: &str, label: &str, plan: &str, tags: &[&str]) -> Instance {
    let region = if label == "db" { "fra" } else { "mel" };
    let value = json!({"id": id, "hostname": format!("{label}.example"), "label": label, "region": region, "plan": plan, "os": "Debian",
        "main_ip": "192.0.2.7", "power_status": "running", "tags": tags});
    Instance::read(&value).unwrap()
}

fn lists(db: &TestDb, name: &str, items: Vec<Instance>, left_out: i64) {
    let (gone, parts, listed) = replace(
        &organization(db, name),
        &format!("key of {name}"),
        &Listed { items, left_out },
        LATER,
    );
    db.run(gone);
    for part in parts {
        db.run(part);
    }
    db.run(listed);
}

fn three() -> Vec<Instance> {
    vec![
        instance("a", "web", "small", &["web", "it's"]),
        instance("b", "db", "large", &["web"]),
        instance("c", "alone", "unknown", &[]),
    ]
}

fn prices(db: &TestDb, name: &str) {
    let plans = [("small", 5.1), ("large", 20.2)];
    let plans =
        plans.map(|(id, cost)| Plan::read(&json!({"id": id, "monthly_cost": cost, "hourly_cost": 0.01})).unwrap());
    db.run(price(&organization(db, name), &format!("key of {name}"), &plans));
}

fn listed(db: &TestDb, name: &str) -> Value {
    let (head, hosts) = list(&caller(name), "2026-01-10T00:11:00.000Z");
    let JsonText(text) = body::instances(&db.run(head), &db.run(hosts));
    serde_json::to_value(published::<InstanceList>(&text)).unwrap()
}

fn cost(db: &TestDb, name: &str) -> Value {
    let (all, each, tags, regions) = costs(&caller(name));
    let JsonText(text) = body::costs(&db.run(all), &db.run(each), &db.run(tags), &db.run(regions));
    serde_json::to_value(published::<Costs>(&text)).unwrap()
}

#[test]
fn a_list_is_published_as_an_inventory_with_its_age() {
    let db = db();
    assert_eq!(
        listed(&db, "ann"),
        json!({"instances": {}, "cached_at": null, "age_seconds": null, "left_out": 0, "configured": true})
    );
    lists(&db, "ann", vec![instance("a", "web", "small", &["web"])], 2);
    let host = json!({
        "ansible_host": "192.0.2.7", "vultr_id": "a", "vultr_label": "web", "vultr_region": "mel", "vultr_plan": "small",
        "vultr_os": "Debian", "vultr_power_status": "running", "vultr_power": "running", "vultr_tags": ["web"]
    });
    let hosts = json!({"web.example": host});
    assert_eq!(
        listed(&db, "ann"),
        json!({
            "instances": {"all": {"hosts": hosts, "children": {"web": {"hosts": hosts}}}},
            "cached_at": "2026-01-10T00:10:00Z", "age_seconds": 60, "left_out": 2, "configured": true
        })
    );
    assert_eq!(listed(&db, "eve")["instances"], json!({}), "another organization's");
}

#[test]
fn what_is_listed_again_replaces_what_was() {
    let db = db();
    lists(&db, "ann", three(), 0);
    lists(&db, "eve", three(), 0);
    let mut moved = instance("b", "db", "small", &["web"]);
    moved.power_status = "stopped".to_owned();
    lists(&db, "ann", vec![moved], 0);
    let hosts = listed(&db, "ann")["instances"]["all"]["hosts"].clone();
    assert_eq!(hosts.as_object().unwrap().len(), 1);
    assert_eq!(hosts["db.example"]["vultr_power_status"], "stopped");
    assert_eq!(db.count("instances"), 4);
    lists(&db, "ann", vec![], 0);
    assert_eq!(
        listed(&db, "ann")["instances"],
        json!({"all": {"hosts": {}, "children": {}}}),
        "an empty list is a list"
    );
}

#[test]
fn what_was_said_to_another_key_is_not_kept() {
    let db = db();
    lists(&db, "ann", three(), 0);
    db.run(remove_key(&db.caller("ann")));
    db.run(set_key(&db.caller("ann"), "another key", LATER));
    assert_eq!(db.count("instances"), 0, "it goes with its key");
    lists(&db, "ann", three(), 0);
    prices(&db, "ann");
    assert_eq!((db.count("instances"), db.count("instance_plans")), (0, 0));
    assert_eq!(listed(&db, "ann")["cached_at"], Value::Null);
}

#[test]
fn it_is_known_what_is_there_by_a_list_that_is_whole_and_new() {
    let db = db();
    let known = |label: &str, after: &str| {
        let known = db.run(known(&caller("ann"), label, "mel", after)).remove(0);
        (known.fresh, known.there)
    };
    assert_eq!(known("web", NOW), (false, false));
    lists(&db, "ann", three(), 0);
    assert_eq!(known("web", NOW), (true, true));
    assert_eq!(known("db", NOW), (true, false), "it is elsewhere");
    assert_eq!(known("web", LATER), (false, true));
    lists(&db, "ann", three(), 1);
    assert_eq!(known("nothing", NOW), (false, false));
}

#[test]
fn what_was_halted_stays_and_what_was_destroyed_goes_from_this_organization_alone() {
    let db = db();
    for name in ["ann", "eve"] {
        lists(&db, name, three(), 0);
    }
    let acme = organization(&db, "ann");
    db.run(halted(&acme, &three()[..2]));
    db.run(destroyed(&acme, &three()[2]));
    let states = |name: &str| {
        let hosts = listed(&db, name)["instances"]["all"]["hosts"].clone();
        let states = hosts.as_object().unwrap().values();
        states
            .map(|host| host["vultr_power_status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(states("ann"), ["stopped", "stopped"]);
    assert_eq!(states("eve"), ["running"; 3]);
}

#[test]
fn costs_are_those_of_plans_together_by_tag_and_by_region() {
    let db = db();
    let nothing = cost(&db, "ann");
    assert_eq!(
        nothing,
        json!({"generated_at": null, "account": {"pending_charges": 0.0, "balance": 0.0}, "total_monthly_cost": 0.0, "instances": [],
            "source": "computed", "cached_at": null, "by_tag": {}, "by_region": {}})
    );
    lists(&db, "ann", three(), 0);
    prices(&db, "ann");
    let computed = cost(&db, "ann");
    assert_eq!(
        (
            &computed["source"],
            &computed["cached_at"],
            &computed["total_monthly_cost"]
        ),
        (&json!("computed"), &json!("2026-01-10T00:10:00Z"), &json!(25.3))
    );
    assert_eq!(
        computed["instances"][2],
        json!({"label": "web", "hostname": "web.example", "plan": "small", "region": "mel", "tags": ["web", "it's"],
            "power_status": "running", "monthly_cost": 5.1, "hourly_cost": 0.01, "vultr_id": "a"})
    );
    assert_eq!(
        computed["instances"][0]["monthly_cost"], 0.0,
        "of a plan without a price"
    );
    assert_eq!(computed["by_tag"], json!({"web": 25.3, "it's": 5.1}));
    assert_eq!(computed["by_region"], json!({"fra": 20.2, "mel": 5.1}));

    let (at, rows) = costs_by_tag(&caller("ann"));
    let JsonText(text) = body::by_tag(&db.run(at), &db.run(rows));
    let by_tag = published::<CostsByTag>(&text);
    let tags: Vec<_> = by_tag
        .tags
        .iter()
        .map(|tag| (tag.tag.as_str(), tag.instance_count))
        .collect();
    assert_eq!(tags, [("web", 2), ("it's", 1)], "the dearest first");
    let (at, rows) = costs_by_region(&caller("ann"));
    let JsonText(text) = body::by_region(&db.run(at), &db.run(rows));
    assert_eq!(published::<CostsByRegion>(&text).regions[0].region, "fra");

    let owes = Account::read(br#"{"account": {"balance": -7.5, "pending_charges": 1.25}}"#).unwrap();
    db.run(account(
        &organization(&db, "ann"),
        "key of ann",
        &owes,
        "2026-01-10T00:20:00.000Z",
    ));
    let asked = cost(&db, "ann");
    assert_eq!(
        (
            &asked["source"],
            &asked["generated_at"],
            &asked["cached_at"],
            &asked["account"]
        ),
        (
            &json!("playbook"),
            &json!("2026-01-10T00:20:00Z"),
            &json!("2026-01-10T00:20:00Z"),
            &json!({"pending_charges": 1.25, "balance": -7.5})
        )
    );
    assert_eq!(cost(&db, "eve")["total_monthly_cost"], 0.0);
}

#[test]
fn of_a_key_it_is_told_that_it_is_there_and_whose() {
    let db = db();
    let state = |db: &TestDb| published::<ProviderState>(&db.run(provider(&caller("ann"))).remove(0).body);
    let set = state(&db);
    assert_eq!((set.configured, set.set_by.as_deref()), (true, Some("ann")));
    assert_eq!(
        db.run(key(&organization(&db, "ann"))).remove(0).key_sealed,
        "key of ann"
    );
    db.run(remove_key(&db.caller("ann")));
    let gone = state(&db);
    assert_eq!((gone.configured, gone.set_by, gone.set_at), (false, None, None));
    assert_eq!(db.count("clouds"), 1, "another organization's stays");
}
