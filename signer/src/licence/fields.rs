//! A form's fields checked against the definition of their type.
//!
//! What comes out ([`ValidatedFields`]) can only be made here. Errors name the field and the
//! rule and never repeat the value, since they are logged and values are personal data.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use super::CivilDate;
use super::codes::{self, CitizenNumber, CodeError};
use super::licence_type::{Definition, FieldDefinition, FieldKind, Rule};

/// The first broken rule of a form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("field \"{field}\": {rule}")]
pub struct FieldError {
    /// The key of the field; empty when the fields as a whole are not an object.
    pub field: String,
    /// Its label on a Chinese form; the key again for a field that the type does not know.
    pub label: String,
    /// Which rule it breaks.
    pub rule: FieldRule,
}

/// The rules a field can break.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldRule {
    /// The fields are not a JSON object.
    #[error("the fields are not a JSON object")]
    NotAnObject,
    /// The type has no field of this key.
    #[error("the licence type has no such field")]
    Unknown,
    /// A required field is absent, null or blank.
    #[error("is required")]
    Missing,
    /// Neither text nor, where one is asked for, a whole number.
    #[error("is not {expected}")]
    JsonType {
        /// What is asked for.
        expected: &'static str,
    },
    /// Longer than the definition allows.
    #[error("{actual} characters, at most {max}")]
    TooLong {
        /// Characters allowed.
        max: usize,
        /// Characters that came.
        actual: usize,
    },
    /// A character that may not stand here: control, invisible, private use, or outside the kind's set.
    #[error("character U+{code_point:04X} is not allowed in place {place}")]
    Character {
        /// The place, counted from 1.
        place: usize,
        /// The character, as a code point: it may be invisible.
        code_point: u32,
    },
    /// A code that breaks the rule of its standard.
    #[error(transparent)]
    Code(CodeError),
    /// Not a day of the calendar in the shape `yyyy-MM-dd`.
    #[error("is not a day of the calendar in the shape yyyy-MM-dd")]
    Date,
    /// Outside the least and greatest value.
    #[error("is not between {minimum} and {maximum}")]
    Range {
        /// Least value.
        minimum: i64,
        /// Greatest value.
        maximum: i64,
    },
    /// Too few digits for a telephone number.
    #[error("has {actual} digits, a telephone number has {minimum} to {maximum}")]
    Phone {
        /// Digits that came.
        actual: usize,
        /// Fewest digits.
        minimum: usize,
        /// Most digits.
        maximum: usize,
    },
    /// Equal to another field that must differ from it.
    #[error("is the same as field \"{other}\"")]
    SameAs {
        /// The other field's key.
        other: String,
    },
    /// None of several fields is there, of which one must be.
    #[error("one of these fields is required: {}", fields.join(", "))]
    AtLeastOne {
        /// Their keys.
        fields: Vec<String>,
    },
    /// A day that lies after the day of issue.
    #[error("lies after the day of issue")]
    AfterIssueDate,
}

