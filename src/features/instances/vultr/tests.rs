use super::*;

/// An instance with all the fields that the API's reference shows.
fn instance(id: &str) -> Value {
    json!({
        "id": id, "os": "Ubuntu 24.04 LTS x64", "ram": 1024, "disk": 25, "main_ip": "192.0.2.7", "vcpu_count": 1, "region": "mel",
        "plan": "vc2-1c-1gb", "date_created": "2026-01-10T00:00:00+00:00", "status": "active", "allowed_bandwidth": 1000,
        "netmask_v4": "255.255.254.0", "gateway_v4": "192.0.2.1", "power_status": "running", "server_status": "ok", "v6_network": "",
        "v6_main_ip": "", "v6_network_size": 0, "label": "my web", "internal_ip": "", "kvm": "https://kvm.example.com/?secret",
        "default_password": "hunter2", "hostname": "web-1", "os_id": 2284, "app_id": 0, "image_id": "", "firewall_group_id": "",
        "features": [], "tags": ["web", "eu", "web"], "user_scheme": "root"
    })
}

fn page(name: &str, items: Vec<Value>, total: usize, next: &str) -> Vec<u8> {
    json!({name: items, "meta": {"total": total, "links": {"next": next, "prev": ""}}})
        .to_string()
        .into_bytes()
}

#[test]
fn of_an_instance_what_is_shown_is_taken_and_no_secret() {
    let read = Instance::read(&instance("a-1")).unwrap();
    assert_eq!(
        read.to_json(),
        json!({"id": "a-1", "host": "web-1", "label": "my web", "region": "mel", "plan": "vc2-1c-1gb", "os": "Ubuntu 24.04 LTS x64",
            "address": "192.0.2.7", "power_status": "running", "tags": ["web", "eu"]})
    );
    for bad in ["", "../x", "a b", "a/b"] {
        assert!(Instance::read(&instance(bad)).is_err(), "{bad}");
    }
    let bare = Instance::read(&json!({"id": "b", "label": "", "hostname": null, "tags": null})).unwrap();
    assert_eq!((bare.host.as_str(), bare.tags.len()), ("b", 0));
}

#[test]
fn those_that_share_a_name_have_their_ids_besides() {
    let mut all: Vec<Instance> = ["a", "b", "c"].map(|id| Instance::read(&instance(id)).unwrap()).into();
    all[2].host = "other".to_owned();
    name_apart(&mut all);
    let hosts: Vec<&str> = all.iter().map(|instance| instance.host.as_str()).collect();
    assert_eq!(hosts, ["web-1-a", "web-1-b", "other"]);
}

#[test]
fn a_list_is_read_page_by_page_by_its_cursors() {
    let mut pages = Pages::default();
    assert_eq!(pages.path("instances").as_deref(), Some("/v2/instances?per_page=500"));
    pages
        .take("instances", &page("instances", vec![instance("a")], 2, "bmV4dF9f=+/"))
        .unwrap();
    assert_eq!(
        pages.path("instances").as_deref(),
        Some("/v2/instances?per_page=500&cursor=bmV4dF9f%3D%2B%2F")
    );
    pages
        .take("instances", &page("instances", vec![instance("b")], 2, ""))
        .unwrap();
    assert_eq!(pages.path("instances"), None);
    let listed = pages.listed(Instance::read).unwrap();
    assert_eq!((listed.items.len(), listed.left_out), (2, 0));
}

#[test]
fn a_list_that_does_not_end_is_cut_and_what_is_left_out_is_counted() {
    for (total, left_out) in [(5000, 4995), (0, 1)] {
        let mut pages = Pages::default();
        let mut asked = 0;
        while pages.path("instances").is_some() {
            let id = format!("i-{asked}");
            pages
                .take("instances", &page("instances", vec![instance(&id)], total, "again"))
                .unwrap();
            asked += 1;
        }
        assert_eq!(asked, MAX_PAGES);
        assert_eq!(pages.listed(Instance::read).unwrap().left_out, left_out);
    }
}

#[test]
fn what_is_no_list_is_said_to_be_none() {
    for bad in [
        &b"<html>"[..],
        b"{}",
        b"[]",
        br#"{"instances": {}}"#,
        br#"{"plans": []}"#,
        b"",
    ] {
        let fault = Pages::default().take("instances", bad).unwrap_err();
        assert_eq!(fault, "Vultr answered something else than a list of instances");
    }
    assert!(Pages::default().take("plans", br#"{"plans": []}"#).is_ok());
}

#[test]
fn plans_and_accounts_are_numbers_however_they_are_written() {
    let plan = Plan::read(&json!({"id": "vc2-1c-1gb", "monthly_cost": 6.72, "type": "vc2"})).unwrap();
    assert_eq!(
        plan.to_json(),
        json!({"id": "vc2-1c-1gb", "monthly_cost": 6.72, "hourly_cost": 0.01})
    );
    let hourly = Plan::read(&json!({"id": "x", "monthly_cost": 5, "hourly_cost": "0.007"})).unwrap();
    assert_eq!(hourly.to_json()["hourly_cost"], 0.007);
    let account =
        Account::read(br#"{"account": {"name": "x", "balance": -5519.11, "pending_charges": "57.03"}}"#).unwrap();
    assert_eq!(
        account.to_json(),
        json!({"pending_charges": 57.03, "balance": -5519.11})
    );
    assert!(Account::read(b"{}").is_err());
}

#[test]
fn a_fault_has_its_status_and_the_providers_words() {
    let said = |status, body: &str| fault(status, body.as_bytes());
    assert_eq!(said(200, ""), None);
    assert_eq!(said(204, ""), None);
    assert_eq!(
        said(401, r#"{"error": "Invalid API token.", "status": 401}"#).unwrap(),
        "Vultr answered 401 (is the key right, and is it limited to addresses?): Invalid API token."
    );
    assert_eq!(said(500, "<html>").unwrap(), "Vultr answered 500");
    assert_eq!(
        said(302, "").unwrap(),
        "Vultr answered 302 (redirects are not followed)"
    );
    let long = format!(r#"{{"error": "{}"}}"#, "x".repeat(1000));
    assert!(said(400, &long).unwrap().len() < 400);
    assert!(passes(429) && passes(503) && !passes(500) && !passes(401));
}
