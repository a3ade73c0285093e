use super::*;
use tempfile::TempDir;

fn record(number: u32) -> CommandRecord {
    CommandRecord {
        id: format!("{number:024x}").parse().unwrap(),
        session_id: "sess_1".parse().unwrap(),
        seen: Seen::Announced,
        text: Text::Whole,
        command: format!("echo {number}\n"),
        cwd: "/".into(),
        outcome: Outcome::Unknown,
        started_at: 1000 + u64::from(number),
        duration_ms: 0,
        stream: protocol::ids::StreamId(1),
        from: 0,
        to: 0,
        missing: 0,
        against_policy: false,
    }
}

fn ended(number: u32) -> CommandRecord {
    CommandRecord {
        outcome: Outcome::Exited { exit_code: 0 },
        ..record(number)
    }
}

fn open(directory: &TempDir) -> Journal {
    Journal::open(&directory.path().join("agent")).unwrap()
}

fn file(directory: &TempDir) -> PathBuf {
    directory.path().join("agent/commands")
}

#[test]
fn what_waits_outlives_the_agent_until_it_is_stored() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    for number in 0..3 {
        journal.began(record(number));
    }
    journal.ended(ended(1));
    journal.ended(ended(0));
    drop(journal);
    // Nobody saw how the third ended.
    let mut journal = open(&directory);
    assert_eq!(journal.batch(), [ended(1), ended(0), record(2)]);
    assert_eq!(journal.batch().len(), 3, "they stay until they are stored");
    journal.stored(&[ended(0).id, record(2).id]);
    drop(journal);
    let mut journal = open(&directory);
    assert_eq!(journal.batch(), [ended(1)]);
    journal.stored(&[ended(1).id]);
    assert!(!journal.has_waiting());
    assert_eq!(fs::metadata(file(&directory)).unwrap().len(), 0);
}

#[test]
fn a_line_that_is_there_in_part_loses_no_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    journal.ended(ended(1));
    let mut torn = OpenOptions::new().append(true).open(file(&directory)).unwrap();
    torn.write_all(b"{\"ended\":{\"id\":\"0000").unwrap();
    // As after a write that failed.
    journal.torn = true;
    journal.ended(ended(2));
    drop(journal);
    assert_eq!(open(&directory).batch(), [ended(1), ended(2)]);
}

#[test]
fn a_message_holds_what_it_may() {
    let mut journal = Journal::in_memory();
    for number in 0..250 {
        journal.ended(ended(number));
    }
    assert_eq!(journal.batch().len(), MAX_RECORDS);
    let mut journal = Journal::in_memory();
    for number in 0..20 {
        let command = "\u{1}".repeat(protocol::terminal::command_record::MAX_COMMAND_TEXT);
        journal.ended(CommandRecord {
            command,
            ..ended(number)
        });
    }
    let batch = journal.batch();
    assert!(!batch.is_empty() && serde_json::to_string(&batch).unwrap().len() <= MAX_RECORDS_BYTES + 2);
}

#[test]
fn without_room_the_oldest_stay_and_how_many_are_missing_is_said() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    journal.max_waiting = 2;
    for number in 0..8 {
        journal.ended(ended(number));
    }
    let missing = journal.batch().pop().unwrap();
    assert_eq!(
        (missing.text, missing.missing, missing.started_at),
        (Text::Missing, 6, 1002)
    );
    // What is on its way counts no further.
    journal.ended(ended(8));
    drop(journal);
    let mut journal = open(&directory);
    let texts: Vec<_> = journal
        .batch()
        .iter()
        .map(|record| (record.text, record.missing))
        .collect();
    assert_eq!(
        texts,
        [
            (Text::Whole, 0),
            (Text::Whole, 0),
            (Text::Missing, 4),
            (Text::Missing, 1)
        ]
    );
    let ids: Vec<_> = journal.batch().into_iter().map(|record| record.id).collect();
    journal.stored(&ids);
    journal.ended(ended(9));
    assert_eq!(journal.batch(), [ended(9)]);
}

#[test]
fn the_file_does_not_grow_with_what_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let mut journal = open(&directory);
    journal.began(record(u32::MAX));
    for number in 0..20_000 {
        journal.began(record(number));
        journal.ended(ended(number));
        if number % 50 == 49 {
            let ids: Vec<_> = journal.batch().into_iter().map(|record| record.id).collect();
            journal.stored(&ids);
        }
        assert!(journal.written <= REWRITTEN_FROM + 64 * 1024, "{}", journal.written);
    }
    assert_eq!(fs::metadata(file(&directory)).unwrap().len(), journal.written);
    drop(journal);
    assert_eq!(open(&directory).batch(), [record(u32::MAX)]);
}

#[test]
fn a_directory_that_others_can_enter_is_not_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent");
    let mut journal = Journal::open(&path).unwrap();
    assert!(!path.exists(), "nothing is made before there is something to write");
    journal.ended(ended(1));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Journal::open(&path).is_err());
    let linked = directory.path().join("linked");
    std::os::unix::fs::symlink(directory.path(), &linked).unwrap();
    assert!(Journal::open(&linked).is_err());
}
