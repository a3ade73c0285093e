//! One link, from hello to its end.
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use network::websocket::Opened;
use protocol::ids::BootId;
use protocol::terminal::agent::{FromAgent, ToAgent};
use protocol::terminal::frame::Frame;
use protocol::terminal::services::CatalogPart;
use protocol::terminal::{PING, PROTOCOL, accepts_protocol};
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

use super::STOP_GRACE;
use super::clock::Clock;
use super::meter::{Meter, Step};
use super::records::Records;
use super::shells::Shells;
use super::writer::{Writer, text};
use crate::account::Account;
use crate::config::Config;
use crate::jobs::Jobs;
use crate::keys::Keys;
use crate::logins::Logins;
use crate::metrics;
use crate::policy::Verdict;
use crate::services::{self, Services};
use crate::session::OUTBOX;
use crate::timer::reach;

/// How often the relay's end is asked for a sign of life. Idle connections are forgotten by some routers after 30 s.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long after that any frame counts as one.
const PONG_WITHIN: Duration = Duration::from_secs(10);

/// How long a relay may take to say `welcome`.
const WELCOME_WITHIN: Duration = Duration::from_secs(15);

/// What is the same for all links of one run.
pub struct Agent {
    pub keys: Keys,
    pub account: Account,
    pub client: reqwest::Client,
    pub boot: BootId,
    pub config: Config,
}

/// What goes on from one link of a run to the next.
pub struct Lasting {
    pub shells: Shells,
    pub meter: Meter,
    pub logins: Logins,
    pub services: Services,
    pub jobs: Jobs,
}

/// How a link ended.
pub enum Over {
    /// The agent was told to stop, and has said goodbye.
    Stopped,
    /// The edge wants another key: the next link hands one in.
    Rotates(String),
    /// In words.
    Lost(String),
}

/// What a link waits for.
enum Event {
    Frame(Option<Result<Message, WebSocketError>>),
    Ping,
    Meter(Step),
    Dead,
    WriterEnded(String),
    Logins,
    Catalog(Vec<CatalogPart>),
    Jobs,
    Records(Option<Vec<Verdict>>),
    Stop,
}

/// A link that is being served.
struct Link<'a> {
    shells: &'a mut Shells,
    meter: &'a mut Meter,
    logins: &'a mut Logins,
    services: &'a mut Services,
    jobs: &'a mut Jobs,
    writer: Writer,
    /// When the relay took the link.
    welcomed: Option<Instant>,
    /// When the relay counts as dead, unless it says something.
    dead_at: Option<Instant>,
    records: Records,
}

impl Agent {
    /// Serves one link until it ends. The duration is how long it stood since the relay took it, if it did.
    pub async fn serve(
        &self,
        opened: Opened,
        clock: &Clock,
        lasting: &mut Lasting,
        stop: &mut Pin<&mut impl Future<Output = ()>>,
    ) -> (Over, Option<Duration>) {
        let Lasting {
            shells,
            meter,
            logins,
            services,
            jobs,
        } = lasting;
        let (mut sink, mut source) = opened.socket.split();
        let (outbox, from_sessions) = mpsc::channel(OUTBOX);
        let (streams, commands) = shells.attach(&outbox).await;
        let hello = FromAgent::Hello {
            protocol: PROTOCOL,
            boot: self.boot.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            hostname: metrics::hostname(),
            os: metrics::operating_system(),
            ip_address: opened.local.map(|address| address.to_string()).unwrap_or_default(),
            linux_user: self.account.describe(),
            metadata: self.metadata(clock, shells),
            streams,
            commands,
            journal: shells.journal(),
            pulled_metrics: true,
            policies: true,
            services: services.is_runner(),
            playbooks: services.is_runner(),
            ssh: services.is_runner(),
        };
        // Before the writer starts: what sessions have put into the outbox since follows the hello.
        if let Err(error) = sink.send(text(&hello)).await {
            return (Over::Lost(error.to_string()), None);
        }
        logins.attach();
        services.attach();
        jobs.attach(&outbox).await;
        let records = Records::new(Arc::clone(shells.command_log()));
        let mut link = Link {
            shells,
            meter,
            logins,
            services,
            jobs,
            writer: Writer::start(sink, outbox, from_sessions),
            welcomed: None,
            dead_at: Some(Instant::now() + WELCOME_WITHIN),
            records,
        };
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.reset();
        let over = loop {
            let event = tokio::select! {
                frame = source.next() => Event::Frame(frame),
                _ = ping.tick() => Event::Ping,
                step = link.meter.next(), if link.welcomed.is_some() => Event::Meter(step),
                () = link.logins.due() => Event::Logins,
                parts = link.services.due() => Event::Catalog(parts),
                () = link.jobs.due() => Event::Jobs,
                verdicts = link.records.due() => Event::Records(verdicts),
                () = reach(link.dead_at) => Event::Dead,
                why = link.writer.ended() => Event::WriterEnded(why),
                () = &mut *stop => Event::Stop,
            };
            if let Err(over) = link.handle(event).await {
                break over;
            }
        };
        let stood = link.welcomed.map(|at| at.elapsed());
        if matches!(over, Over::Stopped) {
            link.writer.finish().await;
        }
        (over, stood)
    }

    fn metadata(&self, clock: &Clock, shells: &Shells) -> BTreeMap<String, String> {
        let mut metadata = self.config.agent.metadata.clone();
        metadata.extend(metrics::facts());
        metadata.extend(clock.fact());
        metadata.extend(shells.cgroups().fact());
        metadata
    }
}