impl FieldError {
    /// The stable reason of the rule, for machines.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match &self.rule {
            FieldRule::NotAnObject => "FIELDS_NOT_AN_OBJECT",
            FieldRule::Unknown => "FIELD_UNKNOWN",
            FieldRule::Missing => "FIELD_MISSING",
            FieldRule::JsonType { .. } => "FIELD_TYPE",
            FieldRule::TooLong { .. } => "FIELD_TOO_LONG",
            FieldRule::Character { .. } | FieldRule::Code(CodeError::Character { .. }) => {
                "FIELD_CHARACTER"
            }
            FieldRule::Code(CodeError::Length { .. }) => "FIELD_LENGTH",
            FieldRule::Code(CodeError::BirthDate { .. }) => "FIELD_BIRTH_DATE",
            FieldRule::Code(CodeError::CheckCharacter { .. }) => "FIELD_CHECK_CHARACTER",
            FieldRule::Date => "FIELD_DATE",
            FieldRule::Range { .. } => "FIELD_RANGE",
            FieldRule::Phone { .. } => "FIELD_PHONE",
            FieldRule::SameAs { .. } => "FIELD_SAME",
            FieldRule::AtLeastOne { .. } => "FIELD_AT_LEAST_ONE",
            FieldRule::AfterIssueDate => "FIELD_AFTER_ISSUE_DATE",
        }
    }

    /// The complaint for a person at a Chinese form, with the field's label.
    #[must_use]
    pub fn message_chinese(&self) -> String {
        let rule = match &self.rule {
            FieldRule::NotAnObject => return "表单内容不是 JSON 对象".to_owned(),
            FieldRule::Unknown => "本类型证照没有这个字段".to_owned(),
            FieldRule::Missing => "必填".to_owned(),
            FieldRule::JsonType { .. } => "数据类型不对".to_owned(),
            FieldRule::TooLong { max, actual } => format!("共{actual}个字符，最多{max}个"),
            FieldRule::Character { place, code_point } => {
                format!("第{place}个字符（U+{code_point:04X}）不允许使用")
            }
            FieldRule::Code(CodeError::Length { expected, actual }) => {
                format!("应为{expected}位，现为{actual}位")
            }
            FieldRule::Code(CodeError::Character { place, .. }) => {
                format!("第{place}位的字符不符合编码规则")
            }
            FieldRule::Code(CodeError::BirthDate { .. }) => "其中的出生日期不存在".to_owned(),
            FieldRule::Code(CodeError::CheckCharacter { expected, .. }) => {
                format!("校验码不正确，按规则应为{expected}")
            }
            FieldRule::Date => "应为“年年年年-月月-日日”形式的真实日期".to_owned(),
            FieldRule::Range { minimum, maximum } => format!("应在{minimum}与{maximum}之间"),
            FieldRule::Phone {
                minimum, maximum, ..
            } => format!("电话号码应有{minimum}至{maximum}位数字"),
            FieldRule::SameAs { .. } => "与另一人的号码相同".to_owned(),
            FieldRule::AtLeastOne { .. } => "与其备选字段至少填写一项".to_owned(),
            FieldRule::AfterIssueDate => "晚于出具日期".to_owned(),
        };
        format!("{}：{rule}", self.label)
    }
}

/// The value of one field after its checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldValue {
    /// Text, telephone number or code, without blanks at its ends.
    Text(String),
    /// A citizen number.
    CitizenNumber(CitizenNumber),
    /// A day.
    Date(CivilDate),
    /// A whole number.
    Integer(i64),
}

impl FieldValue {
    /// The value as metadata and messages write it.
    #[must_use]
    pub fn to_text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::CitizenNumber(number) => number.as_str().to_owned(),
            Self::Date(date) => date.to_string(),
            Self::Integer(number) => number.to_string(),
        }
    }
}

/// A form's fields that satisfy every rule of their type.
///
/// `Debug` shows the keys only.
#[derive(Clone, PartialEq, Eq)]
pub struct ValidatedFields {
    values: BTreeMap<String, FieldValue>,
}

impl ValidatedFields {
    /// The value of a field, if the form has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&FieldValue> {
        self.values.get(key)
    }

    /// All values by key, sorted by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &FieldValue)> {
        self.values.iter().map(|(key, value)| (key.as_str(), value))
    }
}

impl fmt::Debug for ValidatedFields {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.values.keys()).finish()
    }
}

/// Everything wrong with a form; there is at least one thing.
pub(super) struct Complaints {
    pub(super) first: FieldError,
    pub(super) others: Vec<FieldError>,
}

