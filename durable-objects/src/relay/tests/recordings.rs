//! Recordings: complete, whatever is cut, forgotten, killed, refused or slow; and nobody waits for one without need.
use std::collections::BTreeMap;

use proptest::prelude::*;
use protocol::ids::StreamId;
use protocol::limits::{LIVE_WINDOW, RECORDER_WINDOW};
use protocol::recording::{Event, Segment, chain, events};
use protocol::relay_contract::Dialect;
use protocol::terminal::Size;
use protocol::terminal::viewer::ToViewer;

use super::properties::{self, step};
use super::relay_sim::{RelaySim, Wire, object_id, output_at};
use super::rules::{connect, heard};
use crate::relay::{Chunk, Key, Notice, Outcome, Record, Socket, Tie};

const SHELL: StreamId = StreamId(1);

/// One agent and one typist, attached and recorded.
fn recorded() -> RelaySim {
    let mut sim = RelaySim::new(1);
    sim.records = true;
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    sim
}

/// The chunks of each recording that follow one another.
fn chains(sim: &RelaySim) -> BTreeMap<StreamId, Vec<Chunk>> {
    let mut all = BTreeMap::<StreamId, Vec<Chunk>>::new();
    for chunk in sim.bucket.values() {
        all.entry(chunk.stream).or_default().push(chunk.clone());
    }
    all.into_iter()
        .map(|(stream, chunks)| (stream, chain(chunks, 0, |chunk| chunk.span)))
        .collect()
}

/// The length of what was recorded, each byte of which is what the terminal wrote.
fn check(chunks: &[Chunk]) -> u64 {
    let (mut offset, mut last) = (0, 0);
    for (i, chunk) in chunks.iter().enumerate() {
        assert_eq!(chunk.span.start, offset, "a hole in the recording");
        assert_eq!(chunk.body.starts_with(b"{"), i == 0, "the header comes first and once");
        for (j, event) in events(&chunk.body).enumerate() {
            let (at, event) = event.unwrap();
            assert!(at >= last, "time went back from {last} to {at}");
            assert!(i + j > 0 || at == 0, "the first event is at time 0");
            last = at;
            if let Event::Output(bytes) = event {
                assert!(bytes == output_at(offset, bytes.len()), "wrong bytes at {offset}");
                offset += bytes.len() as u64;
            }
        }
        assert_eq!(chunk.span.end, offset);
        assert_eq!(chunk.span.to, last);
    }
    offset
}

fn ended(sim: &RelaySim) -> Vec<(Outcome, u64)> {
    let outcome = |notice: &Notice| match notice {
        Notice::RecordingEnded {
            outcome, output_bytes, ..
        } => Some((*outcome, *output_bytes)),
        _ => None,
    };
    sim.notices.iter().filter_map(outcome).collect()
}

fn started(sim: &RelaySim) -> usize {
    let started = |notice: &&Notice| matches!(notice, Notice::RecordingStarted { .. });
    sim.notices.iter().filter(started).count()
}

/// The time comes that a recorder waits for, and it does what it waited to do.
fn time_passes(sim: &mut RelaySim) {
    sim.now = sim.relay.recording_due().unwrap();
    sim.relay.record(sim.now);
    sim.perform();
    sim.settle();
}

fn is_recording(sim: &RelaySim) -> bool {
    sim.storage.keys().any(|key| matches!(key, Key::Recorder(_)))
}

