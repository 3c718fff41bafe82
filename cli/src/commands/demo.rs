//! `yinxin demo`: the whole road, once, with what a forger would try.

mod contract;
mod devices;
mod forgery;
mod picture;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::json;
use yinxin_proto::Bytes;
use yinxin_proto::v1;

use super::{block_on, random_request_id, write};
use crate::args::Demo;
use crate::client::{ConnectionFile, Signer, Verifier};
use crate::failure::{Failure, doing};
use crate::home;
use crate::language::Language;
use crate::services::Services;

/// The made-up couple of the demonstration.
const FIELDS: &str = include_str!("demo/fields.json");

pub(crate) fn run(arguments: &Demo, language: Language) -> Result<ExitCode, Failure> {
    let out = &arguments.out;
    std::fs::create_dir_all(out).map_err(|error| Failure::file(out, &error))?;
    let home = out.join("installation");
    if let Some(done) = devices::in_a_process_of_its_own(arguments.keys, &home)? {
        return Ok(done);
    }
    let installation = home::make(&home, &arguments.fonts.paths, [0, 0])?;
    devices::move_keys(arguments.keys, &installation)?;
    let signer_config = yinxin_signer_server::Config::read(&installation.signer_config)
        .map_err(doing("签章服务的配置", "the signer's configuration"))?;
    let contract = contract::pdf(&signer_config)?;
    let story = block_on(async {
        let services = Services::start(&installation).await?;
        let department = ConnectionFile {
            signer: format!("https://localhost:{}", services.signer.port()),
            verifier: Some(format!("https://localhost:{}", services.verifier.port())),
            ..ConnectionFile::read(&installation.client_config)?
        };
        let bank = ConnectionFile {
            signer: department.signer.clone(),
            verifier: department.verifier.clone(),
            ..ConnectionFile::read(&installation.bank_client_config)?
        };
        let story = Story {
            out: out.clone(),
            language,
            contract,
            signer: department.signer().await?,
            verifier: bank.verifier().await?,
            told: Vec::new(),
        };
        let story = story.tell().await;
        services.stop().await?;
        story
    })?;
    Ok(story)
}

/// The demonstration while it runs: each chapter says what was expected and what came.
struct Story {
    out: PathBuf,
    language: Language,
    /// The contract before it is sealed.
    contract: Bytes,
    signer: Signer,
    verifier: Verifier,
    told: Vec<serde_json::Value>,
}

impl Story {
    async fn tell(mut self) -> Result<ExitCode, Failure> {
        let request = issue_request(FIELDS.to_owned())?;
        let issued = self.signer.issue(request.clone()).await?;
        let proof = issued.document.clone();
        let licence = issued.licence.clone().unwrap_or_default();
        self.save("proof.pdf", &proof)?;
        self.chapter(
            "签发夫妻关系证明，SM2 与 RSA 双签",
            "a marital proof is issued and sealed with SM2 and RSA",
            proof.starts_with(b"%PDF-"),
            &format!("{} · {}", licence.number, licence.identifier),
        );
        self.verify(
            &proof,
            "report",
            v1::Indication::TotalPassed,
            "另一部门核验原件",
            "another department verifies it",
        )
        .await?;

        let again = self.signer.issue(request.clone()).await?;
        self.chapter(
            "同一请求重试，得到同一文件",
            "the same request again gives the same bytes",
            again.replayed && again.document == proof,
            "",
        );
        self.refused(
            "同一请求号换了内容，被拒绝",
            "another body under the same request id is refused",
            v1::IssueLicenceRequest {
                case_number: "DEMO-2".to_owned(),
                ..request
            },
            "REQUEST_ID_REUSED",
        )
        .await?;
        self.refused(
            "身份证校验位错误，指出是哪一栏",
            "a wrong check digit is refused with the field named",
            issue_request(forgery::with_wrong_check_digit(FIELDS)?)?,
            "spouse_citizen_number",
        )
        .await?;

        let flipped = forgery::flip_a_byte(&proof)?;
        self.save("forged-byte.pdf", &flipped)?;
        self.verify(
            &flipped,
            "report-forged-byte",
            v1::Indication::TotalFailed,
            "改动一个字节，被发现",
            "one changed byte is caught",
        )
        .await?;
        let appended = forgery::append_a_revision(&proof)?;
        self.save("forged-revision.pdf", &appended)?;
        let report = self.ask(&appended, "report-forged-revision").await?;
        self.chapter(
            "盖章后追加内容，被发现",
            "a revision appended after sealing is caught",
            report.indication() != v1::Indication::TotalPassed,
            report.indication().as_str_name(),
        );
        self.seal_the_contract().await?;
        self.picture("proof", &proof, 0)?;
        self.end()
    }

