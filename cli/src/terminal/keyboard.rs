//! Standard input, from a thread of its own: reading it blocks.
use std::io::Read;

use tokio::sync::mpsc;

/// What is read at once: a paste arrives in few pieces.
const CHUNK: usize = 16 * 1024;

/// Starts reading. The channel ends where the input does; a reader that does not take holds the thread, so that a file
/// of any size on standard input needs no memory.
pub fn start() -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::channel(1);
    std::thread::spawn(move || {
        let mut stdin = std::io::stdin().lock();
        let mut buffer = vec![0; CHUNK];
        loop {
            match stdin.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => {
                    if sender.blocking_send(buffer[..count].to_vec()).is_err() {
                        break;
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
    });
    receiver
}