/// Checks all fields: unknown ones, then each by its definition, then the rules over several.
pub(super) fn validate(
    definition: &Definition,
    fields: &Value,
) -> Result<ValidatedFields, Complaints> {
    let Value::Object(given) = fields else {
        let first = FieldError {
            field: String::new(),
            label: String::new(),
            rule: FieldRule::NotAnObject,
        };
        return Err(Complaints {
            first,
            others: Vec::new(),
        });
    };
    let mut errors: Vec<FieldError> = given
        .keys()
        .filter(|key| definition.field(key).is_none())
        .take(UNKNOWN_FIELDS_REPORTED_MAX)
        .map(|key| {
            let key: String = key.chars().take(UNKNOWN_KEY_SHOWN_MAX).collect();
            FieldError {
                label: key.clone(),
                field: key,
                rule: FieldRule::Unknown,
            }
        })
        .collect();
    let mut values = BTreeMap::new();
    for field in &definition.fields {
        match read_field(field, given.get(&field.key)) {
            Ok(Some(value)) => {
                values.insert(field.key.clone(), value);
            }
            Ok(None) => {}
            Err(rule) => errors.push(complaint(field, rule)),
        }
    }
    errors.extend(broken_rules(definition, &values, given));
    let mut errors = errors.into_iter();
    match errors.next() {
        Some(first) => Err(Complaints {
            first,
            others: errors.collect(),
        }),
        None => Ok(ValidatedFields { values }),
    }
}

/// The rules that need the day of issue.
pub(super) fn check_issue_date(
    definition: &Definition,
    fields: &ValidatedFields,
    issue_date: CivilDate,
) -> Result<(), FieldError> {
    for rule in &definition.rules {
        let Rule::NotAfterIssue { field: key } = rule else {
            continue;
        };
        let day = match fields.get(key) {
            Some(FieldValue::Date(day)) => *day,
            Some(FieldValue::CitizenNumber(number)) => number.birth_date(),
            Some(FieldValue::Text(_) | FieldValue::Integer(_)) | None => continue,
        };
        if let Some(field) = definition.field(key).filter(|_| day > issue_date) {
            return Err(complaint(field, FieldRule::AfterIssueDate));
        }
    }
    Ok(())
}

/// A caller who sends rubbish gets a few examples of it back, cut short.
const UNKNOWN_FIELDS_REPORTED_MAX: usize = 10;
const UNKNOWN_KEY_SHOWN_MAX: usize = 64;

/// ITU-T E.164 allows 15 digits; an extension may follow. The shortest service numbers have 5.
const PHONE_DIGITS: (usize, usize) = (5, 20);

fn complaint(field: &FieldDefinition, rule: FieldRule) -> FieldError {
    FieldError {
        field: field.key.clone(),
        label: field.label.clone(),
        rule,
    }
}

