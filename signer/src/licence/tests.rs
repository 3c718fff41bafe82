//! Forms of the marital proof: what is refused, by field and rule, and what a good one becomes.

use serde_json::{Value, json};

use super::*;

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
    let (Value::Object(mut fields), Value::Object(changes)) = (form(), changes) else {
        panic!("both are objects");
    };
    fields.extend(changes);
    Value::Object(fields)
}

fn error(changes: Value) -> FieldError {
    LicenceType::marital_proof()
        .validate(&with(changes))
        .unwrap_err()
}

#[test]
fn each_broken_rule_names_its_field_and_itself() {
    let code = |error| FieldRule::Code(error);
    for (changes, field, rule, reason) in [
        (
            json!({"spouse_citizen_number": "449900198709231022"}),
            "spouse_citizen_number",
            code(CodeError::CheckCharacter {
                found: '2',
                expected: '1',
            }),
            "FIELD_CHECK_CHARACTER",
        ),
        (
            json!({"holder_citizen_number": "44990019850612101"}),
            "holder_citizen_number",
            code(CodeError::Length {
                expected: 18,
                actual: 17,
            }),
            "FIELD_LENGTH",
        ),
        (
            json!({"holder_citizen_number": "449900198502301017"}),
            "holder_citizen_number",
            code(CodeError::BirthDate {
                text: "19850230".into(),
            }),
            "FIELD_BIRTH_DATE",
        ),
        (
            json!({"spouse_citizen_number": "449900198506121017"}),
            "spouse_citizen_number",
            FieldRule::SameAs {
                other: "holder_citizen_number".into(),
            },
            "FIELD_SAME",
        ),
        (
            json!({"holder_name": null}),
            "holder_name",
            FieldRule::Missing,
            "FIELD_MISSING",
        ),
        (
            json!({"holder_name": " \u{3000} "}),
            "holder_name",
            FieldRule::Missing,
            "FIELD_MISSING",
        ),
        (
            json!({"holder_name": 7}),
            "holder_name",
            FieldRule::JsonType { expected: "text" },
            "FIELD_TYPE",
        ),
        (
            json!({"holder_name": "张".repeat(51)}),
            "holder_name",
            FieldRule::TooLong {
                max: 50,
                actual: 51,
            },
            "FIELD_TOO_LONG",
        ),
        (
            json!({"holder_name": "张\u{202E}示例"}),
            "holder_name",
            FieldRule::Character {
                place: 2,
                code_point: 0x202E,
            },
            "FIELD_CHARACTER",
        ),
        (
            json!({"purpose": "第一行\n第二行"}),
            "purpose",
            FieldRule::Character {
                place: 4,
                code_point: 10,
            },
            "FIELD_CHARACTER",
        ),
        (
            json!({"purpose": "\u{E000}"}),
            "purpose",
            FieldRule::Character {
                place: 1,
                code_point: 0xE000,
            },
            "FIELD_CHARACTER",
        ),
        (
            json!({"biz_num": "案件1"}),
            "biz_num",
            FieldRule::Character {
                place: 1,
                code_point: 0x6848,
            },
            "FIELD_CHARACTER",
        ),
        (
            json!({"marriage_date": "2010-02-30"}),
            "marriage_date",
            FieldRule::Date,
            "FIELD_DATE",
        ),
        (
            json!({"no_certificate_reason": ""}),
            "marriage_certificate_number",
            FieldRule::AtLeastOne {
                fields: vec![
                    "marriage_certificate_number".into(),
                    "no_certificate_reason".into(),
                ],
            },
            "FIELD_AT_LEAST_ONE",
        ),
        (
            json!({"validity_days": 0}),
            "validity_days",
            FieldRule::Range {
                minimum: 1,
                maximum: 365,
            },
            "FIELD_RANGE",
        ),
        (
            json!({"validity_days": "99999999999999999999"}),
            "validity_days",
            FieldRule::Range {
                minimum: 1,
                maximum: 365,
            },
            "FIELD_RANGE",
        ),
        (
            json!({"validity_days": 1.5}),
            "validity_days",
            FieldRule::JsonType {
                expected: "a whole number",
            },
            "FIELD_TYPE",
        ),
        (
            json!({"phone": "110"}),
            "phone",
            FieldRule::Phone {
                actual: 3,
                minimum: 5,
                maximum: 20,
            },
            "FIELD_PHONE",
        ),
        (
            json!({"phone": "电话88880000"}),
            "phone",
            FieldRule::Character {
                place: 1,
                code_point: 0x7535,
            },
            "FIELD_CHARACTER",
        ),
        (
            json!({"nickname": "阿示"}),
            "nickname",
            FieldRule::Unknown,
            "FIELD_UNKNOWN",
        ),
    ] {
        let error = error(changes);
        assert_eq!(
            (error.field.as_str(), &error.rule, error.reason()),
            (field, &rule, reason)
        );
        assert!(!error.message_chinese().is_empty());
    }
}

