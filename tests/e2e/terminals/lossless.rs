//! No byte is lost, repeated or out of order, whatever is cut, stopped or killed.
use protocol::limits::{LIVE_WINDOW, LOG_CAPACITY};
use protocol::terminal::viewer::ToViewer;

use crate::support::account::Account;
use crate::support::agent::{Agent, World, folder_for_shells};
use crate::support::proxy::Proxy;
use crate::support::random::Random;
use crate::support::sequence::Sequence;
use crate::support::stack::Stack;
use crate::support::viewer::Viewer;
use crate::support::wait::eventually;

/// A few megabytes: more than every window on the way.
const NUMBERS: u64 = 600_000;

#[tokio::test]
async fn output_is_whole_however_often_its_viewer_is_cut() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "cut-viewer").await;
    let sequence = Sequence::start(&mut viewer, NUMBERS);
    let mut random = Random::new(1);
    let mut cuts = 0;
    while !sequence.done() {
        sequence.advance(&mut viewer, random.below(300_000)).await;
        viewer.reconnect().await;
        assert!(viewer.saw(|message| matches!(message, ToViewer::Attached { resumed: true, .. })));
        cuts += 1;
    }
    assert!(cuts >= 10, "{cuts} cuts");
}

#[tokio::test]
async fn output_is_whole_however_often_the_agents_link_is_cut() {
    let world = World::shared().await;
    let proxy = Proxy::to(world.stack.address()).await;
    let agent = Agent::enrolled(&world.owner, "cut-agent", &proxy.url).await;
    agent.start().await;
    let mut viewer = Viewer::attached(&world.owner, &agent, "cut-agent").await;
    let sequence = Sequence::start(&mut viewer, NUMBERS);
    let mut random = Random::new(2);
    for _ in 0..5 {
        sequence.advance(&mut viewer, random.below(500_000)).await;
        let seen = viewer.count(|message| matches!(message, ToViewer::Agent { online: true }));
        proxy.cut();
        viewer
            .wait("the agent to be back", |viewer| {
                viewer.count(|message| matches!(message, ToViewer::Agent { online: true })) > seen
            })
            .await;
    }
    sequence.finish(&mut viewer).await;
}

#[tokio::test]
async fn a_viewer_whose_old_connection_still_stands_takes_its_place_over() {
    let world = World::shared().await;
    let proxy = Proxy::to(world.stack.address()).await;
    let mut viewer = Viewer::through(&proxy.url, &world.owner, &world.agent, "half-open");
    viewer.connect().await;
    viewer.wait_attached().await;
    let sequence = Sequence::start(&mut viewer, NUMBERS);
    sequence.advance(&mut viewer, 100_000).await;
    // The wire goes dead without a word: the relay still has the old connection and sends into it.
    proxy.stall();
    viewer.dials(&world.stack.url);
    viewer.reconnect().await;
    sequence.finish(&mut viewer).await;
}

#[tokio::test]
async fn output_is_whole_when_the_edge_crashes_and_starts_again() {
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "survivor").await;
    let mut viewer = Viewer::attached(&owner, &agent, "crash").await;
    let sequence = Sequence::start(&mut viewer, NUMBERS);
    for _ in 0..2 {
        sequence.advance(&mut viewer, 700_000).await;
        stack.kill();
        viewer.wait_closed().await;
        stack.start_again().await;
        viewer.reconnect().await;
    }
    sequence.finish(&mut viewer).await;
    viewer.keep_output();
    viewer.run("echo alive-$((1+1))", "alive-2").await;
}

#[tokio::test]
async fn output_is_whole_when_the_relay_loses_its_memory() {
    let world = World::shared().await;
    let agent = Agent::new(&world.owner, "evicted").await;
    let mut viewer = Viewer::attached(&world.owner, &agent, "evicted").await;
    let sequence = Sequence::start(&mut viewer, NUMBERS);
    for _ in 0..4 {
        sequence.advance(&mut viewer, 400_000).await;
        world.stack.evict(&agent.machine_id);
    }
    sequence.finish(&mut viewer).await;
    viewer.keep_output();
    for round in 0..3 {
        world.stack.evict(&agent.machine_id);
        viewer
            .run(&format!("echo awake-$(({round}+1))"), &format!("awake-{}", round + 1))
            .await;
    }
    assert!(viewer.closed.is_none(), "its socket outlives the memory");
}

