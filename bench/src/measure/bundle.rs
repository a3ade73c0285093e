//! How large the Worker is when it is uploaded. `scripts/bundle.sh` measures it, for `make test` too.
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

const SCRIPT: &str = "scripts/bundle.sh";

/// Sizes in bytes.
pub struct Bundle {
    /// As built.
    pub plain: usize,
    /// After gzip, as the platform counts.
    pub gzip: usize,
}

/// Measures what scripts/build.sh left.
pub fn measure() -> Result<Bundle> {
    let output = Command::new(SCRIPT)
        .output()
        .with_context(|| format!("{SCRIPT} does not start"))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_whitespace().filter_map(|word| word.parse().ok());
    match (numbers.next(), numbers.next()) {
        (Some(plain), Some(gzip)) => Ok(Bundle { plain, gzip }),
        _ => bail!("{SCRIPT} printed no two numbers: {text}"),
    }
}
