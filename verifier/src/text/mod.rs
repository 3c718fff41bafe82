//! The report in words: Chinese and English, the verdict first, the codes beside them.
//!
//! Written for somebody who checks a paper at a counter: one line says whether to accept it, the
//! next ones say whose seal it is and what was found. Codes stand in brackets, so that whoever is
//! asked for help can look them up.

mod findings;

use std::fmt::Write as _;

use yinxin_pki::UnixSeconds;

use crate::report::{
    CertificateFacts, Change, ChangeVerdict, Changed, ChangesAfter, ContainerKind, Coverage,
    Indication, Report, SignatureReport, Status, Step, StepId, SubIndication,
};

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// 中文
    Chinese,
    /// English
    English,
}

impl Language {
    pub(crate) const fn pick<'t>(self, chinese: &'t str, english: &'t str) -> &'t str {
        match self {
            Self::Chinese => chinese,
            Self::English => english,
        }
    }
}

/// Changes named one by one; of more only the number is given.
const CHANGES_SHOWN: usize = 12;

impl Report {
    /// The report in words.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        let mut line = |words: String| {
            text.push_str(&words);
            text.push('\n');
        };
        line(self.verdict(language));
        let document = &self.document;
        line(match language {
            Language::Chinese => format!(
                "文件：{} 字节，{}写入 {} 次，SHA-256 {}",
                document.length,
                document
                    .pages
                    .map(|pages| format!("{pages} 页，"))
                    .unwrap_or_default(),
                document.revisions,
                document.sha256
            ),
            Language::English => format!(
                "Document: {} bytes, {}written {} time(s), SHA-256 {}",
                document.length,
                document
                    .pages
                    .map(|pages| format!("{pages} page(s), "))
                    .unwrap_or_default(),
                document.revisions,
                document.sha256
            ),
        });
        line(match language {
            Language::Chinese => format!("核验时刻：{}", beijing(&self.verified_at)),
            Language::English => format!("Verified for the time {}", self.verified_at),
        });
        for (index, signature) in self.signatures.iter().enumerate() {
            line(String::new());
            line(signature.headline(index + 1, language));
            line(signature.text(language).trim_end().to_owned());
        }
        if let Some(removed) = &self.removed_signatures {
            let fields = removed.fields.join(language.pick("、", ", "));
            line(match language {
                Language::Chinese => {
                    format!("第 {} 次写入时还有签名：{fields}", removed.revision)
                }
                Language::English => {
                    format!(
                        "Still signed when written for time {}: {fields}",
                        removed.revision
                    )
                }
            });
        }
        if !self.empty_fields.is_empty() {
            line(String::new());
            line(format!(
                "{}{}",
                language.pick("尚未签署的签名域：", "Signature fields not signed: "),
                self.empty_fields.join(language.pick("、", ", "))
            ));
        }
        text
    }

    /// The report as JSON, indented.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a report has only string keys")
    }

    fn verdict(&self, language: Language) -> String {
        let codes = codes(self.indication, self.sub_indication);
        let words = match self.indication {
            Indication::TotalPassed if self.has_additions() => language.pick(
                "有效：印章真实；盖章后文件只增加了下列内容，页面没有被改动",
                "VALID: the seals are genuine; since then only what is named below was added",
            ),
            Indication::TotalPassed => language.pick(
                "有效：印章真实，文件自盖章后没有被改动",
                "VALID: the seals are genuine and the document is as it was sealed",
            ),
            Indication::Indeterminate if self.removed_signatures.is_some() => language.pick(
                "无法判断：文件原有的签名被后来的修改去掉了，请勿接受此文件",
                "CANNOT TELL: a later change took away the signatures this document had; do not accept it",
            ),
            Indication::Indeterminate if self.signatures.is_empty() => language.pick(
                "无法判断：文件上没有电子印章或电子签名",
                "CANNOT TELL: the document carries no electronic seal or signature",
            ),
            Indication::Indeterminate => language.pick(
                "无法判断：没有发现错误，但有的事项无法确认，请勿据此接受",
                "CANNOT TELL: nothing wrong was found, but not all could be confirmed; do not rely on it yet",
            ),
            Indication::TotalFailed => language.pick(
                "无效：请勿接受此文件",
                "NOT VALID: do not accept this document",
            ),
        };
        let reason = match self.reason(language) {
            Some(reason) => language.pick("。原因：", ". Reason: ").to_owned() + &reason,
            None => String::new(),
        };
        let mut line = format!("{words}{reason}{} [{codes}]", language.pick("。", "."));
        if self.is_for_trials() {
            line.push_str(language.pick(
                "\n所用证书仅供试验，文件不具效力。",
                "\nMade with certificates for trials only: it has no effect.",
            ));
        }
        line
    }

    /// What decided against the worst signature, in words.
    fn reason(&self, language: Language) -> Option<String> {
        if self.indication == Indication::TotalPassed {
            return None;
        }
        let worst = self.signatures.iter().find(|signature| {
            (signature.indication, signature.sub_indication)
                == (self.indication, self.sub_indication)
        })?;
        let status = worst.steps.iter().map(|step| step.status).max()?;
        let decisive =
            |step: &&Step| step.status == status && step.sub_indication == worst.sub_indication;
        Some(worst.steps.iter().find(decisive)?.words(language))
    }

    fn has_additions(&self) -> bool {
        self.signatures.iter().any(|signature| {
            let changes = signature.changes_after.as_ref();
            changes.is_some_and(|changes| changes.verdict == ChangeVerdict::LaterAdditions)
        })
    }

    fn is_for_trials(&self) -> bool {
        self.signatures.iter().any(|signature| {
            signature
                .signer
                .as_ref()
                .is_some_and(|signer| signer.dev_only)
        })
    }
}

