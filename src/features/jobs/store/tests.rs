use protocol::api::jobs::{Job, JobStatus};
use protocol::relay_contract::{SignIn, Telling};
use protocol::terminal::jobs::Outputs;
use serde_json::json;

use super::*;
use crate::features::jobs::access::RerunRight;
use crate::features::jobs::output::with_output;
use crate::features::services::row::Target;
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-01-10T00:00:00.000Z";
const LATER: &str = "2026-01-10T00:10:00.000Z";

/// Two runners and four people, of whom `own` sees the jobs that it starts, `all` everybody's, and `none` none.
fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("eve", "evil", "company_admin");
    for (name, permissions) in [
        ("own", &["jobs.view_own"][..]),
        ("all", &["jobs.view_all"]),
        ("none", &["services.deploy"]),
    ] {
        db.user(name, "acme", "user");
        db.execute(&format!(
            "INSERT INTO roles (organization_id, name, created_at) SELECT organization_id, '{name}', '{NOW}' FROM users WHERE username = '{name}';
             INSERT INTO user_roles (user_id, role_id) SELECT '{}', id FROM roles WHERE name = '{name}'",
            id(name)
        ));
        for permission in permissions {
            db.execute(&format!(
                "INSERT INTO role_permissions (role_id, permission) SELECT id, '{permission}' FROM roles WHERE name = '{name}'"
            ));
        }
    }
    db.machine("runner", "ann");
    db.machine("other", "ann");
    db
}

fn job(number: u32) -> JobId {
    format!("{number:08x}").parse().unwrap()
}

fn machine(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

fn starts(db: &TestDb, caller: &str, number: u32, service: &str, at: &str) {
    repeats(db, caller, number, service, at, None);
}

fn repeats(db: &TestDb, caller: &str, number: u32, service: &str, at: &str, parent: Option<u32>) {
    let parent = parent.map(job);
    let target = Target {
        name: service.to_owned(),
        machine_id: machine("runner"),
        scripts: Vec::new(),
        vault_sealed: None,
    };
    let right = DeployRight::decide(db.caller(caller), vec![target], String::new).unwrap();
    let new = NewJob {
        id: &job(number),
        action: parent.as_ref().map_or("deploy", |_| "script"),
        script: None,
        inputs: None,
        parent: parent.as_ref(),
        schedule: None,
        subject: None,
        deploys: parent.is_none(),
        now: at,
    };
    db.run(insert(&right, right.service(), new));
}

/// What is stored of a job's output once its runner said this, if it runs.
fn writes(db: &TestDb, runner: &str, number: u32, offset: u64, text: &str) -> Option<u64> {
    let output = JobOutput {
        job: job(number),
        offset,
        text: text.to_owned(),
        deployment_id: text.contains("web-7").then(|| "web-7".to_owned()),
    };
    let (insert, count, stored) = append(&machine(runner), &output);
    db.run(insert);
    db.run(count);
    db.run(stored).first().map(|row| row.output_bytes)
}

fn ends(db: &TestDb, number: u32, code: Option<i32>) {
    let end_of = JobEnd {
        job: job(number),
        code,
        signal: None,
        note: code.is_none().then(|| "[gone]".to_owned()),
        outputs: Outputs::default(),
    };
    db.run(end(&machine("runner"), &end_of, LATER));
}

fn found(db: &TestDb, caller: &str, number: u32) -> Option<(Job, bool)> {
    let caller = machine(caller);
    let number = job(number);
    let rows = db.run(find(&caller, number.as_str()));
    let output = db.run(output(&caller, &[number.as_str()]));
    let row = rows.into_iter().next()?;
    let parts = output.iter().map(|part| part.text.as_str());
    Some((published(&with_output(&row.body, parts, row.note.as_deref())), row.sees))
}

fn listed(db: &TestDb, caller: &str, filter: Filter) -> (Vec<String>, u64) {
    let (list, count) = list(&machine(caller), filter, Page::One { page: 1, limit: 2 });
    let jobs = db.run(list).into_iter();
    (
        jobs.map(|row| published::<Job>(&row.body).id.to_string()).collect(),
        Count::of(&db.run(count)),
    )
}

#[test]
fn output_is_stored_once_in_order_and_only_from_the_runner_that_has_the_job() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    assert_eq!(writes(&db, "runner", 1, 0, "one\ntwo"), Some(7));
    // The same again, something longer from the same place, something after a gap: none of them is what comes next.
    for (offset, text) in [(0, "one\ntwo"), (0, "one\ntwo and more"), (9, "gap")] {
        assert_eq!(writes(&db, "runner", 1, offset, text), Some(7), "{text}");
    }
    assert_eq!(writes(&db, "other", 1, 7, "forged"), None);
    assert_eq!(writes(&db, "runner", 1, 7, "2\nDEPLOYMENT_ID=web-7\n"), Some(29));
    let (job, _) = found(&db, "own", 1).unwrap();
    assert_eq!(job.output, ["one", "two2", "DEPLOYMENT_ID=web-7"]);
    assert_eq!(job.deployment_id.as_deref(), Some("web-7"));
    assert_eq!(
        (job.status, job.exit_code, job.finished_at),
        (JobStatus::Running, None, None)
    );
    ends(&db, 1, Some(0));
    assert_eq!(writes(&db, "runner", 1, 29, "late"), None);
    let (job, _) = found(&db, "own", 1).unwrap();
    assert_eq!((job.status, job.exit_code), (JobStatus::Completed, Some(0)));
    // The first end counts.
    ends(&db, 1, Some(1));
    assert_eq!(found(&db, "own", 1).unwrap().0.status, JobStatus::Completed);
}

