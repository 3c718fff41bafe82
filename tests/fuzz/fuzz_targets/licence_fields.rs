//! Forms, identifiers and codes as text from outside.
//!
//! Laws: a form is valid exactly if there is no complaint, and the first complaint is the error;
//! a valid form can be composed; errors never repeat the value; an identifier is written as it was
//! read.
#![no_main]

use std::sync::OnceLock;

use libfuzzer_sys::fuzz_target;
use yinxin_signer::licence::{
    CivilDate, FieldRule, Issuance, Issuer, LicenceIdentifier, LicenceNumber, LicenceType,
    citizen_number, compose_inputs, metadata, organization_code, unified_credit_code,
};

fn licence_type() -> &'static LicenceType {
    static TYPE: OnceLock<LicenceType> = OnceLock::new();
    TYPE.get_or_init(LicenceType::marital_proof)
}

fuzz_target!(|input: &[u8]| {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(fields) = serde_json::from_str(text) {
        form(&fields);
    }
    if let Ok(identifier) = LicenceIdentifier::parse(text) {
        assert_eq!(identifier.to_string(), text);
        if identifier.findings().is_empty() {
            let version = identifier.version().parse().expect("three digits");
            let (type_code, issuer) = (identifier.type_code(), identifier.issuer_code());
            let serial = identifier.serial();
            if serial.len() <= 64 {
                let again = LicenceIdentifier::new(type_code, issuer, serial, version);
                assert_eq!(again.as_ref(), Ok(&identifier));
            }
        }
    }
    let _ = (
        citizen_number(text).map(|_| ()),
        organization_code(text).map(|_| ()),
        unified_credit_code(text).map(|_| ()),
        CivilDate::parse(text),
    );
    let _ = LicenceType::from_toml(text, "");
});

fn form(fields: &serde_json::Value) {
    let kind = licence_type();
    let complaints = kind.complaints(fields);
    match kind.validate(fields) {
        Ok(valid) => {
            assert_eq!(complaints, []);
            let issue_date = CivilDate::new(2026, 11, 22).expect("a day");
            let issuer = Issuer {
                name: "示范市示范镇示范村村民委员会".into(),
                code: "54449900MB0000019R".into(),
                division: "449900101201".into(),
            };
            let number = LicenceNumber::new(&issuer.division, 2026, 1).expect("a number");
            let identifier =
                LicenceIdentifier::new(kind.type_code(), &issuer.code, &number.serial(), 1)
                    .expect("an identifier");
            let issuance = Issuance {
                issuer: &issuer,
                number: &number,
                identifier: &identifier,
                issue_date,
            };
            let inputs = compose_inputs(kind, &valid, &issuance);
            let metadata = metadata(kind, &valid, &issuance);
            assert_eq!(inputs.is_ok(), metadata.is_ok());
        }
        Err(error) => {
            assert_eq!(complaints.first(), Some(&error));
            for complaint in &complaints {
                assert!(!complaint.message_chinese().is_empty());
                assert!(!complaint.reason().is_empty());
                let message = complaint.to_string();
                let value = fields
                    .get(&complaint.field)
                    .and_then(|value| value.as_str());
                // Short ones occur in any message; a key that nobody knows is shown, whatever it is.
                let repeated = |value: &str| {
                    value.len() >= 12
                        && complaint.rule != FieldRule::Unknown
                        && message.contains(value)
                };
                assert!(!value.is_some_and(repeated), "{message}");
            }
        }
    }
}
