//! What every part of VSAY Edge agrees on: ids, REST bodies, terminal frames, and the small state machines that both
//! ends of a stream must run alike. Nothing here does I/O; it builds for wasm and native alike.
//!
//! `docs/streams.md` is the prose of [`terminal`] and [`stream`].
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

pub mod api;
pub mod ids;
pub mod json;
pub mod limits;
pub mod live;
pub mod networks;
pub mod recording;
pub mod relay_contract;
pub mod sql;
pub mod stream;
pub mod terminal;
