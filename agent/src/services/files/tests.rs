use super::*;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tempfile::TempDir;

/// A services directory with one service, and a directory beside it that nothing may reach.
struct Fixture {
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let fixture = Self { directory };
        fs::create_dir_all(fixture.path("services/web/outputs")).unwrap();
        fs::create_dir_all(fixture.path("services/no-service")).unwrap();
        fs::create_dir_all(fixture.path("outside")).unwrap();
        fs::write(fixture.path("services/web/deploy.sh"), "").unwrap();
        fs::write(fixture.path("services/web/config.yaml"), "a: 1\n").unwrap();
        fs::write(fixture.path("services/web/outputs/log.txt"), "hello").unwrap();
        fs::write(fixture.path("outside/log.txt"), "secret").unwrap();
        fixture
    }

    fn path(&self, path: &str) -> std::path::PathBuf {
        self.directory.path().join(path)
    }

    fn ask(&self, ask: Ask) -> Answer {
        answer(&self.path("services"), "web", ask)
    }

    fn read(&self, place: Place) -> Answer {
        self.ask(Ask::Read {
            place,
            from: 0,
            version: None,
        })
    }

    fn write(&self, place: Place, content: &[u8]) -> Answer {
        let content = content.to_owned();
        self.ask(Ask::Write { place, content })
    }

    /// All that lies outside, as it was.
    fn assert_outside_untouched(&self) {
        let names: Vec<_> = fs::read_dir(self.path("outside"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        assert_eq!(names, ["log.txt"]);
        assert_eq!(fs::read_to_string(self.path("outside/log.txt")).unwrap(), "secret");
    }
}

fn config(name: &str) -> Place {
    Place::Config { name: name.into() }
}

fn output(name: &str) -> Place {
    Place::File {
        subdir: Subdir::Outputs,
        name: name.into(),
    }
}

fn input(name: &str) -> Place {
    Place::File {
        subdir: Subdir::Inputs,
        name: name.into(),
    }
}

fn refused(refusal: Refusal) -> Answer {
    Answer::Refused { refusal }
}

fn content(answer: Answer) -> Vec<u8> {
    match answer {
        Answer::Chunk { content, .. } => content,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_no_service_has_no_files() {
    let fixture = Fixture::new();
    let list = || Ask::List {
        subdir: Subdir::Outputs,
        after: None,
    };
    symlink(fixture.path("services/web"), fixture.path("services/linked")).unwrap();
    for name in [
        "no-service",
        "missing",
        "linked",
        "",
        ".",
        "..",
        "../outside",
        "/",
        "web/outputs",
        "web\0",
        "%2e%2e",
    ] {
        let answered = answer(&fixture.path("services"), name, list());
        assert_eq!(answered, refused(Refusal::NoService), "{name:?}");
    }
    assert_eq!(
        answer(&fixture.path("nowhere"), "web", list()),
        refused(Refusal::NoService)
    );
}

#[test]
fn a_config_is_written_whole_and_the_one_before_is_its_backup() {
    let fixture = Fixture::new();
    let file = fixture.path("services/web/config.yaml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(
        fixture.write(config("config.yaml"), b"# mine\nmode: 0644\n"),
        Answer::Done
    );
    assert_eq!(fs::read_to_string(&file).unwrap(), "# mine\nmode: 0644\n");
    assert_eq!(
        fs::read_to_string(fixture.path("services/web/config.yaml.backup")).unwrap(),
        "a: 1\n"
    );
    for name in ["config.yaml", "config.yaml.backup"] {
        assert_eq!(
            fs::metadata(fixture.path("services/web").join(name)).unwrap().mode() & 0o777,
            0o600,
            "{name}"
        );
    }
    // One generation; a config that was not there has none.
    assert_eq!(fixture.write(config("config.yaml"), b"c: 3\n"), Answer::Done);
    assert_eq!(
        fs::read_to_string(fixture.path("services/web/config.yaml.backup")).unwrap(),
        "# mine\nmode: 0644\n"
    );
    assert_eq!(fixture.write(config("outputs.yaml"), b""), Answer::Done);
    assert!(!fixture.path("services/web/outputs.yaml.backup").exists());
    assert_eq!(content(fixture.read(config("outputs.yaml"))), b"");
    // Nothing is left over.
    let names: Vec<_> = fs::read_dir(fixture.path("services/web"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    assert!(
        !names.iter().any(|name| name.to_string_lossy().starts_with(PENDING)),
        "{names:?}"
    );
}

#[test]
fn a_config_that_is_no_yaml_is_refused_and_nothing_is_written() {
    let fixture = Fixture::new();
    for bad in [b"a: [1".as_slice(), b"a: 1\na: 2\n", b"a: 1\n---\nb: 2\n", b"\xff"] {
        let answer = fixture.write(config("config.yaml"), bad);
        assert!(
            matches!(
                answer,
                Answer::Refused {
                    refusal: Refusal::InvalidYaml { .. }
                }
            ),
            "{answer:?}"
        );
    }
    assert_eq!(content(fixture.read(config("config.yaml"))), b"a: 1\n");
    assert!(!fixture.path("services/web/config.yaml.backup").exists());
}

#[test]
fn only_four_configs_are_anybodys_to_ask_for() {
    let fixture = Fixture::new();
    for name in [
        "evil.yaml",
        "../evil.yaml",
        "deploy.sh",
        "config.yaml.backup",
        "",
        "config.yaml\0",
    ] {
        assert_eq!(fixture.read(config(name)), refused(Refusal::NotAllowed), "{name:?}");
        assert_eq!(
            fixture.write(config(name), b"a: 1"),
            refused(Refusal::NotAllowed),
            "{name:?}"
        );
    }
    assert_eq!(fixture.read(config("scripts.yaml")), refused(Refusal::NotFound));
    assert_eq!(
        fixture.ask(Ask::Delete {
            place: config("config.yaml")
        }),
        refused(Refusal::NotAllowed)
    );
}

#[test]
fn sizes_have_a_bound_which_itself_passes() {
    let fixture = Fixture::new();
    let most = [b"# ", "x".repeat(MAX_WRITTEN - 2).as_bytes()].concat();
    assert_eq!(fixture.write(config("config.yaml"), &most), Answer::Done);
    let more = [&most, b"x".as_slice()].concat();
    let size = more.len() as u64;
    assert_eq!(
        fixture.write(config("config.yaml"), &more),
        refused(Refusal::TooLarge { size })
    );
    assert_eq!(fixture.write(input("a"), &more), refused(Refusal::TooLarge { size }));
    assert!(!fixture.path("services/web/inputs").exists());
    fs::write(fixture.path("services/web/config.yaml"), &more).unwrap();
    assert_eq!(fixture.read(config("config.yaml")), refused(Refusal::TooLarge { size }));
    let huge = fs::File::create(fixture.path("services/web/outputs/huge")).unwrap();
    huge.set_len(MAX_DOWNLOAD + 1).unwrap();
    assert_eq!(
        fixture.read(output("huge")),
        refused(Refusal::TooLarge { size: MAX_DOWNLOAD + 1 })
    );
}

#[test]
fn a_file_is_read_in_parts_of_one_version() {
    let fixture = Fixture::new();
    let bytes: Vec<u8> = (0..MAX_CHUNK * 2 + 7).map(|n| u8::try_from(n % 251).unwrap()).collect();
    let path = fixture.path("services/web/outputs/big");
    fs::write(&path, &bytes).unwrap();
    let (mut got, mut of) = (Vec::new(), None);
    loop {
        let ask = Ask::Read {
            place: output("big"),
            from: got.len() as u64,
            version: of.clone(),
        };
        let Answer::Chunk {
            content, size, version, ..
        } = fixture.ask(ask)
        else {
            panic!("no chunk");
        };
        assert_eq!(size, bytes.len() as u64);
        got.extend(content);
        of = Some(version);
        if got.len() == bytes.len() {
            break;
        }
    }
    assert_eq!(got, bytes);
    fs::write(&path, "other").unwrap();
    let ask = Ask::Read {
        place: output("big"),
        from: 0,
        version: of,
    };
    assert_eq!(fixture.ask(ask), refused(Refusal::Changed));
    let past = Ask::Read {
        place: output("big"),
        from: 99,
        version: None,
    };
    assert_eq!(content(fixture.ask(past)), b"");
}

#[test]
fn files_are_listed_by_name_a_part_at_a_time() {
    let fixture = Fixture::new();
    let list = |subdir, after: Option<&str>| {
        let after = after.map(str::to_owned);
        match fixture.ask(Ask::List { subdir, after }) {
            Answer::Files { files, more } => (files.into_iter().map(|file| file.name).collect::<Vec<_>>(), more),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(list(Subdir::Inputs, None), (vec![], false));
    let outputs = fixture.path("services/web/outputs");
    fs::create_dir(outputs.join("folder")).unwrap();
    fs::write(outputs.join("old.backup"), "").unwrap();
    fs::write(outputs.join(format!("{PENDING}0")), "").unwrap();
    symlink("/etc/passwd", outputs.join("link")).unwrap();
    assert_eq!(
        list(Subdir::Outputs, None),
        (vec!["log.txt".to_owned(), "old.backup".to_owned()], false)
    );
    for n in 0..MAX_LISTED {
        fs::write(outputs.join(format!("f{n:04}")), "").unwrap();
    }
    let (first, more) = list(Subdir::Outputs, None);
    assert_eq!((first.len(), more), (MAX_LISTED, true));
    assert_eq!(
        list(Subdir::Outputs, first.last().map(String::as_str)),
        (vec!["log.txt".to_owned(), "old.backup".to_owned()], false)
    );
}

#[test]
fn a_file_is_uploaded_into_a_directory_that_is_made_for_it_and_has_no_backup() {
    let fixture = Fixture::new();
    assert_eq!(fixture.write(input("key.pem"), b"one"), Answer::Done);
    assert_eq!(fixture.write(input("key.pem"), b"\xff\0"), Answer::Done);
    assert_eq!(content(fixture.read(input("key.pem"))), b"\xff\0");
    assert_eq!(fs::read_dir(fixture.path("services/web/inputs")).unwrap().count(), 1);
}

#[test]
fn a_file_that_is_deleted_is_its_backup() {
    let fixture = Fixture::new();
    let delete = |name: &str| fixture.ask(Ask::Delete { place: output(name) });
    assert_eq!(delete("log.txt"), Answer::Done);
    assert_eq!(fixture.read(output("log.txt")), refused(Refusal::NotFound));
    assert_eq!(content(fixture.read(output("log.txt.backup"))), b"hello");
    assert_eq!(delete("log.txt"), refused(Refusal::NotFound));
    assert_eq!(
        fixture.ask(Ask::Delete { place: input("none") }),
        refused(Refusal::NotFound)
    );
}

#[test]
fn no_name_and_no_link_leads_out() {
    let fixture = Fixture::new();
    let outputs = fixture.path("services/web/outputs");
    for name in [
        "..",
        "../config.yaml",
        "../../../outside/log.txt",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "a\0b",
        "a\nb",
        "",
    ] {
        for place in [output(name), input(name)] {
            assert_eq!(fixture.read(place.clone()), refused(Refusal::NotAllowed), "{name:?}");
            assert_eq!(
                fixture.write(place.clone(), b"x"),
                refused(Refusal::NotAllowed),
                "{name:?}"
            );
            assert_eq!(
                fixture.ask(Ask::Delete { place }),
                refused(Refusal::NotAllowed),
                "{name:?}"
            );
        }
    }
    // A name that only looks like a way out is a name.
    assert_eq!(fixture.read(output("..%2f..%2foutside")), refused(Refusal::NotFound));
    symlink(fixture.path("outside/log.txt"), outputs.join("link")).unwrap();
    symlink(fixture.path("outside"), fixture.path("services/web/inputs")).unwrap();
    fs::remove_file(fixture.path("services/web/config.yaml")).unwrap();
    symlink(
        fixture.path("outside/log.txt"),
        fixture.path("services/web/config.yaml"),
    )
    .unwrap();
    for place in [output("link"), input("log.txt"), config("config.yaml")] {
        assert_eq!(fixture.read(place.clone()), refused(Refusal::Traversal), "{place:?}");
        assert_eq!(
            fixture.write(place.clone(), b"a: 1"),
            refused(Refusal::Traversal),
            "{place:?}"
        );
    }
    assert_eq!(
        fixture.ask(Ask::Delete { place: output("link") }),
        refused(Refusal::Traversal)
    );
    assert_eq!(
        fixture.ask(Ask::Delete {
            place: input("log.txt")
        }),
        refused(Refusal::Traversal)
    );
    fixture.assert_outside_untouched();
}

#[test]
fn links_that_are_swapped_in_during_requests_change_nothing_outside() {
    let fixture = Fixture::new();
    let (web, outside) = (fixture.path("services/web"), fixture.path("outside"));
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (outputs, kept) = (web.join("outputs"), web.join("kept"));
            while !over.load(Ordering::Relaxed) {
                fs::rename(&outputs, &kept).unwrap();
                // In each gap a write may make the directory.
                let _ = symlink(&outside, &outputs);
                let _ = fs::remove_file(&outputs);
                while fs::rename(&kept, &outputs).is_err() {
                    let _ = fs::remove_dir_all(&outputs);
                }
            }
        });
        for _ in 0..3000 {
            match fixture.read(output("log.txt")) {
                Answer::Chunk { content, .. } => assert!(content != b"secret"),
                Answer::Refused { .. } => {}
                other => panic!("{other:?}"),
            }
            fixture.write(output("written"), b"x");
            fixture.ask(Ask::Delete {
                place: output("written"),
            });
        }
        over.store(true, Ordering::Relaxed);
    });
    fixture.assert_outside_untouched();
}
