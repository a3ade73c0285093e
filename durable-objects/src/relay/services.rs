//! The catalog of a runner on its way to the directory. The agent tells it again until it is stored, so nothing of it is kept when this
//! object loses its memory.
use protocol::terminal::agent::ToAgent;
use protocol::terminal::services::{CatalogPart, MAX_CATALOG, MAX_SERVICES, Service, is_service_name};

use super::RelayState;

/// In how long, in milliseconds, no more than [`CATALOGS`] are taken. Agents tell of nothing that they have told of; one that breaks the
/// rules writes hardly more rows than a directory in which somebody copies all the time.
const CATALOGS_IN: u64 = 60_000;

/// See there. It is what an agent tells at most while something changes all the time.
const CATALOGS: usize = 100;

/// What a catalog may take as messages, in bytes: as many parts as services at most, with less than 128 bytes around the services of each.
const MAX_TOLD: usize = MAX_CATALOG + MAX_SERVICES * 128;

/// All services of a runner.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalog {
    /// By which it is acknowledged.
    pub number: u64,
    pub services: Vec<Service>,
    /// How many there are besides.
    pub left_out: u32,
}

/// What is known of a runner while the object is in memory.
#[derive(Debug, Default)]
pub struct Runner {
    coming: Option<Coming>,
    /// Since when catalogs are counted, and how many there were.
    counted: (u64, usize),
}

/// A catalog of which the last part is missing.
#[derive(Debug)]
struct Coming {
    catalog: Catalog,
    /// The number of the part that is next.
    next: u32,
    /// What came of it, in bytes.
    told: usize,
}

impl Runner {
    /// Takes a part that came in a message of so many bytes, and answers the catalog with the last. One with a part that is not the next,
    /// or with more than may be told, is dropped.
    fn take(&mut self, now: u64, part: CatalogPart, bytes: usize) -> Option<Catalog> {
        if part.part == 0 {
            let (since, count) = self.counted;
            self.counted = if now.saturating_sub(since) < CATALOGS_IN {
                (since, count + 1)
            } else {
                (now, 1)
            };
            let (number, left_out) = (part.number, part.left_out);
            let catalog = Catalog {
                number,
                services: Vec::new(),
                left_out,
            };
            self.coming = Some(Coming {
                catalog,
                next: 0,
                told: 0,
            });
        }
        let Coming {
            mut catalog,
            next,
            told,
        } = self.coming.take()?;
        let told = told.saturating_add(bytes);
        if (catalog.number, next) != (part.number, part.part) || self.counted.1 > CATALOGS || told > MAX_TOLD {
            return None;
        }
        let is_named = |service: &Service| is_service_name(&service.name);
        if !part.services.iter().all(is_named) || catalog.services.len() + part.services.len() > MAX_SERVICES {
            return None;
        }
        catalog.services.extend(part.services);
        if part.last {
            return Some(catalog);
        }
        self.coming = Some(Coming {
            catalog,
            next: next + 1,
            told,
        });
        None
    }

    /// The link is lost: what has not come will not.
    pub fn link_lost(&mut self) {
        self.coming = None;
    }
}

impl RelayState {
    /// The agent tells of its services.
    pub(super) fn catalog_part(&mut self, now: u64, part: CatalogPart, bytes: usize) {
        if let Some(catalog) = self.runner.take(now, part, bytes) {
            self.out.catalog(catalog);
        }
    }

    /// All of a catalog is stored.
    pub fn catalog_stored(&mut self, number: u64) {
        self.tell_agent(&ToAgent::CatalogStored { number });
    }
}
