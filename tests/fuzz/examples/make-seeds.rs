//! Makes the folder `made/`: throw-away keys, what they sign, and a first corpus for each target.
//!
//! Nothing of it is committed: it is different each time, and half of it is binary.

use std::path::PathBuf;

use yinxin_fuzz::script::{DEFLATED, IN_STREAM, RECORD, REVISION, STREAM};
use yinxin_fuzz::{made, script};
use yinxin_keys_dev::{CrlRequest, DevPki, Identity};
use yinxin_pdf::{
    Appearance, Document, FieldTarget, Limits, Placement, SignatureOptions, SignatureRequest,
};
use yinxin_pki::{Certificate, DigestAlgorithm, SignatureAlgorithm, cms};
use yinxin_ses::{Picture, TbsSignV4, assemble_seal_signature_v4};
use yinxin_verifier::{Indication, Options, verify};

fn main() {
    let pki = DevPki::make(made::NOW).expect("keys can be made");
    let _ = std::fs::remove_dir_all(made::folder());
    trust(&pki);
    let containers = documents(&pki);
    objects(&pki, &containers);
    scripts();
    licence();
    registry(&pki);
    pictures();
    texts();
    println!("{}", made::folder().display());
}

fn write(name: &str, bytes: impl AsRef<[u8]>) {
    let path: PathBuf = made::folder().join(name);
    let parent = path.parent().expect("every name has a folder");
    std::fs::create_dir_all(parent).expect("the folder can be made");
    std::fs::write(&path, bytes).expect("the file can be written");
}

fn pem(certificates: &[Certificate]) -> String {
    certificates.iter().map(Certificate::to_pem).collect()
}

fn trust(pki: &DevPki) {
    write("trust/anchors.pem", pem(&pki.anchors()));
    write("trust/intermediates.pem", pem(&pki.intermediates()));
    let all = [
        pki.anchors(),
        pki.intermediates(),
        [
            &pki.rsa_signer,
            &pki.p256_signer,
            &pki.sm2_signer,
            &pki.seal_maker,
            &pki.tls_server,
        ]
        .map(|identity| identity.certificate.clone())
        .to_vec(),
    ]
    .concat();
    write("trust/certificates.pem", pem(&all));
    let crls: String = pki
        .crls()
        .expect("lists can be made")
        .iter()
        .map(|list| list.to_pem())
        .collect();
    write("trust/crls.pem", crls);
}

// ── Sealed documents ─────────────────────────────────────────────────────────

/// A document, its seals, and the containers of the last one of each profile.
fn documents(pki: &DevPki) -> Vec<Vec<u8>> {
    let table = script::document(&plain(0));
    let streams = script::document(&plain(1));
    let mut containers = Vec::new();
    for (name, plain) in [("table", &table), ("streams", &streams)] {
        write(&format!("seeds/verify/{name}.pdf"), plain);
        write(&format!("seeds/pdf_update/{name}.pdf"), plain);
        for profile in PROFILES {
            let (sealed, container) = seal(pki, plain, profile);
            keep(&format!("{name}-{profile:?}"), &sealed);
            containers.push(container);
        }
    }
    let (once, _) = seal(pki, &table, Profile::P256);
    let (twice, _) = seal(pki, &once, Profile::GmCms);
    keep("twice", &twice);
    // Which document, no edits, and a revision that changes the page's content.
    for document in 0..u8::try_from(made::files("documents").len()).unwrap_or(u8::MAX) {
        let mut input = vec![document, 0];
        input.extend_from_slice(&[0, 5]);
        input.extend_from_slice(&[&[STREAM][..], b"0 0 9 9 re f"].concat());
        write(&format!("seeds/verify/changed-{document}"), input);
        write(
            &format!("seeds/verify/edited-{document}"),
            [document, 1, 0, 0, 40, 1],
        );
    }
    containers
}

fn keep(name: &str, sealed: &[u8]) {
    let report = verify(sealed, &made::trust(), &Options::at(made::NOW)).expect("our own opens");
    assert_eq!(report.indication, Indication::TotalPassed, "{name}");
    write(&format!("documents/{name}.pdf"), sealed);
    for target in ["verify", "pdf_open", "pdf_update"] {
        write(&format!("seeds/{target}/{name}.pdf"), sealed);
    }
}

#[derive(Clone, Copy, Debug)]
enum Profile {
    Rsa,
    P256,
    GmCms,
    GmSeal,
}

