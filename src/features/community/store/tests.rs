use protocol::api::community::{Comment, CreateFix, Fix, Issue};

use super::comments as comment_store;
use super::fixes as fix_store;
use super::pictures as picture_store;
use super::reactions::{self, Reaction};
use super::*;
use crate::features::community::access::{IssueAccess, PostControl};
use crate::platform::images::{ImageId, Shelf};
use crate::testing::{TestDb, id, published};

const NOW: &str = "2026-02-01T00:00:00.000Z";

/// `ann` administers `acme`, where `bob` and `cid` are; `eve` administers `evil`; `root` is a super administrator elsewhere.
fn db() -> TestDb {
    let db = TestDb::new();
    for (name, organization, role) in [
        ("ann", "acme", "company_admin"),
        ("bob", "acme", "user"),
        ("cid", "acme", "user"),
        ("eve", "evil", "company_admin"),
        ("root", "platform", "super_admin"),
    ] {
        db.user(name, organization, role);
    }
    db.machine("web", "ann");
    db
}

fn key(name: &str) -> ObjectId {
    id(name).parse().unwrap()
}

fn write(db: &TestDb, who: &str, title: &str, request: CreateIssue) -> ObjectId {
    let request = CreateIssue {
        title: title.to_owned(),
        description: format!("Much about {title}"),
        ..request
    };
    let caller = db.caller(who);
    let named = request.machine_id.as_deref();
    let machine = named.and_then(|name| db.run(subject(caller.id(), name)).pop());
    let machine = machine.map(|subject| subject.id);
    let now = format!("2026-02-01T00:00:{:02}.000Z", db.count("issues"));
    let issue = key(title);
    db.run(insert(&caller, &issue, &request, machine.as_ref(), &now).unwrap());
    let (release, claim) = picture_store::show_in_issue(caller.id(), &issue, &request.images).unwrap();
    db.run(release);
    db.run(claim);
    issue
}

fn access(db: &TestDb, who: &str, issue: &ObjectId) -> Option<IssueAccess> {
    let caller = db.caller(who);
    let found = db.run(find(caller.id(), issue));
    IssueAccess::decide(caller, found).ok()
}

fn control(db: &TestDb, who: &str, issue: &ObjectId) -> Option<IssueControl> {
    access(db, who, issue)?.control("no").ok()
}

fn read(db: &TestDb, who: &str, issue: &ObjectId) -> Issue {
    published(&access(db, who, issue).unwrap().issue().body)
}

const ALL: Filter = Filter {
    status: None,
    tag: None,
    machine: None,
    search: None,
    sort: Sort::Newest,
};

fn titles(db: &TestDb, who: &str, filter: &Filter) -> Vec<String> {
    let (rows, count) = list(db.caller(who).id(), filter, Page::Everything);
    let rows: Vec<Issue> = db.run(rows).iter().map(|row| published(&row.body)).collect();
    assert_eq!(Count::of(&db.run(count)), rows.len() as u64);
    rows.into_iter().map(|issue| issue.title).collect()
}

#[test]
fn an_issue_is_read_in_its_organization_and_changed_by_its_author_and_administrators() {
    let db = db();
    let request = CreateIssue {
        machine_id: Some(id("web")[..12].to_owned()),
        tags: vec!["disk".into(), "a \"quoted\" one".into()],
        ..Default::default()
    };
    let issue = write(&db, "bob", "full", request);
    let body = read(&db, "cid", &issue);
    assert_eq!(body.machine.map(|machine| machine.name).as_deref(), Some("web"));
    assert_eq!(body.tags, ["disk", "a \"quoted\" one"]);
    assert_eq!((body.author_username.as_str(), body.status), ("bob", IssueStatus::Open));
    assert!(access(&db, "eve", &issue).is_none());
    for (who, may) in [("bob", true), ("ann", true), ("root", true), ("cid", false)] {
        assert_eq!(control(&db, who, &issue).is_some(), may, "{who}");
    }
    // The machine of another organization is none to write about, and one that is gone is forgotten.
    db.machine("other", "eve");
    assert!(db.run(subject(db.caller("bob").id(), &id("other"))).is_empty());
    db.execute("DELETE FROM machines");
    let body = read(&db, "bob", &issue);
    assert_eq!((body.machine_id, body.machine), (None, None));
}

