//! Writes the JavaScript between the compiled Worker and what runs it: `glue <compiled> <folder>` makes `index.js` and
//! `index_bg.wasm` there. What calls it from outside is `src/entry.js`.
use anyhow::{Context, bail};
use std::{env, path::PathBuf};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<PathBuf> = env::args_os().skip(1).map(PathBuf::from).collect();
    let [compiled, folder] = arguments.as_slice() else {
        bail!("glue <compiled .wasm> <folder>");
    };
    Bindgen::new()
        // Workers are handed their WebAssembly as a module, and compile none by themselves.
        .module(true)?
        .input_path(compiled)
        .out_name("index")
        .typescript(false)
        .remove_producers_section(true)
        // An instance that trapped is replaced by a new one.
        .reset_state_function(true)
        .force_enable_abort_handler(true)
        .generate(folder)
        .with_context(|| format!("{} cannot be given its JavaScript", compiled.display()))
}
