//! `yinxin issue`: a licence from a form's fields.

use std::process::ExitCode;

use yinxin_proto::v1;

use super::{block_on, read, write};
use crate::args::Issue;
use crate::client::ConnectionFile;
use crate::failure::{Failure, doing};
use crate::language::Language;

pub(crate) fn run(arguments: &Issue, language: Language) -> Result<ExitCode, Failure> {
    let fields = read(&arguments.fields)?;
    let connection = &arguments.connection;
    let request = v1::IssueLicenceRequest {
        request_id: connection.request_id()?,
        licence_type: arguments.licence_type.clone(),
        seal_id: connection.seal.clone(),
        profile: connection.profile()?.into(),
        fields_json: String::from_utf8(fields.to_vec())
            .map_err(doing("字段文件不是 UTF-8", "the fields are not UTF-8"))?,
        case_number: connection.case.clone(),
        operator: Some(connection.operator()),
        division_code: String::new(),
        usage: None,
    };
    let file = ConnectionFile::read(&connection.connect)?;
    let answer = block_on(async { file.signer().await?.issue(request).await })?;
    write(&arguments.output, &[&answer.document])?;
    let licence = answer.licence.unwrap_or_default();
    println!(
        "{} {}\n{} {}\n{} {}",
        language.pick("编号", "number"),
        licence.number,
        language.pick("标识", "identifier"),
        licence.identifier,
        language.pick("已保存", "written to"),
        arguments.output.display(),
    );
    Ok(ExitCode::SUCCESS)
}
