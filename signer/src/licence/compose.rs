//! From checked fields and the facts of an issuance to the template's inputs and to the
//! metadata of GB/T 36903.

use std::fmt;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::codes::mask;
use super::fields::{FieldError, FieldRule, FieldValue, ValidatedFields, check_issue_date};
use super::{CivilDate, LicenceIdentifier, LicenceNumber, LicenceType};

/// The name under which the template finds the QR code of [`qr_svg`](super::qr_svg).
pub const QR_FILE: &str = "qr.svg";

/// Who issues (证照颁发机构).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer {
    /// Full name, as it stands on the seal and under the proof.
    pub name: String,
    /// Unified credit code.
    pub code: String,
    /// 12-digit division code.
    pub division: String,
}

/// What is known of one licence besides the form: decided by the service, not by the caller.
#[derive(Clone, Copy, Debug)]
pub struct Issuance<'a> {
    /// Who issues.
    pub issuer: &'a Issuer,
    /// The number on the face.
    pub number: &'a LicenceNumber,
    /// The identifier, also in the QR code.
    pub identifier: &'a LicenceIdentifier,
    /// The day of issue in China.
    pub issue_date: CivilDate,
}

/// The template's inputs: `type`, `issuer`, `number`, `identifier`, `issue_date` and
/// `expiring_date` (each in the ways a face writes dates), `qr` (the file name of the code)
/// and `fields` with every key of the type, `null` where the form has nothing. Dates in
/// fields are written 2015年5月20日.
///
/// # Errors
/// A [`FieldError`] when a day of the form lies after the day of issue, or when the validity
/// runs out of the calendar.
pub fn compose_inputs(
    licence_type: &LicenceType,
    fields: &ValidatedFields,
    issuance: &Issuance<'_>,
) -> Result<Value, FieldError> {
    check_issue_date(licence_type.definition(), fields, issuance.issue_date)?;
    let expiring_date = expiring_date(licence_type, fields, issuance.issue_date)?;
    let values: Map<String, Value> = licence_type
        .fields()
        .iter()
        .map(|field| {
            (
                field.key.clone(),
                fields.get(&field.key).map_or(Value::Null, face_value),
            )
        })
        .collect();
    Ok(json!({
        "type": { "key": licence_type.key(), "name": licence_type.name(), "name_english": licence_type.name_english() },
        "issuer": { "name": issuance.issuer.name, "code": issuance.issuer.code },
        "number": issuance.number.to_string(),
        "identifier": issuance.identifier.to_string(),
        "issue_date": face_date(issuance.issue_date),
        "expiring_date": face_date(expiring_date),
        "qr": QR_FILE,
        "fields": values,
    }))
}

/// The metadata of one licence under the English names in use for GB/T 36903 (spelled
/// `certificateName` and so on in JSON; 证照 is called certificate there).
///
/// `Debug` shows number and identifier only.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metadata {
    /// 证照名称.
    pub certificate_name: String,
    /// 证照类型代码.
    pub certificate_type_code: String,
    /// 证照编号.
    pub certificate_number: String,
    /// 证照标识.
    pub certificate_identifier: String,
    /// 证照版本号.
    pub certificate_version: String,
    /// 证照颁发机构.
    pub certificate_issuing_authority_name: String,
    /// 证照颁发机构代码.
    pub certificate_issuing_authority_code: String,
    /// 证照颁发日期, `yyyyMMdd`.
    pub certificate_issued_date: String,
    /// 持证主体; in step with the codes and their types.
    pub certificate_holder_name: Vec<String>,
    /// 持证主体代码.
    pub certificate_holder_code: Vec<String>,
    /// 持证主体代码类型.
    pub certificate_holder_type_name: Vec<String>,
    /// 持证主体代码类型代码 (GB/T 36903 appendix A).
    pub certificate_holder_type: Vec<String>,
    /// 证照有效期起始日期, `yyyyMMdd`.
    pub certificate_effective_date: String,
    /// 证照有效期截止日期, `yyyyMMdd`: the last day it is good.
    pub certificate_expiring_date: String,
    /// 所属行政区划.
    pub certificate_area_code: String,
}