const PROFILES: [Profile; 4] = [Profile::Rsa, Profile::P256, Profile::GmCms, Profile::GmSeal];

fn seal(pki: &DevPki, plain: &[u8], profile: Profile) -> (Vec<u8>, Vec<u8>) {
    let (filter, sub_filter) = match profile {
        Profile::GmSeal => ("Gomain.GMPkiLite", "GM.sm2seal"),
        Profile::Rsa | Profile::P256 | Profile::GmCms => ("Adobe.PPKLite", "ETSI.CAdES.detached"),
    };
    let request = SignatureRequest {
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
        filter: filter.to_owned(),
        sub_filter: sub_filter.to_owned(),
        contents_bytes: 4000,
        signing_time: made::NOW.0,
        signing_offset_minutes: 480,
        name: None,
        reason: None,
        location: None,
        options: SignatureOptions::default(),
    };
    let document = Document::open(plain, Limits::default()).expect("our own opens");
    let prepared = yinxin_pdf::prepare(&document, &request).expect("our own takes a seal");
    let covered = prepared.covered(plain).concat();
    let container = match profile {
        Profile::Rsa => signed_data(&pki.rsa_signer, &pki.rsa_chain(), &covered),
        Profile::P256 => signed_data(&pki.p256_signer, &pki.p256_chain(), &covered),
        Profile::GmCms => signed_data(&pki.sm2_signer, &pki.sm2_chain(), &covered),
        Profile::GmSeal => seal_signature(pki, &covered),
    };
    let tail = prepared.finish(&container).expect("there is room");
    ([plain, &tail].concat(), container)
}

fn signed_data(signer: &Identity, chain: &[Certificate], covered: &[u8]) -> Vec<u8> {
    let algorithm = signer.key.algorithm();
    let digest = if algorithm == SignatureAlgorithm::Sm2Sm3 {
        DigestAlgorithm::Sm3
    } else {
        DigestAlgorithm::Sha256
    };
    let attributes =
        cms::signed_attributes_der(digest, &digest.digest(covered), &signer.certificate);
    let signature = signer.sign(&attributes).expect("keys sign");
    cms::assemble_signed_data(digest, &algorithm, &attributes, &signature, chain)
}

fn seal_der(pki: &DevPki) -> Vec<u8> {
    let picture = Picture {
        kind: "SVG".to_owned(),
        data: b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(),
        width_mm: 40,
        height_mm: 40,
    };
    pki.make_seal("44990000000001", "示例村村民委员会", picture)
        .expect("seals can be made")
}

fn seal_signature(pki: &DevPki, covered: &[u8]) -> Vec<u8> {
    let to_sign = TbsSignV4 {
        seal_der: &seal_der(pki),
        time: made::NOW,
        data_hash: yinxin_sm::sm3(covered),
        property_info: "Seal-1",
    }
    .to_der();
    let signature = pki.sm2_signer.sign(&to_sign).expect("keys sign");
    assemble_seal_signature_v4(&to_sign, pki.sm2_signer.certificate.der(), &signature)
}

// ── Objects of ASN.1 ─────────────────────────────────────────────────────────

fn objects(pki: &DevPki, containers: &[Vec<u8>]) {
    for (index, certificate) in made::certificates().iter().enumerate() {
        for target in ["certificate_and_crl", "tlv"] {
            write(
                &format!("seeds/{target}/certificate-{index}"),
                certificate.der(),
            );
        }
    }
    let certificate = &pki.sm2_signer.certificate;
    write("seeds/certificate_and_crl/pem", certificate.to_pem());
    let request = CrlRequest::new(made::NOW)
        .with_revoked(certificate, made::NOW, Some(4))
        .with_revoked(&pki.seal_maker.certificate, made::NOW, None);
    let list = pki.sm2_issuing.crl(&request).expect("lists can be made");
    write("seeds/certificate_and_crl/crl", list.der());
    write("seeds/certificate_and_crl/crl-pem", list.to_pem());
    write("seeds/tlv/crl", list.der());
    for (index, container) in containers.iter().enumerate() {
        let target = if yinxin_ses::looks_like_seal_signature(container) {
            "ses"
        } else {
            "cms"
        };
        write(&format!("seeds/{target}/container-{index}"), container);
        write(&format!("seeds/tlv/container-{index}"), container);
    }
    write("seeds/ses/seal", seal_der(pki));
    // Indefinite lengths and an OCTET STRING in segments.
    write(
        "seeds/tlv/ber",
        b"\x30\x80\x24\x80\x04\x01a\x04\x01b\0\0\x31\x05\x02\x01\x05\x05\0\x18\x0f20261122080000Z\0\0",
    );
    let key = pki.sm2_signer.key.sm2().expect("an SM2 key");
    // The key of nobody: 2 is as good as any, and seeds may be looked at.
    let mut two = [0; 32];
    two[31] = 2;
    let nobody = yinxin_sm::SecretKey::from_bytes(&two).expect("2 is in range");
    write("seeds/sm2/pkcs8", &*nobody.to_pkcs8_der());
    write("seeds/sm2/sec1", &*nobody.to_sec1_der());
    write("seeds/sm2/spki", key.public_key().to_spki_der());
    write("seeds/sm2/point", key.public_key().to_sec1_bytes());
    let signature = pki.sm2_signer.sign(b"message").expect("keys sign");
    write("seeds/sm2/signature", &signature);
    let signature = yinxin_sm::Signature::from_der(&signature).expect("our own is DER");
    write("seeds/sm2/raw", signature.to_raw());
}

