//! A folder with everything for a trial: throw-away keys, a seal, and the three configurations.

use std::path::{Path, PathBuf};

use yinxin_keys_dev::{Installation, InstallationOptions};
use yinxin_signer::appearance::{Centre, RoundSeal, round_seal_svg};

use crate::commands::now;
use crate::failure::{Failure, doing};

/// Where fonts are looked for when nobody names any: the system's, and what scripts/setup unpacked.
const FONT_FOLDERS: [&str; 3] = [
    "target/fonts",
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts",
];

/// Makes the folder, or finds it as it was made before.
pub(crate) fn make(
    directory: &Path,
    fonts: &[PathBuf],
    ports: [u16; 2],
) -> Result<Installation, Failure> {
    let fonts = existing_fonts(fonts)?;
    let found = yinxin_signer_server::seal_font(&fonts)
        .map_err(doing("找不到中文字体", "no Chinese font"))?;
    let picture = round_seal_svg(
        &RoundSeal {
            upper_text: yinxin_keys_dev::OWNER_NAME.to_owned(),
            lower_text: None,
            diameter_mm: yinxin_keys_dev::SEAL_DIAMETER_MM,
            centre: Centre::Star,
        },
        &found,
    )
    .map_err(doing("印章无法绘制", "the seal cannot be drawn"))?;
    let options = InstallationOptions {
        fonts,
        seal_picture_svg: picture.into_bytes(),
        signer_port: ports[0],
        verifier_port: ports[1],
        now: now(),
    };
    Installation::make(directory, &options)
        .map_err(doing("无法生成试用密钥", "the trial keys cannot be made"))
}

fn existing_fonts(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    if !given.is_empty() {
        return given
            .iter()
            .map(|path| {
                path.canonicalize()
                    .map_err(|error| Failure::file(path, &error))
            })
            .collect();
    }
    FONT_FOLDERS
        .iter()
        .filter_map(|folder| Path::new(folder).canonicalize().ok())
        .find(|folder| {
            folder
                .read_dir()
                .is_ok_and(|mut entries| entries.next().is_some())
        })
        .map(|folder| vec![folder])
        .ok_or_else(|| {
            Failure::new(
                "没有找到字体：请先运行 scripts/setup，或用 --fonts 指明",
                "no fonts found: run scripts/setup first, or name them with --fonts",
            )
        })
}
