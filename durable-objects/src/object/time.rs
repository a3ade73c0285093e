//! What happens because time passes.
use std::time::Duration;

use worker::wasm_bindgen::{JsCast, JsValue};
use worker::{ScheduledTime, WebSocket, js_sys};

use super::{Live, Relay, now};
use crate::log;

/// How often output of published clients is looked at while it waits for time to pass.
const TICK: Duration = Duration::from_millis(50);

/// How long watchers wait until some get their turn: until what was sent before is where it is read, also on a computer that has little
/// to do it with. Nobody sees that it is later.
const BEFORE_TURNS: Duration = Duration::from_millis(2);

/// A turn that should have been taken for so many milliseconds is nobody's any more: whoever waited for it was ended by the platform.
const TURN_LOST: u64 = 1_000;

impl Live {
    /// Whether watchers wait for their turn, and nobody gives it.
    pub(super) fn has_to_turn(&self) -> bool {
        let given = |at: u64| now() <= at + TURN_LOST;
        self.relay.wants_turn() && !self.turning_at.is_some_and(given)
    }

    /// Whether time has to pass for somebody, and nobody lets it.
    pub(super) fn has_to_tick(&self) -> bool {
        !self.ticking && self.relay.wants_tick()
    }
}

impl Relay {
    /// When something is due for which the alarm is not known to be set. An alarm that comes early finds nothing due and is
    /// set anew, so that deadlines which move further away cost no write.
    pub(super) fn late_alarm(&self) -> Option<u64> {
        let live = self.live.borrow();
        let wanted = live
            .relay
            .deadline()
            .into_iter()
            .chain(live.retry_at)
            .chain(live.watch_at)
            .min()?;
        let set = live.alarm.flatten().is_some_and(|set| set <= wanted);
        (!set).then_some(wanted)
    }

    pub(super) async fn set_alarm(&self) {
        let Some(wanted) = self.late_alarm() else { return };
        let known = self.live.borrow().alarm;
        let storage = self.state.storage();
        if known.is_none() {
            let found = storage.get_alarm().await.ok().flatten();
            let set = found.and_then(|at| u64::try_from(at).ok());
            if set.is_some_and(|set| set <= wanted) {
                self.live.borrow_mut().alarm = Some(set);
                return;
            }
        }
        self.live.borrow_mut().alarm = Some(Some(wanted));
        let at = js_sys::Date::new(&JsValue::from_f64(wanted as f64));
        if let Err(error) = storage.set_alarm(ScheduledTime::new(at)).await {
            log::error(&format!("the alarm could not be set: {error}"));
            self.live.borrow_mut().alarm = None;
        }
    }

    /// As long as watchers wait for their turn, gives it to some after what was sent before has left.
    pub(super) async fn run_turns(&self) {
        if !self.live.borrow().has_to_turn() {
            return;
        }
        let mut wait = BEFORE_TURNS;
        while self.live.borrow().relay.wants_turn() {
            self.live.borrow_mut().turning_at = Some(now());
            worker::Delay::from(std::mem::take(&mut wait)).await;
            let actions = {
                let mut live = self.live.borrow_mut();
                live.relay.turn(now());
                live.relay.take_actions()
            };
            if let Some(rest) = self.perform(actions) {
                self.perform_rest(rest).await;
            }
        }
        self.live.borrow_mut().turning_at = None;
    }

    /// While output of a published client waits for time to pass, lets it pass. The agent sends no more than its
    /// window before this has run.
    pub(super) async fn run_ticks(&self) {
        {
            let mut live = self.live.borrow_mut();
            if !live.has_to_tick() {
                return;
            }
            live.ticking = true;
        }
        loop {
            worker::Delay::from(TICK).await;
            let actions = {
                let mut live = self.live.borrow_mut();
                let Live { relay, sockets, .. } = &mut *live;
                relay.tick(now(), |socket| buffered(sockets.get(&socket)?));
                relay.take_actions()
            };
            if let Some(rest) = self.perform(actions) {
                self.perform_rest(rest).await;
            }
            let mut live = self.live.borrow_mut();
            if !live.relay.wants_tick() {
                live.ticking = false;
                return;
            }
        }
    }

    /// When the platform last answered the agent's keep-alive; the `worker` crate does not bind that method.
    pub(super) fn agent_seen(&self) -> Option<u64> {
        let live = self.live.borrow();
        let ws = live.sockets.get(&live.relay.agent_socket()?)?;
        let state: &JsValue = self.state.as_raw().as_ref();
        let method = js_sys::Reflect::get(state, &"getWebSocketAutoResponseTimestamp".into()).ok()?;
        let seen = method
            .dyn_ref::<js_sys::Function>()?
            .call1(state, ws.as_ref().as_ref())
            .ok()?;
        Some(seen.dyn_ref::<js_sys::Date>()?.get_time() as u64)
    }
}

/// How much of what was sent to a socket may not have left for it to get more that can be spared: what a link that is not slow has
/// on its way.
const BEHIND: u64 = 64 * 1024;

/// Whether a socket has so much before it that what can be spared is not sent.
pub(super) fn is_behind(ws: &WebSocket) -> bool {
    buffered(ws).is_some_and(|waits| waits > BEHIND)
}

/// How much of what was sent to a socket has not left, if the platform says so; the `worker` crate does not bind that property.
pub(super) fn buffered(ws: &WebSocket) -> Option<u64> {
    let amount = js_sys::Reflect::get(ws.as_ref(), &"bufferedAmount".into()).ok()?;
    Some(amount.as_f64()?.max(0.0) as u64)
}
