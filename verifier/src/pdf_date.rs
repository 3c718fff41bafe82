//! PDF dates (ISO 32000-2, 7.9.4).

use yinxin_pki::UnixSeconds;

/// The moment of `D:20261122160000+08'00'`. Parts after the year may be missing, as the standard
/// permits; without an offset nobody can say which moment is meant, so then there is none.
pub(crate) fn parse(text: &str) -> Option<UnixSeconds> {
    let mut rest = Rest(text.strip_prefix("D:").unwrap_or(text).as_bytes());
    let year = i64::from(rest.pair()?) * 100 + i64::from(rest.pair()?);
    let month = rest.pair().unwrap_or(1);
    let day = rest.pair().unwrap_or(1);
    let hour = rest.pair().unwrap_or(0);
    let minute = rest.pair().unwrap_or(0);
    let second = rest.pair().unwrap_or(0);
    let local = UnixSeconds::from_civil(year, month, day, hour, minute, second)?;
    let sign = match rest.byte()? {
        b'Z' => return Some(local),
        b'+' => -1,
        b'-' => 1,
        _ => return None,
    };
    let hours = rest.pair()?;
    rest.skip(b'\'');
    let minutes = rest.pair().unwrap_or(0);
    rest.skip(b'\'');
    if !rest.0.is_empty() || hours > 23 || minutes > 59 {
        return None;
    }
    let offset = i64::from(hours) * 3600 + i64::from(minutes) * 60;
    Some(UnixSeconds(local.0 + sign * offset))
}

struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn pair(&mut self) -> Option<u8> {
        let (digits, rest) = self.0.split_first_chunk::<2>()?;
        let [tens, ones] = *digits;
        if !tens.is_ascii_digit() || !ones.is_ascii_digit() {
            return None;
        }
        self.0 = rest;
        Some((tens - b'0') * 10 + (ones - b'0'))
    }

    fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn skip(&mut self, wanted: u8) {
        if let Some((first, rest)) = self.0.split_first()
            && *first == wanted
        {
            self.0 = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_the_standard_writes_them() {
        let cases = [
            ("D:20261122160000+08'00'", Some("2026-11-22T08:00:00Z")),
            ("D:20261122160000+08'00", Some("2026-11-22T08:00:00Z")),
            ("D:20261122080000Z", Some("2026-11-22T08:00:00Z")),
            ("20261122033000-04'30'", Some("2026-11-22T08:00:00Z")),
            ("D:2026Z", Some("2026-01-01T00:00:00Z")),
            ("D:20261122160000", None),
            ("D:20261322160000Z", None),
            ("D:20261122160000+08'00'x", None),
            ("", None),
            ("D:+", None),
        ];
        for (text, expected) in cases {
            let found = parse(text).map(|time| time.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }
}
