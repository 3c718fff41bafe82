//! A licence type as data: what a form must hold, who defines the type, where its seal goes
//! and which template draws it (the slots of GB/T 36902 and of the C-series outline that are
//! in use so far).
//!
//! A type is one TOML document and one template. Both are read whole before they are used;
//! unknown keys, fields named twice and rules about fields that do not exist are refused.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::codes::CodeError;
use super::fields::{self, FieldError, ValidatedFields};
use super::identifier::check_type_code;

/// Why a type definition is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LicenceTypeError {
    /// Not TOML of the right shape; the message of the reader names line and key.
    #[error("definition cannot be read: {message}")]
    Syntax {
        /// What the TOML reader says.
        message: String,
    },
    /// The defining authority's code and the serial are not a type code.
    #[error("type code: {cause}")]
    TypeCode {
        /// The rule it breaks.
        cause: CodeError,
    },
    /// Two fields have the same key.
    #[error("field {field} is defined twice")]
    FieldTwice {
        /// Their key.
        field: String,
    },
    /// A rule, a holder or the validity names a field that does not exist or is of another kind.
    #[error("{place} names field {field}, which is not defined as the kind it needs")]
    FieldUnknown {
        /// The part of the definition that names it.
        place: &'static str,
        /// The key it names.
        field: String,
    },
    /// An integer field whose least value is above its greatest, or whose default is outside.
    #[error("the limits of field {field} contradict each other")]
    FieldLimits {
        /// Its key.
        field: String,
    },
    /// The seal would not lie wholly on an A4 page.
    #[error("the seal does not lie on the page")]
    SealPlace,
}

/// A licence type that has passed its own checks.
#[derive(Clone, Debug)]
pub struct LicenceType {
    definition: Definition,
    type_code: String,
    template: String,
}

/// Where the seal goes: its centre, in millimetres from the upper left corner of the page.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealPlace {
    /// The page, from 0.
    pub page_index: usize,
    /// From the left edge to the centre of the seal.
    pub centre_x_mm: f64,
    /// From the upper edge to the centre of the seal.
    pub centre_y_mm: f64,
    /// The diameter for which the template leaves room; the seal itself has its own.
    pub diameter_mm: f64,
}

impl SealPlace {
    /// The upper left corner (x, y) in millimetres of a seal of this size on this place.
    #[must_use]
    pub fn upper_left_mm(&self, width_mm: f64, height_mm: f64) -> (f64, f64) {
        (
            self.centre_x_mm - width_mm / 2.0,
            self.centre_y_mm - height_mm / 2.0,
        )
    }
}

impl LicenceType {
    /// The type with this key that comes with the program, if there is one.
    #[must_use]
    pub fn built_in(key: &str) -> Option<Self> {
        (key == "marital-proof").then(Self::marital_proof)
    }

    /// 夫妻关系证明, a village proof: item 02 of the eleven kept in Dongguan.
    #[must_use]
    pub fn marital_proof() -> Self {
        Self::from_toml(
            include_str!("types/marital.toml"),
            include_str!("templates/marital.typ"),
        )
        .expect("the definition in this crate is read by a test")
    }

    /// Reads a definition and takes its template along.
    ///
    /// # Errors
    /// A [`LicenceTypeError`] for the first thing that does not hold.
    pub fn from_toml(definition: &str, template: &str) -> Result<Self, LicenceTypeError> {
        let definition: Definition =
            toml::from_str(definition).map_err(|error| LicenceTypeError::Syntax {
                message: error.to_string(),
            })?;
        let type_code = format!(
            "{}{}",
            definition.defining_authority.code, definition.serial
        );
        check_type_code(&type_code).map_err(|cause| LicenceTypeError::TypeCode { cause })?;
        definition.check()?;
        Ok(Self {
            definition,
            type_code,
            template: template.to_owned(),
        })
    }

    /// Checks the fields of a form against this type.
    ///
    /// # Errors
    /// The first [`FieldError`], in the order of the definition; unknown fields come first.
    pub fn validate(&self, fields: &serde_json::Value) -> Result<ValidatedFields, FieldError> {
        fields::validate(&self.definition, fields).map_err(|errors| errors.first)
    }

    /// Everything that is wrong with a form, so that a person can mend it in one go; empty if nothing is.
    #[must_use]
    pub fn complaints(&self, fields: &serde_json::Value) -> Vec<FieldError> {
        match fields::validate(&self.definition, fields) {
            Ok(_) => Vec::new(),
            Err(errors) => std::iter::once(errors.first).chain(errors.others).collect(),
        }
    }

