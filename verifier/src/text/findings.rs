//! Each finding in words.

use super::{Language, beijing};
use crate::finding::Finding;
use crate::seal_status::SealStanding;
use yinxin_pki::UnixSeconds;

impl Finding {
    /// The finding in words.
    #[must_use]
    pub fn text(&self, language: Language) -> String {
        let (chinese, english) = self.both();
        match language {
            Language::Chinese => chinese,
            Language::English => english,
        }
    }

    #[expect(
        clippy::too_many_lines,
        reason = "a table of words, one entry per finding"
    )]
    fn both(&self) -> (String, String) {
        let plain = |chinese: &str, english: &str| (chinese.to_owned(), english.to_owned());
        match self {
            Self::SignatureDictionaryBroken { reason, message } => (
                format!("签名字典有误（{reason}）：{message}"),
                format!("the signature dictionary is broken ({reason}): {message}"),
            ),
            Self::SignatureInObjectStream => plain(
                "签名字典放在对象流里，无法被覆盖",
                "the signature dictionary is hidden in an object stream",
            ),
            Self::ContentsNotPlain => plain(
                "签名内容不是规整的十六进制串",
                "the signature contents are not one plain hexadecimal string",
            ),
            Self::PaddingNotZero { offset } => (
                format!("签名内容的填充处夹有其他字节（第 {offset} 字节）"),
                format!("foreign bytes in the padding of the signature (at {offset})"),
            ),
            Self::ContainerUnknown => plain(
                "既不是电子签章，也不是 CMS 签名",
                "neither a seal signature nor a CMS signature",
            ),
            Self::ContainerBroken { message } => (
                format!("签名数据已损坏：{message}"),
                format!("the signature data are broken: {message}"),
            ),
            Self::DocumentTimestampNotChecked => plain(
                "这是文档时间戳，本版本尚不核验",
                "a document time stamp; this version does not look into it",
            ),
            Self::SealVersionsDiffer => plain(
                "签章与印章的版本号不一致",
                "seal signature and seal give different version numbers",
            ),
            Self::ByteRangeCount { count } => (
                format!("覆盖范围应为 4 个数，实有 {count} 个"),
                format!("/ByteRange has {count} numbers where 4 belong"),
            ),
            Self::ByteRangeOutOfFile => plain(
                "覆盖范围超出文件",
                "the covered range lies outside of the file",
            ),
            Self::ByteRangeStart { first } => (
                format!("覆盖范围不从文件开头开始，而从第 {first} 字节开始"),
                format!("the covered range begins at byte {first}, not with the file"),
            ),
            Self::ByteRangeOverlap => plain("覆盖的两段互相重叠", "the two covered ranges overlap"),
            Self::ByteRangeGap {
                gap_start,
                gap_end,
                contents_start,
                contents_end,
            } => (
                format!(
                    "未覆盖的一段（{gap_start}–{gap_end}）不恰好是签名内容（{contents_start}–{contents_end}）"
                ),
                format!(
                    "the bytes left out ({gap_start} to {gap_end}) are not exactly the signature contents ({contents_start} to {contents_end})"
                ),
            ),
            Self::DictionaryNotCovered => plain(
                "签名字典没有全部被覆盖",
                "parts of the signature dictionary are not covered",
            ),
            Self::RangeEndsInsideRevision { end } => (
                format!("覆盖范围止于第 {end} 字节，那里不是一次完整写入的末尾"),
                format!("the covered range ends at byte {end}, where no complete revision ends"),
            ),
            Self::SignatureFromOtherRevision => plain(
                "所覆盖的内容里，签名字典不是这一个",
                "what is covered has another signature dictionary in this place",
            ),
            Self::BytesAfterLastRevision { count } => (
                format!("文件末尾多出 {count} 字节"),
                format!("{count} byte(s) follow the end of the document"),
            ),
            Self::LaterSignatures { fields } => (
                format!("之后只加盖了签章：{}", fields.join("、")),
                format!("only later signatures: {}", fields.join(", ")),
            ),
            Self::CoveredByLater { field, page_number } => (
                format!("第 {page_number} 页上，此签章被之后的签章 {field} 遮盖"),
                format!("on page {page_number} the later signature {field} is shown over this one"),
            ),
            Self::LaterAdditions => plain(
                "之后添加了不影响页面的内容，未作更细分析",
                "additions that alter no page followed; they were not analysed finer",
            ),
            Self::ChangedAfterSigning { count } => (
                format!("盖章之后文件被改动（{count} 处）"),
                format!("the document was changed after it was signed ({count} place(s))"),
            ),
            Self::ComparisonNotPossible { message } => (
                format!("无法与签署时的内容比较：{message}"),
                format!("cannot be compared with what was signed: {message}"),
            ),
            Self::DigestMismatch { algorithm } => (
                format!("内容已被改动：{algorithm} 摘要与签署时不符"),
                format!("the contents were altered: the {algorithm} digest is not the signed one"),
            ),
            Self::DigestOfNothing => plain(
                "签署的是空内容的摘要，与本文件无关",
                "what was signed is the digest of nothing, not of this document",
            ),
            Self::DigestNotComputed => plain(
                "无法计算所覆盖内容的摘要",
                "the digest could not be computed",
            ),
            Self::DigestAlgorithmUnsupported { oid } => (
                format!("摘要算法 {oid} 不被接受"),
                format!("digest algorithm {oid} is not accepted"),
            ),
            Self::SignatureAlgorithmUnsupported { oid } => (
                format!("签名算法 {oid} 不被接受"),
                format!("signature algorithm {oid} is not accepted"),
            ),
            Self::SignatureParametersRefused { message } => (
                format!("签名算法的参数不被接受：{message}"),
                format!("the parameters of the signature algorithm are not accepted: {message}"),
            ),
            Self::SignatureNotTried => plain(
                "因算法或密钥不被接受，未能验证签名值",
                "the signature value was not tried: its algorithm or key is not accepted",
            ),
            Self::AlgorithmsDiffer => plain(
                "摘要算法与签名算法不相配",
                "digest and signature algorithm do not fit together",
            ),
            Self::KeyTooWeak { bits } => (
                format!("密钥强度不足（{bits} 位）"),
                format!("the key is too weak ({bits} bits)"),
            ),
            Self::SignerCount { count } => (
                format!("应有一个签署者，实有 {count} 个"),
                format!("{count} signers where exactly one belongs"),
            ),
            Self::ContentInside => plain(
                "签名数据自带内容，与所见文件无关",
                "the signature carries contents of its own that no reader shows",
            ),
            Self::SignedAttributesMissing => {
                plain("缺少签名属性", "there are no signed attributes")
            }
            Self::SignedAttributesNotSorted => plain(
                "签名属性未按 DER 次序排列",
                "the signed attributes are not in DER order",
            ),
            Self::SignedAttributeBroken { message } => (
                format!("签名属性有误：{message}"),
                format!("signed attributes: {message}"),
            ),
            Self::ContentTypeWrong { oid } => (
                format!("内容类型 {oid} 不正确"),
                format!("content type {oid} does not belong here"),
            ),
            Self::SignatureInvalid => plain("签名值不正确", "the signature value is not right"),
            Self::SignatureUnderEmptyIdentifier => plain(
                "签名使用了空的用户标识，不符合 GM/T 0009",
                "made under an empty SM2 identifier, which GM/T 0009 does not permit",
            ),
            Self::SignerCertificateNotFound => plain(
                "签名数据里没有签署者的证书",
                "the signer's certificate is not in the signature",
            ),
            Self::CertificateUnreadable { count } => (
                format!("{count} 张证书无法读取"),
                format!("{count} certificate(s) cannot be read"),
            ),
            Self::CertificateForged { subject } => (
                format!("所附证书“{subject}”不是其签发者所签"),
                format!("an enclosed certificate ({subject}) is not signed by its issuer"),
            ),
            Self::SigningCertificateAttributeMissing => plain(
                "签名没有指明所用的证书",
                "the signature does not say which certificate made it",
            ),
            Self::SigningCertificateAttributeDiffers => plain(
                "签名指明的是另一张证书",
                "the signature names another certificate",
            ),
            Self::KeyUsageUnfit { subject } => (
                format!("证书“{subject}”不得用于签署"),
                format!("the certificate of {subject} must not sign documents"),
            ),
            Self::ChainFound {
                anchor,
                certificates,
            } => (
                format!("可信，根为“{anchor}”（共 {certificates} 张证书）"),
                format!("trusted through {anchor} ({certificates} certificates)"),
            ),
            Self::ChainNotFound { issuer } => (
                format!("签发者“{issuer}”不在信任名单中"),
                format!("the issuer {issuer} is not among those that are trusted"),
            ),
            Self::ChainSignatureInvalid { subject } => (
                format!("证书“{subject}”不是其签发者所签"),
                format!("the certificate of {subject} is not signed by its issuer"),
            ),
            Self::NotAnAuthority { subject } => (
                format!("“{subject}”无权签发证书"),
                format!("{subject} may not issue certificates"),
            ),
            Self::PathTooLong { subject } => (
                format!("“{subject}”之下的层级过多"),
                format!("too many authorities below {subject}"),
            ),
            Self::CriticalExtensionUnknown { subject, oids } => (
                format!("证书“{subject}”有不认识的关键扩展 {}", oids.join("、")),
                format!(
                    "the certificate of {subject} has unknown critical extensions {}",
                    oids.join(", ")
                ),
            ),
            Self::ChainTooWeak { subject } => (
                format!("证书“{subject}”的密钥或算法不被接受"),
                format!("key or algorithm of the certificate of {subject} is not accepted"),
            ),
            Self::CertificateNotValidNow {
                subject,
                not_before,
                not_after,
            } => (
                format!(
                    "证书“{subject}”现在不在有效期内（{not_before} 至 {not_after}）",
                    not_before = beijing(not_before),
                    not_after = beijing(not_after)
                ),
                format!(
                    "the certificate of {subject} is not valid now ({not_before} to {not_after})"
                ),
            ),
            Self::DevelopmentOnly { subject } => (
                format!("证书“{subject}”仅供试验，不具效力"),
                format!("the certificate of {subject} was made for trials only"),
            ),
            Self::ChainSearchLimit => plain(
                "查找证书链超出限度",
                "the search for a path passed its limit",
            ),
            Self::NotRevoked => plain("没有被吊销", "not revoked"),
            Self::CertificateRevoked {
                subject,
                since,
                reason,
            } => {
                let code = reason.map(|code| format!(" ({code})")).unwrap_or_default();
                (
                    format!(
                        "证书“{subject}”已于 {since} 被吊销{code}",
                        since = beijing(since)
                    ),
                    format!("the certificate of {subject} was revoked at {since}{code}"),
                )
            }
            Self::CertificateOnHold { subject } => (
                format!("证书“{subject}”暂停使用"),
                format!("the certificate of {subject} is suspended"),
            ),
            Self::RevocationUnknown { subject } => (
                format!("没有可用的吊销名单来查证书“{subject}”"),
                format!("no revocation list at hand covers {subject}"),
            ),
            Self::RevocationListOutdated { subject } => (
                format!("用来查证书“{subject}”的吊销名单已过期"),
                format!("the revocation list that covers {subject} is out of date"),
            ),
            Self::RevocationListForged { subject } => (
                format!("涉及证书“{subject}”的一份吊销名单不是其签发者所签，未予采用"),
                format!(
                    "a revocation list that covers {subject} is not by its issuer and was ignored"
                ),
            ),
            Self::RevocationWithoutChain => plain(
                "没有可信的证书链可查",
                "there is no trusted path to look up",
            ),
            Self::SignerNotPermitted => plain(
                "印章不准许此签署者使用",
                "the seal does not permit this signer",
            ),
            Self::SealSignatureInvalid => plain(
                "印章不是制章者所制，或已被改动",
                "the seal is not by its maker, or was altered",
            ),
            Self::MakerCertificateUnreadable => plain(
                "制章者证书无法读取",
                "the maker's certificate cannot be read",
            ),
            Self::SealNotValidThen { at, from, to } => (
                format!(
                    "签署时刻 {at} 不在印章有效期内（{from} 至 {to}）",
                    from = beijing(from),
                    to = beijing(to),
                    at = beijing(at)
                ),
                format!("at the signing time {at} the seal was not valid ({from} to {to})"),
            ),
            Self::SealExpiredSince { to } => (
                format!("签署时印章有效，现已于 {to} 到期", to = beijing(to)),
                format!("valid when the document was sealed; expired at {to}"),
            ),
            Self::SealExtensionUnknown { oid } => (
                format!("有不认识的关键扩展 {oid}"),
                format!("an unknown critical extension {oid}"),
            ),
            Self::SealStatusUnknown => plain(
                "没有列出此印章的状态名单，未检查",
                "no status list at hand names this seal; not checked",
            ),
            Self::SealInForce { as_of } => (
                format!("按截至 {as_of} 的印章状态名单有效", as_of = beijing(as_of)),
                format!("in force by the status list as of {as_of}"),
            ),
            Self::SealStatusListOutdated { until } => (
                format!("印章状态名单已于 {until} 过期", until = beijing(until)),
                format!("the status list of seals is out of date since {until}"),
            ),
            Self::SealNotInForce {
                state,
                since,
                reason,
            } => not_in_force(*state, *since, reason),
            Self::SignatureRecordedBefore => plain(
                "此签章在此之前已有登记，仍然有效",
                "this very signature had been recorded before that, and stays good",
            ),
            Self::TimeClaimedOnly => plain(
                "时间为签署者自称，没有时间戳证明",
                "the time is the signer's claim; no time stamp proves it",
            ),
            Self::TimeMissing => plain("没有签署时间", "no signing time is given"),
            Self::TimeInFuture { claimed } => (
                format!(
                    "签署时间 {claimed} 晚于核验时刻",
                    claimed = beijing(claimed)
                ),
                format!("the signing time {claimed} lies in the future"),
            ),
            Self::TimeBeforeCertificate { not_before } => (
                format!(
                    "签署时间早于证书有效期（{not_before} 起）",
                    not_before = beijing(not_before)
                ),
                format!("signed before the certificate was valid (from {not_before})"),
            ),
            Self::TimeAfterCertificate { not_after } => (
                format!(
                    "签署时间晚于证书有效期（至 {not_after}）",
                    not_after = beijing(not_after)
                ),
                format!("signed after the certificate expired ({not_after})"),
            ),
            Self::TimesDiffer {
                dictionary,
                container,
            } => (
                format!(
                    "文件所写时间 {dictionary} 与签名内时间 {container} 不一致",
                    dictionary = beijing(dictionary),
                    container = beijing(container)
                ),
                format!("the document says {dictionary}, the signature says {container}"),
            ),
            Self::TimestampNotChecked => plain(
                "有时间戳，本版本尚不核验",
                "a time stamp is there; this version does not look into it",
            ),
            Self::TimestampAbsent => plain("没有时间戳", "there is none"),
            Self::EmbeddedRevocationNotChecked => plain(
                "本版本不使用 OCSP 与文件内的验证资料",
                "this version does not use OCSP answers or validation data inside the file",
            ),
        }
    }
}

fn not_in_force(state: SealStanding, since: UnixSeconds, reason: &str) -> (String, String) {
    let (chinese, english) = match state {
        SealStanding::Active => ("启用", "in force"),
        SealStanding::Suspended => ("停用", "suspended"),
        SealStanding::Cancelled => ("注销", "cancelled"),
        SealStanding::Revoked => ("吊销", "revoked"),
        SealStanding::Withdrawn => ("撤销", "withdrawn"),
        SealStanding::Lost => ("挂失", "reported lost"),
    };
    let (why_chinese, why) = match reason {
        "" => (String::new(), String::new()),
        reason => (format!("（{reason}）"), format!(" ({reason})")),
    };
    (
        format!("印章已于 {} {chinese}{why_chinese}", beijing(&since)),
        format!("the seal was {english} at {since}{why}"),
    )
}