/// A moment as people in China read it: Beijing time.
fn beijing(time: &UnixSeconds) -> String {
    let civil = UnixSeconds(time.0.saturating_add(8 * 3600)).civil();
    format!(
        "{}年{}月{}日 {:02}:{:02}:{:02}（北京时间）",
        civil.year, civil.month, civil.day, civil.hour, civil.minute, civil.second
    )
}

fn codes(indication: Indication, sub_indication: Option<SubIndication>) -> String {
    match sub_indication {
        Some(sub_indication) => format!("{indication} / {sub_indication}"),
        None => indication.to_string(),
    }
}

impl SignatureReport {
    fn headline(&self, number: usize, language: Language) -> String {
        let words = match self.indication {
            Indication::TotalPassed => language.pick("有效", "valid"),
            Indication::Indeterminate => language.pick("无法判断", "cannot tell"),
            Indication::TotalFailed => language.pick("无效", "NOT valid"),
        };
        let codes = codes(self.indication, self.sub_indication);
        match language {
            Language::Chinese => format!("签章 {number}：{words} [{codes}]"),
            Language::English => format!("Signature {number}: {words} [{codes}]"),
        }
    }

    /// The signature in words, without a heading.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let mut text = String::new();
        let mut entry = |label: &str, words: &str| {
            let colon = language.pick("：", ": ");
            writeln!(text, "  {label}{colon}{words}").expect("writing to a String does not fail");
        };
        if let Some(seal) = &self.seal {
            let size = format!("{} ({} x {} mm)", seal.name, seal.width_mm, seal.height_mm);
            entry(language.pick("印章", "Seal"), &size);
            if let Some(maker) = &seal.maker {
                entry(
                    language.pick("制章者", "Seal maker"),
                    &holder(maker, language),
                );
            }
        }
        if let Some(signer) = &self.signer {
            entry(language.pick("签署者", "Signer"), &holder(signer, language));
        }
        if let Some(time) = self.claimed_time {
            let time = match language {
                Language::Chinese => beijing(&time),
                Language::English => time.to_string(),
            };
            let note = language.pick("，签署者自称", " (the signer's claim)");
            entry(
                language.pick("签署时间", "Signed"),
                &format!("{time}{note}"),
            );
        }
        entry(
            language.pick("类型", "Kind"),
            kind_words(self.kind, language),
        );
        if !self.fields.is_empty() {
            let mut place = self.fields.join(language.pick("、", ", "));
            if !self.page_numbers.is_empty() {
                let pages: Vec<String> = self.page_numbers.iter().map(usize::to_string).collect();
                let pages = pages.join(language.pick("、", ", "));
                place = match language {
                    Language::Chinese => format!("{place}（第 {pages} 页）"),
                    Language::English => format!("{place} (page {pages})"),
                };
            }
            entry(language.pick("位置", "Place"), &place);
        }
        if let Some(coverage) = self.coverage {
            entry(
                language.pick("覆盖范围", "Covers"),
                &coverage_words(coverage, language),
            );
        }
        for step in &self.steps {
            let label = format!("{} {}", mark(step.status), step_words(step.id, language));
            entry(&label, &step.detail(language));
        }
        if let Some(changes) = &self.changes_after {
            for words in changes.lines(language) {
                entry(language.pick("  变化", "  change"), &words);
            }
        }
        text
    }
}