#[test]
fn a_chunk_begins_with_the_screen_now_and_then_so_that_one_can_begin_to_play_there() {
    let mut sim = recorded();
    for _ in 0..30 {
        sim.programs_write(50_000);
        sim.settle();
        sim.now += 1_000;
    }
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let chunks = chains(&sim).remove(&SHELL).unwrap();
    assert_eq!(check(&chunks), 1_500_000);
    let with_screens: Vec<&Chunk> = chunks.iter().filter(|chunk| chunk.span.screen).collect();
    assert!(with_screens.len() >= 4, "{}", with_screens.len());
    for chunk in &with_screens {
        let begin = Segment::new(0).begin(&chunk.body, true).unwrap();
        let begin = String::from_utf8(begin).unwrap();
        assert!(begin.contains(&format!("screen at {}\"", chunk.span.start)), "{begin}");
    }
    let starts = with_screens.iter().map(|chunk| chunk.span.start);
    let starts: Vec<u64> = [0].into_iter().chain(starts).chain([1_500_000]).collect();
    assert!(starts.windows(2).all(|two| two[1] - two[0] < 400_000), "{starts:?}");
}

#[test]
fn a_screen_of_another_place_is_left_out() {
    let mut sim = recorded();
    sim.programs_write(1_000);
    sim.settle();
    for offset in [0, 999, 1_001, u64::MAX] {
        sim.relay
            .record_screen(sim.now, SHELL, offset, Size::default(), "wrong");
    }
    sim.programs_write(1_000);
    sim.settle();
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let chunks = chains(&sim).remove(&SHELL).unwrap();
    assert_eq!(check(&chunks), 2_000);
    assert!(chunks.iter().all(|chunk| !chunk.span.screen));
}

#[test]
fn a_screen_that_cannot_be_used_is_asked_for_again() {
    let mut sim = recorded();
    let agent = sim.agent.socket.unwrap();
    let is_ask = |wire: &Wire| matches!(wire, Wire::Text(text) if text.contains("\"screen\""));
    while !sim.links[&agent].down.iter().any(is_ask) {
        sim.programs_write(20_000);
        while sim.deliver_up(agent) {}
        sim.now += 1_000;
    }
    // The answer is of another place than what the recorder has.
    sim.links.get_mut(&agent).unwrap().down.retain(|wire| !is_ask(wire));
    sim.relay.record_screen(sim.now, SHELL, 1, Size::default(), "wrong");
    for _ in 0..2 {
        sim.programs_write(1_000);
        sim.settle();
    }
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let chunks = chains(&sim).remove(&SHELL).unwrap();
    assert_eq!(chunks.iter().filter(|chunk| chunk.span.screen).count(), 1);
}

#[test]
fn after_each_burst_it_is_known_what_the_terminal_shows() {
    /// It ends with a whole character. The relay has in memory what is left aside of two.
    const HALF: u64 = 251 * 800;
    let mut sim = recorded();
    for _ in 0..6 {
        for _ in 0..2 {
            sim.now += 10;
            sim.programs_write(HALF);
            sim.settle();
        }
        // The burst is over, and what was left aside of it is taken in; then somebody types.
        time_passes(&mut sim);
        while sim.bucket_answers(0, true) {
            sim.settle();
        }
        sim.now += 1_000;
    }
    sim.programs_write(1);
    sim.settle();
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let chunks = chains(&sim).remove(&SHELL).unwrap();
    let starts = chunks.iter().filter(|chunk| chunk.span.screen);
    let starts: Vec<u64> = starts.map(|chunk| chunk.span.start).collect();
    let is_start = |burst: u64| starts.contains(&(burst * 2 * HALF));
    assert!((1..=6).all(is_start), "{starts:?}");
}

#[test]
fn a_session_is_recorded_from_its_first_byte_to_its_exit() {
    let mut sim = recorded();
    sim.programs_write(700_000);
    sim.settle();
    sim.now += 5_000;
    sim.programs_write(3);
    sim.settle();
    sim.shell_exits(SHELL, 7);
    sim.store_all();
    assert_eq!(check(&chains(&sim)[&SHELL]), 700_003);
    let end = sim.notices.iter().find_map(|notice| match notice {
        Notice::RecordingEnded {
            outcome,
            exit_code,
            milliseconds,
            output_bytes,
            bytes,
            ..
        } => {
            let stored: usize = sim.bucket.values().map(|chunk| chunk.body.len()).sum();
            assert_eq!(*bytes, stored as u64);
            Some((*outcome, *exit_code, *milliseconds, *output_bytes))
        }
        _ => None,
    });
    assert_eq!(end, Some((Outcome::Complete, Some(7), 5_000, 700_003)));
    assert!(!is_recording(&sim));
    assert!(sim.agent.shells.is_empty(), "the agent's log is forgotten");
}

