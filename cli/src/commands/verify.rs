//! `yinxin verify`: a PDF, here, without a service.

use std::process::ExitCode;

use yinxin_pki::UnixSeconds;
use yinxin_verifier::{Indication, Options, verify};

use super::{now, read};
use crate::args::Verify;
use crate::failure::{Failure, doing};
use crate::language::Language;

pub(crate) fn run(arguments: &Verify, language: Language) -> Result<ExitCode, Failure> {
    let document = read(&arguments.file)?;
    let unusable = || doing("信任文件夹不可用", "the trust folder");
    let mut trust = yinxin_verifier_server::read_trust(&arguments.trust, arguments.allow_dev_only)
        .map_err(unusable())?;
    trust.seal_statuses =
        yinxin_verifier_server::read_seal_statuses(&arguments.trust).map_err(unusable())?;
    let at = match &arguments.at {
        Some(text) => UnixSeconds::parse_rfc3339(text).ok_or_else(|| {
            Failure::new(
                "时刻应如 2026-11-22T08:00:00Z",
                "a moment looks like 2026-11-22T08:00:00Z",
            )
        })?,
        None => now(),
    };
    let report = verify(&document, &trust, &Options::at(at))
        .map_err(doing("无法核验", "the document cannot be looked at"))?;
    if arguments.json {
        println!("{}", report.to_json());
    } else {
        println!("{}", report.text(language.into()));
    }
    Ok(ExitCode::from(match report.indication {
        Indication::TotalPassed => 0,
        Indication::TotalFailed => 1,
        Indication::Indeterminate => 2,
    }))
}
