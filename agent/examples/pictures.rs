//! What the emulator makes of recordings, for `tests/pictures/`. Each line of the input is a size, a file, and places in it:
//! `80 24 path 0 1000 2000`; a place may be `1000:60x20` for another size from there on. For each place the output has the
//! length of the dump, as four bytes, and the dump.
use std::io::{BufRead, Read, Write};

use protocol::terminal::Size;
use vsay_agent::emulator::Terminal;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let mut words = line.split(' ');
        let mut word = || words.next().ok_or("a word is missing");
        let mut size = Size {
            cols: word()?.parse()?,
            rows: word()?.parse()?,
        };
        let mut recording = Vec::new();
        std::fs::File::open(word()?)?.read_to_end(&mut recording)?;
        let mut terminal = Terminal::new(size);
        let mut done = 0;
        for place in words {
            let (place, new_size) = place
                .split_once(':')
                .map_or((place, None), |(place, size)| (place, Some(size)));
            let place: usize = place.parse()?;
            terminal.process(&recording[done..place]);
            done = place;
            if let Some((cols, rows)) = new_size.and_then(|size| size.split_once('x')) {
                size = Size {
                    cols: cols.parse()?,
                    rows: rows.parse()?,
                };
                terminal.resize(size);
            }
            let dump = terminal.dump();
            out.write_all(&u32::try_from(dump.len())?.to_be_bytes())?;
            out.write_all(&dump)?;
        }
    }
    out.flush()?;
    Ok(())
}
