//! `yinxin serve`: one service, from one configuration file.

use std::process::ExitCode;
use std::sync::Arc;

use yinxin_signer_server::{Config, NoCheckpoints, Signer, asked_to_stop, start_log};

use super::block_on;
use crate::args::Serve;
use crate::failure::{Failure, doing};

pub(crate) fn run(arguments: &Serve) -> Result<ExitCode, Failure> {
    match arguments {
        Serve::Signer { config } => {
            let config = Config::read(config).map_err(doing("配置不正确", "the configuration"))?;
            start_log(config.log);
            block_on(async {
                let signer = Signer::open(&config, Arc::new(NoCheckpoints))
                    .await
                    .map_err(doing("签章服务无法启动", "the signer cannot start"))?;
                signer
                    .serve(asked_to_stop())
                    .await
                    .map_err(doing("签章服务出错", "the signer failed"))
            })?;
        }
        Serve::Verifier { config } => {
            let config = yinxin_verifier_server::Config::read(config)
                .map_err(doing("配置不正确", "the configuration"))?;
            yinxin_verifier_server::start_log(config.log);
            block_on(async {
                let verifier = yinxin_verifier_server::Verifier::open(&config)
                    .await
                    .map_err(doing("核验服务无法启动", "the verifier cannot start"))?;
                verifier
                    .serve(asked_to_stop())
                    .await
                    .map_err(doing("核验服务出错", "the verifier failed"))
            })?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