#[tokio::test]
async fn output_is_whole_when_the_relay_goes_away_with_all_its_sockets() {
    let world = World::shared().await;
    let agent = Agent::new(&world.owner, "moved").await;
    let mut viewer = Viewer::attached(&world.owner, &agent, "moved").await;
    let sequence = Sequence::start(&mut viewer, NUMBERS);
    for _ in 0..2 {
        sequence.advance(&mut viewer, 700_000).await;
        world.stack.drop_relay(&agent.machine_id);
        viewer.wait_closed().await;
        viewer.reconnect().await;
    }
    sequence.finish(&mut viewer).await;
}

#[tokio::test]
async fn input_is_applied_once_and_in_order_whatever_is_cut() {
    let world = World::shared().await;
    let (near, far) = (
        Proxy::to(world.stack.address()).await,
        Proxy::to(world.stack.address()).await,
    );
    let agent = Agent::enrolled(&world.owner, "typed-at", &far.url).await;
    agent.start().await;
    let mut viewer = Viewer::through(&near.url, &world.owner, &agent, "typing-through-cuts");
    viewer.connect().await;
    viewer.wait_attached().await;
    let folder = folder_for_shells();
    let file = folder.path().join("typed.txt");
    viewer
        .run(
            &format!(
                "stty -echo; PS1=; echo ready-$((1+1)); cat > {}; echo wrote-$((2+2))",
                file.display()
            ),
            "ready-2",
        )
        .await;
    let mut random = Random::new(3);
    let mut text = String::new();
    for round in 0..16_u32 {
        let from = text.len();
        for line in 0..random.below(1500) {
            text.push_str(&format!("round {round}, line {line}\n"));
        }
        viewer.types(&text[from..]);
        let some = random.below(20_000) as usize;
        viewer
            .wait("some of it to be applied", |viewer| viewer.pending_input() <= some)
            .await;
        match round % 4 {
            0 => viewer.reconnect().await,
            1 => far.cut(),
            2 => world.stack.evict(&agent.machine_id),
            _ => {
                far.cut();
                viewer.reconnect().await;
            }
        }
    }
    viewer.types("\u{4}");
    viewer.wait_for_output("wrote-4").await;
    let written = std::fs::read_to_string(&file).expect("cat wrote it");
    assert!(written == text, "{} bytes instead of {}", written.len(), text.len());
}

#[tokio::test]
async fn a_terminal_waits_for_a_viewer_that_stops_reading_and_others_get_no_more_than_the_window() {
    let world = World::shared().await;
    let mut slow = Viewer::attached(&world.owner, &world.agent, "slow").await;
    let mut fast = Viewer::attached(&world.owner, &world.agent, "slow").await;
    slow.acknowledges = false;
    let numbers = Sequence::start(&mut slow, NUMBERS);
    let begin = fast.received();
    fast.look_at_output(|_| {});
    // What is not acknowledged is in flight: never more than the window, plus what was coalesced already.
    let window = LIVE_WINDOW + 256 * 1024;
    let still = |viewer: &Viewer| viewer.received() >= begin + LIVE_WINDOW;
    tokio::join!(slow.wait("a full window", still), fast.wait("a full window", still));
    fast.during(slow.quiet()).await;
    for viewer in [&slow, &fast] {
        assert!(
            viewer.received() <= begin + window,
            "{} bytes past {begin}",
            viewer.received()
        );
    }
    slow.acknowledges = true;
    tokio::join!(
        numbers.finish(&mut slow),
        fast.wait("the rest", |viewer| viewer.received() > 4_000_000)
    );
}

