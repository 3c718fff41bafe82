//! `yinxin keys dev DIR`: everything for a trial.

use std::process::ExitCode;

use crate::args::Keys;
use crate::failure::Failure;
use crate::home;
use crate::language::Language;

/// Where the configurations listen.
pub(crate) const PORTS: [u16; 2] = [7443, 7444];

pub(crate) fn run(arguments: &Keys, language: Language) -> Result<ExitCode, Failure> {
    let Keys::Dev { dir, fonts } = arguments;
    let installation = home::make(dir, &fonts.paths, PORTS)?;
    println!(
        "{}\n  yinxin serve signer --config {}\n  yinxin serve verifier --config {}",
        language.pick(
            "试用密钥与配置已备好（仅供试用，带有 DEV-ONLY 标记）。启动服务：",
            "Trial keys and configuration are ready (marked DEV-ONLY). Start the services with:",
        ),
        installation.signer_config.display(),
        installation.verifier_config.display(),
    );
    Ok(ExitCode::SUCCESS)
}
