//! Asking the provider: bounded in time and size, by the deployment's limit, never led elsewhere, and again where it says "not now".
use std::time::Duration;

use futures_util::StreamExt;
use protocol::api::secret::Secret;
use worker::{Delay, Fetch, Method, Response};

use super::{Account, Instance, Listed, Pages, Plan, fault, name_apart, passes};
use crate::features::jobs::edge::{EdgeJob, Failure};
use crate::platform::error::ApiError;
use crate::platform::outgoing;

/// The binding of the limit on requests to providers. It counts for the deployment: a provider counts by the address they come from.
const LIMIT: &str = "PROVIDER_REQUESTS";

/// How long one answer may take: a list of 500 takes about one second.
const ANSWER: Duration = Duration::from_secs(10);

/// Longest answer that is read, in bytes: 500 instances are some 700 KB.
const MAX_ANSWER: usize = 4 * 1024 * 1024;

/// How often a request is sent that is told "not now"…
const TRIES: usize = 4;

/// …and how soon again: limits are by the second.
const PAUSE: Duration = Duration::from_millis(1200);

/// The provider, for whoever has an organization's key.
pub struct Provider {
    address: String,
    key: Secret,
}

impl Provider {
    pub fn new(address: &str, key: Secret) -> Self {
        Self {
            address: address.to_owned(),
            key,
        }
    }

    /// Lists the instances.
    pub async fn instances(&self, job: &mut EdgeJob) -> Result<Listed<Instance>, Failure> {
        let mut listed = self
            .list(job, "instances")
            .await?
            .listed(Instance::read)
            .map_err(Failure::new)?;
        name_apart(&mut listed.items);
        Ok(listed)
    }

    /// Lists the plans, as far as they are read: prices that are missing are 0.
    pub async fn plans(&self, job: &mut EdgeJob) -> Result<Vec<Plan>, Failure> {
        let listed = self
            .list(job, "plans")
            .await?
            .listed(Plan::read)
            .map_err(Failure::new)?;
        Ok(listed.items)
    }

    /// Reads what the account owes and has.
    pub async fn account(&self, job: &mut EdgeJob) -> Result<Account, Failure> {
        let body = self.say_and_ask(job, Method::Get, "/v2/account", None).await?;
        Account::read(&body).map_err(Failure::new)
    }

    /// Halts instances. It succeeds for all of them, or it is not known for which.
    pub async fn halt(&self, job: &mut EdgeJob, instances: &[Instance]) -> Result<(), Failure> {
        let ids: Vec<&str> = instances.iter().map(|instance| instance.id.as_str()).collect();
        let body = serde_json::json!({"instance_ids": ids}).to_string();
        let asked = self
            .say_and_ask(job, Method::Post, "/v2/instances/halt", Some(body))
            .await;
        asked.map(drop)
    }

    /// Destroys an instance.
    pub async fn destroy(&self, job: &mut EdgeJob, instance: &Instance) -> Result<(), Failure> {
        let path = format!("/v2/instances/{}", instance.id);
        self.say_and_ask(job, Method::Delete, &path, None).await.map(drop)
    }

    async fn list(&self, job: &mut EdgeJob, name: &str) -> Result<Pages, Failure> {
        let mut pages = Pages::default();
        while let Some(path) = pages.path(name) {
            let body = self.say_and_ask(job, Method::Get, &path, None).await?;
            pages.take(name, &body).map_err(Failure::new)?;
        }
        Ok(pages)
    }

    /// Says what is asked for, as other jobs do with what they run, and asks.
    async fn say_and_ask(
        &self,
        job: &mut EdgeJob,
        method: Method,
        path: &str,
        body: Option<String>,
    ) -> Result<Vec<u8>, Failure> {
        job.say(format!("$ {} {path}", method.as_ref())).await?;
        for _ in 1..TRIES {
            let (status, answer) = self.ask(job, &method, path, body.clone()).await?;
            if !passes(status) {
                return answered(status, answer);
            }
            Delay::from(PAUSE).await;
        }
        let (status, answer) = self.ask(job, &method, path, body).await?;
        answered(status, answer)
    }

    async fn ask(
        &self,
        job: &EdgeJob,
        method: &Method,
        path: &str,
        body: Option<String>,
    ) -> Result<(u16, Vec<u8>), Failure> {
        let left = turn(job).await?.min(ANSWER);
        let (url, bearer) = (
            format!("{}{path}", self.address),
            format!("Bearer {}", self.key.expose()),
        );
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let request = outgoing::request_by(method.clone(), &url, &headers, body).map_err(ApiError::from)?;
        let bound = u32::try_from(left.as_millis()).unwrap_or(u32::MAX);
        let timeout = web_sys::AbortSignal::timeout_with_u32(bound);
        // What the runtime says of a failure may name what stands between.
        let response = Fetch::Request(request).send_with_signal(&timeout.into()).await;
        let response = response.map_err(|error| match error.to_string().to_lowercase().contains("timeout") {
            true => Failure::new(format!("Vultr did not answer within {} seconds", left.as_secs())),
            false => Failure::new("Vultr cannot be reached"),
        })?;
        Ok((response.status_code(), read(response).await?))
    }
}

fn answered(status: u16, answer: Vec<u8>) -> Result<Vec<u8>, Failure> {
    match fault(status, &answer) {
        None => Ok(answer),
        Some(text) => Err(Failure::new(text)),
    }
}

/// Waits until the deployment's limit lets a request pass, and says how much time there is for it.
async fn turn(job: &EdgeJob) -> Result<Duration, Failure> {
    let limiter = job.app().rate_limiter(LIMIT)?;
    loop {
        let left = job
            .left()
            .ok_or_else(|| Failure::new("there was not enough time; start it again"))?;
        // One limit for all: the key is always the same.
        if limiter.limit("vultr".to_owned()).await.map_err(ApiError::from)?.success {
            return Ok(left);
        }
        Delay::from(PAUSE).await;
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // There is none of 204.
    let Ok(mut stream) = response.stream() else {
        return Ok(bytes);
    };
    while let Some(chunk) = stream.next().await {
        bytes.extend(chunk.map_err(|_| Failure::new("Vultr's answer broke off"))?);
        if bytes.len() > MAX_ANSWER {
            return Err(Failure::new(format!("Vultr's answer is over {MAX_ANSWER} bytes")));
        }
    }
    Ok(bytes)
}
