//! `yinxin dev`: both services on this machine, with throw-away keys.

use std::process::ExitCode;

use super::block_on;
use super::keys::PORTS;
use crate::args::Dev;
use crate::failure::Failure;
use crate::home;
use crate::language::Language;
use crate::services::Services;
use yinxin_signer_server::asked_to_stop;

pub(crate) fn run(arguments: &Dev, language: Language) -> Result<ExitCode, Failure> {
    let installation = home::make(&arguments.dir, &arguments.fonts.paths, PORTS)?;
    yinxin_signer_server::start_log(yinxin_signer_server::config::LogFormat::Text);
    block_on(async {
        let services = Services::start(&installation).await?;
        let connect = installation.client_config.display();
        println!(
            "{} https://localhost:{}\n{} https://localhost:{}\n\n{}",
            language.pick("签章服务", "signer  "),
            services.signer.port(),
            language.pick("核验服务", "verifier"),
            services.verifier.port(),
            language.pick("在另一个终端里：", "In another terminal:"),
        );
        println!("  yinxin seal --connect {connect} IN.pdf OUT.pdf");
        println!("  yinxin issue --connect {connect} FIELDS.json OUT.pdf");
        println!(
            "  yinxin verify --trust {} --allow-dev-only OUT.pdf",
            installation.trust.display()
        );
        println!(
            "{}",
            language.pick("按 Ctrl-C 停止。", "Ctrl-C stops both.")
        );
        asked_to_stop().await;
        services.stop().await
    })?;
    Ok(ExitCode::SUCCESS)
}