#[test]
fn a_job_is_published_field_by_field() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    ends(&db, 1, None);
    let (job, _) = found(&db, "ann", 1).unwrap();
    let user_id = job.user_id.unwrap();
    assert!(user_id > 0);
    assert_eq!(
        serde_json::to_value(&job).unwrap(),
        json!({
            "id": "00000001", "service": "web", "action": "deploy", "script": null, "parent_job_id": null, "status": "failed",
            "started_at": "2026-01-10T00:00:00Z", "finished_at": "2026-01-10T00:10:00Z", "deployment_id": null, "exit_code": null,
            "user_id": user_id, "username": "own", "started_by": "own", "object_id": null, "type_slug": null, "cancelled": false,
            "schedule_id": null, "schedule_name": null, "output": ["[gone]"]
        })
    );
}

#[test]
fn a_service_is_deployed_once_at_a_time() {
    let db = db();
    let target = |machine_name: &str, name: &str| Target {
        name: name.to_owned(),
        machine_id: machine(machine_name),
        scripts: Vec::new(),
        vault_sealed: None,
    };
    let begins = |number: u32, action: &str, target: Target| {
        let right = DeployRight::decide(db.caller("ann"), vec![target], String::new).unwrap();
        let id = job(number);
        let new = NewJob {
            id: &id,
            action,
            script: None,
            inputs: None,
            parent: None,
            schedule: None,
            subject: None,
            deploys: action == "deploy",
            now: NOW,
        };
        db.run(insert(&right, right.service(), new));
        let held_up = db.run(held_up_by(&right, &id)).into_iter().next();
        held_up.map(|HeldUpBy { job }| job.to_string())
    };
    assert_eq!(begins(1, "deploy", target("runner", "web")), None);
    let one = Some("00000001".to_owned());
    assert_eq!(begins(2, "deploy", target("runner", "web")), one);
    // Other services, a service of that name elsewhere, and scripts are nobody's hindrance.
    assert_eq!(begins(3, "deploy", target("runner", "db")), None);
    assert_eq!(begins(4, "deploy", target("other", "web")), None);
    assert_eq!(begins(5, "script", target("runner", "web")), None);
    // It is the directory that counts, and not what the job is called.
    db.execute("UPDATE jobs SET service = 'shop', action = 'redeploy' WHERE id = '00000001'");
    assert_eq!(begins(6, "deploy", target("runner", "web")), one);
    assert_eq!(db.count("jobs"), 4);
    ends(&db, 1, Some(0));
    assert_eq!(begins(6, "deploy", target("runner", "web")), None);
}

#[test]
fn jobs_are_found_by_the_one_that_they_repeat_as_long_as_that_is_kept() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    repeats(&db, "own", 2, "web", LATER, Some(1));
    repeats(&db, "ann", 3, "web", LATER, Some(1));
    repeats(&db, "ann", 4, "web", LATER, Some(3));
    let of = |caller, parent: &str, service: Option<&str>| {
        let filter = Filter {
            parent: Some(parent.to_owned()),
            service: service.map(str::to_owned),
            ..Filter::default()
        };
        listed(&db, caller, filter)
    };
    assert_eq!(
        of("ann", "00000001", None),
        (vec!["00000002".into(), "00000003".into()], 2)
    );
    assert_eq!(of("ann", "00000001", Some("web")).1, 2);
    assert_eq!(of("ann", "00000001", Some("db")), (vec![], 0));
    assert_eq!(of("own", "00000001", None), (vec!["00000002".into()], 1));
    assert_eq!(of("eve", "00000001", None), (vec![], 0));
    assert_eq!(found(&db, "ann", 4).unwrap().0.parent_job_id, Some(job(3)));
    db.execute("DELETE FROM jobs WHERE id = '00000003'");
    assert_eq!(found(&db, "ann", 4).unwrap().0.parent_job_id, None);
}