    /// The short name by which requests and configuration call it, such as `marital-proof`.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.definition.key
    }

    /// 证照类型名称, also the title on the face.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.definition.name
    }

    /// The name in English.
    #[must_use]
    pub fn name_english(&self) -> &str {
        &self.definition.name_english
    }

    /// 证照类型代码 (GB/T 36904): the defining authority's credit code and three digits.
    #[must_use]
    pub fn type_code(&self) -> &str {
        &self.type_code
    }

    /// The fields, in the order of the form.
    #[must_use]
    pub fn fields(&self) -> &[FieldDefinition] {
        &self.definition.fields
    }

    /// Where the seal goes.
    #[must_use]
    pub fn seal(&self) -> SealPlace {
        self.definition.seal
    }

    /// The template's source.
    #[must_use]
    pub fn template(&self) -> &str {
        &self.template
    }

    pub(super) fn definition(&self) -> &Definition {
        &self.definition
    }
}

/// A definition as it stands in its TOML document.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Definition {
    key: String,
    name: String,
    name_english: String,
    /// CertificateCatalogType: 证照, 批文, 证明, 材料 or 证件.
    #[expect(
        dead_code,
        reason = "part of the definition; the directory service will serve it"
    )]
    catalogue: String,
    serial: String,
    defining_authority: Authority,
    pub(super) validity_days_field: String,
    seal: SealPlace,
    pub(super) holders: Vec<Holder>,
    pub(super) fields: Vec<FieldDefinition>,
    #[serde(default)]
    pub(super) rules: Vec<Rule>,
}

/// CertificateDefineAuthority of GB/T 36902.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Authority {
    #[expect(
        dead_code,
        reason = "part of the definition; the directory service will serve it"
    )]
    name: String,
    code: String,
    #[expect(
        dead_code,
        reason = "part of the definition; the directory service will serve it"
    )]
    level: String,
}

/// One holder (持证主体): which fields hold name and code, and the code's type in GB/T 36903.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Holder {
    pub(super) name_field: String,
    pub(super) code_field: String,
    pub(super) code_type: String,
    pub(super) code_type_name: String,
}

/// One field of the form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FieldDefinition {
    /// Its key in the JSON of a request.
    pub key: String,
    /// Its label on a Chinese form.
    pub label: String,
    /// Its label on an English form.
    pub label_english: String,
    /// What it holds, with the limits of that kind.
    pub kind: FieldKind,
    /// Whether a form without it is refused.
    #[serde(default)]
    pub required: bool,
}

/// What a field holds.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum FieldKind {
    /// One line of text.
    Text {
        /// Characters at most.
        length_max: usize,
    },
    /// A citizen number (GB 11643).
    CitizenNumber,
    /// A day, `yyyy-MM-dd`.
    Date,
    /// A whole number, as a JSON number or as digits.
    Integer {
        /// Least value.
        minimum: i64,
        /// Greatest value.
        maximum: i64,
        /// Taken when the field is absent.
        default: Option<i64>,
    },
    /// A telephone number: digits, `+`, `-`, spaces and brackets.
    Phone,
    /// A code of another system, such as a case number: visible ASCII, never interpreted.
    Code {
        /// Characters at most.
        length_max: usize,
    },
}

/// A rule over several fields.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Rule {
    /// The two fields must not be equal.
    Different { fields: [String; 2] },
    /// At least one of the fields is there.
    AtLeastOne { fields: Vec<String> },
    /// A day (or the birth date in a citizen number) that does not lie after the day of issue.
    NotAfterIssue { field: String },
}

/// A4 (ISO 216).
const PAGE_MM: (f64, f64) = (210.0, 297.0);

impl Definition {
    /// The field with this key.
    pub(super) fn field(&self, key: &str) -> Option<&FieldDefinition> {
        self.fields.iter().find(|field| field.key == key)
    }

