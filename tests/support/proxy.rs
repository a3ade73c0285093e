//! A wire between two parts that can be cut and stalled.
use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What a piece of the wire carries at once.
const CHUNK: usize = 16 * 1024;

/// What the wire does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Carries bytes.
    Up,
    /// Holds them back; connections stay.
    Stalled,
}

/// Takes connections and passes them on.
pub struct Proxy {
    /// Where it listens, as an address of the product.
    pub url: String,
    state: Arc<watch::Sender<State>>,
    /// Counted up to end the connections of now.
    epoch: Arc<watch::Sender<u64>>,
    listener: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.listener.abort();
        self.cut();
    }
}

impl Proxy {
    /// A wire to `target`, which is `host:port`.
    pub async fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = Arc::new(watch::Sender::new(State::Up));
        let epoch = Arc::new(watch::Sender::new(0));
        let (states, epochs, target) = (state.clone(), epoch.clone(), target.to_owned());
        let listener = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let (states, mut epochs) = (states.subscribe(), epochs.subscribe());
                let target = target.clone();
                tokio::spawn(async move {
                    epochs.mark_unchanged();
                    tokio::select! {
                        () = carry(near, &target, states) => {}
                        _ = epochs.changed() => {}
                    }
                });
            }
        });
        Self {
            url,
            state,
            epoch,
            listener,
        }
    }

    /// Ends every connection of now, without a goodbye. New ones are taken.
    pub fn cut(&self) {
        self.epoch.send_modify(|epoch| *epoch += 1);
    }

    /// Holds back every byte, both ways, from now on.
    pub fn stall(&self) {
        self.state.send_replace(State::Stalled);
    }
}

async fn carry(near: TcpStream, target: &str, states: watch::Receiver<State>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::join!(pass(near_in, far_out, states.clone()), pass(far_in, near_out, states));
}

async fn pass(
    mut from: impl AsyncReadExt + Unpin,
    mut to: impl AsyncWriteExt + Unpin,
    mut states: watch::Receiver<State>,
) {
    let mut buffer = vec![0; CHUNK];
    loop {
        if states.wait_for(|state| *state != State::Stalled).await.is_err() {
            return;
        }
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(count) => {
                if states.wait_for(|state| *state != State::Stalled).await.is_err() {
                    return;
                }
                if to.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
        }
    }
    let _ = to.shutdown().await;
}