// ── Scripts ──────────────────────────────────────────────────────────────────

/// One revision of records.
fn revision(kind: u8, records: &[(u8, &[u8])]) -> Vec<u8> {
    let mut script = vec![kind];
    for (index, (head, body)) in records.iter().enumerate() {
        if index > 0 {
            script.push(RECORD);
        }
        script.push(*head);
        script.extend_from_slice(body);
    }
    script
}

fn stream(entries: &str, data: &str) -> Vec<u8> {
    [entries.as_bytes(), &[STREAM], data.as_bytes()].concat()
}

/// Two pages with content.
fn plain(kind: u8) -> Vec<u8> {
    let page = |contents: u32| {
        format!(
            "<</Type/Page/Parent 2 0 R/Contents {contents} 0 R/Resources<</Font<</F1 7 0 R>>>>>>"
        )
    };
    revision(
        kind,
        &[
            (1 | IN_STREAM, b"<</Type/Catalog/Pages 2 0 R/Lang(zh-CN)>>"),
            (
                2 | IN_STREAM,
                b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 595 842]>>",
            ),
            (3 | IN_STREAM, page(5).as_bytes()),
            (4, page(6).as_bytes()),
            (5, &stream("", "BT /F1 12 Tf 72 720 Td (First) Tj ET")),
            (
                6 | DEFLATED,
                &stream("", "BT /F1 12 Tf 72 720 Td (Second) Tj ET"),
            ),
            (
                7 | IN_STREAM,
                b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
            ),
            (8, b"<</Title(A proof)/ModDate(D:20261122000000Z)>>"),
            (0, b"/Info 8 0 R/ID[<0102><0102>]"),
        ],
    )
}

