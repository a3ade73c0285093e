//! Work that nobody waits for.
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use super::log::Scope;

/// Work that is done after the answer: the platform keeps the request alive for it, at most half a minute.
#[derive(Clone)]
pub struct Background(Arc<dyn Fn(Task) + Send + Sync>);

/// Work to be done; how it went is its own business.
type Task = Pin<Box<dyn Future<Output = ()>>>;

impl Background {
    /// Background work handed to `wait_until`, the platform's function of that name.
    pub fn new(wait_until: impl Fn(Task) + Send + Sync + 'static) -> Self {
        Self(Arc::new(wait_until))
    }

    /// Does something after the answer. It is still of the request at hand.
    pub fn run(&self, work: impl Future<Output = ()> + 'static) {
        (self.0)(match Scope::current() {
            Some(scope) => Box::pin(scope.run(work)),
            None => Box::pin(work),
        });
    }
}
