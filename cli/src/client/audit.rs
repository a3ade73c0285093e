//! The audit log.
use std::time::Duration;

use bytes::Bytes;
use protocol::api::audit::ChainReport;
use reqwest::{Method, Response};

use super::{Client, unreachable};
use crate::error::Error;

/// How long a download may take as a whole: a log of a million entries takes a few minutes.
const DOWNLOAD_TIMEOUT: Duration = Duration::from_secs(60 * 60);

impl Client {
    /// The whole audit log.
    pub async fn audit_export(&self, format: &str) -> Result<Download, Error> {
        let request = self.request(Method::GET, &format!("/api/audit/export?format={format}"));
        Ok(Download {
            response: self.send(request.timeout(DOWNLOAD_TIMEOUT)).await?,
            url: self.api_url.clone(),
        })
    }
}

impl Client {
    /// What the server finds when it walks along an organization's chain, from behind an entry on.
    pub async fn audit_verify(&self, tenant: &str, after: Option<i64>) -> Result<ChainReport, Error> {
        let after = after.map(|after| after.to_string()).unwrap_or_default();
        let path = format!("/api/audit/verify?tenant_id={tenant}&after={after}");
        self.ask(self.request(Method::GET, &path)).await
    }
}

/// A long answer, as it arrives.
pub struct Download {
    response: Response,
    url: String,
}

impl Download {
    /// Its next part; nothing at the end. Fails if the server breaks off.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        self.response
            .chunk()
            .await
            .map_err(|error| unreachable(&self.url, &error))
    }
}