impl Step {
    /// The outcome of the step in words, with the code of its reason.
    #[must_use]
    pub fn detail(&self, language: Language) -> String {
        let words = self.words(language);
        match self.sub_indication {
            Some(code) => format!("{words} [{code}]"),
            None => words,
        }
    }

    /// Its findings, or that it is in order.
    fn words(&self, language: Language) -> String {
        if self.findings.is_empty() {
            return match self.status {
                Status::Passed => language.pick("正常", "in order"),
                Status::NotChecked => language.pick("未检查", "not checked"),
                Status::Warning => language.pick("请留意", "take note"),
                Status::Indeterminate => language.pick("无法判断", "cannot tell"),
                Status::Failed => language.pick("不正确", "wrong"),
            }
            .to_owned();
        }
        let findings: Vec<String> = self
            .findings
            .iter()
            .map(|finding| finding.text(language))
            .collect();
        findings.join(language.pick("；", "; "))
    }
}

impl ChangesAfter {
    fn lines(&self, language: Language) -> Vec<String> {
        let mut lines = Vec::new();
        if let (Some(before), Some(after)) = (self.pages_before, self.pages_after)
            && before != after
        {
            lines.push(match language {
                Language::Chinese => format!("页数由 {before} 变为 {after}"),
                Language::English => format!("{before} page(s) became {after}"),
            });
        }
        for change in self.unexplained.iter().take(CHANGES_SHOWN) {
            lines.push(change.words(language));
        }
        if let Some(more @ 1..) = self.unexplained_count.checked_sub(CHANGES_SHOWN) {
            lines.push(match language {
                Language::Chinese => format!("另有 {more} 处"),
                Language::English => format!("and {more} more"),
            });
        }
        if self.verdict == ChangeVerdict::LaterAdditions {
            for change in self.allowed.iter().take(CHANGES_SHOWN) {
                lines.push(change.words(language));
            }
        }
        lines
    }
}

impl Change {
    fn words(&self, language: Language) -> String {
        let mut words = changed_words(self.what, language).to_owned();
        if let Some(key) = &self.key {
            write!(words, " /{key}").expect("writing to a String does not fail");
        }
        if let Some(number) = self.object {
            match language {
                Language::Chinese => write!(words, "（对象 {number}）"),
                Language::English => write!(words, " (object {number})"),
            }
            .expect("writing to a String does not fail");
        }
        words
    }
}

fn holder(certificate: &CertificateFacts, language: Language) -> String {
    let mut words = certificate.display_name().to_owned();
    if let Some(organization) = &certificate.organization
        && *organization != words
    {
        words = match language {
            Language::Chinese => format!("{words}，{organization}"),
            Language::English => format!("{words}, {organization}"),
        };
    }
    if certificate.dev_only {
        words.push_str(language.pick("【仅供试验】", " [FOR TRIALS ONLY]"));
    }
    words
}

const fn mark(status: Status) -> &'static str {
    match status {
        Status::Passed => "✓",
        Status::NotChecked => "–",
        Status::Warning => "!",
        Status::Indeterminate => "?",
        Status::Failed => "✗",
    }
}

fn kind_words(kind: ContainerKind, language: Language) -> &'static str {
    match kind {
        ContainerKind::SesV1 => language.pick(
            "电子签章（GM/T 0031-2014）",
            "seal signature (GM/T 0031-2014)",
        ),
        ContainerKind::SesV4 => language.pick(
            "电子签章（GB/T 38540-2020）",
            "seal signature (GB/T 38540-2020)",
        ),
        ContainerKind::SesV5 => language.pick(
            "电子签章（GM/T 0031-2025）",
            "seal signature (GM/T 0031-2025)",
        ),
        ContainerKind::CmsRfc => language.pick("数字签名（CMS）", "digital signature (CMS)"),
        ContainerKind::CmsGm => {
            language.pick("数字签名（GM/T 0010）", "digital signature (GM/T 0010)")
        }
        ContainerKind::DocumentTimestamp => language.pick("文档时间戳", "document time stamp"),
        ContainerKind::Unknown => language.pick("未知", "unknown"),
    }
}

