use protocol::api::services::{AllOutputs, ConfigList, DeploymentList, ServiceDetail, ServiceList};
use serde_json::json;

use super::*;
use crate::http::json_text::JsonText;
use crate::testing::{TestDb, id, published};

const TOLD_AT: &str = "2026-01-10T00:00:00.000Z";
const NOW: &str = "2026-01-10T00:01:30.000Z";

/// Two runners of one organization, the first by id first, and one of another.
fn db() -> (TestDb, [String; 3]) {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("eve", "evil", "company_admin");
    let mut ours = ["one", "two"];
    ours.sort_by_key(|name| id(name));
    for name in ours {
        db.machine(name, "ann");
    }
    db.machine("theirs", "eve");
    (db, [ours[0], ours[1], "theirs"].map(str::to_owned))
}

fn service(name: &str, deployable: bool, deployed: bool) -> Service {
    let script = json!({"name": "deploy", "label": "Deploy", "file": "deploy.sh", "inputs": [{"name": "x"}]});
    Service {
        name: name.to_owned(),
        deployable,
        deployed,
        hosts: Vec::new(),
        scripts: vec![script],
        configs: vec!["config.yaml".to_owned()],
        instance: None,
        instance_error: None,
        outputs: vec![json!({"name": "url", "value": "********"})],
        asks: vec!["main.yaml".to_owned()],
        problems: Vec::new(),
    }
}

fn tells(db: &TestDb, machine: &str, services: &[Service]) {
    let catalog = Catalog {
        number: 1,
        services: services.to_vec(),
        left_out: 3,
    };
    let (told, gone, services) = replace(&id(machine).parse().unwrap(), &catalog, TOLD_AT);
    db.run(told);
    db.run(gone);
    for list in services {
        db.run(list);
    }
}

fn listed(db: &TestDb, caller: &str) -> ServiceList {
    let rows = db.run(list(&id(caller).parse().unwrap(), NOW));
    published(&JsonText::all("services", &rows).0)
}

fn names(db: &TestDb, caller: &str) -> Vec<String> {
    let list = listed(db, caller).services.into_iter();
    list.map(|service| service.name).collect()
}

fn deployed(db: &TestDb) -> Vec<String> {
    let rows = db.run(deployments(&id("ann").parse().unwrap(), NOW));
    let list: DeploymentList = published(&JsonText::all("deployments", &rows).0);
    list.deployments.into_iter().map(|deployment| deployment.name).collect()
}

fn found(db: &TestDb, caller: &str, address: &str) -> Option<ServiceDetail> {
    let rows = db.run(find(&id(caller).parse().unwrap(), address, NOW));
    rows.first().map(|row| published(&row.body))
}

#[test]
fn a_catalog_replaces_the_one_before_and_the_same_again_writes_nothing_but_its_time() {
    let (db, [one, ..]) = db();
    assert!(names(&db, "ann").is_empty());
    tells(&db, &one, &[service("web", true, false), service("db", true, true)]);
    assert_eq!(names(&db, "ann"), ["db", "web"]);
    assert_eq!(deployed(&db), ["db"]);
    let web = &listed(&db, "ann").services[1];
    assert_eq!(
        serde_json::to_value(web).unwrap(),
        json!({
            "name": "web", "service_dir": "/services/web", "has_instance": false, "configs": ["config.yaml"], "asks": ["main.yaml"], "problems": [],
            "scripts": [{"name": "deploy", "label": "Deploy", "file": "deploy.sh", "inputs": [{"name": "x"}]}], "conflict": false,
            "runner": {"machine_id": id(&one), "agent_id": id(&one)[..12], "name": one, "online": false,
                "told_at": "2026-01-10T00:00:00Z", "age_seconds": 90, "left_out": 3}
        })
    );
    // What is left of a service is deployed, and no service.
    tells(&db, &one, &[service("db", false, true), service("new", true, false)]);
    assert_eq!(names(&db, "ann"), ["new"]);
    assert_eq!(deployed(&db), ["db"]);
    db.execute("CREATE TRIGGER once BEFORE UPDATE ON services BEGIN SELECT RAISE(FAIL, 'written again'); END");
    tells(&db, &one, &[service("db", false, true), service("new", true, false)]);
    db.execute("UPDATE machines SET is_connected = 1");
    assert!(listed(&db, "ann").services[0].runner.online);
    tells(&db, &one, &[]);
    assert_eq!((db.count("services"), db.count("runners")), (0, 1));
}

