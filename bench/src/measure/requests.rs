//! How many requests a Worker answers, with every answer checked.
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http::Http;

/// Connections, each with one request at a time.
const CONNECTIONS: usize = 16;

/// How long one run takes.
const RUN: Duration = Duration::from_millis(1500);

/// What is asked for.
pub struct Load<'a> {
    /// Whom.
    pub origin: &'a str,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// The path.
    pub path: &'a str,
    /// How many things the answer lists; nothing if it is no list.
    pub lists: Option<usize>,
}

/// Asks as fast as it is answered. Returns requests/s.
pub async fn measure(load: &Load<'_>) -> Result<f64> {
    let mut first = Http::open(load.origin, load.token).await?;
    let (_, sample) = first.get(load.path).await?;
    if let Some(count) = load.lists {
        let answer: Value = serde_json::from_slice(&sample).with_context(|| format!("{} is no JSON", load.path))?;
        let named = ["machines", "objects"].into_iter().find_map(|name| answer.get(name));
        let list = named.unwrap_or(&answer).as_array().map(Vec::len);
        ensure!(list == Some(count), "{} lists {list:?} in place of {count}", load.path);
    }
    // Facts such as the time of the last heartbeat change the length a little. Half the answer is no answer.
    let least = sample.len() * 9 / 10;
    let (began, mut clients) = (Instant::now(), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let mut http = Http::open(load.origin, load.token).await?;
        let path = load.path.to_owned();
        clients.spawn(async move {
            let mut answered = 0u32;
            while began.elapsed() < RUN {
                let (status, body) = http.get(&path).await?;
                ensure!(
                    status.is_success() && body.len() >= least,
                    "{path} answered {status} with {} bytes",
                    body.len()
                );
                answered += 1;
            }
            Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(client) = clients.join_next().await {
        answered += client??;
    }
    Ok(f64::from(answered) / began.elapsed().as_secs_f64())
}
