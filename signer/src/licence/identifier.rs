//! The licence identifier (电子证照标识) of GB/T 36904 with its ISO 7064 MOD 37,36 check
//! character.
//!
//! Issuing is strict. Reading is not: identifiers with short issuer codes, underscores or a
//! wrong check character exist in the field in numbers, so [`LicenceIdentifier::parse`] takes
//! what has the shape and [`LicenceIdentifier::findings`] says what is wrong with it. A wrong
//! check character is a finding of its own and never by itself a sign of forgery.

use std::fmt;

use super::codes::{self, CodeError, DIGITS_AND_CAPITALS, nth, position};

/// The root code of all licence identifiers (电子证照根代码).
pub const ROOT: &str = "1.2.156.3005.2";

/// Longest identifier read. The longest seen in practice has 103 characters.
const IDENTIFIER_LENGTH_MAX: usize = 256;

/// Longest serial number issued. The longest seen in practice has 32 characters.
const SERIAL_LENGTH_MAX: usize = 64;

/// Why a text is not an identifier, or why one cannot be issued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierError {
    /// Longer than any identifier may be.
    #[error("{actual} bytes, at most {max} are read")]
    TooLong {
        /// Bytes that came.
        actual: usize,
        /// Bytes that are read at most.
        max: usize,
    },
    /// It does not begin with [`ROOT`] and a full stop.
    #[error("does not begin with the root code {ROOT}")]
    Root,
    /// Not five parts after the root.
    #[error("{actual} parts after the root, expected 5")]
    Parts {
        /// The parts that were there.
        actual: usize,
    },
    /// A part is empty or has a character that no identifier has.
    #[error(
        "part {part} is empty or has a character other than ASCII letters, digits, `-` and `_`"
    )]
    PartCharacters {
        /// Its name.
        part: &'static str,
    },
    /// The check part is not one character of `0-9A-Z`.
    #[error("the check part is not one character of 0-9A-Z")]
    CheckShape,
    /// Issuing: the type code is not a credit code and three digits.
    #[error("type code: {cause}")]
    TypeCode {
        /// The rule it breaks.
        cause: CodeError,
    },
    /// Issuing: the issuer code is not a unified credit code.
    #[error("issuer code: {cause}")]
    IssuerCode {
        /// The rule it breaks.
        cause: CodeError,
    },
    /// Issuing: the serial is empty, too long or not digits and capital letters.
    #[error("the serial is not 1 to {SERIAL_LENGTH_MAX} digits and capital letters")]
    Serial,
    /// Issuing: versions run from 1 to 999.
    #[error("version {version} is not between 1 and 999")]
    Version {
        /// The version asked for.
        version: u16,
    },
}

/// What is wrong with an identifier that has the right shape; for the verifier's policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentifierFinding {
    /// The check character is not the one the rule gives.
    #[error("check character {found} is wrong, expected {expected}")]
    CheckCharacterWrong {
        /// What stood there.
        found: char,
        /// What ISO 7064 MOD 37,36 gives.
        expected: char,
    },
    /// The type code is not a credit code and three digits.
    #[error("type code: {cause}")]
    TypeCode {
        /// The rule it breaks.
        cause: CodeError,
    },
    /// The issuer code is not a unified credit code.
    #[error("issuer code: {cause}")]
    IssuerCode {
        /// The rule it breaks.
        cause: CodeError,
    },
    /// The serial has characters other than digits and capital letters.
    #[error("the serial has characters other than digits and capital letters")]
    SerialCharacters,
    /// The version is not three digits from 001.
    #[error("the version is not three digits from 001")]
    Version,
}

/// A licence identifier: `1.2.156.3005.2.<type>.<issuer>.<serial>.<version>.<check>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LicenceIdentifier {
    type_code: String,
    issuer_code: String,
    serial: String,
    version: String,
    check: char,
}