#[test]
fn a_session_that_is_not_to_be_recorded_is_not() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    sim.viewer_connects(0);
    sim.settle();
    sim.programs_write(1_000_000);
    sim.settle();
    assert_eq!(sim.relay.recording_due(), None);
    assert!(sim.puts.is_empty() && started(&sim) == 0 && !is_recording(&sim));
}

#[test]
fn a_key_costs_no_write_and_no_credit_though_the_session_is_recorded() {
    let mut sim = recorded();
    sim.programs_write(1_000);
    sim.settle();
    let agent = sim.agent.socket.unwrap();
    let (before, credit) = (sim.storage.clone(), sim.agent.shells[&SHELL].window);
    for _ in 0..50 {
        sim.now += 20;
        sim.viewer_types(0, 1);
        sim.programs_write(1);
        sim.settle();
    }
    assert_eq!(sim.storage, before);
    assert_eq!(sim.agent.shells[&SHELL].window, credit);
    assert!(sim.links[&agent].down.is_empty());
    assert!(sim.puts.is_empty(), "and no part is stored for each");
}

#[test]
fn a_flood_is_recorded_when_it_is_over_with_the_times_at_which_it_came() {
    let mut sim = recorded();
    for _ in 0..4 {
        sim.now += 10;
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
        assert!(sim.puts.is_empty() && sim.links[&sim.agent.socket.unwrap()].down.is_empty());
    }
    let flooded = sim.now;
    time_passes(&mut sim);
    assert!(sim.now <= flooded + 100);
    assert!(!sim.puts.is_empty(), "nobody has to do anything for it");
    sim.now += 60_000;
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let chunks = chains(&sim).remove(&SHELL).unwrap();
    assert_eq!(check(&chunks), 4 * LIVE_WINDOW);
    let (_, rest) = chunks.split_last().unwrap();
    assert!(!rest.is_empty() && rest.iter().all(|chunk| chunk.span.to <= flooded));
}

#[test]
fn a_program_that_floods_for_ever_is_recorded_meanwhile() {
    let mut sim = recorded();
    // What is not stored, each 20 ms, of a program that writes 5 MB/s into a bucket that takes everything at once.
    let behind: Vec<u64> = (0..250)
        .map(|_| {
            sim.now += 20;
            sim.programs_write(100_000);
            sim.settle();
            while sim.bucket_answers(0, true) {
                sim.settle();
            }
            let stored = sim.bucket.values().map(|chunk| chunk.span.end).max();
            sim.agent.shells[&SHELL].end - stored.unwrap_or(0)
        })
        .collect();
    assert!(
        behind.iter().any(|bytes| *bytes > 5_000_000),
        "it is left alone for a while"
    );
    assert!(behind[150..].iter().all(|bytes| *bytes < 1_000_000), "{behind:?}");
}

#[test]
fn nobody_waits_for_the_bucket_within_48_mib_and_then_all_are_told_once_why() {
    let mut sim = recorded();
    let told = |sim: &RelaySim| {
        let behind = |said: &&ToViewer| matches!(said, ToViewer::Error { code, .. } if code == "recording_behind");
        sim.viewers[0].said.iter().filter(behind).count()
    };
    // The bucket takes nothing.
    while sim.agent.shells[&SHELL].end + LIVE_WINDOW <= RECORDER_WINDOW {
        let before = sim.agent.shells[&SHELL].end;
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
        assert_eq!(
            sim.agent.shells[&SHELL].end,
            before + LIVE_WINDOW,
            "a typist that reads everything waits"
        );
    }
    for _ in 0..4 {
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
    }
    assert_eq!(sim.agent.shells[&SHELL].end, RECORDER_WINDOW);
    assert_eq!(told(&sim), 1);
    assert!(sim.puts.len() <= 8, "what is in memory is bounded");
    assert!(sim.bucket_answers(0, true));
    sim.settle();
    sim.programs_write(LIVE_WINDOW);
    assert!(sim.agent.shells[&SHELL].end > RECORDER_WINDOW, "it goes on by itself");
}

