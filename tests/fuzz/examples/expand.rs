//! Writes the PDF that a script stands for to standard output.

use std::io::Write as _;

use yinxin_fuzz::script;

fn main() {
    let mut names: Vec<String> = std::env::args().skip(1).collect();
    let update = names.first().is_some_and(|name| name == "--update");
    if update {
        names.remove(0);
    }
    let [name] = names.as_slice() else {
        eprintln!("usage: expand [--update] INPUT");
        std::process::exit(2);
    };
    let input = std::fs::read(name).expect("the input can be read");
    // The first byte of an input of pdf_update chooses the request.
    let script = match input.split_first() {
        Some((_, script)) if update && !input.starts_with(b"%PDF-") => script,
        _ => &input,
    };
    let file = script::document(script);
    std::io::stdout()
        .write_all(&file)
        .expect("standard output takes it");
}
