//! A ceremony: steps that were written down and reviewed before anyone sits down, and a transcript
//! to sign on paper.
//!
//! ```toml
//! title = "示范村电子印章密钥"
//! place = "示范市政务中心 3 号机房"
//! [[person]]
//! name = "李明"
//! role = "操作人 operator"
//! [[step]]
//! do = "generate"
//! name = "village-rsa"
//! kind = "rsa-2048"
//! device = "city-hsm"
//! secret = "prompt"
//! ```
//! Secrets are never in the file, only where they come from. Paths are relative to it.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use yinxin_signer::ceremony::fingerprint;

use crate::error::file_error;
use crate::{Context, Facts, KeysError, Room, Step, perform};

/// A ceremony, read and checked.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ceremony {
    /// What it is for.
    pub title: String,
    /// Where it takes place.
    pub place: String,
    /// Who is there.
    #[serde(rename = "person")]
    pub persons: Vec<Person>,
    /// What is done, in this order.
    #[serde(rename = "step")]
    pub steps: Vec<Step>,
    /// SHA-256 of the file, so that what was reviewed is what is done.
    #[serde(skip)]
    pub file_sha256: String,
}

/// Somebody who signs the transcript.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Their name.
    pub name: String,
    /// What they are there for.
    pub role: String,
}

impl Ceremony {
    /// Reads a ceremony file.
    ///
    /// # Errors
    /// [`KeysError::File`]; [`KeysError::Content`] with the place of what is wrong.
    pub fn read(path: &Path) -> Result<Self, KeysError> {
        let text = std::fs::read_to_string(path).map_err(file_error(path))?;
        let content = |detail: String| KeysError::Content {
            path: path.to_owned(),
            detail,
        };
        let mut ceremony: Self =
            toml::from_str(&text).map_err(|error| content(error.to_string()))?;
        if ceremony.persons.len() < 2 {
            return Err(content(
                "a ceremony has at least two persons: one acts, one sees".to_owned(),
            ));
        }
        if ceremony.steps.is_empty() {
            return Err(content("it has no step".to_owned()));
        }
        let folder = path.parent().unwrap_or(Path::new("."));
        for step in &mut ceremony.steps {
            step.resolve(folder);
        }
        ceremony.file_sha256 = fingerprint(text.as_bytes());
        Ok(ceremony)
    }

    /// What would be done, without doing anything: the page to review.
    #[must_use]
    pub fn plan(&self) -> String {
        let mut text = self.head("计划（未执行） · plan, nothing is done");
        for (number, step) in (1..).zip(&self.steps) {
            heading(&mut text, number, step);
        }
        line(&mut text, "");
        self.signatures(&mut text);
        text
    }

    /// Does the steps one after another and stops at the first that fails. The transcript is
    /// given in either case; the error is beside it.
    pub fn run(&self, room: &Room, context: &Context) -> (String, Result<(), KeysError>) {
        let mut text = self.head("记录 · transcript");
        line(&mut text, &format!("时间 · time: {}", context.now));
        line(
            &mut text,
            &format!("操作人 · operator: {}", context.operator),
        );
        let mut outcome = Ok(());
        for (number, step) in (1..).zip(&self.steps) {
            heading(&mut text, number, step);
            match perform(room, step, context) {
                Ok(facts) => add_facts(&mut text, &facts),
                Err(error) => {
                    line(&mut text, &format!("    失败 · FAILED: {error}"));
                    line(
                        &mut text,
                        "    以下步骤未执行 · the steps after this were not done",
                    );
                    outcome = Err(error);
                    break;
                }
            }
        }
        line(&mut text, "");
        // The last digest fixes every entry before it: what is signed on paper cannot be changed
        // on the disk.
        match room.audit().read() {
            Ok((_, head)) => {
                line(
                    &mut text,
                    &format!("审计条数 · audit entries: {}", head.sequence),
                );
                line(
                    &mut text,
                    &format!("审计链末端 · last digest of the audit: {}", head.digest),
                );
            }
            Err(error) => line(&mut text, &format!("审计链 · audit: {error}")),
        }
        let result = if outcome.is_ok() {
            "全部完成 · all steps done"
        } else {
            "未完成 · not completed"
        };
        line(&mut text, &format!("结果 · result: {result}"));
        self.signatures(&mut text);
        (text, outcome)
    }

    fn head(&self, kind: &str) -> String {
        let mut text = String::new();
        line(
            &mut text,
            &format!("印信密钥仪式 · Yinxin key ceremony: {kind}"),
        );
        line(&mut text, &format!("名称 · title: {}", self.title));
        line(&mut text, &format!("地点 · place: {}", self.place));
        line(
            &mut text,
            &format!("仪式文件 SHA-256 · ceremony file: {}", self.file_sha256),
        );
        text
    }

    fn signatures(&self, text: &mut String) {
        line(text, "");
        line(text, "签字 · signatures");
        for person in &self.persons {
            line(text, "");
            line(text, &format!("{} ({})", person.name, person.role));
            line(
                text,
                "签字 · signature: ____________________  日期 · date: ______________",
            );
        }
    }
}

fn heading(text: &mut String, number: usize, step: &Step) {
    let (chinese, english) = step.words();
    line(text, "");
    line(
        text,
        &format!("{number}. {chinese} · {english}: {}", step.name()),
    );
}

fn add_facts(text: &mut String, facts: &Facts) {
    for (name, value) in facts {
        line(text, &format!("    {name}: {value}"));
    }
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("a String takes everything");
}
