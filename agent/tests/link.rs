//! The link itself: who the agent says it is, signs of life, and what it makes of nonsense.
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use protocol::api::health::Thresholds;
use protocol::ids::StreamId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::{Frame, Kind};
use protocol::terminal::{PROTOCOL, Size};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::StatusCode;

use crate::support::relay::{Connection, INPUT, STREAM};
use crate::support::{Machine, Received, Relay};

#[tokio::test]
async fn an_agent_proves_who_it_is_and_says_what_it_is() {
    let relay = Relay::start().await;
    let mut machine = Machine::enrolled_with(&relay);
    machine.config.agent.metadata.insert("project".into(), "web".into());
    let _agent = machine.start();
    let link = relay.welcome().await;

    let claims = link.claims(&machine.identity.public_key());
    assert_eq!(
        (&claims["iss"], &claims["aud"]),
        (&json!("0123456789ab"), &json!("vsay-agent-connect"))
    );
    let FromAgent::Hello {
        protocol,
        version,
        hostname,
        os,
        ip_address,
        linux_user,
        metadata,
        streams,
        ..
    } = link.hello
    else {
        panic!()
    };
    assert_eq!((protocol, version.as_str()), (PROTOCOL, env!("CARGO_PKG_VERSION")));
    assert!(!hostname.is_empty() && !os.is_empty());
    assert_eq!(ip_address, "127.0.0.1");
    assert_eq!(linux_user, machine.account().describe());
    assert_eq!(metadata["project"], "web");
    assert!(metadata.contains_key("cpu_cores"));
    assert!(streams.is_empty());
}

#[tokio::test]
async fn each_link_has_a_token_of_its_own_and_the_boot_stays() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let boot_of = |hello: &FromAgent| match hello {
        FromAgent::Hello { boot, .. } => boot.clone(),
        other => panic!("{other:?}"),
    };
    let first = relay.welcome().await;
    let (boot, token) = (boot_of(&first.hello), first.token.clone());
    // It is said before the hello as well: an edge must know whom it lets in.
    assert_eq!(first.boot, boot.as_str());
    // A token says the second it was made in.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    first.cut();
    let second = relay.welcome().await;
    assert_eq!(boot_of(&second.hello), boot);
    assert_eq!(second.boot, boot.as_str());
    assert_ne!(second.token, token);
    second.claims(&machine.identity.public_key());
}

#[tokio::test]
async fn the_first_figures_come_at_once_and_more_when_somebody_watches() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    figures(&mut link).await;
    link.send(ToAgent::Watch {
        every_seconds: 1,
        for_seconds: 60,
    })
    .await;
    for _ in 0..3 {
        figures(&mut link).await;
    }
}

#[tokio::test]
async fn a_relay_that_does_not_say_when_to_measure_hears_as_often_as_it_wants() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.accept().await;
    let welcome = json!({"type": "welcome", "protocol": 1, "agent_id": "0123456789ab", "heartbeat_seconds": 1});
    link.send_raw(Message::text(welcome.to_string())).await;
    for _ in 0..3 {
        figures(&mut link).await;
    }
}

