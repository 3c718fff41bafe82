//! Documents sealed with throw-away keys, and the ways to spoil them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly, and each test file uses a part of this"
)]

use std::fmt::Write as _;
use std::sync::OnceLock;

use yinxin_keys_dev::{DevPki, Identity};
use yinxin_pdf::{
    Appearance, Document, FieldTarget, Limits, Placement, SignatureOptions, SignatureRequest,
};
use yinxin_pki::{
    Certificate, CertificateRevocationList, DigestAlgorithm, SignatureAlgorithm, UnixSeconds, cms,
};
use yinxin_ses::{Picture, TbsSignV4, assemble_seal_signature_v4};
use yinxin_verifier::{
    CannotLook, Indication, Options, Report, SignatureReport, Status, StepId, SubIndication, Trust,
};

/// 2026-11-22T08:00:00Z
pub const NOW: UnixSeconds = UnixSeconds(1_795_334_400);
pub const DAY: i64 = 86_400;

/// One set of keys for all tests of a file: RSA keys take a while to make.
pub fn pki() -> &'static DevPki {
    static PKI: OnceLock<DevPki> = OnceLock::new();
    PKI.get_or_init(|| DevPki::make(NOW).unwrap())
}

pub fn trust() -> Trust {
    Trust {
        anchors: pki().anchors(),
        intermediates: pki().intermediates(),
        crls: pki().crls().unwrap(),
        seal_statuses: Vec::new(),
        allow_dev_only: true,
    }
}

pub fn at(time: UnixSeconds) -> Options {
    Options::at(time)
}

pub fn now() -> Options {
    at(NOW)
}

/// The verifier's answer, which must be the same when nothing was met before.
pub fn verify(document: &[u8], trust: &Trust, options: &Options) -> Result<Report, CannotLook> {
    Certificate::forget_all();
    yinxin_ses::Seal::forget_all();
    let cold = yinxin_verifier::verify(document, &read_anew(trust), options);
    let warm = yinxin_verifier::verify(document, trust, options);
    assert_eq!(words(&cold), words(&warm), "met before, or not");
    warm
}

/// Everything an answer says.
pub fn words(answer: &Result<Report, CannotLook>) -> String {
    match answer {
        Ok(report) => serde_json::to_string(report).unwrap(),
        Err(error) => format!("{error:?}"),
    }
}

/// The same certificates and lists as objects that remember nothing.
pub fn read_anew(trust: &Trust) -> Trust {
    let certificates = |known: &[Certificate]| -> Vec<Certificate> {
        let read = |known: &Certificate| Certificate::from_der(known.der()).unwrap();
        known.iter().map(read).collect()
    };
    Trust {
        anchors: certificates(&trust.anchors),
        intermediates: certificates(&trust.intermediates),
        crls: trust
            .crls
            .iter()
            .map(|list| CertificateRevocationList::from_der(list.der()).unwrap())
            .collect(),
        seal_statuses: trust.seal_statuses.clone(),
        allow_dev_only: trust.allow_dev_only,
    }
}

pub fn check(document: &[u8]) -> Report {
    verify(document, &trust(), &now()).unwrap_or_else(|error| panic!("{}: {error}", error.reason()))
}

/// Two pages, each with a content stream; object 7 is used by nobody's page.
pub fn plain_pdf() -> Vec<u8> {
    let mut pdf = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let content = |text: &str| {
        let data = format!("BT /F1 12 Tf 72 720 Td ({text}) Tj ET");
        format!("<</Length {}>>\nstream\n{data}\nendstream", data.len())
    };
    let objects = [
        (1, "<</Type/Catalog/Pages 2 0 R/Lang(zh-CN)>>".to_owned()),
        (
            2,
            "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 595 842]>>".to_owned(),
        ),
        (3, page("5 0 R")),
        (4, page("6 0 R")),
        (5, content("We certify the marriage.")),
        (6, content("Second page.")),
        (
            7,
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
        ),
        (
            8,
            "<</Title(A proof)/ModDate(D:20261122000000Z)>>".to_owned(),
        ),
    ];
    append(&mut pdf, &objects, "/Info 8 0 R/ID[<0102><0102>]", None);
    pdf
}

fn page(contents: &str) -> String {
    format!("<</Type/Page/Parent 2 0 R/Contents {contents}/Resources<</Font<</F1 7 0 R>>>>>>")
}

