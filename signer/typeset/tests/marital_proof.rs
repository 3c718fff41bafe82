//! The marital proof on its page: from the form to the PDF, as the service does it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::{ask, typesetter};
use serde_json::{Value, json};
use yinxin_signer::licence::{
    CivilDate, Issuance, Issuer, LicenceIdentifier, LicenceNumber, LicenceType, compose,
    compose_inputs, qr_svg,
};

/// 2026-11-22T08:00:00Z.
const CREATED: i64 = 1_795_334_400;

fn form() -> Value {
    json!({
        "holder_name": "张示例",
        "holder_citizen_number": "449900198506121017",
        "holder_address": "示范市示范镇示范村一组1号",
        "spouse_name": "李样本",
        "spouse_citizen_number": "449900198709231021",
        "spouse_address": "示范市示范镇示范村一组1号",
        "marriage_date": "2010-05-20",
        "no_certificate_reason": "结婚证遗失，正在补领",
        "receiving_unit": "示范市不动产登记中心",
        "purpose": "房屋产权登记",
        "handler": "王经办",
        "phone": "0769-88880000",
        "biz_num": "SF-2026-0001"
    })
}

fn with(changes: Value) -> Value {
    let mut fields = form();
    for (key, value) in changes.as_object().unwrap() {
        fields[key] = value.clone();
    }
    fields
}

/// The PDF of a form, or nothing after a visible skip.
fn pdf(form: &Value, issuer_name: &str) -> Option<Vec<u8>> {
    let typesetter = typesetter()?;
    let kind = LicenceType::marital_proof();
    let issuer = Issuer {
        name: issuer_name.to_owned(),
        code: "54449900MB0000019R".to_owned(),
        division: "449900101201".to_owned(),
    };
    let issue_date = CivilDate::in_china(CREATED).unwrap();
    let number = LicenceNumber::new(&issuer.division, issue_date.year(), 1).unwrap();
    let identifier =
        LicenceIdentifier::new(kind.type_code(), &issuer.code, &number.serial(), 1).unwrap();
    let issuance = Issuance {
        issuer: &issuer,
        number: &number,
        identifier: &identifier,
        issue_date,
    };
    let fields = kind.validate(form).unwrap();
    let inputs = compose_inputs(&kind, &fields, &issuance).unwrap();
    let qr = qr_svg(&identifier).unwrap().into_bytes();
    Some(
        typesetter
            .typeset(kind.template(), &inputs, &[(compose::QR_FILE, qr)], CREATED)
            .unwrap(),
    )
}

const VILLAGE: &str = "示范市示范镇示范村村民委员会";

/// A word on the page: left, top, right, bottom in millimetres, and its text.
struct Word(f64, f64, f64, f64, String);

/// The words of each page, by pdftotext.
fn pages(pdf: &[u8]) -> Option<Vec<Vec<Word>>> {
    let (_, xml) = ask("pdftotext", &["-bbox"], pdf, &["-"])?;
    let pages = xml.split("<page ").skip(1).map(|page| {
        let words = page.split("<word ").skip(1).map(|word| {
            let number = |name: &str| {
                let (_, rest) = word.split_once(&format!("{name}=\"")).unwrap();
                rest.split('"').next().unwrap().parse::<f64>().unwrap() / 72.0 * 25.4
            };
            let text = word.split(['>', '<']).nth(1).unwrap().to_owned();
            Word(
                number("xMin"),
                number("yMin"),
                number("xMax"),
                number("yMax"),
                text,
            )
        });
        words.collect()
    });
    Some(pages.collect())
}

#[test]
fn the_proof_says_what_the_form_says() {
    let Some(pdf) = pdf(&form(), VILLAGE) else {
        return;
    };
    if let Some((sound, report)) = ask("qpdf", &["--check"], &pdf, &[]) {
        assert!(sound, "{report}");
    }
    let Some((_, words)) = ask("pdftotext", &[], &pdf, &["-"]) else {
        return;
    };
    let words: String = words.split_whitespace().collect();
    for expected in [
        "编号：449900101201-2026-000001",
        "夫妻关系证明",
        "示范市不动产登记中心：",
        "兹证明张示例（公民身份号码：449900198506121017）与李样本（公民身份号码：449900198709231021）系夫妻关系，",
        "双方户籍地址均为示范市示范镇示范村一组1号。双方于2010年5月20日结婚。",
        "未能出示结婚证的原因：结婚证遗失，正在补领。",
        "本证明仅用于办理房屋产权登记，他用无效。",
        "本证明自出具之日起30日内有效（至2026年12月22日）。",
        "特此证明。",
        "二〇二六年十一月二十二日",
        "经办人：王经办，联系电话：0769-88880000",
        "扫码核验",
        "1.2.156.3005.2.11449900MB0000000A001.54449900MB0000019R.4499001012012026000001.001.",
        "业务流水号：SF-2026-0001",
    ] {
        assert!(words.contains(expected), "{expected} is not in {words}");
    }
}

