//! The link to the edge: connect, carry sessions, notice when it is dead, connect again. Sessions live on meanwhile.
mod backoff;
mod clock;
mod connect;
mod meter;
mod records;
mod serve;
mod shells;
mod writer;

pub use connect::ConnectError;

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use nix::unistd::Uid;
use protocol::ids::BootId;
use reqwest::StatusCode;
use thiserror::Error;

use crate::account::{Account, AccountError};
use crate::config::Config;
use crate::identity::IdentityError;
use crate::jobs::Jobs;
use crate::keys::Keys;
use crate::logins::Logins;
use crate::process::pam::Pam;
use crate::services::Services;
use crate::system::System;
use backoff::{Backoff, Ended};
use clock::Clock;
use meter::Meter;
use serve::{Agent, Lasting, Over};
use shells::Shells;

/// Names the agent to the edge.
pub const USER_AGENT: &str = concat!("vsay-agent/", env!("CARGO_PKG_VERSION"));

/// How long shells get to end when the agent stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// Why an agent cannot run at all.
#[derive(Debug, Error)]
pub enum StartError {
    /// No usable key.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The account that shells run as.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// No TLS.
    #[error("cannot set up TLS: {0}")]
    Tls(#[from] network::TlsError),
    /// No client.
    #[error("cannot set up the network: {0}")]
    Client(#[from] reqwest::Error),
    /// No randomness.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
}

/// Runs the agent, with the accounts and files of `system`, until `stop` is ready; then ends its shells, tells the edge, and
/// returns.
pub async fn run(system: System, config: Config, stop: impl Future<Output = ()>) -> Result<(), StartError> {
    let mut agent = Agent {
        keys: Keys::load(&config.server.key_file)?,
        account: Account::find_on(&system, &config.linux_user.username)?,
        client: network::builder(USER_AGENT, config.server.endpoint())?.build()?,
        boot: new_boot()?,
        config,
    };
    say_of_pam(&system);
    let directory = agent
        .config
        .services
        .as_ref()
        .map(|services| services.directory.clone());
    let mut lasting = Lasting {
        logins: Logins::new(system.clone()),
        services: Services::new(directory),
        jobs: Jobs::of(&agent.config, system.clone()),
        shells: Shells::new(&agent.config, system),
        meter: Meter::new(),
    };
    let mut backoff = Backoff::default();
    let mut clock = Clock::default();
    let mut stop = pin!(stop);
    tracing::info!(agent = %agent.config.agent.id, edge = %agent.config.server.endpoint(), "the agent starts");
    loop {
        let connected = tokio::select! {
            connected = connect::connect(&mut agent, &mut clock) => connected,
            () = &mut stop => break,
        };
        let ended = match connected {
            Ok(opened) => {
                let (over, stood) = agent.serve(opened, &clock, &mut lasting, &mut stop).await;
                lasting.shells.detach().await;
                lasting.jobs.detach().await;
                match over {
                    Over::Stopped => return Ok(()),
                    Over::Rotates(challenge) => {
                        tracing::info!("the edge asks for a new key");
                        agent.keys.ask(challenge);
                        continue;
                    }
                    Over::Lost(why) => tracing::warn!("the link is lost: {why}"),
                }
                stood.map_or(Ended::Failed, Ended::Stood)
            }
            Err(ConnectError::Refused(StatusCode::UNAUTHORIZED, _)) if agent.keys.refused() => {
                tracing::info!("the edge does not know this key: the next one is tried");
                continue;
            }
            Err(error @ ConnectError::NotRotated(_)) => {
                tracing::warn!("{error}");
                continue;
            }
            Err(error @ ConnectError::Refused(..)) => {
                tracing::error!("{error}. If it was revoked or deleted, run `vsay-agent configure` with a new token");
                Ended::Refused
            }
            Err(error @ ConnectError::Duplicate(_)) => {
                tracing::error!(
                    "{error}. If this machine is a copy of that one, make it one of its own: `vsay-agent configure \
                     --new-identity` with a new token"
                );
                Ended::Refused
            }
            Err(error) => {
                tracing::warn!("no link: {error}");
                Ended::Failed
            }
        };
        let pause = backoff.pause(ended, random);
        tracing::info!("next attempt in {:.1} s", pause.as_secs_f64());
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = &mut stop => break,
        }
    }
    tokio::join!(lasting.jobs.close(), lasting.shells.close(STOP_GRACE));
    Ok(())
}

/// Whether PAM is asked for shells, since on most machines where it is not that is a choice.
fn say_of_pam(system: &System) {
    if !Uid::effective().is_root() {
        return;
    }
    match Pam::find(system) {
        Ok(pam) => tracing::info!("shells get sessions of PAM, by its service {}", pam.service()),
        Err(why) => tracing::info!("shells get no sessions of PAM: {why}"),
    }
}

fn new_boot() -> Result<BootId, StartError> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(StartError::Randomness)?;
    // 16 bytes are always 32 hex characters.
    data_encoding::HEXLOWER
        .encode(&bytes)
        .parse()
        .map_err(|_| StartError::Randomness(getrandom::Error::UNEXPECTED))
}

/// A number from 0 up to but not including 1. Without randomness it is in the middle: a pause needs no secret.
fn random() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / (f64::from(u32::MAX) + 1.0))
}