/// Appends a revision with a classic table; `prev` is the previous startxref, if there is one.
pub fn append(pdf: &mut Vec<u8>, objects: &[(u32, String)], extra: &str, prev: Option<usize>) {
    let mut entries = Vec::new();
    if prev.is_none() {
        entries.push((0, "0000000000 65535 f \n".to_owned()));
    }
    for (number, body) in objects {
        if body == "free" {
            entries.push((*number, "0000000000 00001 f \n".to_owned()));
            continue;
        }
        entries.push((*number, format!("{:010} 00000 n \n", pdf.len())));
        pdf.extend_from_slice(format!("{number} 0 obj\n{body}\nendobj\n").as_bytes());
    }
    entries.sort();
    let start = pdf.len();
    let size = size_of(pdf).max(entries.last().map_or(0, |(number, _)| number + 1));
    let mut text = "xref\n".to_owned();
    for (number, entry) in entries {
        write!(text, "{number} 1\n{entry}").unwrap();
    }
    let prev = prev.map(|prev| format!("/Prev {prev}")).unwrap_or_default();
    write!(
        text,
        "trailer\n<</Size {size}/Root 1 0 R{prev}{extra}>>\nstartxref\n{start}\n%%EOF\n"
    )
    .unwrap();
    pdf.extend_from_slice(text.as_bytes());
}

/// Appends a revision that changes these objects and keeps everything else of the trailer.
pub fn revise(pdf: &[u8], objects: &[(u32, &str)]) -> Vec<u8> {
    let mut changed = pdf.to_vec();
    let objects: Vec<(u32, String)> = objects
        .iter()
        .map(|(number, body)| (*number, (*body).to_owned()))
        .collect();
    let (prev, id) = {
        let document = Document::open(pdf, Limits::default()).unwrap();
        let id = document.trailer().get(b"ID").unwrap().span.clone();
        let id = String::from_utf8_lossy(&pdf[id]).into_owned();
        (document.newest().xref_offset, id)
    };
    append(
        &mut changed,
        &objects,
        &format!("/Info 8 0 R/ID{id}"),
        Some(prev),
    );
    changed
}

fn size_of(pdf: &[u8]) -> u32 {
    Document::open(pdf, Limits::default()).map_or(0, |document| {
        let size = document
            .trailer()
            .get(b"Size")
            .and_then(yinxin_pdf::Value::as_integer);
        u32::try_from(size.unwrap()).unwrap()
    })
}

/// The newest version of an object as written, for editing.
pub fn written(pdf: &[u8], number: u32) -> String {
    let document = Document::open(pdf, Limits::default()).unwrap();
    let object = document
        .object(yinxin_pdf::ObjectId::new(number, 0))
        .unwrap();
    String::from_utf8_lossy(object.written()).into_owned()
}

/// The places of the newest signature in a sealed document.
pub struct Places {
    pub dictionary: u32,
    pub field: u32,
    /// With the angle brackets.
    pub contents: std::ops::Range<usize>,
    pub byte_range: std::ops::Range<usize>,
}

pub fn places(pdf: &[u8]) -> Places {
    let document = Document::open(pdf, Limits::default()).unwrap();
    let fields = document.signature_fields().unwrap();
    let newest = fields
        .iter()
        .filter_map(|field| Some((field.field_id, document.signature(field.value?).unwrap())))
        .max_by_key(|(_, signature)| signature.contents.start)
        .unwrap();
    let (field, signature) = newest;
    Places {
        dictionary: signature.id.number,
        field: field.number,
        contents: signature.contents,
        byte_range: signature.byte_range_span,
    }
}

/// What is signed, handed to whoever makes the container.
pub struct Covered {
    parts: Vec<u8>,
}

impl Covered {
    pub fn digest(&self, algorithm: DigestAlgorithm) -> Vec<u8> {
        algorithm.digest(&self.parts)
    }
}

pub fn request() -> SignatureRequest {
    SignatureRequest {
        field: FieldTarget::New { name: None },
        placement: Placement::Visible {
            page_index: 0,
            x_mm: 100.0,
            y_mm: 200.0,
            width_mm: 40.0,
            height_mm: 40.0,
        },
        appearance: Some(Appearance {
            content: b"1 0 0 RG 10 10 80 80 re S".as_slice().into(),
            bbox: [0.0, 0.0, 100.0, 100.0],
            alternate_text: "电子印章".to_owned(),
            image: None,
        }),
        filter: "Adobe.PPKLite".to_owned(),
        sub_filter: "ETSI.CAdES.detached".to_owned(),
        contents_bytes: 6000,
        signing_time: NOW.0,
        signing_offset_minutes: 480,
        name: None,
        reason: None,
        location: None,
        options: SignatureOptions::default(),
    }
}