impl LicenceIdentifier {
    /// A new identifier, as strict as GB/T 36904: the type code is a unified credit code and
    /// three digits, the issuer code a unified credit code, the serial digits and capital
    /// letters, the version 1 to 999; the check character is worked out.
    ///
    /// # Errors
    /// The variants of [`IdentifierError`] marked «Issuing».
    pub fn new(
        type_code: &str,
        issuer_code: &str,
        serial: &str,
        version: u16,
    ) -> Result<Self, IdentifierError> {
        check_type_code(type_code).map_err(|cause| IdentifierError::TypeCode { cause })?;
        codes::unified_credit_code(issuer_code)
            .map_err(|cause| IdentifierError::IssuerCode { cause })?;
        if serial.len() > SERIAL_LENGTH_MAX || !is_serial(serial) {
            return Err(IdentifierError::Serial);
        }
        if !(1..=999).contains(&version) {
            return Err(IdentifierError::Version { version });
        }
        let version = format!("{version:03}");
        Ok(Self {
            check: check_character([type_code, issuer_code, serial, &version]),
            type_code: type_code.to_owned(),
            issuer_code: issuer_code.to_owned(),
            serial: serial.to_owned(),
            version,
        })
    }

    /// Reads an identifier as it may come from anywhere; what [`findings`](Self::findings)
    /// can report is not an error here.
    ///
    /// # Errors
    /// [`IdentifierError::TooLong`], [`Root`](IdentifierError::Root),
    /// [`Parts`](IdentifierError::Parts), [`PartCharacters`](IdentifierError::PartCharacters)
    /// or [`CheckShape`](IdentifierError::CheckShape).
    pub fn parse(text: &str) -> Result<Self, IdentifierError> {
        if text.len() > IDENTIFIER_LENGTH_MAX {
            return Err(IdentifierError::TooLong {
                actual: text.len(),
                max: IDENTIFIER_LENGTH_MAX,
            });
        }
        let rest = text
            .strip_prefix(ROOT)
            .and_then(|rest| rest.strip_prefix('.'))
            .ok_or(IdentifierError::Root)?;
        let parts: Vec<&str> = rest.split('.').collect();
        let &[type_code, issuer_code, serial, version, check] = parts.as_slice() else {
            return Err(IdentifierError::Parts {
                actual: parts.len(),
            });
        };
        let named = [
            ("type", type_code),
            ("issuer", issuer_code),
            ("serial", serial),
            ("version", version),
        ];
        for (part, text) in named {
            let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
            if text.is_empty() || !text.bytes().all(known) {
                return Err(IdentifierError::PartCharacters { part });
            }
        }
        let mut characters = check.chars();
        let check = match (characters.next(), characters.next()) {
            (Some(character), None) if position(DIGITS_AND_CAPITALS, character).is_some() => {
                character
            }
            (Some(_) | None, Some(_) | None) => return Err(IdentifierError::CheckShape),
        };
        Ok(Self {
            type_code: type_code.to_owned(),
            issuer_code: issuer_code.to_owned(),
            serial: serial.to_owned(),
            version: version.to_owned(),
            check,
        })
    }

    /// The type code (证照类型代码), 21 characters when standard.
    #[must_use]
    pub fn type_code(&self) -> &str {
        &self.type_code
    }

    /// The issuer code (证照颁发机构代码), a unified credit code when standard.
    #[must_use]
    pub fn issuer_code(&self) -> &str {
        &self.issuer_code
    }

    /// The serial (流水号), unique under type and issuer.
    #[must_use]
    pub fn serial(&self) -> &str {
        &self.serial
    }

    /// The version (版本号), three digits from `001` when standard.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The check character as written; [`findings`](Self::findings) tells whether it is right.
    #[must_use]
    pub fn check_character(&self) -> char {
        self.check
    }

    /// Everything that is not as GB/T 36904 has it; empty for each identifier made by [`new`](Self::new).
    #[must_use]
    pub fn findings(&self) -> Vec<IdentifierFinding> {
        let mut findings = Vec::new();
        let expected = check_character([
            &self.type_code,
            &self.issuer_code,
            &self.serial,
            &self.version,
        ]);
        if self.check != expected {
            findings.push(IdentifierFinding::CheckCharacterWrong {
                found: self.check,
                expected,
            });
        }
        if let Err(cause) = check_type_code(&self.type_code) {
            findings.push(IdentifierFinding::TypeCode { cause });
        }
        if let Err(cause) = codes::unified_credit_code(&self.issuer_code) {
            findings.push(IdentifierFinding::IssuerCode { cause });
        }
        if !is_serial(&self.serial) {
            findings.push(IdentifierFinding::SerialCharacters);
        }
        let digits =
            self.version.len() == 3 && self.version.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || self.version == "000" {
            findings.push(IdentifierFinding::Version);
        }
        findings
    }
}

