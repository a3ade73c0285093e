//! What sockets say. The runtime is answered at once where nothing has to be waited for, as is so of each key: a promise for each
//! message costs as much as all that is decided about it.
use worker::js_sys::ArrayBuffer;
use worker::wasm_bindgen::prelude::*;

use super::Relay;
use crate::relay::{RelayState, Socket};

/// What `src/entry.js` calls for the events of sockets, which it knows by their numbers. Each answers whether something has to be
/// waited for; then [`Relay::go_on`] is called, before anything else.
#[wasm_bindgen(wasm_bindgen = worker::wasm_bindgen, wasm_bindgen_futures = worker::wasm_bindgen_futures, js_sys = worker::js_sys)]
impl Relay {
    /// A socket said a text.
    #[wasm_bindgen(js_name = hearText)]
    pub fn hear_text(&self, socket: u32, text: &str) -> bool {
        let mut live = self.live.borrow_mut();
        if live.watcher_says(Socket(socket), text).is_some() {
            live.left.get_or_insert_default();
            return true;
        }
        drop(live);
        self.hear(|relay, now| relay.text(now, Socket(socket), text))
    }

    /// A socket said bytes.
    #[wasm_bindgen(js_name = hearBytes)]
    pub fn hear_bytes(&self, socket: u32, message: ArrayBuffer) -> bool {
        let mut live = self.live.borrow_mut();
        if live.watches.contains_key(&Socket(socket)) {
            return false;
        }
        let bytes = live.buffers.receive(message);
        drop(live);
        self.hear(|relay, now| relay.binary(now, Socket(socket), bytes))
    }

    /// A socket was closed or lost.
    #[wasm_bindgen(js_name = hearEnd)]
    pub fn hear_end(&self, socket: u32, code: u16) -> bool {
        let socket = Socket(socket);
        let mut live = self.live.borrow_mut();
        live.sockets.remove(&socket);
        if live.watches.remove(&socket).is_some() {
            return false;
        }
        drop(live);
        self.hear(|relay, now| relay.closed(now, socket, code))
    }

    /// Does what has to be waited for.
    #[wasm_bindgen(js_name = goOn)]
    pub async fn go_on(&self) {
        let left = self.live.borrow_mut().left.take();
        if let Some(rest) = left {
            self.finish(rest).await;
        }
        if self.has_to_record() {
            self.record().await;
        }
    }
}

impl Relay {
    fn hear(&self, tell: impl FnOnce(&mut RelayState, u64)) -> bool {
        if let Some(rest) = self.take(tell) {
            self.live.borrow_mut().left.get_or_insert_default().add(rest);
            return true;
        }
        self.has_to_record()
    }
}
