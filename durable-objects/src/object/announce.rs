//! Telling those who have pages of the machine's organization open that something has changed.
use protocol::ids::ObjectId;
use protocol::live::{self, TELL_PATH, Topic};
use worker::{Method, Request, RequestInit, Result};

use super::Relay;
use crate::directory;
use crate::log;

impl Relay {
    /// Tells them. Whoever does not hear of it asks again after a while, so that a failure is only written to the log.
    pub(super) async fn announce(&self, topics: &[Topic]) {
        if let Err(error) = self.announce_now(topics).await {
            log::error(&format!("the channel was not told what has changed: {error}"));
        }
    }

    async fn announce_now(&self, topics: &[Topic]) -> Result<()> {
        let Some(organization) = self.organization().await? else {
            return Ok(());
        };
        let channel = self
            .env
            .durable_object(live::BINDING)?
            .get_by_name(organization.as_str())?;
        let mut init = RequestInit::new();
        init.with_method(Method::Post)
            .with_body(Some(live::frame(topics).into()));
        let request = Request::new_with_init(&format!("https://channel{TELL_PATH}"), &init)?;
        channel.fetch_with_request(request).await.map(drop)
    }

    /// The machine's organization; none if the machine is gone.
    async fn organization(&self) -> Result<Option<ObjectId>> {
        let (machine, known) = {
            let live = self.live.borrow();
            (live.relay.machine().cloned(), live.organization.clone())
        };
        if known.is_some() {
            return Ok(known);
        }
        let Some(machine) = machine else { return Ok(None) };
        let found = directory::organization(&self.env.d1(directory::BINDING)?, &machine).await?;
        self.live.borrow_mut().organization.clone_from(&found);
        Ok(found)
    }
}