#[test]
fn the_message_names_field_and_expected_character_but_not_the_number() {
    let error = error(json!({"spouse_citizen_number": "449900198709231022"}));
    assert_eq!(
        error.to_string(),
        "field \"spouse_citizen_number\": check character 2 is wrong, expected 1"
    );
    assert_eq!(
        error.message_chinese(),
        "配偶公民身份号码：校验码不正确，按规则应为1"
    );
}

#[test]
fn a_form_that_is_no_object_is_refused() {
    let error = LicenceType::marital_proof()
        .validate(&json!([1]))
        .unwrap_err();
    assert_eq!(
        (error.rule, error.field.as_str()),
        (FieldRule::NotAnObject, "")
    );
}

#[test]
fn all_complaints_about_a_form_come_in_one_go() {
    let fields = with(
        json!({"holder_name": "", "phone": "1", "nickname": "x", "spouse_citizen_number": "1"}),
    );
    let complaints = LicenceType::marital_proof().complaints(&fields);
    let named: Vec<&str> = complaints
        .iter()
        .map(|error| error.field.as_str())
        .collect();
    assert_eq!(
        named,
        ["nickname", "holder_name", "spouse_citizen_number", "phone"]
    );
    assert_eq!(LicenceType::marital_proof().complaints(&form()), []);
}

fn issued(fields: &Value, issue_date: CivilDate) -> Result<(Value, Metadata), FieldError> {
    let kind = LicenceType::marital_proof();
    let issuer = Issuer {
        name: "示范市示范镇示范村村民委员会".into(),
        code: "54449900MB0000019R".into(),
        division: "449900101201".into(),
    };
    let number = LicenceNumber::new(&issuer.division, issue_date.year(), 1).unwrap();
    let identifier =
        LicenceIdentifier::new(kind.type_code(), &issuer.code, &number.serial(), 1).unwrap();
    let issuance = Issuance {
        issuer: &issuer,
        number: &number,
        identifier: &identifier,
        issue_date,
    };
    let fields = kind.validate(fields)?;
    Ok((
        compose_inputs(&kind, &fields, &issuance)?,
        metadata(&kind, &fields, &issuance)?,
    ))
}

#[test]
fn a_good_form_becomes_inputs_and_metadata() {
    let (inputs, metadata) = issued(&form(), CivilDate::new(2026, 11, 22).unwrap()).unwrap();
    assert_eq!(inputs["number"], "449900101201-2026-000001");
    assert_eq!(
        inputs["issue_date"]["characters"],
        "二〇二六年十一月二十二日"
    );
    assert_eq!(inputs["expiring_date"]["digits"], "2026年12月22日");
    assert_eq!(inputs["fields"]["marriage_date"], "2010年5月20日");
    assert_eq!(inputs["fields"]["marriage_certificate_number"], Value::Null);
    assert_eq!(inputs["fields"]["validity_days"], 30);
    assert_eq!(metadata.certificate_holder_name, ["张示例", "李样本"]);
    assert_eq!(metadata.certificate_holder_type, ["111", "111"]);
    assert_eq!(metadata.certificate_expiring_date, "20261222");
    assert!(!format!("{metadata:?}").contains("张示例"));
    let masked = serde_json::to_value(metadata.masked()).unwrap();
    assert_eq!(
        masked["certificateHolderCode"],
        json!(["449900********1017", "449900********1021"])
    );
    assert_eq!(masked["certificateAreaCode"], "449900101201");
}

#[test]
fn blanks_at_the_ends_and_a_small_x_do_not_change_the_inputs() {
    let date = CivilDate::new(2026, 11, 22).unwrap();
    let blank = with(json!({"holder_name": " 张示例\u{3000}", "validity_days": "30"}));
    assert_eq!(
        issued(&blank, date).unwrap().0,
        issued(&form(), date).unwrap().0
    );
}

#[test]
fn a_day_after_the_day_of_issue_is_refused() {
    for (date, field) in [
        ((2009, 1, 1), "marriage_date"),
        ((1986, 1, 1), "spouse_citizen_number"),
    ] {
        let date = CivilDate::new(date.0, date.1, date.2).unwrap();
        let error = issued(&form(), date).unwrap_err();
        assert_eq!(
            (error.field.as_str(), error.rule),
            (field, FieldRule::AfterIssueDate)
        );
    }
}