#[tokio::test]
async fn memory_stays_bounded_while_nobody_reads_200_megabytes_and_then_every_byte_is_there() {
    const MIB: u64 = 1024 * 1024;
    let stack = Stack::start(&[]).await;
    let owner = Account::new(&stack).await;
    let agent = Agent::new(&owner, "endless").await;
    let mut viewer = Viewer::attached(&owner, &agent, "endless").await;
    // Writes what it has written so far where the test can read it.
    let numbers = Sequence::start(&mut viewer, 24_000_000);
    numbers.advance(&mut viewer, 8 * MIB).await;
    let (edge_before, agent_before) = (stack.memory(), agent.memory());

    // Connected, and does not read.
    let writer = writer_of(24_000_000).await;
    let stopped_at = quiet(&writer).await;
    assert!(
        stopped_at < viewer.received() + 4 * MIB,
        "{stopped_at} written, {} read",
        viewer.received()
    );

    // Cut: the log takes what it can hold, then the terminal stops.
    viewer.cut();
    let full = eventually("the log to be full", async || {
        Some(written(&writer)).filter(|count| *count > 60 * MIB)
    })
    .await;
    let stopped_at = quiet(&writer).await.max(full);
    assert!(
        stopped_at < viewer.received() + LOG_CAPACITY + 4 * MIB,
        "{stopped_at} written, {} read",
        viewer.received()
    );
    let grown = |now: u64, before: u64| now.saturating_sub(before) / MIB;
    assert!(
        grown(agent.memory(), agent_before) < 32,
        "the agent took {} MiB",
        grown(agent.memory(), agent_before)
    );
    // 8 MiB of that are the recorder's, and as much may be on its way to the bucket, which here lies within the same process.
    assert!(
        grown(stack.memory(), edge_before) < 160,
        "the edge took {} MiB",
        grown(stack.memory(), edge_before)
    );

    viewer.connect().await;
    viewer.wait_attached().await;
    numbers.finish(&mut viewer).await;
    assert!(viewer.received() > 200_000_000);
    assert!(
        grown(stack.memory(), edge_before) < 192,
        "the edge took {} MiB",
        grown(stack.memory(), edge_before)
    );
}

/// The process that writes the numbers to `last`.
async fn writer_of(last: u64) -> std::path::PathBuf {
    let line = format!("seq\0{}\0{last}\0", 1);
    eventually("the writing process", async || {
        let processes = std::fs::read_dir("/proc").ok()?.flatten().map(|entry| entry.path());
        processes
            .into_iter()
            .find(|path| std::fs::read(path.join("cmdline")).is_ok_and(|found| found == line.as_bytes()))
    })
    .await
}

/// What a process has written so far, in bytes.
fn written(process: &std::path::Path) -> u64 {
    let io = std::fs::read_to_string(process.join("io")).expect("the process runs");
    io.lines()
        .find_map(|line| line.strip_prefix("wchar: "))
        .and_then(|count| count.parse().ok())
        .expect("a count")
}

/// Waits until a process has written nothing for a while, and answers how much it has written.
async fn quiet(process: &std::path::Path) -> u64 {
    let mut seen = (u64::MAX, 0);
    eventually("the process to be stopped", async || {
        let now = written(process);
        seen = (now, if seen.0 == now { seen.1 + 1 } else { 0 });
        (seen.1 >= 12).then_some(now)
    })
    .await
}

