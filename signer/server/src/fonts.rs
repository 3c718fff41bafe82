//! Finds the fonts that the configuration names.

use std::path::{Path, PathBuf};

use yinxin_edge::{files, read, value_error};
use yinxin_signer::appearance::SealFont;
use yinxin_typeset::Typesetter;

use crate::config::{ConfigError, Fonts};

/// Font files that may draw Chinese, best first for a seal: the regular Song (serif) face looks
/// most like a cut seal.
const SEAL_FILES: [&str; 4] = [
    "NotoSerifCJK-Regular.ttc",
    "NotoSerifSC-Regular.otf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansSC-Regular.otf",
];

/// How deep folders of fonts are searched: Debian keeps them two levels down.
const DEPTH_MAX: usize = 4;

/// The fonts of this installation.
pub(crate) struct Found {
    /// With every font file.
    pub(crate) typesetter: Typesetter,
    /// The face of the seals' lettering.
    pub(crate) seal: SealFont,
}

pub(crate) fn load(config: &Fonts) -> Result<Found, ConfigError> {
    let paths = paths(config)?;
    let seal = seal_face(config, &paths)?;
    let files = paths
        .iter()
        .map(|path| read(path))
        .collect::<Result<_, _>>()?;
    let typesetter = Typesetter::new(files).map_err(|error| ConfigError::Content {
        path: config.paths.first().cloned().unwrap_or_default(),
        message: error.to_string(),
    })?;
    Ok(Found { typesetter, seal })
}

/// Every font file that the configuration names, in a fixed order.
fn paths(config: &Fonts) -> Result<Vec<PathBuf>, ConfigError> {
    let mut paths = Vec::new();
    for path in &config.paths {
        collect(path, DEPTH_MAX, &mut paths)?;
    }
    Ok(paths)
}

/// The face of the seals' lettering.
pub(crate) fn seal_font(config: &Fonts) -> Result<SealFont, ConfigError> {
    seal_face(config, &paths(config)?)
}

/// The face that is configured, else the Chinese one of the best file found.
fn seal_face(config: &Fonts, paths: &[PathBuf]) -> Result<SealFont, ConfigError> {
    let (path, face) = match &config.seal {
        Some(seal) => (
            &seal.file,
            SealFont::from_bytes(read(&seal.file)?, seal.index),
        ),
        None => {
            let path = best_file(paths)?;
            (path, SealFont::simplified_chinese(read(path)?))
        }
    };
    face.map_err(|error| ConfigError::Content {
        path: path.clone(),
        message: error.to_string(),
    })
}

fn best_file(paths: &[PathBuf]) -> Result<&PathBuf, ConfigError> {
    let named = |name: &&str| {
        paths
            .iter()
            .find(|path| path.file_name().is_some_and(|file| file == *name))
    };
    SEAL_FILES.iter().find_map(named).ok_or_else(|| {
        value_error(
            "fonts.paths",
            "hold none of the Chinese fonts known for seals; name one in fonts.seal, or \
             install Noto Serif CJK (Debian: fonts-noto-cjk)",
        )
    })
}

fn collect(path: &Path, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), ConfigError> {
    if path.is_file() {
        found.push(path.to_owned());
        return Ok(());
    }
    found.extend(files(path)?.into_iter().filter(|file| {
        file.extension()
            .and_then(|extension| extension.to_str())
            .is_some_and(|extension| matches!(extension, "otf" | "ttf" | "ttc"))
    }));
    if depth == 0 {
        return Ok(());
    }
    let unreadable = |source| ConfigError::Read {
        path: path.to_owned(),
        source,
    };
    let mut folders = Vec::new();
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?.path();
        if entry.is_dir() {
            folders.push(entry);
        }
    }
    folders.sort();
    folders
        .iter()
        .try_for_each(|folder| collect(folder, depth - 1, found))
}