    /// A seal by a word and one over the seam of the pages, in one request.
    async fn seal_the_contract(&mut self) -> Result<(), Failure> {
        let sealed = self
            .signer
            .seal(contract::request()?, self.contract.clone())
            .await?;
        self.save("contract.pdf", &sealed)?;
        self.picture("contract", &sealed, 1)?;
        self.verify(
            &sealed.into(),
            "report-contract",
            v1::Indication::TotalPassed,
            "两页合同：落款处盖章，并盖骑缝章",
            "a contract of two pages, sealed at its end and over the seam",
        )
        .await
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), Failure> {
        write(&self.out.join(name), &[bytes])
    }

    fn chapter(&mut self, chinese: &'static str, english: &'static str, good: bool, what: &str) {
        let mark = if good { "✔" } else { "✘" };
        println!("{mark} {} {what}", self.language.pick(chinese, english));
        self.told
            .push(json!({ "step": english, "as_expected": good, "result": what }));
    }

    async fn ask(&self, pdf: &Bytes, name: &str) -> Result<v1::VerifyDocumentResponse, Failure> {
        let language = match self.language {
            Language::Zh => v1::Language::Chinese,
            Language::En => v1::Language::English,
        };
        let header = v1::VerifyDocumentHeader {
            at: None,
            language: language.into(),
            document_bytes: pdf.len() as u64,
        };
        let report = self.verifier.verify(header, pdf.clone()).await?;
        self.save(&format!("{name}.json"), report.report_json.as_bytes())?;
        self.save(&format!("{name}.txt"), report.report_text.as_bytes())?;
        Ok(report)
    }

    async fn verify(
        &mut self,
        pdf: &Bytes,
        name: &str,
        expected: v1::Indication,
        chinese: &'static str,
        english: &'static str,
    ) -> Result<(), Failure> {
        let report = self.ask(pdf, name).await?;
        let good = report.indication() == expected;
        self.chapter(chinese, english, good, report.indication().as_str_name());
        println!("{}", indented(&report.report_text));
        Ok(())
    }

    async fn refused(
        &mut self,
        chinese: &'static str,
        english: &'static str,
        request: v1::IssueLicenceRequest,
        expected: &str,
    ) -> Result<(), Failure> {
        let words = match self.signer.issue(request).await {
            Ok(_) => String::new(),
            Err(failure) => failure.text(self.language).to_owned(),
        };
        self.chapter(chinese, english, words.contains(expected), &words);
        Ok(())
    }

    fn picture(&mut self, name: &str, pdf: &[u8], page_index: usize) -> Result<(), Failure> {
        match picture::page_png(pdf, page_index) {
            Ok(png) => {
                let file = format!("{name}.png");
                self.save(&file, &png)?;
                self.chapter("页面图像", "a picture of the page", true, &file);
            }
            Err(why) => println!(
                "- {} {why}",
                self.language.pick("没有图像：", "no picture of the page:")
            ),
        }
        Ok(())
    }

    fn end(self) -> Result<ExitCode, Failure> {
        let all = self
            .told
            .iter()
            .all(|chapter| chapter["as_expected"] == true);
        let summary = json!({ "as_expected": all, "steps": self.told });
        let text = serde_json::to_string_pretty(&summary).map_err(doing("报告", "the report"))?;
        write(&self.out.join("demo.json"), &[text.as_bytes()])?;
        println!(
            "{} {}",
            self.language.pick("结果文件夹：", "results:"),
            Path::new(&self.out).display()
        );
        Ok(if all {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        })
    }
}

fn issue_request(fields_json: String) -> Result<v1::IssueLicenceRequest, Failure> {
    Ok(v1::IssueLicenceRequest {
        request_id: random_request_id()?,
        licence_type: "marital-proof".to_owned(),
        seal_id: yinxin_keys_dev::SEAL_ID.to_owned(),
        profile: v1::SealProfile::Dual.into(),
        fields_json,
        case_number: "DEMO-1".to_owned(),
        operator: operator(),
        division_code: String::new(),
        usage: None,
    })
}

fn operator() -> Option<v1::Operator> {
    Some(v1::Operator {
        account: "demo".to_owned(),
        name: String::new(),
    })
}

fn indented(text: &str) -> String {
    text.lines()
        .map(|line| format!("    {line}"))
        .collect::<Vec<_>>()
        .join("\n")
}