#[test]
fn what_a_change_leaves_out_or_empty_stays() {
    let db = db();
    let issue = write(&db, "bob", "full", CreateIssue::default());
    let change = |change: UpdateIssue| {
        let control = control(&db, "bob", &issue).unwrap();
        db.run(update(&control, &change, None, NOW).unwrap());
        read(&db, "bob", &issue)
    };
    let body = change(UpdateIssue {
        title: Some(String::new()),
        description: Some(String::new()),
        status: Some("in-progress".into()),
        tags: Some(vec!["x".into()]),
        ..Default::default()
    });
    assert_eq!(
        (body.title.as_str(), body.description.as_str()),
        ("full", "Much about full")
    );
    assert_eq!(
        (body.status, body.tags),
        (IssueStatus::InProgress, vec!["x".to_owned()])
    );
    let body = change(UpdateIssue {
        title: Some(" fuller ".into()),
        ..Default::default()
    });
    assert_eq!(
        (body.title.as_str(), body.status, body.tags.len()),
        ("fuller", IssueStatus::InProgress, 1)
    );
}

#[test]
fn a_list_is_narrowed_and_ordered() {
    let db = db();
    let tagged = CreateIssue {
        tags: vec!["Disk".into()],
        machine_id: Some(id("web")),
        ..Default::default()
    };
    write(&db, "bob", "first 100%", tagged);
    let second = write(&db, "cid", "second", CreateIssue::default());
    write(&db, "eve", "elsewhere", CreateIssue::default());
    assert_eq!(titles(&db, "bob", &ALL), ["second", "first 100%"]);
    assert_eq!(titles(&db, "eve", &ALL), ["elsewhere"]);
    let only = |filter: Filter| titles(&db, "bob", &filter);
    assert_eq!(
        only(Filter {
            tag: Some("disk"),
            ..ALL
        }),
        ["first 100%"]
    );
    assert_eq!(
        only(Filter {
            machine: Some(&id("web")[..12]),
            ..ALL
        }),
        ["first 100%"]
    );
    // Literally, of any length, in title and description.
    assert_eq!(
        only(Filter {
            search: Some("%"),
            ..ALL
        }),
        ["first 100%"]
    );
    assert_eq!(
        only(Filter {
            search: Some("ABOUT SEC"),
            ..ALL
        }),
        ["second"]
    );
    assert!(
        only(Filter {
            search: Some("elsewhere"),
            ..ALL
        })
        .is_empty()
    );
    db.run(resolve(&control(&db, "cid", &second).unwrap(), NOW));
    assert_eq!(
        only(Filter {
            status: Some(IssueStatus::Resolved),
            ..ALL
        }),
        ["second"]
    );
    assert_eq!(
        only(Filter {
            sort: Sort::Oldest,
            ..ALL
        }),
        ["first 100%", "second"]
    );
    let (vote, _) = reactions::vote(&access(&db, "bob", &key("first 100%")).unwrap(), Reaction::Give);
    db.run(vote);
    assert_eq!(
        only(Filter {
            sort: Sort::Votes,
            ..ALL
        }),
        ["first 100%", "second"]
    );
    db.execute("UPDATE issues SET updated_at = '2027-01-01T00:00:00.000Z' WHERE title = 'second'");
    assert_eq!(
        only(Filter {
            sort: Sort::Updated,
            ..ALL
        }),
        ["second", "first 100%"]
    );
}

fn fix(db: &TestDb, who: &str, issue: &ObjectId, content: &str) -> ObjectId {
    let fix = key(content);
    let request = CreateFix {
        content: content.to_owned(),
        images: Vec::new(),
    };
    let now = format!("2026-02-01T00:00:{:02}.000Z", db.count("fixes"));
    db.run(fix_store::insert(&access(db, who, issue).unwrap(), &fix, &request, &now).unwrap());
    fix
}