impl fmt::Display for LicenceIdentifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            type_code,
            issuer_code,
            serial,
            version,
            check,
        } = self;
        write!(
            formatter,
            "{ROOT}.{type_code}.{issuer_code}.{serial}.{version}.{check}"
        )
    }
}

/// The check character over type, issuer, serial and version, without root and full stops
/// (GB/T 17710-2008 = ISO 7064 MOD 37,36). Small letters count as capitals; what is neither
/// letter nor digit is skipped, as one system in use does with an underscore.
#[must_use]
pub fn check_character(parts: [&str; 4]) -> char {
    let mut product = 36;
    let characters = parts
        .into_iter()
        .flat_map(str::chars)
        .map(|character| character.to_ascii_uppercase());
    for value in characters.filter_map(|character| position(DIGITS_AND_CAPITALS, character)) {
        let sum = match (product + value) % 36 {
            0 => 36,
            sum => sum,
        };
        product = (2 * sum) % 37;
    }
    nth(DIGITS_AND_CAPITALS, (37 - product) % 36)
}

/// A type code is a unified credit code and a serial of three digits.
pub(super) fn check_type_code(type_code: &str) -> Result<(), CodeError> {
    let actual = type_code.chars().count();
    let Some((credit_code, serial)) = type_code.split_at_checked(18).filter(|_| actual == 21)
    else {
        return Err(CodeError::Length {
            expected: 21,
            actual,
        });
    };
    codes::unified_credit_code(credit_code)?;
    match serial
        .chars()
        .zip(19..)
        .find(|(character, _)| !character.is_ascii_digit())
    {
        Some((character, place)) => Err(CodeError::Character { place, character }),
        None => Ok(()),
    }
}

