//! Storing what a runner tells of its services.
use super::Relay;
use crate::log;
use crate::relay::Catalog;
use crate::services;
use crate::storage::Storage;

impl Relay {
    /// Stores the services of a runner, one catalog after another, as the last that was told is what there is. Of several that wait, only
    /// that one is stored.
    pub(super) async fn store_catalog(&self, catalog: Catalog) {
        {
            let mut live = self.live.borrow_mut();
            live.catalog = Some(catalog);
            if std::mem::replace(&mut live.storing, true) {
                return;
            }
        }
        while let Some(catalog) = self.next_catalog() {
            self.store_this(catalog).await;
        }
        self.live.borrow_mut().storing = false;
    }

    fn next_catalog(&self) -> Option<Catalog> {
        self.live.borrow_mut().catalog.take()
    }

    /// Stores one and tells the agent. What fails the agent says again, and so it does if the directory does not know yet what was
    /// decided before: that the agent before was no runner would take these away again.
    async fn store_this(&self, catalog: Catalog) {
        let Some(machine) = self.live.borrow().relay.machine().cloned() else {
            return;
        };
        if !matches!(self.storage().and_then(Storage::posted), Ok(None)) {
            return;
        }
        let number = catalog.number;
        if let Err(error) = services::store(&self.env, &machine, catalog).await {
            return log::error(&format!("services are not stored yet: {error}"));
        }
        let actions = {
            let mut live = self.live.borrow_mut();
            live.relay.catalog_stored(number);
            live.relay.take_actions()
        };
        // Nothing but a message to the agent.
        drop(self.perform(actions));
    }
}