#[test]
fn the_seal_lies_over_issuer_and_date_and_over_nothing_else() {
    let longest = "字".repeat(100);
    let long = with(json!({
        "holder_name": "长".repeat(50),
        "spouse_name": "W".repeat(50),
        "holder_address": longest,
        "spouse_address": "址".repeat(100),
        "marriage_certificate_number": "W".repeat(40),
        "no_certificate_reason": longest,
        "receiving_unit": "位".repeat(50),
        "purpose": longest,
        "handler": "办".repeat(30),
        "phone": "+86 (0769) 8888-0000-123456",
        "biz_num": "W".repeat(64),
    }));
    let town = "示范省示范自治州示范自治县示范民族自治镇示范民族村村民委员会";
    let seal = LicenceType::marital_proof().seal();
    for (form, issuer) in [(form(), VILLAGE), (long, town)] {
        let Some(pages) = pdf(&form, issuer).and_then(|pdf| pages(&pdf)) else {
            return;
        };
        assert_eq!(pages.len(), 1);
        let mut under_the_seal = Vec::new();
        for Word(left, top, right, bottom, text) in &pages[seal.page_index] {
            assert!(
                *left >= 20.0 && *right <= 190.0 && *top >= 10.0 && *bottom <= 287.0,
                "{text} runs off the page"
            );
            let (x, y) = (
                seal.centre_x_mm.clamp(*left, *right),
                seal.centre_y_mm.clamp(*top, *bottom),
            );
            if (x - seal.centre_x_mm).hypot(y - seal.centre_y_mm) < seal.diameter_mm / 2.0 {
                under_the_seal.push((text.as_str(), (left + right) / 2.0));
            }
        }
        // A long name of an issuer takes two lines.
        let texts: String = under_the_seal.iter().map(|(text, _)| *text).collect();
        assert_eq!(texts, format!("{issuer}二〇二六年十一月二十二日"));
        for (text, centre_mm) in under_the_seal {
            assert!(
                (centre_mm - seal.centre_x_mm).abs() < 1.0,
                "{text} is centred at {centre_mm} mm"
            );
        }
    }
}

#[test]
fn what_is_known_of_the_marriage_chooses_the_sentence() {
    let none = Value::Null;
    for (changes, expected) in [
        (
            json!({"marriage_certificate_number": "J449900-2010-000001", "no_certificate_reason": none}),
            "双方于2010年5月20日登记结婚，结婚证字号：J449900-2010-000001。本证明仅用于",
        ),
        (
            json!({"marriage_certificate_number": "J449900-2010-000001", "marriage_date": none,
                "no_certificate_reason": none}),
            "双方结婚证字号：J449900-2010-000001。本证明仅用于",
        ),
        (
            json!({"marriage_date": none, "spouse_address": "示范市示范镇样本村2号", "no_certificate_reason": "未领取。"}),
            "张示例的户籍地址为示范市示范镇示范村一组1号，李样本的户籍地址为示范市示范镇样本村2号。\
             未能出示结婚证的原因：未领取。本证明仅用于",
        ),
    ] {
        let Some(pdf) = pdf(&with(changes), VILLAGE) else {
            return;
        };
        let Some((_, words)) = ask("pdftotext", &[], &pdf, &["-"]) else {
            return;
        };
        let words: String = words.split_whitespace().collect();
        assert!(words.contains(expected), "{expected} is not in {words}");
    }
}

#[test]
fn names_with_rare_characters_are_set() {
    for name in ["喆堃翀玥昇珺彧赟镕㙓", "𠮷田·阿卜杜拉", "䶮𬭎"] {
        let Some(pdf) = pdf(&with(json!({ "holder_name": name })), VILLAGE) else {
            return;
        };
        let Some((_, words)) = ask("pdftotext", &[], &pdf, &["-"]) else {
            return;
        };
        let words: String = words.split_whitespace().collect();
        assert!(words.contains(name), "{name} is not in {words}");
    }
}

#[test]
fn a_form_cannot_write_code_into_the_page() {
    let name = r##"#read("inputs.json")"##;
    let Some(pdf) = pdf(
        &with(json!({ "holder_name": name, "purpose": "办理*贷款*。" })),
        VILLAGE,
    ) else {
        return;
    };
    let Some((_, words)) = ask("pdftotext", &[], &pdf, &["-"]) else {
        return;
    };
    let words: String = words.split_whitespace().collect();
    assert!(words.contains(name), "{words}");
    assert!(
        words.contains("本证明仅用于办理*贷款*，他用无效"),
        "{words}"
    );
}