#[test]
fn a_session_that_is_ended_is_recorded_to_its_end() {
    let mut sim = recorded();
    sim.programs_write(900_000);
    sim.settle();
    // Nothing of it is stored, and all that is in memory is lost.
    sim.hibernate();
    sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
    sim.perform();
    assert!(sim.agent.shells.contains_key(&SHELL));
    sim.store_all();
    assert_eq!(check(&chains(&sim)[&SHELL]), 900_000);
    assert_eq!(ended(&sim), [(Outcome::Complete, 900_000)]);
    assert!(sim.agent.shells.is_empty() && !is_recording(&sim));
}

#[test]
fn a_shell_that_dies_with_its_agent_leaves_what_had_come() {
    let mut sim = recorded();
    sim.programs_write(10_000);
    sim.settle();
    sim.agent.shells.clear();
    sim.agent_connects();
    sim.store_all();
    assert_eq!(check(&chains(&sim)[&SHELL]), 10_000);
    assert_eq!(ended(&sim), [(Outcome::Interrupted, 10_000)]);
}

#[test]
fn what_was_recorded_of_a_machine_that_is_deleted_goes_to_the_bucket() {
    let mut sim = recorded();
    sim.programs_write(10_000);
    sim.settle();
    sim.relay.destroy(sim.now);
    sim.perform();
    assert!(sim.storage.is_empty());
    while sim.bucket_answers(0, true) {}
    assert_eq!(check(&chains(&sim)[&SHELL]), 10_000);
}

#[test]
fn a_shell_that_never_was_leaves_no_recording() {
    let mut sim = RelaySim::new(1);
    sim.records = true;
    sim.viewer_connects(0);
    sim.settle();
    let socket = sim.viewers[0].socket.unwrap();
    sim.relay.closed(sim.now, socket, 1000);
    sim.perform();
    sim.store_all();
    assert!(!is_recording(&sim) && sim.bucket.is_empty() && started(&sim) == 0);
}

#[test]
fn what_the_bucket_refuses_is_put_again_later_and_later() {
    let mut sim = recorded();
    sim.programs_write(600_000);
    sim.settle();
    time_passes(&mut sim);
    let mut waits = Vec::new();
    for _ in 0..9 {
        assert!(sim.bucket_answers(0, false));
        while sim.puts.is_empty() {
            let due = sim.relay.recording_due().unwrap();
            waits.push(due - sim.now);
            sim.now = due;
            sim.relay.record(sim.now);
            sim.perform();
        }
        sim.puts.truncate(1);
    }
    assert!(waits.iter().max() <= Some(&60_000), "{waits:?}");
    sim.now += 60_000;
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    assert_eq!(check(&chains(&sim)[&SHELL]), 600_000);
}

#[test]
fn output_that_waited_in_the_log_has_the_time_at_which_it_came() {
    let mut sim = recorded();
    // More than the recorder holds, and nothing is taken.
    for _ in 0..12 {
        sim.now += 1_000;
        sim.programs_write(LIVE_WINDOW);
        sim.settle();
    }
    let began = sim.now;
    sim.now += 3_600_000;
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let chunks = chains(&sim).remove(&SHELL).unwrap();
    assert_eq!(check(&chunks), 12 * LIVE_WINDOW);
    let last = chunks.last().unwrap().span.to;
    assert!(last <= began, "the last output was at {began}, and plays at {last}");
}