fn scripts() {
    let tree: [(u8, &[u8]); 3] = [
        (1, b"<</Type/Catalog/Pages 2 0 R/AcroForm 5 0 R/MarkInfo<</Marked true>>/StructTreeRoot 9 0 R>>"),
        (2, b"<</Type/Pages/Kids[3 0 R]/Count 1/Rotate 90/CropBox[10 10 400 800]>>"),
        (3, b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Annots 6 0 R/UserUnit 1.5/StructParents 0>>"),
    ];
    let form: [(u8, &[u8]); 6] = [
        (5, b"<</Fields[4 0 R 7 0 R]/SigFlags 1/NeedAppearances true/DA(/Helv 0 Tf)>>"),
        (6, b"[4 0 R 7 0 R]"),
        (4, b"<</FT/Sig/T(Village)/Type/Annot/Subtype/Widget/Rect[100 100 200 200]/P 3 0 R/F 4/Lock<</Type/SigFieldLock/Action/All>>>>"),
        (7, b"<</FT/Tx/T(Group)/Kids[8 0 R]/V(text)>>"),
        (8, b"<</Parent 7 0 R/FT/Sig/T(Seal)/Subtype/Widget/Rect[0 0 9 9]/SV<</Filter/Adobe.PPKLite/Ff 1>>>>"),
        (9, b"<</Type/StructTreeRoot/K 10 0 R/ParentTree<</Nums[0[10 0 R]]>>/ParentTreeNextKey 1>>"),
    ];
    let rest: [(u8, &[u8]); 1] = [(10, b"<</Type/StructElem/S/Document/P 9 0 R/K[]>>")];
    let all = [&tree[..], &form[..], &rest[..]].concat();
    let in_stream: Vec<(u8, &[u8])> = all
        .iter()
        .map(|(head, body)| (head | IN_STREAM, *body))
        .collect();
    let signature: &[u8] = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/adbe.pkcs7.detached/M(D:20261122080000+08'00')/ByteRange[0 9 99 9]/Contents<30030201ff00>/Reference[<</TransformMethod/DocMDP/TransformParams<</P 2/V/1.2>>>>]>>";
    let signed: [(u8, &[u8]); 2] = [
        (11, signature),
        (4, b"<</FT/Sig/T(Village)/Type/Annot/Subtype/Widget/Rect[100 100 200 200]/P 3 0 R/F 4/V 11 0 R>>"),
    ];
    let filters = stream(
        "/Filter[/ASCIIHexDecode/RunLengthDecode]/DecodeParms[null null]",
        "0261626380>",
    );
    let predictor = stream(
        "/DecodeParms<</Predictor 15/Columns 3>>",
        "\u{2}abc\u{1}abc",
    );
    let ascii85 = stream("/Filter/ASCII85Decode", "87cURD]i,\"Ebo80~>");
    let lzw = stream("/Filter/LZWDecode/DecodeParms<</EarlyChange 0>>", "\u{0}");
    let streams: [(u8, &[u8]); 4] = [
        (12, &filters),
        (13 | DEFLATED, &predictor),
        (14, &ascii85),
        (15, &lzw),
    ];
    let inherited: [(u8, &[u8]); 5] = [
        (1, b"<</Type/Catalog/Pages 2 0 R>>"),
        (
            2,
            b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 3/MediaBox[0 0 200 100]>>",
        ),
        (
            3,
            b"<</Type/Pages/Parent 2 0 R/Kids[5 0 R 6 0 R]/Count 2/Rotate -90>>",
        ),
        (5, b"<</Type/Page/Parent 3 0 R>>"),
        (
            6,
            b"<</Type/Page/Parent 3 0 R/CropBox[300 300 -50 -50]/Annots null>>",
        ),
    ];
    let leaf: [(u8, &[u8]); 2] = [
        (4, b"<</Type/Page/Parent 2 0 R/Annots[]>>"),
        (0, b"/Extra[(\\(a\\))<</A#20B .5/C -7>>true null 4 0 R]"),
    ];
    let inherited = [&inherited[..], &leaf[..]].concat();
    let two = |first: Vec<u8>, second: Vec<u8>| [first, vec![REVISION], second].concat();
    for (name, script) in [
        ("plain-table", plain(0)),
        ("plain-streams", plain(1)),
        ("form-table", revision(0, &all)),
        ("form-streams", revision(1, &in_stream)),
        ("signed-table", two(revision(0, &all), revision(0, &signed))),
        (
            "signed-streams",
            two(revision(1, &in_stream), revision(1, &signed)),
        ),
        ("filters", revision(0, &[&all[..], &streams[..]].concat())),
        ("tree", revision(0, &inherited)),
        (
            "freed",
            two(revision(0, &inherited), revision(0, &[(6, b"free")])),
        ),
    ] {
        write(&format!("seeds/pdf_open/{name}"), &script);
        for request in 0..4_u8 {
            let input = [&[request], &script[..]].concat();
            write(&format!("seeds/pdf_update/{name}-{request}"), input);
        }
    }
}

// ── Licences ─────────────────────────────────────────────────────────────────

fn licence() {
    write(
        "seeds/licence_fields/form",
        r#"{"holder_name":"张示例","holder_citizen_number":"449900198506121017","holder_address":"示范市示范镇示范村一组1号","spouse_name":"李样本","spouse_citizen_number":"449900198709231021","spouse_address":"示范市示范镇示范村一组1号","marriage_date":"2010-05-20","no_certificate_reason":"结婚证遗失，正在补领","receiving_unit":"示范市不动产登记中心","purpose":"房屋产权登记","handler":"王经办","phone":"0769-88880000","biz_num":"SF-2026-0001","validity_days":30}"#,
    );
    write(
        "seeds/licence_fields/identifier",
        "1.2.156.3005.2.11449900MB0000019R001.54449900MB0000019R.2026000001.001.X",
    );
    write("seeds/licence_fields/code", "54449900MB0000019R");
}

// ── Seals, rules, approvals ──────────────────────────────────────────────────

/// 2026-11-22T08:00:00Z before the text, as the target wants it.
fn at_noon(name: &str, text: impl AsRef<[u8]>) {
    let input = [&made::NOW.0.to_le_bytes()[..], text.as_ref()].concat();
    write(&format!("seeds/registry_json/{name}"), input);
}

fn registry(pki: &DevPki) {
    let certificates = pem(std::slice::from_ref(&pki.sm2_signer.certificate));
    let terms = |face: &str| {
        format!(
            r#"{{"face":{face},"cert_list":"digests","layout":"v5","valid_from":1767225600,"valid_until":1830297600,"gm":{{"key":"k","certificates_pem":{certificates:?}}},"pades":null}}"#
        )
    };
    let application = |terms: &str| {
        format!(
            r#"{{"code":"44990000000001","name":"示例村村民委员会","owner_name":"示例村村民委员会","owner_code":"54449900MB0000019R","kind":"legal_name","division_code":"449900101201","keeper":"keeper","terms":{terms}}}"#
        )
    };
    let round = r#"{"design":{"kind":"legal_name","owner":"village_committee","form":{"shape":"round","name":"示例村村民委员会","diameter_mm":42.0,"centre":"star"}}}"#;
    let plain =
        r#"{"plain":{"upper_text":"示例村村民委员会","lower_text":null,"diameter_mm":42.0}}"#;
    let svg = r#"{"svg":{"svg":"<svg/>","width_mm":42.5,"height_mm":1e1}}"#;
    for (name, face) in [("round", round), ("plain", plain), ("svg", svg)] {
        at_noon(&format!("terms-{name}"), terms(face));
        at_noon(&format!("application-{name}"), application(&terms(face)));
    }
    write("application.json", application(&terms(plain)));
    at_noon(
        "filings",
        r#"[{"seal_code":"44990000000001","seal_name":"示例村村民委员会","seal_type":"01","owner_name":"示例村村民委员会","owner_code":"54449900MB0000019R","version":1,"ses_sha256":null,"maker":"maker","valid_from":1,"valid_until":2,"certificates_sha256":["00"],"state":"active","filing":{"number":"1","authority":"police"}}]"#,
    );
    at_noon(
        "rule",
        r#"{"id":"r-1","seals":["1"],"callers":["office"],"operations":["seal-document"],"units":["u"],"items":["i"],"channels":["counter","kiosk"],"hours":{"from_minute":510,"until_minute":1050},"valid_from":1,"valid_until":4102444800,"quota_per_day":15,"approvals":2}"#,
    );
    let container = signed_data(&pki.rsa_signer, &pki.rsa_chain(), b"another statement");
    at_noon("cms", container);
}

fn pictures() {
    let svg = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 42 42"><g transform="rotate(30 21 21) scale(.9)"><circle cx="21" cy="21" r="20" fill="none" stroke="#e60012" stroke-width="1.2"/><path d="M21 8l3 9h9l-7 5 3 9-8-5-8 5 3-9-7-5h9z" fill="red" fill-rule="evenodd"/><rect x="1" y="2" width="3" height="4" rx="1"/><polygon points="1,2 3,4 5,1"/></g></svg>"##;
    write("seeds/pictures/svg", [&[42], svg.as_bytes()].concat());
    // 60 × 60 pixels on 5 mm, clear and red in turns: by hand, so that no encoder is needed.
    let row: Vec<u8> = (0..60_u8)
        .flat_map(|x| [230, 0, 18, 255 * (x & 1)])
        .collect();
    let rows = [&[0], &row[..]].concat().repeat(60);
    let mut header = Vec::new();
    header.extend_from_slice(&60_u32.to_be_bytes());
    header.extend_from_slice(&60_u32.to_be_bytes());
    header.extend_from_slice(&[8, 6, 0, 0, 0]);
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut encoder, &rows).expect("a vector takes all");
    let data = encoder.finish().expect("a vector takes all");
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, data) in [(b"IHDR", &header), (b"IDAT", &data), (b"IEND", &Vec::new())] {
        let length = u32::try_from(data.len()).expect("a small file");
        let mut sum = flate2::Crc::new();
        sum.update(&[&kind[..], data].concat());
        file.extend_from_slice(&length.to_be_bytes());
        file.extend_from_slice(kind);
        file.extend_from_slice(data);
        file.extend_from_slice(&sum.sum().to_be_bytes());
    }
    write("seeds/pictures/png", [&[5], &file[..]].concat());
}

