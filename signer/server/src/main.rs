//! The signing service as a program of its own: `yinxin-signer CONFIG`.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use yinxin_signer_server::{Config, NoCheckpoints, Signer, StartError, asked_to_stop, start_log};

#[tokio::main]
async fn main() -> ExitCode {
    let Some(path) = std::env::args_os().nth(1) else {
        eprintln!("usage: yinxin-signer CONFIG.toml");
        return ExitCode::from(2);
    };
    match run(Path::new(&path)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("yinxin-signer: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(path: &Path) -> Result<(), StartError> {
    let config = Config::read(path)?;
    start_log(config.log);
    let signer = Signer::open(&config, Arc::new(NoCheckpoints)).await?;
    signer.serve(asked_to_stop()).await
}