#[test]
fn the_services_of_a_machine_go_with_it_and_one_that_is_gone_or_revoked_has_none() {
    let (db, [one, two, _]) = db();
    for machine in [&one, &two] {
        tells(&db, machine, &[service("web", true, false)]);
    }
    db.execute(&format!("DELETE FROM machines WHERE name = '{one}'"));
    assert_eq!(names(&db, "ann"), ["web"], "the name is the other's now");
    db.execute("UPDATE machines SET status = 'revoked'");
    assert_eq!((db.count("services"), db.count("runners")), (0, 0));
    for machine in [&one, &two] {
        tells(&db, machine, &[service("web", true, false)]);
    }
    assert_eq!((db.count("services"), db.count("runners")), (0, 0));
}

#[test]
fn another_organization_sees_nothing_of_them_and_shares_no_name() {
    let (db, [one, _, theirs]) = db();
    tells(&db, &one, &[service("web", true, true)]);
    assert!(names(&db, "eve").is_empty());
    let by_runner = format!("web@{}", &id(&one)[..12]);
    assert!(found(&db, "eve", "web").is_none() && found(&db, "eve", &by_runner).is_none());
    tells(&db, &theirs, &[service("web", true, true)]);
    assert_eq!(listed(&db, "eve").services[0].runner.name, "theirs");
    assert!(!found(&db, "ann", "web").unwrap().service.conflict);
    assert!(!found(&db, "eve", "web").unwrap().service.conflict);
    assert_eq!(deployed(&db), ["web"]);
}

#[test]
fn the_second_of_two_equal_names_is_addressed_by_its_runner() {
    let (db, [one, two, _]) = db();
    let address = |name: &str, machine: &str| format!("{name}@{}", &id(machine)[..12]);
    tells(&db, &two, &[service("web", true, true)]);
    assert_eq!(names(&db, "ann"), ["web"]);
    tells(&db, &one, &[service("web", true, true), service("only", true, false)]);
    let second = address("web", &two);
    assert_eq!(names(&db, "ann"), ["only", "web", second.as_str()]);
    let conflicts: Vec<bool> = listed(&db, "ann")
        .services
        .iter()
        .map(|service| service.conflict)
        .collect();
    assert_eq!(conflicts, [false, true, true]);
    assert_eq!(deployed(&db), ["web", second.as_str()]);
    for (asked, runner) in [("web", &one), (second.as_str(), &two), (&address("web", &one), &one)] {
        let service = found(&db, "ann", asked).unwrap().service;
        assert_eq!(
            (&service.runner.name, service.service_dir.as_str()),
            (runner, "/services/web")
        );
    }
    for nothing in ["web@", "web@000000000000", "@", "", "nothing", &address("only", &two)] {
        assert!(found(&db, "ann", nothing).is_none(), "{nothing}");
    }
    // What is left of the first gives the name to what can be deployed.
    tells(&db, &one, &[service("web", false, true)]);
    assert_eq!(names(&db, "ann"), ["web"]);
    assert_eq!(found(&db, "ann", "web").unwrap().service.runner.name, two);
    assert_eq!(deployed(&db), ["web", address("web", &one).as_str()]);
}

#[test]
fn a_service_has_all_of_its_instances_file_whatever_is_in_it() {
    let (db, [one, ..]) = db();
    let with = |instance| {
        let mut service = service("web", true, false);
        service.configs.push("instance.yaml".to_owned());
        service.instance = instance;
        tells(&db, &one, &[service]);
        found(&db, "ann", "web").unwrap()
    };
    let instance = json!({"instances": [
        {"label": "a", "hostname": "a.example", "plan": "vc2", "region": "fra", "os": "Debian", "tags": ["x", 1], "more": {}},
        {"label": null, "tags": "x"}, "text", ["list"], 7,
    ], "provider": {"deep": [null, true]}});
    let detail = with(Some(instance.clone()));
    assert!(detail.service.has_instance);
    assert_eq!(detail.instance, Some(instance));
    assert_eq!(
        serde_json::to_value(&detail.instances).unwrap(),
        json!([
            {"label": "a", "hostname": "a.example", "plan": "vc2", "region": "fra", "os": "Debian", "tags": ["x", 1]},
            {"label": "", "hostname": "", "plan": "", "region": "", "os": "", "tags": []},
        ])
    );
    for odd in [
        json!("text"),
        json!([1]),
        json!({"instances": "text"}),
        json!({"instances": null}),
        json!({"instances": 5}),
    ] {
        let detail = with(Some(odd.clone()));
        assert_eq!((detail.instance, detail.instances), (Some(odd), Vec::new()));
    }
    assert_eq!(with(None).instance, None);
    let mut broken = service("web", true, false);
    broken.instance_error = Some("line 3".to_owned());
    broken.problems = vec!["scripts.yaml: line 1".to_owned()];
    tells(&db, &one, &[broken]);
    let detail = found(&db, "ann", "web").unwrap();
    assert_eq!(
        (detail.instance, detail.instance_error.as_deref()),
        (None, Some("line 3"))
    );
    assert_eq!(detail.service.problems, ["scripts.yaml: line 1"]);
}