impl Metadata {
    /// The same with the holders' codes masked (6 characters, stars, 4 characters): for
    /// everyone who has no need to see them whole.
    #[must_use]
    pub fn masked(mut self) -> Self {
        for code in &mut self.certificate_holder_code {
            *code = mask(code);
        }
        self
    }
}

impl fmt::Debug for Metadata {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Metadata")
            .field("certificate_number", &self.certificate_number)
            .field("certificate_identifier", &self.certificate_identifier)
            .finish_non_exhaustive()
    }
}

/// The metadata of a licence, as the catalogue and a receipt hold it.
///
/// # Errors
/// As [`compose_inputs`].
pub fn metadata(
    licence_type: &LicenceType,
    fields: &ValidatedFields,
    issuance: &Issuance<'_>,
) -> Result<Metadata, FieldError> {
    check_issue_date(licence_type.definition(), fields, issuance.issue_date)?;
    let expiring_date = expiring_date(licence_type, fields, issuance.issue_date)?;
    let holders = &licence_type.definition().holders;
    let text = |key: &String| fields.get(key).map(FieldValue::to_text).unwrap_or_default();
    Ok(Metadata {
        certificate_name: licence_type.name().to_owned(),
        certificate_type_code: licence_type.type_code().to_owned(),
        certificate_number: issuance.number.to_string(),
        certificate_identifier: issuance.identifier.to_string(),
        certificate_version: issuance.identifier.version().to_owned(),
        certificate_issuing_authority_name: issuance.issuer.name.clone(),
        certificate_issuing_authority_code: issuance.issuer.code.clone(),
        certificate_issued_date: issuance.issue_date.compact(),
        certificate_holder_name: holders
            .iter()
            .map(|holder| text(&holder.name_field))
            .collect(),
        certificate_holder_code: holders
            .iter()
            .map(|holder| text(&holder.code_field))
            .collect(),
        certificate_holder_type_name: holders
            .iter()
            .map(|holder| holder.code_type_name.clone())
            .collect(),
        certificate_holder_type: holders
            .iter()
            .map(|holder| holder.code_type.clone())
            .collect(),
        certificate_effective_date: issuance.issue_date.compact(),
        certificate_expiring_date: expiring_date.compact(),
        certificate_area_code: issuance.issuer.division.clone(),
    })
}

/// The last day of validity. The day of issue is not counted: a period in days begins on the
/// day after (Civil Code of China, Art. 201).
fn expiring_date(
    licence_type: &LicenceType,
    fields: &ValidatedFields,
    issue_date: CivilDate,
) -> Result<CivilDate, FieldError> {
    let key = &licence_type.definition().validity_days_field;
    let days = match fields.get(key) {
        Some(FieldValue::Integer(days)) => u32::try_from(*days).ok(),
        Some(FieldValue::Text(_) | FieldValue::CitizenNumber(_) | FieldValue::Date(_)) | None => {
            None
        }
    };
    days.and_then(|days| issue_date.plus_days(days))
        .ok_or_else(|| FieldError {
            field: key.clone(),
            label: licence_type
                .definition()
                .field(key)
                .map_or_else(String::new, |field| field.label.clone()),
            rule: FieldRule::Date,
        })
}

fn face_value(value: &FieldValue) -> Value {
    match value {
        FieldValue::Integer(number) => json!(number),
        FieldValue::Date(date) => json!(date.chinese_digits()),
        FieldValue::Text(_) | FieldValue::CitizenNumber(_) => json!(value.to_text()),
    }
}

fn face_date(date: CivilDate) -> Value {
    json!({ "iso": date.to_string(), "digits": date.chinese_digits(), "characters": date.chinese() })
}