#[test]
fn sizes_are_recorded_with_the_output_they_are_of() {
    let mut sim = recorded();
    sim.programs_write(10);
    sim.settle();
    let socket = sim.viewers[0].socket.unwrap();
    sim.say_up(socket, &serde_json::json!({"type": "resize", "cols": 132, "rows": 43}));
    sim.settle();
    sim.hibernate();
    sim.settle();
    sim.programs_write(10);
    sim.shell_exits(SHELL, 0);
    sim.store_all();
    let text: Vec<u8> = chains(&sim)[&SHELL]
        .iter()
        .flat_map(|chunk| chunk.body.to_vec())
        .collect();
    let sizes: Vec<String> = events(&text)
        .filter_map(|event| match event.unwrap().1 {
            Event::Resize(size) => Some(size),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, ["132x43"]);
}

#[test]
fn a_recorder_keeps_the_names_it_was_stored_with() {
    let stored = serde_json::json!({
        "record": "recorder", "stream": 1, "recording": "000000000000000000000009", "session_id": "sess_1",
        "user": "000000000000000000000002", "username": "ada", "started": 5, "stored": 6, "last": 7,
        "size": {"cols": 80, "rows": 24}, "bytes": 8, "announced": true,
    });
    let read: Record = serde_json::from_value(stored.clone()).unwrap();
    assert_eq!(serde_json::to_value(read).unwrap(), stored);
    assert_eq!(object_id(9).as_str(), "000000000000000000000009");
}

/// The texts that were sent to a player, and the code it was closed with.
fn played(sim: &mut RelaySim, player: Socket) -> (Vec<serde_json::Value>, Option<u16>) {
    let (mut texts, mut code) = (Vec::new(), None);
    for wire in heard(sim, player) {
        match wire {
            Wire::Text(text) => texts.push(serde_json::from_str(&text).unwrap()),
            Wire::Close(with) => code = Some(with),
            Wire::Binary(_) => panic!("players read text"),
        }
    }
    (texts, code)
}

/// Somebody else than whose session it is.
fn player(sim: &mut RelaySim) -> Socket {
    let player = connect(sim, Dialect::Cast, |context| {
        context.user = object_id(7);
        context.can_type = false;
        context.opening = 0;
    });
    sim.settle();
    player
}

#[test]
fn a_player_gets_a_header_then_what_the_terminal_shows_and_then_each_event_as_it_comes() {
    let mut sim = recorded();
    sim.programs_write(10);
    sim.settle();
    let player = player(&mut sim);
    let (texts, _) = played(&mut sim, player);
    assert_eq!((&texts[0]["version"], &texts[0]["width"]), (&2.into(), &80.into()));
    assert_eq!(texts[1], serde_json::json!([0.0, "o", "snapshot"]));
    sim.now += 1_500;
    sim.programs_write(60);
    sim.settle();
    let (texts, _) = played(&mut sim, player);
    assert_eq!(texts.len(), 1);
    assert_eq!((&texts[0][0], &texts[0][1]), (&1.5.into(), &"o".into()));
    // Its window is nobody's, and it says nothing.
    sim.say_up(player, &serde_json::json!({"type": "resize", "cols": 1, "rows": 1}));
    sim.say_up(player, &"input");
    let socket = sim.viewers[0].socket.unwrap();
    sim.say_up(socket, &serde_json::json!({"type": "resize", "cols": 132, "rows": 43}));
    sim.settle();
    assert_eq!(played(&mut sim, player).0, [serde_json::json!([1.5, "r", "132x43"])]);
    assert!(sim.agent.heard.is_empty());
    // It goes on after the relay has slept, without a second header.
    sim.hibernate();
    sim.settle();
    sim.programs_write(60);
    sim.settle();
    let (texts, _) = played(&mut sim, player);
    assert!(
        !texts.is_empty() && texts.iter().all(serde_json::Value::is_array),
        "{texts:?}"
    );
    sim.shell_exits(SHELL, 0);
    sim.settle();
    sim.relay.tick(sim.now + 10_000, |_| Some(0));
    sim.perform();
    assert_eq!(played(&mut sim, player).1, Some(1000));
}

#[test]
fn a_player_starts_no_session_and_holds_none() {
    let mut sim = RelaySim::new(1);
    sim.agent_connects();
    let early = player(&mut sim);
    assert_eq!(played(&mut sim, early).1, Some(1000));
    assert!(sim.agent.shells.is_empty());

    let mut sim = recorded();
    let player = player(&mut sim);
    // It reads nothing: the platform says that everything waits.
    sim.programs_write(LIVE_WINDOW);
    sim.settle();
    sim.relay.tick(sim.now, |_| Some(u64::MAX));
    sim.perform();
    sim.programs_write(LIVE_WINDOW);
    sim.settle();
    assert_eq!(sim.agent.shells[&SHELL].end, 2 * LIVE_WINDOW);
    assert!(played(&mut sim, player).1.is_none());
}

#[test]
fn a_player_whose_right_is_gone_is_cut_off() {
    let mut sim = recorded();
    let player = player(&mut sim);
    sim.holds = |claim| claim.tie != Tie::Player;
    sim.relay.recheck(sim.now);
    sim.perform();
    sim.settle();
    assert_eq!(played(&mut sim, player).1, Some(1008));
    assert!(sim.viewers[0].socket.is_some());
}

/// What can happen to a recording.
#[derive(Debug, Clone)]
enum Step {
    Any(properties::Step),
    Bucket { which: usize, takes: bool },
    Wait(u64),
    Exit,
    End,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one = prop_oneof![
        12 => step().prop_map(Step::Any),
        4 => (0usize..8, prop::bool::weighted(0.7)).prop_map(|(which, takes)| Step::Bucket { which, takes }),
        2 => prop_oneof![0u64..300, 5_000u64..40_000].prop_map(Step::Wait),
        1 => Just(Step::Exit),
        1 => Just(Step::End),
    ];
    proptest::collection::vec(one, 1..100)
}

fn take(sim: &mut RelaySim, step: Step) {
    match step {
        Step::Any(step) => properties::take(sim, step),
        Step::Bucket { which, takes } => {
            sim.bucket_answers(which, takes);
        }
        Step::Wait(ms) => {
            sim.now += ms;
            sim.relay.record(sim.now);
            sim.perform();
        }
        Step::Exit => {
            let running = sim.agent.shells.iter().find(|(_, shell)| shell.exit.is_none());
            if let Some((stream, _)) = running {
                sim.shell_exits(*stream, 0);
            }
        }
        Step::End => {
            sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
            sim.perform();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 4_000, cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_recorded_is_what_was_written_whatever_is_cut_forgotten_killed_refused_or_slow(steps in steps()) {
        let mut sim = RelaySim::new(2);
        sim.records = true;
        for step in steps {
            take(&mut sim, step);
            prop_assert!(sim.puts.len() <= 8 * 8);
        }
        sim.agent_connects();
        sim.store_all();
        sim.relay.close_session(sim.now, &"sess_1".parse().unwrap());
        sim.perform();
        sim.store_all();
        prop_assert!(!is_recording(&sim), "a recording has no end");
        let known: Vec<_> = sim.agent.shells.keys().collect();
        prop_assert!(known.is_empty(), "the agent keeps {:?}", known);
        let chains = chains(&sim);
        prop_assert_eq!((ended(&sim).len(), chains.len()), (started(&sim), started(&sim)));
        // A shell that was ended before it was known to be there is not recorded.
        for (stream, chunks) in &chains {
            prop_assert_eq!(Some(&check(chunks)), sim.ends.get(stream), "of {}", stream);
        }
        prop_assert!(ended(&sim).iter().all(|(outcome, _)| *outcome == Outcome::Complete));
    }
}
