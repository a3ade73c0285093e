//! What the relays have of services, on its way to the tables.
use chrono::Utc;
use durable_objects::relay::Catalog;
use futures_util::future::LocalBoxFuture;
use protocol::ids::ObjectId;
use worker::Env;

use super::store;
use crate::features::inventory::sync;
use crate::platform::db::{Db, stored};

/// Makes a catalog that of a machine, and brings the services of the inventory up to date. Handed to the relays' crate when the Worker starts.
pub fn store(env: Env, machine: ObjectId, catalog: Catalog) -> LocalBoxFuture<'static, Result<(), String>> {
    Box::pin(async move {
        let db = Db::new(&env).map_err(|error| error.cause().to_string())?;
        let batch = store::replace(&machine, &catalog, &stored(Utc::now()));
        db.run(batch).await.map(drop).map_err(|error| error.to_string())?;
        sync::catch_up(&env, &db, &machine).await;
        Ok(())
    })
}