// ── Text on pages ────────────────────────────────────────────────────────────

fn texts() {
    let content = "q 1 0 0 1 10 20 cm BT /F0 12 Tf 14 TL 2 Tc 3 Tw 90 Tz 1 Ts 50 700 Td (a page) Tj T* \
        [(a) -120 (b)] TJ (a) ' 1 2 (a) \" ET Q BT /F1 16 Tf 0.9 0.1 -0.1 0.9 100 600 Tm <00010002> Tj \
        [<0003> 50 <0001>] TJ 0 -20 TD <0102> Tj ET /P <</MCID 0>> BDC /X0 Do /X1 Do EMC \
        BI /W 1 /H 1 /BPC 8 /CS /G ID x EI";
    let to_unicode = "/CIDInit /ProcSet findresource begin begincmap 1 begincodespacerange <0000> <FFFF> \
        endcodespacerange 2 beginbfchar <0001> <76D6> <0002> <7AE0> endbfchar 2 beginbfrange \
        <0003> <0005> <5904> <0041> <0043> [<0061> <00620063> <D83DDE00>] endbfrange endcmap";
    let cmap = "/WMode 1 def 2 begincodespacerange <00> <80> <8140> <FEFE> endcodespacerange \
        1 begincidchar <8140> 7 endcidchar 2 begincidrange <00> <7F> 1 <8141> <817E> 500 endcidrange \
        1 beginnotdefrange <00> <1F> 1 endnotdefrange";
    let simple = "/Subtype/TrueType/BaseFont/A/FirstChar 32/LastChar 34/Widths[250 333 500]\
        /Encoding<</BaseEncoding/WinAnsiEncoding/Differences[97/a/uni76D6/u7AE0 100/Euro]>>";
    let type3 = "/Subtype/Type3/FontMatrix[.001 0 0 .001 0 0]/FirstChar 97/LastChar 97/Widths[500]\
        /Encoding<</Differences[97/a]>>/CharProcs<<>>";
    let descendant = "/DW 1000/W[1[500 600]3 9 700]/DW2[880 -1000]/W2[1[-900 450 800]3 9 -900 500 880]\
        /CIDSystemInfo<</Registry(Adobe)/Ordering(GB1)/Supplement 2>>";
    for (name, parts) in [
        ("simple", [content, to_unicode, cmap, simple, descendant]),
        ("type3", [content, "", cmap, type3, descendant]),
        ("identity", [content, to_unicode, "", "", ""]),
    ] {
        let parts = parts.map(str::as_bytes).join(&STREAM);
        let input = [b"T", &parts[..]].concat();
        write(&format!("seeds/text_search/{name}"), input);
    }
    // Fonts with a named encoding, and a plan whose second party is next.
    let song = "<</Type/Font/Subtype/Type0/BaseFont/S/Encoding/UniGB-UCS2-H/DescendantFonts[<</Subtype/CIDFontType0/DW 1000/W[1 95 500]>>]>>";
    let gbk = "<</Type/Font/Subtype/Type0/BaseFont/S/Encoding/GBK-EUC-V/DescendantFonts[<</Subtype/CIDFontType0>>]>>";
    let issuer = "BT /F1 16 Tf 100 300 Td <6751> Tj 0 -30 Td <003200305E7400310031670800320032> Tj ET \
        BT /F2 16 Tf 300 300 Td <D5C2> Tj ET";
    let script = revision(
        0,
        &[
            (1, b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[9 0 R]>>>>"),
            (2, b"<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 595 842]/Resources<</Font<</F1 7 0 R/F2 8 0 R>>>>>>"),
            (3, b"<</Type/Page/Parent 2 0 R/Contents[5 0 R 6 0 R]/Rotate 90>>"),
            (4, b"<</Type/Page/Parent 2 0 R/Contents 5 0 R/UserUnit 2>>"),
            (5, &stream("", issuer)),
            (6 | DEFLATED, &stream("", "BT /F1 9 Tf <76D67AE05904> Tj ET")),
            (7, song.as_bytes()),
            (8, gbk.as_bytes()),
            (9, b"<</T(SigningPlan)/Kids[10 0 R 11 0 R]>>"),
            (10, b"<</FT/Sig/T(a)/Parent 9 0 R/Subtype/Widget/Rect[0 0 9 9]/V<</Type/Sig/Contents<00>/ByteRange[0 1 2 3]>>>>"),
            (11, b"<</FT/Sig/T(b)/Parent 9 0 R/Subtype/Widget/Rect[0 0 9 9]>>"),
        ],
    );
    write("seeds/text_search/script", &script);
    for (index, document) in made::files("documents").iter().enumerate() {
        write(&format!("seeds/text_search/document-{index}.pdf"), document);
    }
}