#[test]
fn jobs_are_found_by_what_of_the_inventory_they_are_about_and_by_its_type() {
    let db = db();
    for (number, object_id, type_slug) in [(1, Some(5), "server"), (2, Some(6), "server"), (3, None, "server")] {
        let new = NewJob {
            id: &job(number),
            action: "refresh",
            script: None,
            now: NOW,
            inputs: None,
            parent: None,
            schedule: None,
            subject: Some(Subject { object_id, type_slug }),
            deploys: false,
        };
        db.run(insert_at_edge(&db.caller("own"), "web-1", new));
    }
    starts(&db, "ann", 4, "web", NOW);
    let of = |caller, object_id, type_slug: Option<&str>, service: Option<&str>| {
        let filter = Filter {
            object_id,
            type_slug: type_slug.map(str::to_owned),
            service: service.map(str::to_owned),
            ..Filter::default()
        };
        listed(&db, caller, filter)
    };
    let one = || (vec!["00000001".to_owned()], 1);
    assert_eq!(of("ann", Some(5), None, None), one());
    assert_eq!(of("own", Some(5), Some("server"), Some("web-1")), one());
    for (caller, type_slug, service) in [
        ("ann", Some("service"), None),
        ("ann", None, Some("web")),
        ("eve", None, None),
        ("none", None, None),
    ] {
        assert_eq!(of(caller, Some(5), type_slug, service), (vec![], 0));
    }
    assert_eq!(of("ann", Some(-1), None, None), (vec![], 0));
    assert_eq!(of("ann", None, Some("server"), None).1, 3);
    let about = |number| {
        let job = found(&db, "ann", number).unwrap().0;
        (job.object_id, job.type_slug)
    };
    assert_eq!(about(1), (Some(5), Some("server".to_owned())));
    assert_eq!(about(3), (None, Some("server".to_owned())));
    assert_eq!(about(4), (None, None));
}

#[test]
fn a_job_runs_again_for_those_who_see_it_and_may_deploy() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    db.execute("UPDATE jobs SET inputs_sealed = 'sealed'");
    let refusal = |caller: &str, id: &str, with_service: bool| {
        let target = Target {
            name: "web".to_owned(),
            machine_id: machine("runner"),
            scripts: Vec::new(),
            vault_sealed: None,
        };
        let found = db.run(again(&machine(caller), id));
        let target = with_service.then_some(target).into_iter().collect();
        let right = RerunRight::decide(db.caller(caller), found, target);
        right.map_err(|error| (error.status().as_u16(), error.text().to_owned()))
    };
    let refused = |caller, id, with_service| refusal(caller, id, with_service).unwrap_err();
    let running = (409, "Job is still running".to_owned());
    assert_eq!(refused("ann", "00000001", true), running);
    ends(&db, 1, Some(1));
    let right = refusal("ann", "00000001", true).unwrap();
    assert_eq!(right.past().inputs_sealed.as_deref(), Some("sealed"));
    for (caller, words) in [
        ("none", "Permission denied"),
        ("own", "Permission denied: services.deploy"),
    ] {
        assert_eq!(refused(caller, "00000001", true), (403, words.to_owned()));
    }
    for (caller, id) in [("ann", "00000009"), ("eve", "00000001")] {
        assert_eq!(refused(caller, id, true), (404, "Job not found".to_owned()));
    }
    let gone = (404, "Service 'web' not found".to_owned());
    assert_eq!(refused("ann", "00000001", false), gone);
    for change in ["action = 'stop'", "action = 'deploy', type_slug = 'service'"] {
        db.execute(&format!("UPDATE jobs SET {change}"));
        assert_eq!(refused("ann", "00000001", true).0, 409, "{change}");
    }
}

