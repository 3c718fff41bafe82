//! A day of the calendar as licences write it: `20261122` in metadata, `2026-11-22` in
//! interfaces, 2026年11月22日 and 二〇二六年十一月二十二日 on the face.

use std::fmt;

/// A day of the Gregorian calendar between the years 1 and 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CivilDate(time::Date);

/// China Standard Time (GMT+8, no summer time since 1992): the day a licence is dated by.
const CHINA_OFFSET_SECONDS: i64 = 8 * 3600;

impl CivilDate {
    /// The day with this year, month (1 to 12) and day, if the calendar has it.
    #[must_use]
    pub fn new(year: i32, month: u8, day: u8) -> Option<Self> {
        let month = time::Month::try_from(month).ok()?;
        let in_range = (1..=9999).contains(&year);
        in_range
            .then(|| time::Date::from_calendar_date(year, month, day).ok())
            .flatten()
            .map(Self)
    }

    /// The day it is in China at that moment (seconds since 1970-01-01T00:00:00Z).
    #[must_use]
    pub fn in_china(unix_seconds: i64) -> Option<Self> {
        let local = unix_seconds.checked_add(CHINA_OFFSET_SECONDS)?;
        let date = time::OffsetDateTime::from_unix_timestamp(local)
            .ok()?
            .date();
        Self::new(date.year(), date.month().into(), date.day())
    }

    /// Reads `yyyyMMdd`.
    #[must_use]
    pub fn parse_compact(text: &str) -> Option<Self> {
        if text.len() != 8 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Self::new(
            text.get(..4)?.parse().ok()?,
            text.get(4..6)?.parse().ok()?,
            text.get(6..)?.parse().ok()?,
        )
    }

    /// Reads `yyyy-MM-dd`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, rest) = text.split_once('-')?;
        let (month, day) = rest.split_once('-')?;
        let shape = (year.len(), month.len(), day.len());
        (shape == (4, 2, 2))
            .then(|| Self::parse_compact(&format!("{year}{month}{day}")))
            .flatten()
    }

    /// The year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.0.year()
    }

    /// The month, 1 to 12.
    #[must_use]
    pub fn month(self) -> u8 {
        self.0.month().into()
    }

    /// The day of the month, 1 to 31.
    #[must_use]
    pub fn day(self) -> u8 {
        self.0.day()
    }

    /// The day so many days later, if it is still within the calendar's range.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Option<Self> {
        let later = self.0.checked_add(time::Duration::days(i64::from(days)))?;
        Self::new(later.year(), later.month().into(), later.day())
    }

    /// `yyyyMMdd`, as GB/T 36903 metadata has it.
    #[must_use]
    pub fn compact(self) -> String {
        format!("{:04}{:02}{:02}", self.year(), self.month(), self.day())
    }

    /// 2026年11月22日: with Arabic digits, as in running text (GB/T 9704).
    #[must_use]
    pub fn chinese_digits(self) -> String {
        format!("{}年{}月{}日", self.year(), self.month(), self.day())
    }

    /// 二〇二六年十一月二十二日: in characters, as under a proof.
    #[must_use]
    pub fn chinese(self) -> String {
        let year: String = self
            .year()
            .to_string()
            .chars()
            .filter_map(chinese_digit)
            .collect();
        format!(
            "{year}年{}月{}日",
            chinese_number(self.month()),
            chinese_number(self.day())
        )
    }
}

impl fmt::Display for CivilDate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{:04}-{:02}-{:02}",
            self.year(),
            self.month(),
            self.day()
        )
    }
}

fn chinese_digit(digit: char) -> Option<char> {
    "〇一二三四五六七八九"
        .chars()
        .nth(digit.to_digit(10)? as usize)
}

/// A number from 1 to 99 in words: 一, 十, 十一, 二十, 二十二.
fn chinese_number(number: u8) -> String {
    let digit = |value: u8| chinese_digit(char::from(b'0' + value % 10));
    let (tens, ones) = (number / 10, number % 10);
    let mut text = String::new();
    if tens > 1 {
        text.extend(digit(tens));
    }
    if tens > 0 {
        text.push('十');
    }
    if ones > 0 {
        text.extend(digit(ones));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_written_in_characters_as_under_a_proof() {
        for (year, month, day, expected) in [
            (2026, 11, 22, "二〇二六年十一月二十二日"),
            (2030, 1, 1, "二〇三〇年一月一日"),
            (2022, 10, 10, "二〇二二年十月十日"),
            (2005, 12, 20, "二〇〇五年十二月二十日"),
            (1999, 2, 30, ""),
            (2027, 3, 31, "二〇二七年三月三十一日"),
        ] {
            let text = CivilDate::new(year, month, day)
                .map(CivilDate::chinese)
                .unwrap_or_default();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn the_day_begins_in_china_at_16_00_utc() {
        // 2026-11-22T15:59:59Z and one second later.
        assert_eq!(
            CivilDate::in_china(1_795_363_199).unwrap().to_string(),
            "2026-11-22"
        );
        assert_eq!(
            CivilDate::in_china(1_795_363_200).unwrap().to_string(),
            "2026-11-23"
        );
        assert_eq!(CivilDate::in_china(i64::MAX), None);
        assert_eq!(CivilDate::in_china(i64::MIN), None);
    }

    #[test]
    fn only_real_days_in_the_agreed_shape_are_read() {
        assert_eq!(
            CivilDate::parse("2024-02-29").unwrap().compact(),
            "20240229"
        );
        for text in [
            "2023-02-29",
            "2024-2-29",
            "2024/02/29",
            "24-02-29",
            "+024-02-29",
            "2024-02-29 ",
            "",
            "0000-01-01",
        ] {
            assert_eq!(CivilDate::parse(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_added_across_a_year() {
        let date = CivilDate::new(2026, 12, 31).unwrap();
        assert_eq!(
            date.plus_days(30).unwrap().chinese_digits(),
            "2027年1月30日"
        );
        assert_eq!(CivilDate::new(9999, 12, 31).unwrap().plus_days(1), None);
    }
}
