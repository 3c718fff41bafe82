//! Codes that departments' clients send: citizen number (GB 11643), unified social credit
//! code (GB 32100) and organisation code (GB 11714). Each reader says which rule was broken
//! and, for a check character, which one the rule gives.
//!
//! No error carries the code itself: a citizen number is personal data and errors are logged.

use std::fmt;

use super::CivilDate;

/// Why a code is refused. Places count from 1, as people count them on paper.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeError {
    /// The code is shorter or longer than its standard says.
    #[error("{actual} characters, expected {expected}")]
    Length {
        /// Characters the standard asks for.
        expected: usize,
        /// Characters that were there.
        actual: usize,
    },
    /// A character that the standard does not use in this place.
    #[error("character {character:?} is not allowed in place {place}")]
    Character {
        /// The place, counted from 1.
        place: usize,
        /// What stood there.
        character: char,
    },
    /// Places 7 to 14 of a citizen number are not a day of the calendar.
    #[error("birth date {text} is not a day of the calendar")]
    BirthDate {
        /// The eight digits.
        text: String,
    },
    /// The last character is not the one the rule gives.
    #[error("check character {found} is wrong, expected {expected}")]
    CheckCharacter {
        /// What stood there.
        found: char,
        /// What the rule gives.
        expected: char,
    },
}

/// A citizen number (公民身份号码) that has passed its check; 18 ASCII characters.
///
/// `Debug` shows it masked, so that it does not slip into a log.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CitizenNumber {
    text: String,
    birth_date: CivilDate,
}

impl CitizenNumber {
    /// The 18 characters, with a capital `X` where the check is ten.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The birth date, places 7 to 14.
    #[must_use]
    pub fn birth_date(&self) -> CivilDate {
        self.birth_date
    }

    /// The division of first registration, places 1 to 6; it may no longer exist.
    #[must_use]
    pub fn division(&self) -> &str {
        self.text.get(..6).unwrap_or_default()
    }

    /// The number with the birth date and sequence starred out: 6 characters, 8 stars, 4 characters.
    #[must_use]
    pub fn masked(&self) -> String {
        mask(&self.text)
    }
}

impl fmt::Debug for CitizenNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CitizenNumber({})", self.masked())
    }
}

/// A unified social credit code (统一社会信用代码) that has passed its check; 18 characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct UnifiedCreditCode(String);

impl UnifiedCreditCode {
    /// The 18 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The organisation code inside, places 9 to 17 (GB 11714 without its hyphen).
    #[must_use]
    pub fn organization_part(&self) -> &str {
        self.0.get(8..17).unwrap_or_default()
    }
}

/// An organisation code (组织机构代码) that has passed its check; 9 characters, no hyphen.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationCode(String);