#[tokio::test]
async fn viewers_are_told_the_truth_when_the_agent_dies() {
    let world = World::shared().await;
    let agent = Agent::new(&world.owner, "mortal").await;
    let mut here = Viewer::attached(&world.owner, &agent, "mortal").await;
    let mut cut = Viewer::attached(&world.owner, &agent, "mortal").await;
    here.run("echo alive-$((1+1))", "alive-2").await;
    cut.cut();
    agent.kill();
    let offline = |message: &ToViewer| matches!(message, ToViewer::Agent { online: false });
    here.wait("news that the agent is away", |viewer| viewer.saw(offline))
        .await;
    agent.start().await;
    assert_eq!(here.wait_closed().await.0, 1000);
    cut.connect().await;
    cut.wait_closed().await;
    for viewer in [&here, &cut] {
        let told = viewer.messages.iter().find_map(|message| match message {
            ToViewer::Disconnect { reason, code } => Some((code.as_str(), reason.as_str())),
            _ => None,
        });
        let (code, reason) = told.expect("a reason");
        assert_eq!(code, "session_ended");
        assert!(reason.contains("agent") && reason.contains("restarted"), "{reason}");
        assert_eq!(viewer.exit(), None, "nobody knows how it ended");
    }
    let mut again = Viewer::attached(&world.owner, &agent, "mortal-2").await;
    again.run("echo new-$((1+1))", "new-2").await;
}

#[tokio::test]
async fn everybody_in_a_session_sees_the_same_and_each_key_is_applied_once() {
    let world = World::shared().await;
    let mut one = Viewer::attached(&world.owner, &world.agent, "together").await;
    let mut two = Viewer::attached(&world.owner, &world.agent, "together").await;
    let folder = folder_for_shells();
    let file = folder.path().join("together.txt");
    let command = format!(
        "stty -echo; PS1=; echo ready-$((1+1)); cat > {}; echo wrote-$((2+2))",
        file.display()
    );
    tokio::join!(one.run(&command, "ready-2"), two.wait_for_output("ready-2"));
    for _ in 0..50 {
        one.types(&format!("{}\n", "a".repeat(99)));
        two.types(&format!("{}\n", "b".repeat(99)));
    }
    let applied = |viewer: &Viewer| viewer.pending_input() == 0;
    tokio::join!(
        one.wait("all input to be applied", applied),
        two.wait("all input to be applied", applied)
    );
    two.types("\u{4}");
    tokio::join!(one.wait_for_output("wrote-4"), two.wait_for_output("wrote-4"));
    let written = std::fs::read_to_string(&file).expect("cat wrote it");
    for key in ['a', 'b'] {
        assert_eq!(written.matches(key).count(), 50 * 99, "{key}");
    }
    let (first, second) = (one.text(), two.text());
    assert_eq!(
        first[first.find("ready-2").expect("seen")..],
        second[second.find("ready-2").expect("seen")..]
    );
}

#[tokio::test]
async fn a_newcomer_to_a_long_session_is_shown_the_screen_and_goes_on_from_there() {
    let world = World::shared().await;
    let mut one = Viewer::attached(&world.owner, &world.agent, "newcomer").await;
    let numbers = Sequence::start(&mut one, NUMBERS);
    numbers.finish(&mut one).await;
    one.keep_output();
    one.run("stty sane; clear; echo on-the-screen-$((40+2))", "on-the-screen-42")
        .await;
    let mut two = Viewer::attached(&world.owner, &world.agent, "newcomer").await;
    two.wait("a snapshot", |viewer| !viewer.snapshots.is_empty()).await;
    let snapshot = String::from_utf8_lossy(&two.snapshots[0]).into_owned();
    assert!(snapshot.contains("on-the-screen-42"), "{snapshot:?}");
    assert!(!snapshot.contains("599999"), "what was cleared is gone");
    tokio::join!(one.run("echo both-$((1+1))", "both-2"), two.wait_for_output("both-2"));
    assert_eq!(two.received(), one.received());
}

#[tokio::test]
async fn a_viewer_that_left_comes_back_to_its_shell() {
    let world = World::shared().await;
    let mut viewer = Viewer::attached(&world.owner, &world.agent, "left").await;
    viewer.run("kept=42; echo set-$kept", "set-42").await;
    viewer.leave().await;
    let mut again = Viewer::attached(&world.owner, &world.agent, "left").await;
    again.wait_for_output("set-42").await;
    again.run("echo still-$kept", "still-42").await;
}