impl Link<'_> {
    /// The error is how the link ends. Nothing here waits for the network or for a shell: while it does its work, nobody
    /// notices that the relay is dead.
    async fn handle(&mut self, event: Event) -> Result<(), Over> {
        match event {
            Event::Frame(Some(Ok(message))) => {
                if self.welcomed.is_some() {
                    self.dead_at = None;
                }
                self.receive(message).await
            }
            Event::Frame(Some(Err(error))) => Err(Over::Lost(error.to_string())),
            Event::Frame(None) => Err(lost("the edge closed it")),
            Event::WriterEnded(why) => Err(Over::Lost(why)),
            Event::Dead if self.welcomed.is_none() => Err(lost("the edge did not say welcome")),
            Event::Dead => Err(lost("the edge gives no sign of life")),
            Event::Ping => {
                self.dead_at.get_or_insert_with(|| Instant::now() + PONG_WITHIN);
                self.say(Message::text(PING))
            }
            Event::Meter(step) => match self.meter.step(step) {
                Some(message) => self.say(text(&message)),
                None => Ok(()),
            },
            Event::Records(verdicts) => match self.records.next(verdicts, || self.shells.policies()) {
                Some(message) => self.say(text(&message)),
                None => Ok(()),
            },
            Event::Logins => match self.logins.next_message() {
                Some(message) => self.say(text(&message)),
                None => Ok(()),
            },
            Event::Catalog(parts) => {
                services::say(parts, self.writer.outbox());
                Ok(())
            }
            Event::Jobs => {
                let message = self.jobs.tell();
                self.say(text(&message))
            }
            Event::Stop => {
                tokio::join!(self.jobs.close(), self.shells.close(STOP_GRACE));
                Err(Over::Stopped)
            }
        }
    }

    async fn receive(&mut self, message: Message) -> Result<(), Over> {
        match message {
            Message::Binary(bytes) => match Frame::decode(bytes) {
                Ok(frame) => self.shells.receive(frame).await,
                Err(error) => tracing::warn!(%error, "a binary frame of the relay makes no sense; ignored"),
            },
            Message::Text(json) => match serde_json::from_str(&json) {
                Ok(ToAgent::Welcome { protocol, .. }) if !accepts_protocol(protocol) => {
                    return Err(Over::Lost(format!(
                        "the edge speaks protocol {protocol} and this agent {PROTOCOL}: update the older one"
                    )));
                }
                Ok(ToAgent::Welcome {
                    agent_id,
                    heartbeat_seconds,
                    command_log,
                    command_output,
                    pulled_metrics,
                    thresholds,
                    logins,
                    services,
                    policies,
                    ..
                }) => {
                    self.shells.hold_to(policies);
                    if command_log {
                        self.records.welcome();
                    }
                    if logins {
                        self.logins.welcome();
                    }
                    if services {
                        self.services.welcome();
                        self.jobs.welcome();
                    }
                    if command_output {
                        self.shells.follow_commands().await;
                    }
                    tracing::info!(agent = %agent_id, "the link stands");
                    self.welcomed.get_or_insert_with(Instant::now);
                    self.dead_at = None;
                    self.meter.welcome(pulled_metrics, heartbeat_seconds, thresholds);
                }
                Ok(ToAgent::Watch {
                    every_seconds,
                    for_seconds,
                }) => self.meter.watch(every_seconds, for_seconds),
                Ok(ToAgent::Thresholds { thresholds }) => self.meter.judge_by(thresholds),
                Ok(ToAgent::LoginsStored { number }) => self.logins.stored(number),
                Ok(ToAgent::CatalogStored { number }) => self.services.stored(number),
                Ok(ToAgent::Service { number, service, ask }) => {
                    if let Some(answer) = self.services.ask(number, service, ask, self.writer.outbox()) {
                        self.say(text(&answer))?;
                    }
                }
                Ok(
                    message @ (ToAgent::Job { .. }
                    | ToAgent::JobStored { .. }
                    | ToAgent::CancelJob { .. }
                    | ToAgent::ForgetJob { .. }),
                ) => {
                    if let Some(answer) = self.jobs.obey(message).await {
                        self.say(text(&answer))?;
                    }
                }
                Ok(ToAgent::RotateKey { challenge }) => return Err(Over::Rotates(challenge)),
                Ok(ToAgent::Policies { policies }) => {
                    tracing::info!("what commands may run has changed");
                    self.shells.hold_to(policies);
                }
                Ok(ToAgent::CommandsStored { ids }) => self.records.stored(&ids),
                Ok(ToAgent::Report) => {
                    let (streams, commands) = self.shells.report().await;
                    self.say(text(&FromAgent::Report { streams, commands }))?;
                }
                Ok(ToAgent::Describe) => {
                    let shells = self.shells.describe().await;
                    self.say(text(&FromAgent::Described { shells }))?;
                }
                Ok(message) => {
                    if let Some(answer) = self.shells.obey(message, self.writer.outbox()).await {
                        self.say(text(&answer))?;
                    }
                }
                Err(error) => tracing::warn!(%error, "a message of the relay makes no sense; ignored"),
            },
            Message::Close(frame) => return Err(Over::Lost(close_words(frame.as_ref()))),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
        Ok(())
    }

    fn say(&self, message: Message) -> Result<(), Over> {
        if self.writer.say(message) {
            Ok(())
        } else {
            Err(lost("nothing can be written any more"))
        }
    }
}

fn lost(why: &str) -> Over {
    Over::Lost(why.to_owned())
}

fn close_words(frame: Option<&CloseFrame>) -> String {
    match frame {
        Some(frame) if frame.reason.is_empty() => format!("the edge closed it with code {}", frame.code),
        Some(frame) => format!("the edge closed it with code {}: {}", frame.code, frame.reason),
        None => "the edge closed it".to_owned(),
    }
}