impl OrganizationCode {
    /// The 9 characters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Reads a citizen number (GB 11643-1999): 17 digits, a calendar date in places 7 to 14,
/// and the check character of ISO 7064 MOD 11-2. A small `x` is read as `X`.
///
/// # Errors
/// [`CodeError::Length`], [`CodeError::Character`], [`CodeError::BirthDate`] or
/// [`CodeError::CheckCharacter`], whichever rule is broken first in that order.
pub fn citizen_number(text: &str) -> Result<CitizenNumber, CodeError> {
    const WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    const CHECKS: &str = "10X98765432";
    require_length(text, 18)?;
    let mut sum = 0;
    let mut found = '0';
    let mut folded = String::with_capacity(18);
    for (index, original) in text.chars().enumerate() {
        let character = if index == 17 {
            original.to_ascii_uppercase()
        } else {
            original
        };
        match (WEIGHTS.get(index), character.to_digit(10)) {
            (Some(weight), Some(digit)) => sum += weight * digit,
            (None, Some(_)) => found = character,
            (None, None) if character == 'X' => found = character,
            (Some(_) | None, None) => {
                return Err(CodeError::Character {
                    place: index + 1,
                    character: original,
                });
            }
        }
        folded.push(character);
    }
    let birth_text = folded.get(6..14).unwrap_or_default();
    let birth_date = CivilDate::parse_compact(birth_text)
        .filter(|date| date.year() >= BIRTH_YEAR_MIN)
        .ok_or_else(|| CodeError::BirthDate {
            text: birth_text.to_owned(),
        })?;
    require_check(found, nth(CHECKS, sum % 11))?;
    Ok(CitizenNumber {
        text: folded,
        birth_date,
    })
}

/// Numbers have been given out since 1984; nobody alive then was born before this year.
const BIRTH_YEAR_MIN: i32 = 1850;

/// Reads a unified social credit code (GB 32100-2015): 18 of the 31 permitted characters,
/// weights 3^(i-1) mod 31. The organisation code inside is not checked again, and no prefix
/// is refused: the kinds of village committees are not settled in practice.
///
/// # Errors
/// [`CodeError::Length`], [`CodeError::Character`] or [`CodeError::CheckCharacter`].
pub fn unified_credit_code(text: &str) -> Result<UnifiedCreditCode, CodeError> {
    const ALPHABET: &str = "0123456789ABCDEFGHJKLMNPQRTUWXY";
    const WEIGHTS: [u32; 17] = [
        1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28,
    ];
    require_length(text, 18)?;
    let mut sum = 0;
    let mut found = '0';
    for (index, character) in text.chars().enumerate() {
        let value = position(ALPHABET, character).ok_or(CodeError::Character {
            place: index + 1,
            character,
        })?;
        match WEIGHTS.get(index) {
            Some(weight) => sum += weight * value,
            None => found = character,
        }
    }
    require_check(found, nth(ALPHABET, (31 - sum % 31) % 31))?;
    Ok(UnifiedCreditCode(text.to_owned()))
}

/// Reads an organisation code (GB 11714-1997), with or without the hyphen before its check
/// character. Only digits and capital letters are permitted.
///
/// # Errors
/// [`CodeError::Length`], [`CodeError::Character`] or [`CodeError::CheckCharacter`].
pub fn organization_code(text: &str) -> Result<OrganizationCode, CodeError> {
    const WEIGHTS: [u32; 8] = [3, 7, 9, 10, 5, 8, 4, 2];
    // C = 11 - (sum mod 11), where 10 is written X and 11 is written 0; index = sum mod 11.
    const CHECKS: &str = "0X987654321";
    let text = match text.rsplit_once('-') {
        Some((head, tail)) if tail.chars().count() == 1 => format!("{head}{tail}"),
        Some(_) | None => text.to_owned(),
    };
    require_length(&text, 9)?;
    let mut sum = 0;
    let mut found = '0';
    for (index, character) in text.chars().enumerate() {
        let value = position(DIGITS_AND_CAPITALS, character).ok_or(CodeError::Character {
            place: index + 1,
            character,
        })?;
        match WEIGHTS.get(index) {
            Some(weight) => sum += weight * value,
            None => found = character,
        }
    }
    require_check(found, nth(CHECKS, sum % 11))?;
    Ok(OrganizationCode(text))
}

/// The alphabet of GB 11714 and GB/T 36904, where a character's place is its value.
pub(super) const DIGITS_AND_CAPITALS: &str = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Stars out all but the first 6 and the last 4 characters; a text of 10 or fewer is all stars.
#[must_use]
pub fn mask(text: &str) -> String {
    let count = text.chars().count();
    text.chars()
        .enumerate()
        .map(|(index, character)| {
            let shown = count > 10 && (index < 6 || index >= count - 4);
            if shown { character } else { '*' }
        })
        .collect()
}

/// The value of a character: its place in the alphabet.
pub(super) fn position(alphabet: &str, character: char) -> Option<u32> {
    alphabet
        .chars()
        .zip(0..)
        .find_map(|(known, value)| (known == character).then_some(value))
}

/// The character of a value; the callers' values are remainders below the alphabet's length.
pub(super) fn nth(alphabet: &str, value: u32) -> char {
    alphabet
        .chars()
        .nth(value as usize)
        .expect("a remainder is smaller than its modulus, which is the alphabet's length")
}

fn require_length(text: &str, expected: usize) -> Result<(), CodeError> {
    let actual = text.chars().count();
    if actual == expected {
        Ok(())
    } else {
        Err(CodeError::Length { expected, actual })
    }
}

fn require_check(found: char, expected: char) -> Result<(), CodeError> {
    if found == expected {
        Ok(())
    } else {
        Err(CodeError::CheckCharacter { found, expected })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_of_the_three_standards_pass() {
        let citizen = citizen_number("11010519491231002X").unwrap();
        assert_eq!(citizen.birth_date().to_string(), "1949-12-31");
        assert_eq!(citizen.division(), "110105");
        for code in [
            "91350100M000100Y43",
            "11100000000013338W",
            "11430000006122244L",
            "11220000013544541J",
            "11100000MB03271699",
            "11330105002500287C",
            "11100000000013661B",
        ] {
            assert_eq!(unified_credit_code(code).unwrap().as_str(), code);
        }
        for code in ["013544541", "00002888X", "00002888-X"] {
            assert_eq!(
                organization_code(code).unwrap().as_str(),
                code.replace('-', "")
            );
        }
        let credit = unified_credit_code("11220000013544541J").unwrap();
        assert_eq!(
            organization_code(credit.organization_part())
                .unwrap()
                .as_str(),
            "013544541"
        );
    }

    #[test]
    fn each_broken_rule_of_a_citizen_number_is_named() {
        let character = |place, character| CodeError::Character { place, character };
        for (name, text, expected) in [
            (
                "empty",
                "",
                CodeError::Length {
                    expected: 18,
                    actual: 0,
                },
            ),
            (
                "15 digits of the old kind",
                "110105491231002",
                CodeError::Length {
                    expected: 18,
                    actual: 15,
                },
            ),
            (
                "19 characters",
                "11010519491231002X0",
                CodeError::Length {
                    expected: 18,
                    actual: 19,
                },
            ),
            (
                "a letter in the middle",
                "1101051949123100OX",
                character(17, 'O'),
            ),
            ("X too early", "X1010519491231002X", character(1, 'X')),
            (
                "a full-width digit",
                "１1010519491231002X",
                character(1, '１'),
            ),
            (
                "another letter at the end",
                "11010519491231002Y",
                character(18, 'Y'),
            ),
            (
                "month 13",
                "11010519491331002X",
                CodeError::BirthDate {
                    text: "19491331".into(),
                },
            ),
            (
                "29 February of a common year",
                "11010519490229002X",
                CodeError::BirthDate {
                    text: "19490229".into(),
                },
            ),
            (
                "a year before all",
                "11010500011231002X",
                CodeError::BirthDate {
                    text: "00011231".into(),
                },
            ),
            (
                "a wrong check digit",
                "110105194912310021",
                CodeError::CheckCharacter {
                    found: '1',
                    expected: 'X',
                },
            ),
            (
                "two digits swapped",
                "11010519491231020X",
                CodeError::CheckCharacter {
                    found: 'X',
                    expected: '8',
                },
            ),
        ] {
            let found = citizen_number(text);
            if name == "two digits swapped" {
                assert!(
                    matches!(found, Err(CodeError::CheckCharacter { found: 'X', .. })),
                    "{name}"
                );
            } else {
                assert_eq!(found, Err(expected), "{name}");
            }
        }
    }

    #[test]
    fn a_small_x_is_read_as_a_capital() {
        assert_eq!(
            citizen_number("11010519491231002x").unwrap().as_str(),
            "11010519491231002X"
        );
    }

    #[test]
    fn every_single_changed_digit_of_a_citizen_number_is_caught() {
        let good = "11010519491231002X";
        for place in 0..17 {
            for digit in '0'..='9' {
                let changed: String = good
                    .chars()
                    .enumerate()
                    .map(|(index, old)| if index == place { digit } else { old })
                    .collect();
                assert_eq!(
                    citizen_number(&changed).is_ok(),
                    changed == good,
                    "{changed}"
                );
            }
        }
    }

    #[test]
    fn each_broken_rule_of_a_credit_code_is_named() {
        for (name, text, expected) in [
            (
                "17 characters",
                "91350100M000100Y4",
                CodeError::Length {
                    expected: 18,
                    actual: 17,
                },
            ),
            (
                "the letter O",
                "9135O100M000100Y43",
                CodeError::Character {
                    place: 5,
                    character: 'O',
                },
            ),
            (
                "a small letter",
                "91350100m000100Y43",
                CodeError::Character {
                    place: 9,
                    character: 'm',
                },
            ),
            (
                "a wrong check",
                "91350100M000100Y44",
                CodeError::CheckCharacter {
                    found: '4',
                    expected: '3',
                },
            ),
        ] {
            assert_eq!(unified_credit_code(text), Err(expected), "{name}");
        }
    }

    #[test]
    fn a_wrong_organisation_code_tells_the_check_the_rule_gives() {
        assert_eq!(
            organization_code("00002888-1"),
            Err(CodeError::CheckCharacter {
                found: '1',
                expected: 'X'
            })
        );
        assert_eq!(
            organization_code("0000-28881"),
            Err(CodeError::Length {
                expected: 9,
                actual: 10
            })
        );
    }

    #[test]
    fn a_masked_number_keeps_six_and_four() {
        let citizen = citizen_number("11010519491231002X").unwrap();
        assert_eq!(citizen.masked(), "110105********002X");
        assert_eq!(format!("{citizen:?}"), "CitizenNumber(110105********002X)");
        assert_eq!(mask("1234567890"), "**********");
    }
}