fn fixes_of(db: &TestDb, who: &str, issue: &ObjectId) -> Vec<Fix> {
    let (rows, count) = fix_store::list(db.caller(who).id(), issue, Page::Everything);
    let rows: Vec<Fix> = db.run(rows).iter().map(|row| published(&row.body)).collect();
    assert_eq!(Count::of(&db.run(count)), rows.len() as u64);
    rows
}

#[test]
fn one_fix_is_accepted_and_stands_first() {
    let db = db();
    let issue = write(&db, "bob", "full", CreateIssue::default());
    let (first, second) = (fix(&db, "cid", &issue, "rm"), fix(&db, "ann", &issue, "lvextend"));
    let contents = |db: &TestDb| -> Vec<(String, bool)> {
        let fixes = fixes_of(db, "bob", &issue).into_iter();
        fixes
            .map(|fix| (fix.content, fix.accepted && fix.is_accepted))
            .collect()
    };
    let fixes = |accepted: &str, order: [&str; 2]| order.map(|name| (name.to_owned(), name == accepted)).to_vec();
    assert_eq!(contents(&db), fixes("", ["lvextend", "rm"]));
    for (id, expected) in [
        (&first, fixes("rm", ["rm", "lvextend"])),
        (&second, fixes("lvextend", ["lvextend", "rm"])),
    ] {
        let (forget, accept) = fix_store::accept(&control(&db, "bob", &issue).unwrap(), id);
        db.run(forget);
        db.run(accept);
        assert_eq!(contents(&db), expected);
    }
    assert_eq!(read(&db, "bob", &issue).fix_count, 2);
    let removal = |who: &str| {
        let caller = db.caller(who);
        let found = db.run(fix_store::find(caller.id(), &issue, &first));
        PostControl::decide(caller, found, "absent", "no")
    };
    assert_eq!(removal("bob").unwrap_err().status().as_u16(), 403);
    assert_eq!(removal("eve").unwrap_err().status().as_u16(), 404);
    db.run(fix_store::delete(&removal("cid").unwrap()));
    assert_eq!(fixes_of(&db, "bob", &issue).len(), 1);
    let elsewhere = write(&db, "bob", "other", CreateIssue::default());
    assert!(db.run(fix_store::exists(&elsewhere, &second)).is_empty());
}

#[test]
fn likes_and_votes_count_once_and_never_below_zero() {
    let db = db();
    let issue = write(&db, "bob", "full", CreateIssue::default());
    let fix = fix(&db, "cid", &issue, "rm");
    let bob = || access(&db, "bob", &issue).unwrap();
    for (reaction, expected) in [(Reaction::Give, 1), (Reaction::TakeBack, 0)] {
        for _ in 0..2 {
            let (like, likes) = reactions::like(&bob(), &fix, reaction);
            db.run(like);
            assert_eq!(Count::of(&db.run(likes)), expected);
            let (vote, votes) = reactions::vote(&bob(), reaction);
            db.run(vote);
            assert_eq!(Count::of(&db.run(votes)), expected);
            let liked = &fixes_of(&db, "bob", &issue)[0];
            assert_eq!(
                (liked.likes, liked.liked_by_me, liked.liked_by.len() as u64),
                (expected, expected == 1, expected)
            );
            let voted = read(&db, "bob", &issue);
            assert_eq!((voted.votes, voted.voted_by_me), (expected, expected == 1));
            assert!(!read(&db, "cid", &issue).voted_by_me);
        }
    }
    // A fix of another issue is not liked by way of this one.
    let other = write(&db, "bob", "other", CreateIssue::default());
    db.run(reactions::like(&access(&db, "bob", &other).unwrap(), &fix, Reaction::Give).0);
    assert_eq!(db.count("fix_likes"), 0);
}