#[test]
fn of_a_job_that_ends_well_it_is_known_whose_it_is_and_of_which_service() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    starts(&db, "own", 2, "db", NOW);
    db.execute("UPDATE jobs SET cancelled_by = 'ann' WHERE id = '00000002'");
    let ending = |runner, number| db.run(ending(&machine(runner), &job(number)));
    let expected = EndingJob {
        id: job(1),
        organization_id: machine("acme"),
        machine_id: machine("runner"),
        service: "web".to_owned(),
    };
    assert_eq!(ending("runner", 1), [expected]);
    // Of another runner, called off, and nobody's; and once it is stored, it is no more about to end.
    for (runner, number) in [("other", 1), ("runner", 2), ("runner", 3)] {
        assert!(ending(runner, number).is_empty(), "{runner} {number}");
    }
    ends(&db, 1, Some(0));
    assert!(ending("runner", 1).is_empty());
}

#[test]
fn a_job_that_was_called_off_has_failed_however_it_ended() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    db.execute("UPDATE jobs SET cancelled_by = 'ann'");
    ends(&db, 1, Some(0));
    let (job, _) = found(&db, "own", 1).unwrap();
    assert_eq!((job.status, job.cancelled), (JobStatus::Failed, true));
}

#[test]
fn people_see_their_own_jobs_everybodys_or_none() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    starts(&db, "ann", 2, "db", LATER);
    starts(&db, "ann", 3, "mail", LATER);
    writes(&db, "runner", 2, 0, "secret\n");
    let all = Filter::default;
    assert_eq!(listed(&db, "own", all()), (vec!["00000001".into()], 1));
    assert_eq!(
        listed(&db, "all", all()),
        (vec!["00000002".into(), "00000003".into()], 3)
    );
    assert_eq!(listed(&db, "ann", all()).1, 3);
    assert_eq!(listed(&db, "none", all()), (vec![], 0));
    assert_eq!(listed(&db, "eve", all()), (vec![], 0));
    assert!(found(&db, "eve", 1).is_none());
    for (caller, number, sees) in [
        ("own", 1, true),
        ("own", 2, false),
        ("all", 2, true),
        ("none", 1, false),
    ] {
        let (job, may) = found(&db, caller, number).unwrap();
        assert_eq!(may, sees, "{caller} {number}");
        assert!(sees || job.output.is_empty(), "{caller} {number}");
    }
}

#[test]
fn lists_are_narrowed() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    starts(&db, "ann", 2, "db", LATER);
    ends(&db, 2, Some(0));
    let ids = |filter: Filter| listed(&db, "ann", filter).0;
    let text = |text: &str| Some(text.to_owned());
    let service = |name: &str| Filter {
        service: text(name),
        ..Filter::default()
    };
    assert_eq!(ids(service("web")), ["00000001"]);
    assert_eq!(ids(service("nothing")), [""; 0]);
    assert_eq!(
        ids(Filter {
            username: text("ann"),
            ..Filter::default()
        }),
        ["00000002"]
    );
    assert_eq!(
        ids(Filter {
            status: text("completed"),
            ..Filter::default()
        }),
        ["00000002"]
    );
    assert_eq!(
        ids(Filter {
            action: text("script"),
            ..Filter::default()
        }),
        [""; 0]
    );
    let user_id = found(&db, "ann", 1).unwrap().0.user_id;
    assert_eq!(
        ids(Filter {
            user_id,
            ..Filter::default()
        }),
        ["00000001"]
    );
    assert_eq!(
        ids(Filter {
            user_id: Some(-1),
            ..service("web")
        }),
        [""; 0]
    );
}

