//! Servers of the tests' own.
use std::future::Future;
use std::net::SocketAddr;
use std::thread;

use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

/// A running server. It ends when dropped.
pub struct Loopback {
    /// Where it listens.
    pub address: SocketAddr,
    /// Dropped, it ends the thread.
    _stop: oneshot::Sender<()>,
}

impl Loopback {
    /// Serves each connection so, on a thread of its own: the test's waits for the edge now and then, which waits for an answer from here.
    pub async fn start<F>(serve: impl Fn(TcpStream) -> F + Send + 'static) -> Self
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let listener = listener.into_std().expect("a listener");
        let (stop, stopped) = oneshot::channel();
        #[allow(clippy::disallowed_methods, reason = "this is no Worker")]
        thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).expect("a listener");
                let serving = async {
                    while let Ok((socket, _)) = listener.accept().await {
                        tokio::spawn(serve(socket));
                    }
                };
                tokio::select! {
                    () = serving => {}
                    _ = stopped => {}
                }
            });
        });
        Self { address, _stop: stop }
    }
}
