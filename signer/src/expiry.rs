//! Certificates that come to their end: said early, and again.

use yinxin_pki::{Certificate, UnixSeconds};

const DAY_SECONDS: i64 = 86_400;

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Nearness {
    /// 90 days or less: order the next one.
    Within90Days,
    /// 30 days or less.
    Within30Days,
    /// 7 days or less: the seal will stop.
    Within7Days,
    /// It is over.
    Over,
}

impl Nearness {
    /// All, the farthest first.
    pub const ALL: [Self; 4] = [
        Self::Within90Days,
        Self::Within30Days,
        Self::Within7Days,
        Self::Over,
    ];

    /// The stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Within90Days => "90d",
            Self::Within30Days => "30d",
            Self::Within7Days => "7d",
            Self::Over => "over",
        }
    }

    /// How near `not_after` is at `now`; `None` with more than 90 days left. A certificate is good to
    /// the last second of its time (RFC 5280, 4.1.2.5).
    #[must_use]
    pub fn of(not_after: UnixSeconds, now: UnixSeconds) -> Option<Self> {
        let left = not_after.0.saturating_sub(now.0);
        match left {
            ..0 => Some(Self::Over),
            _ if left <= 7 * DAY_SECONDS => Some(Self::Within7Days),
            _ if left <= 30 * DAY_SECONDS => Some(Self::Within30Days),
            _ if left <= 90 * DAY_SECONDS => Some(Self::Within90Days),
            _ => None,
        }
    }
}

/// One certificate near its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What it is for, for example `seal village, pades`.
    pub used_by: String,
    /// Its subject.
    pub subject: String,
    /// Its last second.
    pub not_after: UnixSeconds,
    /// Whole days left; negative when it is over.
    pub days_left: i64,
    /// How near that is.
    pub nearness: Nearness,
}

/// The certificates near their end at `now`, the nearest first. `certificates` says of each what it
/// is for; authorities above a signer belong in it, because a chain ends with its first one.
pub fn expiries<'a>(
    certificates: impl IntoIterator<Item = (String, &'a Certificate)>,
    now: UnixSeconds,
) -> Vec<Expiry> {
    let mut near: Vec<Expiry> = certificates
        .into_iter()
        .filter_map(|(used_by, certificate)| {
            let not_after = certificate.not_after();
            Some(Expiry {
                nearness: Nearness::of(not_after, now)?,
                used_by,
                subject: certificate.subject_text(),
                not_after,
                days_left: not_after.0.saturating_sub(now.0).div_euclid(DAY_SECONDS),
            })
        })
        .collect();
    near.sort_by(|a, b| (a.not_after, &a.used_by).cmp(&(b.not_after, &b.used_by)));
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_days_are_counted_to_the_second() {
        let end = UnixSeconds(1_000 * DAY_SECONDS);
        let cases = [
            (91 * DAY_SECONDS, None),
            (90 * DAY_SECONDS + 1, None),
            (90 * DAY_SECONDS, Some(Nearness::Within90Days)),
            (30 * DAY_SECONDS + 1, Some(Nearness::Within90Days)),
            (30 * DAY_SECONDS, Some(Nearness::Within30Days)),
            (7 * DAY_SECONDS + 1, Some(Nearness::Within30Days)),
            (7 * DAY_SECONDS, Some(Nearness::Within7Days)),
            (0, Some(Nearness::Within7Days)),
            (-1, Some(Nearness::Over)),
        ];
        for (left, expected) in cases {
            let now = UnixSeconds(end.0 - left);
            assert_eq!(Nearness::of(end, now), expected, "{left} seconds left");
        }
    }
}