#[test]
fn a_runner_is_told_where_to_go_on_and_what_it_should_know_and_does_not_has_failed() {
    let db = db();
    starts(&db, "ann", 1, "web", NOW);
    starts(&db, "ann", 2, "db", NOW);
    // One whose order may be on its way.
    starts(&db, "ann", 3, "mail", LATER);
    starts(&db, "ann", 4, "dns", NOW);
    ends(&db, 4, Some(0));
    writes(&db, "runner", 1, 0, "one\n");
    db.execute("UPDATE jobs SET cancelled_by = 'own' WHERE id = '00000001'");
    let has = [job(1), job(4), job(9)];
    let (lost, known) = compare(&machine("runner"), &has, LATER, "2026-01-10T00:09:30.000Z");
    db.run(lost);
    let told: Vec<ToAgent> = db.run(known).into_iter().flat_map(answers).collect();
    let expected = [
        ToAgent::JobStored { job: job(1), offset: 4 },
        ToAgent::CancelJob {
            job: job(1),
            username: "own".into(),
        },
        ToAgent::ForgetJob { job: job(4) },
        ToAgent::ForgetJob { job: job(9) },
    ];
    assert_eq!(told, expected);
    let status = |number| found(&db, "ann", number).unwrap().0.status;
    assert_eq!(
        [1, 2, 3, 4].map(status),
        [
            JobStatus::Running,
            JobStatus::Failed,
            JobStatus::Running,
            JobStatus::Completed
        ]
    );
    let (lost, _) = found(&db, "ann", 2).unwrap();
    assert!(
        lost.output[0].contains("knows nothing of this job"),
        "{:?}",
        lost.output
    );
    // Another runner says nothing of these.
    let (lost, known) = compare(&machine("other"), &[job(1)], LATER, LATER);
    db.run(lost);
    assert_eq!(
        db.run(known).into_iter().flat_map(answers).collect::<Vec<_>>(),
        [ToAgent::ForgetJob { job: job(1) }]
    );
    assert_eq!(status(3), JobStatus::Running);
}

#[test]
fn jobs_of_a_runner_that_is_revoked_or_deleted_have_failed_and_stay() {
    for (change, words) in [
        (
            "UPDATE machines SET status = 'revoked' WHERE name = 'runner'",
            "revoked",
        ),
        ("DELETE FROM machines WHERE name = 'runner'", "deleted"),
    ] {
        let db = db();
        starts(&db, "own", 1, "web", NOW);
        writes(&db, "runner", 1, 0, "one\n");
        db.execute(change);
        let (job, _) = found(&db, "own", 1).unwrap();
        assert_eq!(job.status, JobStatus::Failed);
        assert!(job.output[1].contains(words) && job.finished_at.is_some(), "{job:?}");
    }
}

#[test]
fn a_job_that_was_never_told_leaves_nothing() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    db.run(remove(&job(1)));
    assert_eq!(db.count("jobs"), 0);
}

fn control(db: &TestDb, caller: &str, number: u32) -> Result<JobControl, String> {
    let rows = db.run(find(&machine(caller), job(number).as_str()));
    JobControl::decide(db.caller(caller), rows).map_err(|error| error.text().to_owned())
}

#[test]
fn people_call_off_their_own_jobs_and_who_sees_all_everybodys() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    starts(&db, "ann", 2, "db", NOW);
    for (caller, number, may) in [
        ("own", 1, Ok(())),
        ("own", 2, Err("Permission denied")),
        ("all", 1, Ok(())),
        ("none", 1, Err("Permission denied")),
        ("eve", 1, Err("Job not found")),
    ] {
        let decided = control(&db, caller, number).map(drop);
        assert_eq!(decided, may.map_err(str::to_owned), "{caller} {number}");
    }
    let first = control(&db, "all", 1).unwrap();
    db.run(cancel(&first));
    db.run(cancel(&control(&db, "ann", 1).unwrap()));
    ends(&db, 1, Some(0));
    let (job, _) = found(&db, "own", 1).unwrap();
    assert_eq!((job.status, job.cancelled), (JobStatus::Failed, true));
    assert_eq!(
        control(&db, "own", 1).unwrap().runner().unwrap_err().text(),
        "Job is not running"
    );
}

#[test]
fn who_watches_is_given_what_follows_as_long_as_they_may_see_it() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    let as_of = |caller: &str, sign_in: &str, token_version: Option<i64>, offset: u64| -> Vec<Option<String>> {
        let context = WatchContext {
            job: job(1),
            user: machine(caller),
            proof: SignIn {
                sign_in: sign_in.to_owned(),
                token_version,
                ..SignIn::default()
            },
            from: 0,
            telling: Telling::Frames,
        };
        db.run(watched(&context, offset))
            .into_iter()
            .map(|row| row.text)
            .collect()
    };
    let at = |offset: u64| as_of("own", "s", Some(0), offset);
    assert_eq!(at(0), [None], "it has written nothing");
    for (offset, text) in [(0, "one\n"), (4, "two\n"), (8, "3\n"), (10, "4\n"), (12, "5\n")] {
        writes(&db, "runner", 1, offset, text);
    }
    let some = |texts: &[&str]| -> Vec<Option<String>> { texts.iter().map(|text| Some((*text).to_owned())).collect() };
    assert_eq!(at(0), some(&["one\n", "two\n", "3\n", "4\n"]));
    assert_eq!(at(0).len(), WATCHED_PARTS);
    for offset in [4, 6] {
        assert_eq!(at(offset), some(&["two\n", "3\n", "4\n", "5\n"]));
    }
    assert_eq!(at(14), some(&["5\n"]));
    assert_eq!(as_of("all", "s", Some(0), 12), some(&["5\n"]));
    for caller in ["none", "eve"] {
        assert_eq!(as_of(caller, "s", Some(0), 12), [], "{caller}");
    }
    assert_eq!(as_of("own", "s", Some(1), 12), [], "an older token");
    assert_eq!(as_of("own", "key:none", None, 12), [], "a key that is gone");
    db.execute("INSERT INTO revoked_sign_ins VALUES ('s', '2099-01-01T00:00:00.000Z')");
    assert_eq!(at(12), []);
    assert_eq!(as_of("own", "t", Some(0), 12), some(&["5\n"]));
    db.execute("UPDATE users SET disabled_at = 'x' WHERE username = 'own'");
    assert_eq!(as_of("own", "t", Some(0), 12), []);
}

