//! What the relay's fuzz targets run: the simulation of its tests, whose rules are those that hold there.
#![allow(dead_code, unused_imports, reason = "the tests of the relay use more of the simulation")]

/// The relay, by the path that the simulation knows it by.
mod relay {
    pub use durable_objects::relay::*;
}
#[path = "../../src/relay/tests/relay_sim/mod.rs"]
mod relay_sim;
#[path = "../../src/relay/tests/watcher.rs"]
pub mod watcher;