#[test]
fn comments_stand_in_their_order_and_go_with_the_issue() {
    let db = db();
    let issue = write(&db, "bob", "full", CreateIssue::default());
    for (who, content, now) in [
        ("cid", "me too", "2026-02-01T00:00:00.000Z"),
        ("bob", "since?", "2026-02-01T00:00:01.000Z"),
    ] {
        db.run(comment_store::insert(
            &access(&db, who, &issue).unwrap(),
            &key(content),
            content,
            now,
        ));
    }
    let (rows, count) = comment_store::list(&issue, Page::Everything);
    let said: Vec<Comment> = db.run(rows).iter().map(|row| published(&row.body)).collect();
    assert_eq!(Count::of(&db.run(count)), 2);
    let said: Vec<_> = said
        .iter()
        .map(|comment| (comment.author_username.as_str(), comment.content.as_str()))
        .collect();
    assert_eq!(said, [("cid", "me too"), ("bob", "since?")]);
    let removal = |who: &str| {
        let caller = db.caller(who);
        let found = db.run(comment_store::find(caller.id(), &issue, &key("me too")));
        PostControl::decide(caller, found, "absent", "no").map_err(|error| error.status().as_u16())
    };
    assert_eq!((removal("bob").unwrap_err(), removal("eve").unwrap_err()), (403, 404));
    db.run(comment_store::delete(&removal("ann").unwrap()));
    assert_eq!(read(&db, "bob", &issue).comment_count, 1);
    fix(&db, "cid", &issue, "rm");
    db.run(delete(&control(&db, "ann", &issue).unwrap()));
    for table in ["issues", "issue_comments", "fixes"] {
        assert_eq!(db.count(table), 0, "{table}");
    }
}

#[test]
fn a_picture_is_kept_while_something_shows_it() {
    let db = db();
    let picture = |n: u8| ImageId::parse(&format!("{n:032x}")).unwrap();
    let address = |n: u8| Shelf::Community.address(&picture(n), Some("https://edge.example.com"));
    let bob = db.caller("bob");
    for n in 1..=3 {
        assert_eq!(db.run(picture_store::add(bob.id(), &picture(n), NOW)).len(), 1);
    }
    let unused = |db: &TestDb| {
        let found = db.run(picture_store::unused("2026-02-02T00:00:00.000Z", 10));
        found
            .iter()
            .map(|picture| picture.id[31..].to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(unused(&db), ["1", "2", "3"]);
    assert!(db.run(picture_store::unused(NOW, 10)).is_empty(), "there is a day");
    let with = |images: Vec<String>| CreateIssue {
        images,
        ..Default::default()
    };
    // Whoever names somebody else's picture does not keep it.
    write(&db, "cid", "copied", with(vec![address(3)]));
    let issue = write(
        &db,
        "bob",
        "full",
        with(vec![address(1), address(2), "https://example.org/a.png".into()]),
    );
    assert_eq!(unused(&db), ["3"]);
    let change = |who: &str, images: &[String]| {
        let (release, claim) = picture_store::show_in_issue(db.caller(who).id(), &issue, images).unwrap();
        db.run(release);
        db.run(claim);
    };
    change("ann", &[address(2)]);
    assert_eq!(unused(&db), ["1", "3"]);
    let fix = fix(&db, "bob", &issue, "rm");
    db.run(picture_store::show_in_fix(bob.id(), &fix, &[address(1)]).unwrap());
    assert_eq!(unused(&db), ["3"]);
    db.run(delete(&control(&db, "bob", &issue).unwrap()));
    assert_eq!(unused(&db), ["1", "2", "3"]);
    for found in db.run(picture_store::unused("2026-02-02T00:00:00.000Z", 2)) {
        assert_eq!(db.run(picture_store::remove(&found)).len(), 1);
    }
    assert_eq!(db.count("community_images"), 1);
}

#[test]
fn nobody_fills_the_bucket_with_what_nothing_shows() {
    let db = db();
    let bob = db.caller("bob");
    let add = |n: i64| {
        let picture = ImageId::parse(&format!("{n:032x}")).unwrap();
        db.run(picture_store::add(bob.id(), &picture, NOW)).len()
    };
    assert_eq!(
        (0..=picture_store::MAX_UNUSED).map(add).sum::<usize>() as i64,
        picture_store::MAX_UNUSED
    );
}
