//! `yinxin-verifier --config FILE`: the verification service as a program of its own.

use std::path::PathBuf;
use std::process::ExitCode;

use yinxin_verifier_server::{Config, asked_to_stop, run, start_log};

const USAGE: &str = "usage: yinxin-verifier --config FILE\n用法：yinxin-verifier --config 配置文件";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let path = match arguments.as_slice() {
        [flag, path] if flag == "--config" => PathBuf::from(path),
        [flag] if flag == "--help" => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(64);
        }
    };
    match serve(&path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("yinxin-verifier: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(path: &std::path::Path) -> Result<(), Box<dyn std::error::Error>> {
    let config = Config::read(path)?;
    start_log(config.log);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?;
    runtime.block_on(run(&config, asked_to_stop()))?;
    Ok(())
}