/// Signs with whatever container `make` gives.
pub fn sign(pdf: &[u8], request: &SignatureRequest, make: &dyn Fn(&Covered) -> Vec<u8>) -> Vec<u8> {
    let document = Document::open(pdf, Limits::default()).unwrap();
    let prepared = yinxin_pdf::update::prepare(&document, request).unwrap();
    let covered = Covered {
        parts: prepared.covered(pdf).concat(),
    };
    let mut sealed = pdf.to_vec();
    sealed.extend_from_slice(&prepared.finish(&make(&covered)).unwrap());
    sealed
}

/// CMS of a signer, with its chain.
pub fn cms_container(signer: &Identity, chain: &[Certificate], covered: &Covered) -> Vec<u8> {
    let digest = digest_of(signer);
    let attributes =
        cms::signed_attributes_der(digest, &covered.digest(digest), &signer.certificate);
    let signature = signer.sign(&attributes).unwrap();
    cms::assemble_signed_data(
        digest,
        &signer.key.algorithm(),
        &attributes,
        &signature,
        chain,
    )
}

pub fn digest_of(signer: &Identity) -> DigestAlgorithm {
    if signer.key.algorithm() == SignatureAlgorithm::Sm2Sm3 {
        DigestAlgorithm::Sm3
    } else {
        DigestAlgorithm::Sha256
    }
}

pub fn picture() -> Picture {
    Picture {
        kind: "SVG".to_owned(),
        data: b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        width_mm: 40,
        height_mm: 40,
    }
}

pub fn seal_der() -> Vec<u8> {
    pki()
        .make_seal("44190000000001", "石排镇某村村民委员会", picture())
        .unwrap()
}

pub fn ses_container(
    seal_der: &[u8],
    signer: &Identity,
    time: UnixSeconds,
    hash: &[u8],
) -> Vec<u8> {
    let to_sign = TbsSignV4 {
        seal_der,
        time,
        data_hash: hash.try_into().unwrap(),
        property_info: "Seal-1",
    }
    .to_der();
    let signature = signer.sign(&to_sign).unwrap();
    assemble_seal_signature_v4(&to_sign, signer.certificate.der(), &signature)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    Rsa,
    P256,
    GmCms,
    GmSeal,
}

pub const PROFILES: [Profile; 4] = [Profile::Rsa, Profile::P256, Profile::GmCms, Profile::GmSeal];

pub fn seal(pdf: &[u8], profile: Profile) -> Vec<u8> {
    seal_in(pdf, profile, &request())
}

pub fn seal_in(pdf: &[u8], profile: Profile, request: &SignatureRequest) -> Vec<u8> {
    let pki = pki();
    match profile {
        Profile::Rsa => sign(pdf, request, &|c| {
            cms_container(&pki.rsa_signer, &pki.rsa_chain(), c)
        }),
        Profile::P256 => sign(pdf, request, &|c| {
            cms_container(&pki.p256_signer, &pki.p256_chain(), c)
        }),
        Profile::GmCms => sign(pdf, request, &|c| {
            cms_container(&pki.sm2_signer, &pki.sm2_chain(), c)
        }),
        Profile::GmSeal => {
            let request = SignatureRequest {
                filter: "Gomain.GMPkiLite".to_owned(),
                sub_filter: "GM.sm2seal".to_owned(),
                ..request.clone()
            };
            let seal = seal_der();
            sign(pdf, &request, &|covered| {
                let hash = covered.digest(DigestAlgorithm::Sm3);
                ses_container(&seal, &pki.sm2_signer, NOW, &hash)
            })
        }
    }
}

/// Fails with the whole report unless the signature came out as expected.
pub fn expect(
    what: &str,
    report: &SignatureReport,
    indication: Indication,
    sub_indication: Option<SubIndication>,
) {
    assert_eq!(
        (report.indication, report.sub_indication),
        (indication, sub_indication),
        "{what}\n{}",
        report.text(yinxin_verifier::Language::English)
    );
}

/// The code of the first finding of a step, as in JSON.
pub fn code(report: &SignatureReport, step: StepId) -> String {
    let codes = report
        .step(step)
        .map(|step| serde_json::to_value(&step.findings).unwrap());
    codes
        .and_then(|codes| codes.as_array().cloned())
        .unwrap_or_default()
        .iter()
        .filter_map(|finding| finding["code"].as_str().map(str::to_owned))
        .collect::<Vec<_>>()
        .join(" ")
}

pub fn status(report: &SignatureReport, step: StepId) -> Option<Status> {
    report.step(step).map(|step| step.status)
}