    fn check(&self) -> Result<(), LicenceTypeError> {
        let mut keys = BTreeSet::new();
        for field in &self.fields {
            if !keys.insert(&field.key) {
                return Err(LicenceTypeError::FieldTwice {
                    field: field.key.clone(),
                });
            }
            if let FieldKind::Integer {
                minimum,
                maximum,
                default,
            } = field.kind
            {
                let inside = |value: i64| (minimum..=maximum).contains(&value);
                if minimum > maximum || !default.is_none_or(inside) {
                    return Err(LicenceTypeError::FieldLimits {
                        field: field.key.clone(),
                    });
                }
            }
        }
        let require = |place: &'static str, key: &str, fits: fn(&FieldDefinition) -> bool| {
            let unknown = || LicenceTypeError::FieldUnknown {
                place,
                field: key.to_owned(),
            };
            self.field(key)
                .filter(|field| fits(field))
                .map(|_| ())
                .ok_or_else(unknown)
        };
        let always_there = |field: &FieldDefinition| {
            let counts_days = matches!(
                field.kind,
                FieldKind::Integer {
                    minimum: 1..,
                    maximum: ..=DAYS_MAX,
                    ..
                }
            );
            counts_days
                && (field.required
                    || matches!(
                        field.kind,
                        FieldKind::Integer {
                            default: Some(_),
                            ..
                        }
                    ))
        };
        require(
            "validity_days_field",
            &self.validity_days_field,
            always_there,
        )?;
        for holder in &self.holders {
            require("holders", &holder.name_field, |field| field.required)?;
            require("holders", &holder.code_field, |field| field.required)?;
        }
        for rule in &self.rules {
            match rule {
                Rule::Different { fields } => {
                    fields
                        .iter()
                        .try_for_each(|key| require("rules", key, |_| true))?;
                }
                Rule::AtLeastOne { fields } => {
                    fields
                        .iter()
                        .try_for_each(|key| require("rules", key, |_| true))?;
                }
                Rule::NotAfterIssue { field } => {
                    let dated = |field: &FieldDefinition| {
                        matches!(field.kind, FieldKind::Date | FieldKind::CitizenNumber)
                    };
                    require("rules", field, dated)?;
                }
            }
        }
        let SealPlace {
            centre_x_mm,
            centre_y_mm,
            diameter_mm,
            ..
        } = self.seal;
        let radius = diameter_mm / 2.0;
        let on_page =
            |centre: f64, length: f64| centre - radius >= 0.0 && centre + radius <= length;
        let positive = diameter_mm > 0.0;
        if !positive || !on_page(centre_x_mm, PAGE_MM.0) || !on_page(centre_y_mm, PAGE_MM.1) {
            return Err(LicenceTypeError::SealPlace);
        }
        Ok(())
    }
}

/// A hundred years; beyond that a proof is for ever, which is another rule.
const DAYS_MAX: i64 = 36_500;

#[cfg(test)]
mod tests {
    use super::*;

    const MARITAL: &str = include_str!("types/marital.toml");

    #[test]
    fn the_definition_that_comes_with_the_program_is_sound() {
        let kind = LicenceType::built_in("marital-proof").unwrap();
        assert_eq!(kind.name(), "夫妻关系证明");
        assert_eq!(kind.type_code().len(), 21);
        assert_eq!(
            kind.seal().upper_left_mm(42.0, 42.0),
            (
                kind.seal().centre_x_mm - 21.0,
                kind.seal().centre_y_mm - 21.0
            )
        );
        assert!(LicenceType::built_in("no-such-type").is_none());
    }

    #[test]
    fn a_definition_that_contradicts_itself_is_refused() {
        let read = |from: &str, to: &str| {
            assert!(MARITAL.contains(from), "{from} is not in the definition");
            LicenceType::from_toml(&MARITAL.replacen(from, to, 1), "").unwrap_err()
        };
        assert!(matches!(
            read("serial = \"001\"", "serial = \"01\""),
            LicenceTypeError::TypeCode { .. }
        ));
        assert!(matches!(
            read("catalogue =", "catalog ="),
            LicenceTypeError::Syntax { .. }
        ));
        assert!(matches!(
            read(
                "validity_days_field = \"validity_days\"",
                "validity_days_field = \"purpose\""
            ),
            LicenceTypeError::FieldUnknown {
                place: "validity_days_field",
                ..
            }
        ));
        assert!(matches!(
            read("key = \"spouse_name\"", "key = \"holder_name\""),
            LicenceTypeError::FieldTwice { .. }
        ));
        assert!(matches!(
            read("default = 30", "default = 0"),
            LicenceTypeError::FieldLimits { .. }
        ));
        assert!(matches!(
            read("centre_x_mm = ", "centre_x_mm = 9"),
            LicenceTypeError::SealPlace
        ));
        assert!(matches!(
            read("field = \"marriage_date\"", "field = \"purpose\""),
            LicenceTypeError::FieldUnknown { place: "rules", .. }
        ));
    }
}
