use chrono::{DateTime, TimeDelta, Utc};
use protocol::api::webhooks::{Delivery, Webhook};

use super::outbox::Outcome;
use super::*;
use crate::features::webhooks::row::Due;
use crate::http::page::Page;
use crate::platform::db::{Count, stored};
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-01-01T00:00:00.000Z";

fn db() -> TestDb {
    let db = TestDb::new();
    db.user("ann", "acme", "company_admin");
    db.user("eve", "evil", "company_admin");
    for name in ["one", "two"] {
        db.webhook(name, "acme", &["command"]);
    }
    db
}

/// A delivery to a webhook.
fn put(db: &TestDb, name: &str, webhook: &str, at: &str) {
    db.execute(&format!(
        "INSERT INTO deliveries (id, organization_id, webhook_id, event, summary, payload, max_attempts, next_attempt_at, created_at)
         VALUES ('{}', '{}', '{}', 'command', 'a summary', '{{}}', 3, '{at}', '{at}')",
        id(name),
        id("acme"),
        id(webhook)
    ));
}

fn at(minutes: i64) -> String {
    stored(NOW.parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes))
}

fn take(db: &TestDb, minutes: i64) -> Vec<Due> {
    db.run(outbox::take(&at(minutes), &at(minutes + 2)))
}

fn outcome(error: &str) -> Outcome {
    Outcome {
        response_status: Some(if error.is_empty() { 200 } else { 500 }),
        duration_ms: 12,
        response: "body".to_owned(),
        error: error.to_owned(),
    }
}

fn control(db: &TestDb, webhook: &str) -> WebhookControl {
    let found = db.run(find(&id("ann").parse().unwrap(), &id(webhook)));
    WebhookControl::decide(db.caller("ann"), found).unwrap()
}

