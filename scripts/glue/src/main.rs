//! Writes the JavaScript between the compiled Worker and what runs it: `glue <compiled> <folder>` makes `index.js` and
//! `index_bg.wasm` there. What calls it from outside is `src/entry.js`. `glue sort <module>` makes a module one that is compressed best.
mod order;
mod sort;

use anyhow::{Context, bail};
use std::{env, fs, path::Path, path::PathBuf};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    match arguments.as_slice() {
        [command, module] if command == Path::new("sort") => {
            let sorted = sort::sorted(&fs::read(module)?)?;
            Ok(fs::write(module, sorted)?)
        }
        [compiled, folder] => bind(compiled, folder),
        _ => bail!("glue <compiled .wasm> <folder>, or glue sort <.wasm>"),
    }
}

fn bind(compiled: &Path, folder: &Path) -> anyhow::Result<()> {
    let mut output = Bindgen::new()
        // Workers are handed their WebAssembly as a module, and compile none by themselves.
        .module(true)?
        .input_path(compiled)
        .out_name("index")
        .typescript(false)
        .remove_producers_section(true)
        // An instance that trapped is replaced by a new one.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate_output()
        .with_context(|| format!("{} cannot be given its JavaScript", compiled.display()))?;
    output.emit(folder)
}