fn coverage_words(coverage: Coverage, language: Language) -> String {
    match (coverage, language) {
        (Coverage::WholeFile, _) => language.pick("整个文件", "the whole file").to_owned(),
        (
            Coverage::WholeRevision {
                revision,
                revisions,
            },
            Language::Chinese,
        ) => {
            format!("文件第 {revision} 次写入后的全部内容（共 {revisions} 次）")
        }
        (
            Coverage::WholeRevision {
                revision,
                revisions,
            },
            Language::English,
        ) => {
            format!("the whole file as written the first {revision} of {revisions} times")
        }
        (Coverage::DigestOnly, _) => language
            .pick(
                "仅核对了摘要，没有看到文件",
                "only its digest; the document was not seen",
            )
            .to_owned(),
    }
}

fn step_words(id: StepId, language: Language) -> &'static str {
    match id {
        StepId::Format => language.pick("格式", "Format"),
        StepId::Coverage => language.pick("覆盖范围", "Coverage"),
        StepId::ChangesAfter => language.pick("签署之后", "Since then"),
        StepId::Digest => language.pick("内容完整", "Contents"),
        StepId::Algorithm => language.pick("算法", "Algorithms"),
        StepId::SignedAttributes => language.pick("签名属性", "Signed attributes"),
        StepId::Signature => language.pick("签名值", "Signature value"),
        StepId::SignerCertificate => language.pick("签署者证书", "Signer's certificate"),
        StepId::SignerChain => language.pick("签署者证书链", "Signer's path"),
        StepId::SignerRevocation => language.pick("签署者吊销状态", "Signer's revocation"),
        StepId::SealPermitsSigner => language.pick("印章准许的签署者", "Seal permits signer"),
        StepId::SealSignature => language.pick("制章者签名", "Maker's signature"),
        StepId::SealValidity => language.pick("印章有效期", "Seal's validity"),
        StepId::SealStatus => language.pick("印章状态", "Seal's status"),
        StepId::MakerChain => language.pick("制章者证书链", "Maker's path"),
        StepId::MakerRevocation => language.pick("制章者吊销状态", "Maker's revocation"),
        StepId::Time => language.pick("时间", "Time"),
        StepId::Timestamp => language.pick("时间戳", "Time stamp"),
        StepId::EmbeddedRevocation => language.pick("文件内吊销资料", "Embedded revocation data"),
    }
}

fn changed_words(what: Changed, language: Language) -> &'static str {
    match what {
        Changed::Catalog => language.pick("文件目录", "document catalog"),
        Changed::Form => language.pick("表单", "form"),
        Changed::PageTree => language.pick("页面的组成或次序", "which pages there are"),
        Changed::Page => language.pick("页面属性", "properties of a page"),
        Changed::PageContent => language.pick("页面内容", "contents of a page"),
        Changed::PageAnnotations => language.pick("页面批注列表", "annotations of a page"),
        Changed::Annotation => language.pick("批注", "an annotation"),
        Changed::FormField => language.pick("表单域", "a form field"),
        Changed::ExistingSignature => language.pick("已有的签章", "an existing signature"),
        Changed::SecurityStore => language.pick("验证资料", "validation data"),
        Changed::Extensions => language.pick("版本与扩展声明", "version and extensions"),
        Changed::Permissions => language.pick("修改权限", "permissions"),
        Changed::Information => language.pick("文件信息", "document information"),
        Changed::Metadata => language.pick("元数据", "metadata"),
        Changed::Structure => language.pick("结构标签", "structure tags"),
        Changed::ObjectStream => language.pick("对象流", "an object stream"),
        Changed::Trailer => language.pick("文件尾", "the trailer"),
        Changed::Deleted => language.pick("对象被删除", "a deleted object"),
        Changed::DanglingReference => language.pick(
            "预留的空引用被填入内容",
            "content behind a prepared empty reference",
        ),
        Changed::Orphan => language.pick("无人引用的对象", "an object nothing refers to"),
        Changed::Unreadable => language.pick("无法读取的对象", "an unreadable object"),
        Changed::Other => language.pick("其他对象", "another object"),
    }
}