/// The rules over several fields, on what has been read so far.
fn broken_rules(
    definition: &Definition,
    values: &BTreeMap<String, FieldValue>,
    given: &serde_json::Map<String, Value>,
) -> Vec<FieldError> {
    let mut errors = Vec::new();
    for rule in &definition.rules {
        match rule {
            Rule::Different {
                fields: [first, second],
            } => {
                let same = values.contains_key(first) && values.get(first) == values.get(second);
                if let Some(field) = definition.field(second).filter(|_| same) {
                    errors.push(complaint(
                        field,
                        FieldRule::SameAs {
                            other: first.clone(),
                        },
                    ));
                }
            }
            Rule::AtLeastOne { fields } => {
                // A field that is there but wrong has its own complaint already.
                let none = !fields
                    .iter()
                    .any(|key| given.get(key).is_some_and(|value| !is_blank(value)));
                if let Some(field) = fields
                    .first()
                    .and_then(|key| definition.field(key))
                    .filter(|_| none)
                {
                    errors.push(complaint(
                        field,
                        FieldRule::AtLeastOne {
                            fields: fields.clone(),
                        },
                    ));
                }
            }
            Rule::NotAfterIssue { .. } => {}
        }
    }
    errors
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

fn read_field(
    field: &FieldDefinition,
    given: Option<&Value>,
) -> Result<Option<FieldValue>, FieldRule> {
    let Some(given) = given.filter(|value| !is_blank(value)) else {
        let default = match field.kind {
            FieldKind::Integer { default, .. } => default.map(FieldValue::Integer),
            FieldKind::Text { .. }
            | FieldKind::CitizenNumber
            | FieldKind::Date
            | FieldKind::Phone
            | FieldKind::Code { .. } => None,
        };
        return if field.required && default.is_none() {
            Err(FieldRule::Missing)
        } else {
            Ok(default)
        };
    };
    if let FieldKind::Integer {
        minimum, maximum, ..
    } = field.kind
    {
        return read_integer(given, minimum, maximum).map(Some);
    }
    let Value::String(text) = given else {
        return Err(FieldRule::JsonType { expected: "text" });
    };
    let text = text.trim();
    let value = match &field.kind {
        FieldKind::Text { length_max } => {
            require_length(text, *length_max)?;
            require_characters(text, is_printable)?;
            FieldValue::Text(text.to_owned())
        }
        FieldKind::CitizenNumber => {
            FieldValue::CitizenNumber(codes::citizen_number(text).map_err(FieldRule::Code)?)
        }
        FieldKind::Date => FieldValue::Date(CivilDate::parse(text).ok_or(FieldRule::Date)?),
        FieldKind::Phone => FieldValue::Text(read_phone(text)?),
        FieldKind::Code { length_max } => {
            require_length(text, *length_max)?;
            require_characters(text, |character| character.is_ascii_graphic())?;
            FieldValue::Text(text.to_owned())
        }
        FieldKind::Integer {
            minimum, maximum, ..
        } => read_integer(given, *minimum, *maximum)?,
    };
    Ok(Some(value))
}

fn read_integer(given: &Value, minimum: i64, maximum: i64) -> Result<FieldValue, FieldRule> {
    const EXPECTED: FieldRule = FieldRule::JsonType {
        expected: "a whole number",
    };
    let number = match given {
        Value::Number(number) => number.as_i64().ok_or(EXPECTED)?,
        Value::String(text) if text.trim().bytes().all(|byte| byte.is_ascii_digit()) => text
            .trim()
            .parse()
            .map_err(|_| FieldRule::Range { minimum, maximum })?,
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(EXPECTED);
        }
    };
    if (minimum..=maximum).contains(&number) {
        Ok(FieldValue::Integer(number))
    } else {
        Err(FieldRule::Range { minimum, maximum })
    }
}

fn read_phone(text: &str) -> Result<String, FieldRule> {
    require_length(text, 2 * PHONE_DIGITS.1)?;
    require_characters(text, |character| {
        character.is_ascii_digit() || "+-() ".contains(character)
    })?;
    let actual = text.bytes().filter(u8::is_ascii_digit).count();
    let (minimum, maximum) = PHONE_DIGITS;
    if (minimum..=maximum).contains(&actual) {
        Ok(text.to_owned())
    } else {
        Err(FieldRule::Phone {
            actual,
            minimum,
            maximum,
        })
    }
}

fn require_length(text: &str, max: usize) -> Result<(), FieldRule> {
    let actual = text.chars().count();
    if actual <= max {
        Ok(())
    } else {
        Err(FieldRule::TooLong { max, actual })
    }
}

fn require_characters(text: &str, allowed: impl Fn(char) -> bool) -> Result<(), FieldRule> {
    match text
        .chars()
        .zip(1..)
        .find(|(character, _)| !allowed(*character))
    {
        Some((character, place)) => Err(FieldRule::Character {
            place,
            code_point: character.into(),
        }),
        None => Ok(()),
    }
}

/// Whether a reader of the page sees the same character as a machine: no control characters,
/// nothing invisible or that turns the direction of writing (a sealed name must not be able to
/// show as another), nothing of private use (no two systems agree on it), no noncharacters.
fn is_printable(character: char) -> bool {
    let hidden = matches!(u32::from(character),
        0x00AD | 0x034F | 0x061C | 0x115F | 0x1160 | 0x180B..=0x180F | 0x200B..=0x200F | 0x2028..=0x202E
        | 0x2060..=0x206F | 0x3164 | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFD | 0x1D173..=0x1D17A | 0xE0000..=0xE00FF);
    let private = matches!(u32::from(character), 0xE000..=0xF8FF | 0xF_0000..);
    let noncharacter = matches!(u32::from(character) & 0xFFFF, 0xFFFE..=0xFFFF)
        || matches!(u32::from(character), 0xFDD0..=0xFDEF);
    !character.is_control() && !hidden && !private && !noncharacter
}
