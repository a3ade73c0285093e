//! How large the Worker is when it is uploaded.
use std::fs;
use std::io::Write;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

/// Where the Worker is built; its modules lie there and nowhere deeper.
const FOLDER: &str = "build";

/// Sizes in bytes.
pub struct Bundle {
    /// As built.
    pub plain: usize,
    /// After gzip, as the platform counts.
    pub gzip: usize,
}

/// Measures what scripts/build.sh left.
pub fn measure() -> Result<Bundle> {
    let mut bundle = Bundle { plain: 0, gzip: 0 };
    for entry in fs::read_dir(FOLDER).with_context(|| format!("{FOLDER}/ cannot be read"))? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "js" || extension == "wasm")
        {
            let bytes = fs::read(&path)?;
            let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
            gzip.write_all(&bytes)?;
            bundle.plain += bytes.len();
            bundle.gzip += gzip.finish()?.len();
        }
    }
    ensure!(bundle.plain > 0, "{FOLDER}/ is empty; run: make build");
    Ok(bundle)
}