#[tokio::test]
async fn an_hour_without_anybody_is_one_message() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    let mut link = relay.welcome().await;
    figures(&mut link).await;
    // From here on the clock runs as fast as nothing happens.
    tokio::time::pause();
    let started = tokio::time::Instant::now();
    let series = loop {
        match link.next_raw().await {
            Received::Message(FromAgent::Ping) => link.send(ToAgent::Pong).await,
            Received::Message(FromAgent::History { series, .. }) => break series,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(series.samples().len(), 60);
    assert!(
        started.elapsed() >= Duration::from_secs(59 * 60),
        "{:?}",
        started.elapsed()
    );
}

/// The agent says nothing but how its machine does.
async fn figures(link: &mut Connection) {
    match link.next_raw().await {
        Received::Message(FromAgent::Heartbeat { metrics } | FromAgent::History { metrics, .. }) => {
            assert!(
                metrics.uptime_seconds > 0 && metrics.memory_percent > 0.0,
                "{metrics:?}"
            );
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_relay_that_falls_silent_is_left_for_a_new_link() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    let mut link = relay.welcome().await;
    assert!(matches!(
        link.next_raw().await,
        Received::Message(FromAgent::Heartbeat { .. })
    ));
    // From here on the clock runs as fast as nothing happens.
    tokio::time::pause();
    assert!(matches!(link.next_raw().await, Received::Message(FromAgent::Ping)));
    // Never answered.
    let started = tokio::time::Instant::now();
    relay.welcome().await;
    assert!(started.elapsed() >= Duration::from_secs(9), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_relay_that_answers_pings_keeps_its_link() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    let mut link = relay.welcome().await;
    tokio::time::pause();
    let mut pings = 0;
    while pings < 4 {
        match link.next_raw().await {
            Received::Message(FromAgent::Ping) => {
                pings += 1;
                link.send(ToAgent::Pong).await;
            }
            Received::Message(FromAgent::Heartbeat { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_refused_agent_asks_again_and_not_soon() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    relay
        .refuse(StatusCode::FORBIDDEN, r#"{"error":"machine has been revoked"}"#)
        .await;
    tokio::time::pause();
    let refused = tokio::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(120), relay.accept_tcp_unbounded())
        .await
        .unwrap();
    assert!(refused.elapsed() >= Duration::from_secs(30), "{:?}", refused.elapsed());
}

#[tokio::test]
async fn a_second_agent_with_the_same_key_asks_again_and_not_soon() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    let body = r#"{"error":"another agent is connected","code":"agent_duplicate"}"#;
    relay.refuse(StatusCode::CONFLICT, body).await;
    tokio::time::pause();
    let refused = tokio::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(120), relay.accept_tcp_unbounded())
        .await
        .unwrap();
    assert!(refused.elapsed() >= Duration::from_secs(30), "{:?}", refused.elapsed());
}

#[tokio::test]
async fn a_machine_whose_clock_is_wrong_goes_by_the_edges() {
    for offset in [-31_536_000, -300, 300, 31_536_000] {
        let relay = Relay::start().await;
        let machine = Machine::enrolled_with(&relay);
        let _agent = machine.start();
        let edge_now = || Utc::now() + TimeDelta::seconds(offset);
        let date = edge_now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let body = r#"{"error":"Invalid or expired token","code":"unauthorized"}"#;
        relay.refuse_dated(StatusCode::UNAUTHORIZED, body, Some(date)).await;
        // Not about a minute later, as an agent that is refused: this is as good as a first attempt.
        let link = relay.welcome().await;
        let late = edge_now().timestamp() - link.issued_at();
        assert!((-2..=60).contains(&late), "{offset}: {late}");
        let FromAgent::Hello { metadata, .. } = &link.hello else {
            panic!("{:?}", link.hello)
        };
        let told: i64 = metadata["clock_offset_seconds"].parse().unwrap();
        assert!((told + offset).abs() <= 60, "{offset}: {told}");
    }
}

#[tokio::test]
async fn the_time_in_the_body_of_a_refusal_counts_before_that_of_a_server_on_the_way() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let now = Utc::now() + TimeDelta::seconds(7200);
    let body = json!({"error": "no", "code": "clock_skew", "now": now.to_rfc3339()}).to_string();
    let date = Some("Fri, 15 Jan 1999 08:00:00 GMT".to_owned());
    relay.refuse_dated(StatusCode::UNAUTHORIZED, &body, date).await;
    let late = relay.welcome().await.issued_at() - now.timestamp();
    assert!((-2..=60).contains(&late), "{late}");
}

#[tokio::test]
async fn an_agent_that_is_refused_at_the_right_time_does_not_hurry() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start_here();
    let date = Utc::now().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let body = r#"{"error":"Invalid or expired token"}"#;
    relay.refuse_dated(StatusCode::UNAUTHORIZED, body, Some(date)).await;
    tokio::time::pause();
    let refused = tokio::time::Instant::now();
    tokio::time::timeout(Duration::from_secs(120), relay.accept_tcp_unbounded())
        .await
        .unwrap();
    assert!(refused.elapsed() >= Duration::from_secs(30), "{:?}", refused.elapsed());
}

#[tokio::test]
async fn an_edge_that_does_not_speak_the_protocol_gets_no_shells() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.accept().await;
    let agent_id = "0123456789ab".parse().unwrap();
    link.send(ToAgent::Welcome {
        protocol: PROTOCOL + 1,
        agent_id,
        heartbeat_seconds: 30,
        command_log: false,
        command_output: false,
        pulled_metrics: true,
        thresholds: Thresholds::default(),
        logins: false,
        services: false,
        policies: Default::default(),
    })
    .await;
    assert!(matches!(link.next().await, Received::Closed(_)));
}

#[tokio::test]
async fn nonsense_is_ignored_and_the_link_lives() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    let mut terminal = link.open_shell().await;
    let nobody = StreamId(77);
    for raw in [
        Message::text("not json"),
        Message::text(r#"{"type":"never_heard_of"}"#),
        Message::text(r#"{"type":"resize","stream":1,"cols":0,"rows":5000}"#),
        Message::binary(vec![]),
        Message::binary(vec![9; 40]),
        Message::binary(vec![1; 70_000]),
        Message::Ping("x".into()),
    ] {
        link.send_raw(raw).await;
    }
    for message in [
        ToAgent::Resize {
            stream: nobody,
            size: Size::default(),
        },
        ToAgent::Read {
            stream: nobody,
            from: 0,
            to: 10,
        },
        ToAgent::Read {
            stream: STREAM,
            from: u64::MAX - 1,
            to: u64::MAX,
        },
        ToAgent::Read {
            stream: STREAM,
            from: 10,
            to: 0,
        },
        ToAgent::Snapshot { stream: nobody },
        ToAgent::OpenInput {
            stream: nobody,
            input: StreamId(78),
        },
        ToAgent::OpenInput {
            stream: nobody,
            input: INPUT,
        },
        ToAgent::CloseInput { input: nobody },
        ToAgent::Close { stream: nobody },
        ToAgent::Forget { stream: nobody },
        ToAgent::Pong,
    ] {
        link.send(message).await;
    }
    for frame in [
        Frame::new(Kind::Output, STREAM, 0, b"x"),
        Frame::new(Kind::Input, nobody, 0, b"x"),
        Frame::new(Kind::Input, INPUT, 1 << 40, b"x"),
        Frame::credit(nobody, 0, None),
        Frame::ack(INPUT, 5),
    ] {
        link.send_frame(&frame).await;
    }
    assert_eq!(terminal.run(&mut link, "echo $((6 * 7))").await, "42");
}

#[tokio::test]
async fn a_text_beyond_its_bound_ends_the_link_and_not_the_shell() {
    let relay = Relay::start().await;
    let machine = Machine::enrolled_with(&relay);
    let _agent = machine.start();
    let mut link = relay.welcome().await;
    link.open_shell().await;
    link.send_raw(Message::text("x".repeat(protocol::limits::MAX_AGENT_TEXT + 1)))
        .await;
    while !matches!(link.next().await, Received::Closed(_)) {}
    assert_eq!(relay.welcome().await.streams.len(), 1);
}
