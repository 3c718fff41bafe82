//! The yinxin command: demo, seal, issue, verify, serve, keys.

mod args;
mod client;
mod commands;
mod failure;
mod home;
mod language;
mod progress;
mod services;

use std::process::ExitCode;

use clap::Parser as _;

use args::{Arguments, Command};
use language::Language;
use progress::Progress;

/// The exit code for a failure that is not a verdict on a document.
const COULD_NOT: u8 = 3;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are asked for; anything else means that nothing was looked at.
            let code = if error.use_stderr() { COULD_NOT } else { 0 };
            // Nobody is left to tell if even this cannot be written.
            let _printed = error.print();
            return ExitCode::from(code);
        }
    };
    let language = arguments.lang.unwrap_or_else(Language::of_locale);
    let progress = Progress::start(language.pick("正在处理", "working"));
    let done = match arguments.command {
        Command::Demo(demo) => commands::demo::run(&demo, language),
        Command::Dev(dev) => commands::dev::run(&dev, language),
        Command::Keys(keys) => commands::keys::run(keys, language),
        Command::Seal(seal) => commands::seal::run(&seal, language),
        Command::SealAdmin(seals) => commands::seal_admin::run(&seals),
        Command::Issue(issue) => commands::issue::run(&issue, language),
        Command::Verify(verify) => commands::verify::run(&verify, language),
        Command::Serve(serve) => commands::serve::run(&serve),
    };
    drop(progress);
    match done {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("yinxin: {}", failure.text(language));
            ExitCode::from(COULD_NOT)
        }
    }
}