#[test]
fn webhooks_are_seen_by_the_administrators_of_their_organization_and_only_so_many_are_made() {
    let db = db();
    let [ann, eve]: [ObjectId; 2] = ["ann", "eve"].map(|name| id(name).parse().unwrap());
    let rows = db.run(list(&ann));
    let first: Webhook = published(&rows[0].body);
    assert_eq!((rows.len(), first.active, first.pending), (2, true, 0));
    assert!(db.run(list(&eve)).is_empty() && db.run(find(&eve, &id("one"))).is_empty());
    let new: SaveWebhook = serde_json::from_str(r#"{"name":"new","url":"https://x.example"}"#).unwrap();
    for n in 0..MAX_WEBHOOKS {
        let key = id(&format!("new {n}")).parse().unwrap();
        db.run(insert(&db.caller("ann"), &key, &new, "sealed", NOW).unwrap());
    }
    assert_eq!(db.count("webhooks"), MAX_WEBHOOKS);
}

#[test]
fn what_is_due_is_taken_once_and_of_each_receiver_one_at_a_time() {
    let db = db();
    for (name, webhook, minutes) in [("a", "one", 0), ("b", "one", 1), ("c", "two", 0), ("later", "two", 9)] {
        put(&db, name, webhook, &at(minutes));
    }
    let ids = |due: &[Due]| due.iter().map(|due| due.id.to_string()).collect::<Vec<_>>();
    let mut first = ids(&take(&db, 1));
    first.sort();
    let mut expected = [id("a"), id("c")];
    expected.sort();
    assert_eq!(first, expected);
    // While these are on their way, the next of the same receiver may go.
    assert_eq!(ids(&take(&db, 1)), [id("b")]);
    assert!(take(&db, 1).is_empty());
    // What was taken and never ended was lost with whoever took it.
    assert_eq!(take(&db, 3).len(), 2);
}

#[test]
fn what_fails_is_tried_again_until_it_was_tried_often_enough() {
    let db = db();
    put(&db, "a", "one", &at(0));
    let webhook: ObjectId = id("one").parse().unwrap();
    for (attempt, minutes) in [(1, 0), (2, 5), (3, 15)] {
        let due = take(&db, minutes).remove(0);
        assert_eq!(
            (due.attempts, due.url.as_deref()),
            (attempt, Some("https://one.example.org"))
        );
        let again = (due.attempts < due.max_attempts).then(|| at(minutes + 5));
        db.run(outbox::end_attempt(&due, &outcome("It answered 500"), again.as_deref()));
        db.run(outbox::mark(&webhook, Some(&at(minutes))));
        assert!(take(&db, minutes + 4).is_empty());
    }
    assert_eq!(
        db.count("deliveries WHERE status = 'failed' AND attempts = 3 AND response_status = 500 AND response = 'body' AND duration_ms = 12"),
        1
    );
    assert_eq!(
        db.count(&format!("webhooks WHERE failing_since = '{}'", at(0))),
        1,
        "since the first"
    );
    put(&db, "b", "one", &at(20));
    let due = take(&db, 20).remove(0);
    db.run(outbox::end_attempt(&due, &outcome(""), None));
    db.run(outbox::mark(&webhook, None));
    assert_eq!(db.count("deliveries WHERE status = 'delivered' AND error = ''"), 1);
    assert_eq!(db.count("webhooks WHERE failing_since IS NOT NULL"), 0);
}

#[test]
fn an_attempt_that_ends_late_changes_nothing_of_a_later_one() {
    let db = db();
    put(&db, "a", "one", &at(0));
    let (slow, second) = (take(&db, 0).remove(0), take(&db, 3).remove(0));
    db.run(outbox::end_attempt(&slow, &outcome("too late"), None));
    assert_eq!(db.count("deliveries WHERE status = 'pending' AND error = ''"), 1);
    db.run(outbox::end_attempt(&second, &outcome(""), None));
    assert_eq!(db.count("deliveries WHERE status = 'delivered'"), 1);
}

#[test]
fn what_waits_for_a_webhook_that_fails_waits_longer_and_others_do_not() {
    let db = db();
    for (name, webhook) in [("a", "one"), ("b", "two")] {
        put(&db, name, webhook, &at(0));
    }
    db.run(outbox::put_off(&id("one").parse().unwrap(), &at(1)));
    let due = take(&db, 0);
    assert_eq!((due.len(), due[0].id.as_str()), (1, id("b").as_str()));
}

#[test]
fn a_test_is_sent_once_and_a_delivery_again_when_somebody_says_so() {
    let db = db();
    let control = control(&db, "one");
    let key: ObjectId = id("test").parse().unwrap();
    db.run(deliveries::test(&control, &key, &at(0)));
    let due = db.run(outbox::take_one(&key, &at(0), &at(2))).remove(0);
    assert_eq!((due.attempts, due.max_attempts), (1, 1));
    let busy = |minutes: i64| {
        db.run(deliveries::again(
            &control,
            key.as_str(),
            &at(minutes),
            &at(minutes - 2),
        ))
    };
    assert!(busy(1).is_empty(), "it is on its way");
    db.run(outbox::end_attempt(&due, &outcome("It answered 500"), None));
    assert_eq!(busy(1).len(), 1);
    let due = db.run(outbox::take_one(&key, &at(1), &at(3))).remove(0);
    assert_eq!((due.attempts, due.max_attempts), (2, 2));
    db.run(outbox::end_attempt(&due, &outcome(""), None));
    let body = db.run(deliveries::read(&control, key.as_str())).remove(0).body;
    let delivery: Delivery = published(&body);
    assert_eq!((delivery.event.as_str(), delivery.attempts), ("test", 2));
    assert!(
        db.run(deliveries::read(&self::control(&db, "two"), key.as_str()))
            .is_empty()
    );
    let (_, count) = deliveries::list(&id("one"), Page::Everything);
    assert_eq!(Count::of(&db.run(count)), 1);
}

#[test]
fn a_secret_that_is_replaced_signs_on_for_its_time_and_only_so_many_do() {
    let db = db();
    let today = Utc::now();
    let far = |n: i64| stored(today + TimeDelta::hours(n));
    let former = |minutes: i64| {
        put(&db, &format!("of {minutes}"), "one", &at(minutes));
        let due = take(&db, minutes).remove(0);
        (due.secret_sealed.unwrap(), due.former_sealed)
    };
    let shown = || {
        let body = db.run(find(&id("ann").parse().unwrap(), &id("one"))).remove(0).body;
        published::<Webhook>(&body).former_secret_until
    };
    db.execute("UPDATE webhooks SET secret_sealed = 's0'");
    assert_eq!((former(0), shown()), (("s0".to_owned(), None), None));
    db.run(rotate(&control(&db, "one"), "s1", &at(1), &at(10)));
    assert_eq!(former(5), ("s1".to_owned(), Some("s0".to_owned())));
    assert_eq!(former(10), ("s1".to_owned(), None), "its time is over");
    assert_eq!(shown(), None);
    for n in 2..=5 {
        db.run(rotate(&control(&db, "one"), &format!("s{n}"), &at(20), &far(n)));
    }
    assert_eq!(former(20), ("s5".to_owned(), Some("s4 s3 s2".to_owned())));
    assert_eq!(shown().map(stored), Some(far(5)));
    assert_eq!(
        db.count("webhooks WHERE secret_sealed = 's0' AND former_secrets = '[]'"),
        1,
        "another webhook"
    );
}

#[test]
fn of_a_webhook_that_is_switched_off_nothing_is_sent_and_another_address_begins_anew() {
    let db = db();
    put(&db, "a", "one", &at(0));
    db.execute("UPDATE webhooks SET failing_since = '2026-01-01T00:00:00.000Z'");
    let save = |url: &str, active: bool| {
        let webhook = SaveWebhook {
            name: "one".to_owned(),
            url: url.to_owned(),
            events: vec![],
            active,
        };
        db.run(update(&control(&db, "one"), &webhook, NOW).unwrap());
        db.count("webhooks WHERE name = 'one' AND failing_since IS NOT NULL")
    };
    assert_eq!(save("https://one.example.org", true), 1);
    assert_eq!(save("https://other.example.org", true), 0);
    save("https://other.example.org", false);
    assert_eq!(
        db.count("deliveries WHERE status = 'failed' AND error = 'The webhook was switched off'"),
        1
    );
    assert!(control(&db, "one").expect_active().is_err());
    assert!(take(&db, 5).is_empty());
}

#[test]
fn of_one_webhook_the_newest_are_kept_and_nothing_for_ever() {
    let db = db();
    for n in 0..510 {
        put(&db, &format!("d{n}"), "one", &at(n));
    }
    put(&db, "other", "two", &at(0));
    assert_eq!(db.count(&format!("deliveries WHERE webhook_id = '{}'", id("one"))), 500);
    assert_eq!(db.count(&format!("deliveries WHERE created_at < '{}'", at(10))), 1);
    db.run(outbox::purge(&at(20), 1000));
    assert_eq!(db.count("deliveries"), 490);
}