#[test]
fn a_job_of_the_edge_is_written_and_ended_by_the_edge_alone() {
    let db = db();
    for number in [1, 2] {
        let new = NewJob {
            id: &job(number),
            action: "refresh",
            script: None,
            now: NOW,
            inputs: None,
            parent: None,
            schedule: None,
            subject: None,
            deploys: false,
        };
        db.run(insert_at_edge(&db.caller("own"), "inventory", new));
    }
    let says = |number: u32, offset: u64, text: &str| {
        let output = JobOutput {
            job: job(number),
            offset,
            text: text.to_owned(),
            deployment_id: None,
        };
        let (append, appended, rows) = append_at_edge(&output);
        db.run(append);
        db.run(appended);
        db.run(rows).into_iter().next().map(|row| row.cancelled_by)
    };
    assert_eq!(says(1, 0, "one\n"), Some(None));
    assert_eq!(
        writes(&db, "runner", 1, 4, "forged"),
        None,
        "a runner has no part in it"
    );
    assert_eq!(says(1, 9, "after a gap\n"), Some(None));
    let control = JobControl::decide(db.caller("own"), db.run(find(&machine("own"), job(1).as_str()))).unwrap();
    assert!(control.runner().unwrap().is_none());
    db.run(cancel(&control));
    assert_eq!(says(1, 4, "two\n"), Some(Some("own".to_owned())));
    db.run(end_at_edge(&job(1), true, LATER));
    let (over, _) = found(&db, "own", 1).unwrap();
    assert_eq!(
        (over.status, over.cancelled, over.exit_code),
        (JobStatus::Failed, true, None)
    );
    assert_eq!(over.output, ["one", "two"]);
    assert_eq!(says(1, 8, "late\n"), None);
    db.run(end_at_edge(&job(2), true, LATER));
    assert_eq!(found(&db, "own", 2).unwrap().0.status, JobStatus::Completed);
    // One of a runner is none of the edge's.
    starts(&db, "own", 3, "web", NOW);
    assert_eq!(says(3, 0, "forged\n"), None);
    db.run(end_at_edge(&job(3), true, LATER));
    assert_eq!(found(&db, "own", 3).unwrap().0.status, JobStatus::Running);
}

#[test]
fn a_job_of_the_edge_whose_work_was_lost_is_ended_and_says_so() {
    let db = db();
    starts(&db, "own", 1, "web", NOW);
    for (number, now) in [(2, NOW), (3, LATER)] {
        let new = NewJob {
            id: &job(number),
            action: "refresh",
            script: None,
            now,
            inputs: None,
            parent: None,
            schedule: None,
            subject: None,
            deploys: false,
        };
        db.run(insert_at_edge(&db.caller("own"), "inventory", new));
    }
    let lost: Vec<String> = db
        .run(end_lost_at_edge(LATER, LATER))
        .iter()
        .map(|row| row.id.to_string())
        .collect();
    assert_eq!(lost, [job(2).to_string()]);
    assert!(db.run(end_lost_at_edge(LATER, LATER)).is_empty());
    let (over, _) = found(&db, "own", 2).unwrap();
    assert_eq!(over.status, JobStatus::Failed);
    assert!(
        over.output[0].starts_with("[ERROR: the edge was interrupted"),
        "{:?}",
        over.output
    );
    for number in [1, 3] {
        assert_eq!(
            found(&db, "own", number).unwrap().0.status,
            JobStatus::Running,
            "{number}"
        );
    }
}