fn is_serial(serial: &str) -> bool {
    !serial.is_empty()
        && serial
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICE: &str = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M";

    #[test]
    fn identifiers_of_systems_in_use_pass_the_check() {
        for text in [
            "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
            "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
            "1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9",
            "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
            "1.2.156.3005.2.062301.1101101102.0624_001.001.U",
        ] {
            let identifier = LicenceIdentifier::parse(text).unwrap();
            let wrong = |finding: &IdentifierFinding| {
                matches!(finding, IdentifierFinding::CheckCharacterWrong { .. })
            };
            assert!(!identifier.findings().iter().any(wrong), "{text}");
            assert_eq!(identifier.to_string(), text);
        }
    }

    #[test]
    fn a_wrong_check_character_in_the_field_is_a_finding_not_an_error() {
        let findings = LicenceIdentifier::parse(POLICE).unwrap().findings();
        let wrong = IdentifierFinding::CheckCharacterWrong {
            found: 'M',
            expected: 'D',
        };
        assert_eq!(findings.first(), Some(&wrong));
        assert_eq!(wrong.to_string(), "check character M is wrong, expected D");
    }

    #[test]
    fn what_is_not_standard_but_in_use_is_read_and_reported() {
        let findings = |text| LicenceIdentifier::parse(text).unwrap().findings();
        assert_eq!(
            findings("1.2.156.3005.2.11100000MB03271699022.340100.000000016.001.9"),
            [IdentifierFinding::IssuerCode {
                cause: CodeError::Length {
                    expected: 18,
                    actual: 6
                }
            }]
        );
        assert_eq!(
            findings("1.2.156.3005.2.062301.1101101102.0624_001.001.U"),
            [
                IdentifierFinding::TypeCode {
                    cause: CodeError::Length {
                        expected: 21,
                        actual: 6
                    }
                },
                IdentifierFinding::IssuerCode {
                    cause: CodeError::Length {
                        expected: 18,
                        actual: 10
                    }
                },
                IdentifierFinding::SerialCharacters,
            ]
        );
    }

    #[test]
    fn an_issued_identifier_has_the_check_character_and_no_findings() {
        let identifier = LicenceIdentifier::new(
            "11100000000013338W011",
            "11430000006122244L",
            "20230000403",
            1,
        )
        .unwrap();
        assert_eq!(
            identifier.to_string(),
            "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"
        );
        assert_eq!(identifier.findings(), []);
        assert_eq!(
            LicenceIdentifier::parse(&identifier.to_string()),
            Ok(identifier)
        );
    }

    #[test]
    fn what_is_not_standard_is_not_issued() {
        let (kind, issuer) = ("11100000000013338W011", "11430000006122244L");
        let long = &"1".repeat(65);
        let error = |kind, issuer, serial, version| {
            LicenceIdentifier::new(kind, issuer, serial, version).unwrap_err()
        };
        assert!(matches!(
            error("062301", issuer, "1", 1),
            IdentifierError::TypeCode { .. }
        ));
        assert!(matches!(
            error("11100000000013338W01A", issuer, "1", 1),
            IdentifierError::TypeCode {
                cause: CodeError::Character {
                    place: 21,
                    character: 'A'
                }
            }
        ));
        assert!(matches!(
            error("一11000000001333801100", issuer, "1", 1),
            IdentifierError::TypeCode { .. }
        ));
        assert!(matches!(
            error(kind, "340100", "1", 1),
            IdentifierError::IssuerCode { .. }
        ));
        assert_eq!(error(kind, issuer, "", 1), IdentifierError::Serial);
        assert_eq!(error(kind, issuer, "2026-1", 1), IdentifierError::Serial);
        assert_eq!(error(kind, issuer, long, 1), IdentifierError::Serial);
        assert_eq!(
            error(kind, issuer, "1", 0),
            IdentifierError::Version { version: 0 }
        );
        assert_eq!(
            error(kind, issuer, "1", 1000),
            IdentifierError::Version { version: 1000 }
        );
    }

    #[test]
    fn a_text_without_the_shape_is_refused() {
        for (text, expected) in [
            ("", IdentifierError::Root),
            ("1.2.156.3005.2", IdentifierError::Root),
            ("1.2.156.3005.3.a.b.c.d.e", IdentifierError::Root),
            (
                "1.2.156.3005.2.a.b.c.d",
                IdentifierError::Parts { actual: 4 },
            ),
            (
                "1.2.156.3005.2.a.b.c.d.E.f",
                IdentifierError::Parts { actual: 6 },
            ),
            (
                "1.2.156.3005.2.a..c.001.E",
                IdentifierError::PartCharacters { part: "issuer" },
            ),
            (
                "1.2.156.3005.2.a.b.号.001.E",
                IdentifierError::PartCharacters { part: "serial" },
            ),
            ("1.2.156.3005.2.a.b.c.001.EE", IdentifierError::CheckShape),
            ("1.2.156.3005.2.a.b.c.001.", IdentifierError::CheckShape),
            ("1.2.156.3005.2.a.b.c.001.e", IdentifierError::CheckShape),
        ] {
            assert_eq!(LicenceIdentifier::parse(text), Err(expected), "{text}");
        }
        let long = format!("{ROOT}.{}", "1".repeat(300));
        assert!(matches!(
            LicenceIdentifier::parse(&long),
            Err(IdentifierError::TooLong { .. })
        ));
    }

    #[test]
    fn every_changed_character_and_every_swapped_pair_is_caught() {
        // ISO 7064 promises both for its hybrid systems.
        let body = "11449900MB0000000A00154449900MB0000019R4499001012012026000001001";
        let check = |body: &[char]| check_character([&body.iter().collect::<String>(), "", "", ""]);
        let body: Vec<char> = body.chars().collect();
        let right = check(&body);
        for place in 0..body.len() {
            for other in DIGITS_AND_CAPITALS
                .chars()
                .filter(|other| *other != body[place])
            {
                let mut changed = body.clone();
                changed[place] = other;
                assert_ne!(check(&changed), right, "{other} in place {place}");
            }
            if place > 0 && body[place] != body[place - 1] {
                let mut swapped = body.clone();
                swapped.swap(place, place - 1);
                assert_ne!(check(&swapped), right, "places {place} and before");
            }
        }
    }
}
