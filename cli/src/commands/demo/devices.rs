//! The demonstration with its keys in a device.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use yinxin_keys_dev::{Installation, softhsm_configuration, softhsm_library};

use crate::args::DemoKeys;
use crate::commands::now;
use crate::failure::{Failure, doing};

const SOFTHSM_CONF: &str = "SOFTHSM2_CONF";

/// SoftHSM2 learns from the environment where its tokens are, and a process should not change its
/// own: the demonstration is started once more with it, and its end is the answer.
pub(super) fn in_a_process_of_its_own(
    keys: DemoKeys,
    home: &Path,
) -> Result<Option<ExitCode>, Failure> {
    if keys != DemoKeys::Softhsm {
        return Ok(None);
    }
    let folder = std::path::absolute(home).map_err(|error| Failure::file(home, &error))?;
    let configuration = softhsm_configuration(&folder);
    if std::env::var_os(SOFTHSM_CONF).is_some_and(|given| Path::new(&given) == configuration) {
        return Ok(None);
    }
    let again = std::env::current_exe().and_then(|own| {
        Command::new(own)
            .args(std::env::args_os().skip(1))
            .env(SOFTHSM_CONF, &configuration)
            .status()
    });
    let status = again.map_err(doing("无法再次启动", "cannot start once more"))?;
    Ok(Some(if status.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }))
}

/// Puts the keys where the person wants them.
pub(super) fn move_keys(keys: DemoKeys, installation: &Installation) -> Result<(), Failure> {
    let failed = doing("密钥无法放入设备", "the keys cannot be put into the device");
    match keys {
        DemoKeys::File => Ok(()),
        DemoKeys::Softhsm => {
            let library = softhsm_library().ok_or_else(|| {
                Failure::new(
                    "没有找到 SoftHSM2：请先安装（Debian：apt-get install softhsm2）",
                    "SoftHSM2 is not installed (Debian: apt-get install softhsm2)",
                )
            })?;
            installation.keys_in_softhsm(&library).map_err(failed)
        }
        DemoKeys::Sdf => {
            let library = sdf_library().ok_or_else(|| {
                Failure::new(
                    "没有找到测试用 SDF 设备：请先运行 cargo build -p yinxin-sdf-test",
                    "the SDF device for tests is not built: cargo build -p yinxin-sdf-test",
                )
            })?;
            installation.keys_in_sdf(&library, now()).map_err(failed)
        }
    }
}

/// Beside this program, or where cargo lays it for a test.
fn sdf_library() -> Option<PathBuf> {
    let own = std::env::current_exe().ok()?;
    let folder = own.parent()?;
    let name = format!(
        "{}yinxin_sdf_test{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    [folder.join(&name), folder.join("deps").join(&name)]
        .into_iter()
        .find(|path| path.is_file())
}
