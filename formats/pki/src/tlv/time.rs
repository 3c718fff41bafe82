//! A moment as a value, and the two ASN.1 texts of it.

use std::fmt;

/// A moment: seconds since 1970-01-01T00:00:00Z, leap seconds not counted.
///
/// `Display` gives RFC 3339 in UTC: `2026-11-22T08:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixSeconds(pub i64);

/// A moment taken apart, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Civil {
    /// Year of the Gregorian calendar, carried back before its introduction.
    pub year: i64,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
}

const SECONDS_PER_DAY: i64 = 86_400;
/// Days in 400 years, after which the Gregorian calendar repeats.
const DAYS_PER_ERA: i64 = 146_097;
/// Days from 0000-03-01 to 1970-01-01.
const DAYS_TO_EPOCH: i64 = 719_468;

impl UnixSeconds {
    pub(super) const YEAR_0: Self = Self(-62_167_219_200);
    pub(super) const YEAR_1950: Self = Self(-631_152_000);
    pub(super) const YEAR_2049_END: Self = Self(2_524_607_999);
    pub(super) const YEAR_9999_END: Self = Self(253_402_300_799);

    /// The moment of a date and time in UTC, years 0 to 9999; `None` when there is no such one.
    /// Second 60 is not taken.
    #[must_use]
    pub fn from_civil(
        year: i64,
        month: u8,
        day: u8,
        hour: u8,
        minute: u8,
        second: u8,
    ) -> Option<Self> {
        if !(0..=9999).contains(&year)
            || !(1..=12).contains(&month)
            || day == 0
            || day > days_in_month(year, month)
            || hour > 23
            || minute > 59
            || second > 59
        {
            return None;
        }
        // Years that begin in March put the leap day last.
        let shifted_year = if month <= 2 { year - 1 } else { year };
        let shifted_month = (i64::from(month) + 9) % 12;
        let era = shifted_year.div_euclid(400);
        let year_of_era = shifted_year.rem_euclid(400);
        let day_of_year = (153 * shifted_month + 2) / 5 + i64::from(day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        let days = era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
        let in_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some(Self(days * SECONDS_PER_DAY + in_day))
    }

    /// Date and time in UTC.
    #[must_use]
    pub fn civil(self) -> Civil {
        let small = |value: i64| u8::try_from(value).expect("parts of a date are below 60");
        let in_day = self.0.rem_euclid(SECONDS_PER_DAY);
        let days = self.0.div_euclid(SECONDS_PER_DAY) + DAYS_TO_EPOCH;
        let era = days.div_euclid(DAYS_PER_ERA);
        let day_of_era = days.rem_euclid(DAYS_PER_ERA);
        let year_of_era =
            (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * day_of_year + 2) / 153;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        };
        Civil {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month: small(month),
            day: small(day_of_year - (153 * shifted_month + 2) / 5 + 1),
            hour: small(in_day / 3600),
            minute: small(in_day / 60 % 60),
            second: small(in_day % 60),
        }
    }

    /// Reads RFC 3339: `2026-11-22T16:00:00+08:00`. A fraction of a second is dropped; `None` when
    /// the text is anything else, or its year is not 0 to 9999.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let mut digits = Digits(text.as_bytes());
        let year = digits.take(4)?;
        digits.mark(b"-")?;
        let month = digits.pair()?;
        digits.mark(b"-")?;
        let day = digits.pair()?;
        digits.mark(b"Tt ")?;
        let hour = digits.pair()?;
        digits.mark(b":")?;
        let minute = digits.pair()?;
        digits.mark(b":")?;
        let second = digits.pair()?;
        digits.skip_fraction()?;
        let local = Self::from_civil(year, month, day, hour, minute, second)?;
        digits.zone(local, true)
    }
}

impl fmt::Display for UnixSeconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Civil {
            year,
            month,
            day,
            hour,
            minute,
            second,
        } = self.civil();
        write!(
            f,
            "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z"
        )
    }
}

fn days_in_month(year: i64, month: u8) -> u8 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// `YYMMDDHHMM[SS]` and a zone (ITU-T X.680, 47.3).
pub(super) fn parse_utc_time(content: &[u8]) -> Option<UnixSeconds> {
    let mut digits = Digits(content);
    let short_year = digits.take(2)?;
    let year = if short_year < 50 {
        2000 + short_year
    } else {
        1900 + short_year
    };
    let (month, day) = (digits.pair()?, digits.pair()?);
    let (hour, minute) = (digits.pair()?, digits.pair()?);
    let second = digits.pair_if_digit()?;
    let local = UnixSeconds::from_civil(year, month, day, hour, minute, second)?;
    digits.zone(local, false)
}

/// `YYYYMMDDHHMM[SS][.f…]` and a zone (ITU-T X.680, 46.2); times without a zone are refused,
/// because nobody can say which moment they mean.
pub(super) fn parse_generalized_time(content: &[u8]) -> Option<UnixSeconds> {
    let mut digits = Digits(content);
    let year = digits.take(4)?;
    let (month, day) = (digits.pair()?, digits.pair()?);
    let (hour, minute) = (digits.pair()?, digits.pair()?);
    let second = digits.pair_if_digit()?;
    digits.skip_fraction()?;
    let local = UnixSeconds::from_civil(year, month, day, hour, minute, second)?;
    digits.zone(local, false)
}

struct Digits<'a>(&'a [u8]);

impl Digits<'_> {
    fn take(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.iter().try_fold(0, |value, byte| {
            byte.is_ascii_digit()
                .then(|| value * 10 + i64::from(byte - b'0'))
        })
    }

    fn pair(&mut self) -> Option<u8> {
        u8::try_from(self.take(2)?).ok()
    }

    fn pair_if_digit(&mut self) -> Option<u8> {
        match self.0.first() {
            Some(byte) if byte.is_ascii_digit() => self.pair(),
            Some(_) | None => Some(0),
        }
    }

    fn mark(&mut self, allowed: &[u8]) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        allowed.contains(byte).then_some(*byte)
    }

    fn skip_fraction(&mut self) -> Option<()> {
        if !matches!(self.0.first(), Some(b'.' | b',')) {
            return Some(());
        }
        let rest = self.0.get(1..)?;
        let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        self.0 = rest.get(count..)?;
        (count > 0).then_some(())
    }

    /// `Z` or an offset, and then the end.
    fn zone(mut self, local: UnixSeconds, with_colon: bool) -> Option<UnixSeconds> {
        let sign = match self.mark(b"Zz+-")? {
            b'+' => -1,
            b'-' => 1,
            _ => 0,
        };
        let mut minutes = 0;
        if sign != 0 {
            let hours = self.take(2)?;
            if with_colon {
                self.mark(b":")?;
            }
            let rest = self.take(2)?;
            if hours > 23 || rest > 59 {
                return None;
            }
            minutes = hours * 60 + rest;
        }
        self.0
            .is_empty()
            .then_some(UnixSeconds(local.0 + sign * minutes * 60))
    }
}
