//! The number on the face of a proof (证照编号).
//!
//! The rule is ours, since no standard fixes it: the 12-digit division code of the village,
//! the year of issue and a six-digit sequence, joined by hyphens, as in
//! `441900114001-2026-000001`. The sequence counts all proofs of one village in one year,
//! whatever their type, so that the number alone is unique. The serial of the identifier
//! (GB/T 36904 knows only digits and capital letters) is the number without its hyphens.

use std::fmt;

/// Sequences have six digits; the busiest village of a city stamps a few thousand proofs a year.
pub const SEQUENCE_MAX: u32 = 999_999;

/// Why a number cannot be made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The division code is not 12 digits (GB/T 2260 extended by the statistics bureau).
    #[error("division code is not 12 digits")]
    Division,
    /// The year is not between 1949 and 9999.
    #[error("year {year} is not between 1949 and 9999")]
    Year {
        /// The year asked for.
        year: i32,
    },
    /// The sequence is 0 or has run over its six digits.
    #[error("sequence {sequence} is not between 1 and {SEQUENCE_MAX}")]
    Sequence {
        /// The sequence asked for.
        sequence: u32,
    },
    /// Not the shape `dddddddddddd-yyyy-nnnnnn`.
    #[error("not the shape 441900114001-2026-000001")]
    Shape,
}

/// A licence number such as `441900114001-2026-000001`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LicenceNumber {
    division: String,
    year: u16,
    sequence: u32,
}

impl LicenceNumber {
    /// The number of the `sequence`-th proof (from 1) that this village issues in this year.
    ///
    /// # Errors
    /// [`NumberError::Division`], [`NumberError::Year`] or [`NumberError::Sequence`].
    pub fn new(division: &str, year: i32, sequence: u32) -> Result<Self, NumberError> {
        if division.len() != 12 || !division.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(NumberError::Division);
        }
        let year = u16::try_from(year)
            .ok()
            .filter(|year| (1949..=9999).contains(year))
            .ok_or(NumberError::Year { year })?;
        if !(1..=SEQUENCE_MAX).contains(&sequence) {
            return Err(NumberError::Sequence { sequence });
        }
        Ok(Self {
            division: division.to_owned(),
            year,
            sequence,
        })
    }

    /// Reads a number; the way back from `Display`.
    ///
    /// # Errors
    /// [`NumberError::Shape`], or what [`new`](Self::new) refuses.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let mut parts = text.split('-');
        let (Some(division), Some(year), Some(sequence), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NumberError::Shape);
        };
        let digits = |text: &str, length| {
            text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(year, 4) || !digits(sequence, 6) {
            return Err(NumberError::Shape);
        }
        let year = year.parse().map_err(|_| NumberError::Shape)?;
        Self::new(
            division,
            year,
            sequence.parse().map_err(|_| NumberError::Shape)?,
        )
    }

    /// The serial for the identifier: the 22 digits without hyphens.
    #[must_use]
    pub fn serial(&self) -> String {
        format!("{}{:04}{:06}", self.division, self.year, self.sequence)
    }

    /// The 12-digit division code of the village.
    #[must_use]
    pub fn division(&self) -> &str {
        &self.division
    }

    /// The year of issue.
    #[must_use]
    pub fn year(&self) -> i32 {
        self.year.into()
    }

    /// The sequence, from 1.
    #[must_use]
    pub fn sequence(&self) -> u32 {
        self.sequence
    }
}

impl fmt::Display for LicenceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}-{:04}-{:06}",
            self.division, self.year, self.sequence
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_village_year_and_sequence_and_reads_back() {
        let number = LicenceNumber::new("441900114001", 2026, 1).unwrap();
        assert_eq!(number.to_string(), "441900114001-2026-000001");
        assert_eq!(number.serial(), "4419001140012026000001");
        assert_eq!(LicenceNumber::parse(&number.to_string()), Ok(number));
    }

    #[test]
    fn a_number_outside_its_rule_is_refused() {
        assert_eq!(
            LicenceNumber::new("4419001140", 2026, 1),
            Err(NumberError::Division)
        );
        assert_eq!(
            LicenceNumber::new("441900114001", 26, 1),
            Err(NumberError::Year { year: 26 })
        );
        assert_eq!(
            LicenceNumber::new("441900114001", 2026, 0),
            Err(NumberError::Sequence { sequence: 0 })
        );
        assert_eq!(
            LicenceNumber::new("441900114001", 2026, 1_000_000),
            Err(NumberError::Sequence {
                sequence: 1_000_000
            })
        );
        for text in [
            "",
            "441900114001-2026-1",
            "441900114001-2026-000001-1",
            "441900114001-+026-000001",
        ] {
            assert_eq!(
                LicenceNumber::parse(text),
                Err(NumberError::Shape),
                "{text}"
            );
        }
    }
}
