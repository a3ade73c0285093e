//! The local terminal's mode and size.
use std::io::IsTerminal;
use std::sync::Once;

use crossterm::terminal;
use protocol::terminal::Size;
use tokio::sync::watch;

/// Raw mode, as long as this lives. It ends however the program does: on return, on an error, and on a panic.
#[derive(Debug)]
pub struct RawMode(());

impl RawMode {
    /// Every key goes to the machine from now on. Nothing if the keyboard is no terminal.
    pub fn enter() -> std::io::Result<Option<Self>> {
        static RESTORE_ON_PANIC: Once = Once::new();
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        RESTORE_ON_PANIC.call_once(|| {
            let report = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                super::screen::restore();
                let _ = terminal::disable_raw_mode();
                report(panic);
            }));
        });
        terminal::enable_raw_mode()?;
        Ok(Some(Self(())))
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        let _ = terminal::disable_raw_mode();
    }
}

/// The size of the window, or the usual one without a window.
pub fn size() -> Size {
    if !std::io::stdout().is_terminal() && !std::io::stdin().is_terminal() {
        return Size::default();
    }
    let size = terminal::size()
        .ok()
        .and_then(|(cols, rows)| Size::new(cols.into(), rows.into()));
    size.unwrap_or_default()
}

/// The size of the window, whenever it changes.
pub fn watch_size() -> std::io::Result<watch::Receiver<Size>> {
    let (sender, receiver) = watch::channel(size());
    let mut changes = Changes::new()?;
    tokio::spawn(async move {
        while !sender.is_closed() {
            changes.next().await;
            sender.send_if_modified(|known| std::mem::replace(known, size()) != *known);
        }
    });
    Ok(receiver)
}

#[cfg(unix)]
struct Changes(tokio::signal::unix::Signal);

#[cfg(unix)]
impl Changes {
    fn new() -> std::io::Result<Self> {
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::window_change()).map(Self)
    }

    async fn next(&mut self) {
        self.0.recv().await;
    }
}

/// Where nobody tells, one has to look.
#[cfg(not(unix))]
struct Changes(tokio::time::Interval);

#[cfg(not(unix))]
impl Changes {
    fn new() -> std::io::Result<Self> {
        Ok(Self(tokio::time::interval(std::time::Duration::from_millis(500))))
    }

    async fn next(&mut self) {
        self.0.tick().await;
    }
}

/// Resolves when somebody asks this program to end, with the status to end with.
pub async fn asked_to_end() -> std::io::Result<i32> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut interrupt, mut hangup) = (signal(SignalKind::interrupt())?, signal(SignalKind::hangup())?);
        let (mut quit, mut terminate) = (signal(SignalKind::quit())?, signal(SignalKind::terminate())?);
        Ok(tokio::select! {
            _ = hangup.recv() => 128 + 1,
            _ = interrupt.recv() => 128 + 2,
            _ = quit.recv() => 128 + 3,
            _ = terminate.recv() => 128 + 15,
        })
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await.map(|()| 128 + 2)
}
