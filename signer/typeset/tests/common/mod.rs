//! What several tests need: the fonts that scripts/setup found, and tools that may be missing.
#![allow(dead_code, reason = "each test uses a part")]

use std::path::{Path, PathBuf};
use std::process::Command;

use yinxin_typeset::Typesetter;

/// A typesetter with the machine's Chinese fonts, or a visible skip.
pub(crate) fn typesetter() -> Option<Typesetter> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let given = std::env::var_os("YINXIN_FONTS");
    let given = given.iter().flat_map(std::env::split_paths);
    let known = [
        workspace.join("target/fonts"),
        PathBuf::from("/usr/share/fonts/opentype/noto"),
    ];
    let Some(files) = given
        .chain(known)
        .map(|folder| font_files(&folder))
        .find(|files| !files.is_empty())
    else {
        eprintln!("SKIPPED: no Chinese font; scripts/setup finds or installs one");
        return None;
    };
    let fonts = files
        .iter()
        .map(|file| std::fs::read(file).unwrap())
        .collect();
    Some(Typesetter::new(fonts).unwrap())
}

fn font_files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            path.extension().is_some_and(|extension| {
                ["otf", "ttf", "ttc"]
                    .iter()
                    .any(|known| extension == *known)
            })
        })
        .collect();
    files.sort();
    files
}

/// What a tool prints on its standard output about a PDF, whose path stands between the two
/// lists of arguments; or a visible skip without the tool.
pub(crate) fn ask(
    tool: &str,
    before: &[&str],
    pdf: &[u8],
    after: &[&str],
) -> Option<(bool, String)> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("document.pdf");
    std::fs::write(&path, pdf).unwrap();
    match Command::new(tool)
        .args(before)
        .arg(&path)
        .args(after)
        .output()
    {
        Ok(output) => Some((
            output.status.success(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
        )),
        Err(error) => {
            eprintln!("SKIPPED: {tool}: {error}; scripts/setup peers installs it");
            None
        }
    }
}