#[test]
fn a_large_catalog_is_several_statements() {
    let large = |name: &str| {
        let mut service = service(name, true, false);
        service.problems = vec!["p".repeat(MAX_LIST / 3)];
        service
    };
    let (db, [one, ..]) = db();
    let services: Vec<Service> = (0..5).map(|n| large(&format!("s{n}"))).collect();
    assert_eq!(lists(&services).len(), 3);
    assert!(lists(&[]).is_empty());
    tells(&db, &one, &services);
    assert_eq!(names(&db, "ann"), ["s0", "s1", "s2", "s3", "s4"]);
}

/// Whose directory is asked for by a name.
fn runner_of(db: &TestDb, caller: &str, address: &str) -> Option<(String, String)> {
    let rows = db.run(runner(&id(caller).parse().unwrap(), address));
    let row = rows.into_iter().next()?;
    Some((row.name, row.machine_id.to_string()))
}

#[test]
fn a_service_is_asked_for_at_its_runner_and_by_nobody_of_another_organization() {
    let (db, [one, two, theirs]) = db();
    for machine in [&one, &two, &theirs] {
        tells(
            &db,
            machine,
            &[service("web", true, false), service("gone", false, true)],
        );
    }
    let at = |machine: &str| Some(("web".to_owned(), id(machine)));
    let second = format!("web@{}", &id(&two)[..12]);
    assert_eq!(runner_of(&db, "ann", "web"), at(&one));
    assert_eq!(runner_of(&db, "ann", &second), at(&two));
    assert_eq!(runner_of(&db, "eve", "web"), at(&theirs));
    assert_eq!(runner_of(&db, "eve", &second), None);
    for absent in ["gone", "nothing", "", "@", "web@", "../web"] {
        assert_eq!(runner_of(&db, "ann", absent), None, "{absent}");
    }
}

#[test]
fn all_configs_that_there_can_be_are_listed_with_whether_they_are_there() {
    let (db, [one, ..]) = db();
    let mut web = service("web", true, false);
    web.configs = vec!["scripts.yaml".to_owned(), "config.yaml".to_owned()];
    tells(&db, &one, &[web]);
    let rows = db.run(configs(&id("ann").parse().unwrap(), "web"));
    let list: ConfigList = published(&rows[0].body);
    let there: Vec<(&str, bool)> = list
        .configs
        .iter()
        .map(|config| (config.name.as_str(), config.exists))
        .collect();
    assert_eq!(list.service_dir, "/services/web");
    assert_eq!(
        there,
        [
            ("config.yaml", true),
            ("instance.yaml", false),
            ("outputs.yaml", false),
            ("scripts.yaml", true)
        ]
    );
    assert!(db.run(configs(&id("eve").parse().unwrap(), "web")).is_empty());
}

#[test]
fn outputs_are_listed_of_those_that_have_some_and_known_to_be_masked() {
    let (db, [one, two, _]) = db();
    let mut web = service("web", true, false);
    web.outputs = vec![
        json!({"name": "admin", "type": "credential", "value": "********"}),
        json!("odd"),
    ];
    let mut none = service("none", true, false);
    none.outputs = Vec::new();
    tells(&db, &one, &[web.clone(), service("db\"", true, false), none]);
    tells(&db, &two, &[web]);
    let all = |caller: &str| {
        let rows = db.run(all_outputs(&id(caller).parse().unwrap()));
        let rows: Vec<String> = rows.into_iter().map(|row| row.body).collect();
        let all: AllOutputs = published(&format!("{{\"outputs\":{{{}}}}}", rows.join(",")));
        all.outputs
    };
    let second = format!("web@{}", &id(&two)[..12]);
    assert_eq!(all("ann").keys().collect::<Vec<_>>(), ["db\"", "web", &second]);
    assert_eq!(all("ann")["web"][0]["value"], "********");
    assert!(all("eve").is_empty());

    let of = |caller: &str, address: &str| {
        let rows = db.run(outputs(&id(caller).parse().unwrap(), address));
        rows.into_iter()
            .next()
            .map(|row| (row.machine_id.to_string(), row.has_credentials, row.outputs))
    };
    let (machine, has_credentials, text) = of("ann", &second).unwrap();
    assert_eq!((machine, has_credentials), (id(&two), true));
    assert!(text.contains("odd"));
    assert_eq!(of("ann", "none"), Some((id(&one), false, "[]".to_owned())));
    assert!(!of("ann", "db\"").unwrap().1);
    assert_eq!(of("eve", "web"), None);
}
