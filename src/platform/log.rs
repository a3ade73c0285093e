//! Log lines. Nothing that is logged may hold a token, a password or a key.

/// A failure of ours that somebody should look at.
pub fn error(line: &str) {
    #[cfg(target_arch = "wasm32")]
    worker::console_error!("{line}");
    #[cfg(not(target_arch = "wasm32"))]
    eprintln!("{line}");
}
