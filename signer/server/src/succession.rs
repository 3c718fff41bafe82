//! The next keys and certificates of a seal, and the end of those in use.
//!
//! `[seal.next]` names what a seal signs with from a moment on. Both are opened and checked at the
//! start; at the moment, the service is loaded again with the new ones, and the calls under way end
//! on the old.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use yinxin_edge::{ConfigError, value_error};
use yinxin_pki::{Certificate, UnixSeconds};
use yinxin_signer::expiry::{Expiry, Nearness, expiries};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_signer::seal::{Seal, SigningIdentity};

use crate::config::{Config, GmConfig, IdentityConfig, SealConfig};
use crate::reload::Current;
use crate::seals::{Entry, HeldSeal};
use crate::service::Service;

/// How often certificates are looked at.
const LOOK_EVERY: i64 = 86_400;
/// No wait is longer, so that a clock that was set does not make a change late by more.
const WAIT_SECONDS_MAX: i64 = 60;
/// After a change that was refused.
const TRY_AGAIN_SECONDS: i64 = 60;

/// What a seal signs with from a moment on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NextConfig {
    /// The moment, RFC 3339, for example `2027-01-01T00:00:00+08:00`.
    pub from: String,
    /// The SM2 side; absent: as before.
    pub gm: Option<GmConfig>,
    /// The RSA or P-256 side; absent: as before.
    pub pades: Option<IdentityConfig>,
}

impl NextConfig {
    fn from(&self) -> Option<UnixSeconds> {
        UnixSeconds::parse_rfc3339(&self.from)
    }
}

impl SealConfig {
    /// The same seal with the keys that are in force at `now`.
    pub(crate) fn at(&self, now: UnixSeconds) -> Cow<'_, Self> {
        match &self.next {
            Some(next) if next.from().is_some_and(|from| from <= now) => Cow::Owned(self.after()),
            Some(_) | None => Cow::Borrowed(self),
        }
    }

    /// The same seal with its next keys.
    pub(crate) fn after(&self) -> Self {
        let mut after = self.clone();
        if let Some(next) = after.next.take() {
            after.gm = next.gm.or(after.gm);
            after.pades = next.pades.or(after.pades);
        }
        after
    }
}

/// What must hold of every `[seal.next]`.
///
/// # Errors
/// [`ConfigError::Value`] with the field and its rule.
pub(crate) fn check(seals: &[SealConfig]) -> Result<(), ConfigError> {
    for (index, seal) in seals.iter().enumerate() {
        let Some(next) = &seal.next else { continue };
        let wrong =
            |field: &str, rule: &str| Err(value_error(format!("seal[{index}].next.{field}"), rule));
        if next.from().is_none() {
            return wrong("from", "must be a moment like 2027-01-01T00:00:00+08:00");
        }
        if next.gm.is_none() && next.pades.is_none() {
            return wrong(
                "pades",
                "gm or pades must be given, or nothing would change",
            );
        }
        if next.gm.is_some() && seal.gm.is_none() {
            return wrong("gm", "the seal has no SM2 side to succeed to");
        }
        if next.pades.is_some() && seal.pades.is_none() {
            return wrong("pades", "the seal has no RSA or P-256 side to succeed to");
        }
    }
    Ok(())
}

/// The first moment after `now` at which a seal changes its keys.
pub(crate) fn next_change(config: &Config, now: UnixSeconds) -> Option<UnixSeconds> {
    (config.seals.iter())
        .filter_map(|seal| seal.next.as_ref()?.from())
        .filter(|from| *from > now)
        .min()
}

impl Service {
    /// The certificates of the seals in use, and of the authorities above them, that come to
    /// their end.
    pub(crate) fn expiries(&self, now: UnixSeconds) -> Vec<Expiry> {
        let held = self.held_seals();
        expiries(held.iter().flat_map(|held| certificates(&held.seal)), now)
    }

    /// For each side of each seal in use, when the first certificate of its chain ends; the
    /// nearest first.
    pub(crate) fn chain_ends(&self) -> Vec<(String, UnixSeconds)> {
        let held = self.held_seals();
        let mut ends = BTreeMap::new();
        for (used_by, certificate) in held.iter().flat_map(|held| certificates(&held.seal)) {
            let first = ends.entry(used_by).or_insert(certificate.not_after());
            *first = certificate.not_after().min(*first);
        }
        let mut ends: Vec<_> = ends.into_iter().collect();
        ends.sort_by_key(|(_, end)| *end);
        ends
    }

    fn held_seals(&self) -> Vec<Arc<HeldSeal>> {
        let held = self
            .seals
            .all()
            .into_iter()
            .filter_map(|entry| match entry {
                Entry::Held(held) => Some(held),
                Entry::Idle(_) => None,
            });
        held.collect()
    }
}

/// The certificates of a seal and of the authorities above, each with what it is for.
fn certificates(seal: &Seal) -> impl Iterator<Item = (String, &Certificate)> {
    let gm = seal.gm.as_ref().map(|gm| ("gm", &gm.identity));
    let pades = seal.pades.as_ref().map(|identity| ("pades", identity));
    (gm.into_iter().chain(pades)).flat_map(move |(side, identity)| {
        let SigningIdentity {
            certificate, chain, ..
        } = identity;
        (std::iter::once(certificate).chain(chain))
            .map(move |one| (format!("seal {}, {side}", seal.id), one))
    })
}

/// Says in the log which certificates come to their end, each day and at the start, and loads the
/// service again when a seal changes its keys.
pub(crate) async fn watch(current: Arc<Current>) {
    let mut look_at = SystemClock.now();
    // Changes up to this moment are in force.
    let mut loaded_at = look_at;
    let mut try_again_at = look_at;
    loop {
        let now = SystemClock.now();
        if now >= look_at {
            tell(&current.service().expiries(now));
            look_at = UnixSeconds(now.0 + LOOK_EVERY);
        }
        let service = current.service();
        service.renew_by_rule().await;
        let config = current.config();
        let change_at = next_change(&config, loaded_at).map(|at| at.max(try_again_at));
        if change_at.is_some_and(|at| at <= now) {
            match current.reload(config).await {
                Ok(()) => {
                    loaded_at = now;
                    tracing::info!("a seal signs with its next keys from now on");
                }
                Err(error) => {
                    try_again_at = UnixSeconds(now.0 + TRY_AGAIN_SECONDS);
                    tracing::error!(%error, "the next keys of a seal cannot be used; the old stay");
                }
            }
            continue;
        }
        let renewal_at = (service.renewals.iter())
            .map(|rule| rule.from)
            .filter(|from| *from > now)
            .min();
        let next = change_at
            .into_iter()
            .chain(renewal_at)
            .fold(look_at, UnixSeconds::min);
        let wait = (next.0 - now.0).clamp(1, WAIT_SECONDS_MAX);
        let wait = tokio::time::sleep(Duration::from_secs(wait.unsigned_abs()));
        tokio::select! {
            () = wait => {}
            () = current.changed.notified() => {}
        }
    }
}

fn tell(near: &[Expiry]) {
    for one in near {
        let Expiry {
            used_by,
            subject,
            not_after,
            days_left,
            nearness,
        } = one;
        match nearness {
            Nearness::Within90Days => tracing::info!(
                %used_by, %subject, %not_after, days_left, "a certificate ends within 90 days"
            ),
            Nearness::Within30Days => tracing::warn!(
                %used_by, %subject, %not_after, days_left, "a certificate ends within 30 days"
            ),
            Nearness::Within7Days => tracing::error!(
                %used_by, %subject, %not_after, days_left, "a certificate ends within 7 days"
            ),
            Nearness::Over => tracing::error!(
                %used_by, %subject, %not_after, days_left, "a certificate is over; its seal refuses"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn seal(next: Option<NextConfig>) -> SealConfig {
        let identity = |key: &str| IdentityConfig {
            key: key.to_owned(),
            certificates: "chain.pem".into(),
        };
        SealConfig {
            id: "village".to_owned(),
            owner_name: "示范村".to_owned(),
            owner_code: String::new(),
            division_code: None,
            keeper: None,
            diameter_mm: 42.0,
            lower_text: None,
            gm: None,
            pades: Some(identity("old")),
            next: next.map(|next| NextConfig {
                pades: next.pades.map(|_| identity("new")),
                ..next
            }),
        }
    }

    fn next(from: &str) -> NextConfig {
        NextConfig {
            from: from.to_owned(),
            gm: None,
            pades: Some(IdentityConfig {
                key: String::new(),
                certificates: "chain.pem".into(),
            }),
        }
    }

    /// What is logged while `work` runs.
    fn logged(work: impl FnOnce()) -> String {
        #[derive(Clone, Default)]
        struct Lines(Arc<Mutex<Vec<u8>>>);

        impl std::io::Write for Lines {
            fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
                self.0.lock().expect("no panic").extend_from_slice(bytes);
                Ok(bytes.len())
            }

            fn flush(&mut self) -> std::io::Result<()> {
                Ok(())
            }
        }

        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, work);
        let bytes = lines.0.lock().expect("no panic").clone();
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn each_certificate_near_its_end_is_told_louder_the_nearer_it_is() {
        let told = [
            (Nearness::Within90Days, " INFO ", "ends within 90 days"),
            (Nearness::Within30Days, " WARN ", "ends within 30 days"),
            (Nearness::Within7Days, "ERROR ", "ends within 7 days"),
            (Nearness::Over, "ERROR ", "is over; its seal refuses"),
        ];
        assert_eq!(told.map(|(nearness, ..)| nearness), Nearness::ALL);
        for (nearness, level, words) in told {
            let expiry = Expiry {
                used_by: "seal village, gm".to_owned(),
                subject: "CN=示范村".to_owned(),
                not_after: UnixSeconds(1_798_761_600),
                days_left: 5,
                nearness,
            };
            let lines = logged(|| tell(&[expiry]));
            for part in [
                level,
                words,
                "seal village, gm",
                "2027-01-01",
                "days_left=5",
            ] {
                assert!(lines.contains(part), "{part}: {lines}");
            }
        }
    }

    #[test]
    fn the_next_key_signs_from_its_moment_on_and_not_before() {
        let seal = seal(Some(next("2027-01-01T00:00:00+08:00")));
        let from = UnixSeconds::parse_rfc3339("2026-12-31T16:00:00Z").expect("a moment");
        for (at, key) in [(-1, "old"), (0, "new"), (1, "new")] {
            let in_force = seal.at(UnixSeconds(from.0 + at));
            let used = in_force.pades.as_ref().map(|pades| pades.key.as_str());
            assert_eq!(used, Some(key), "{at}");
        }
    }

    #[test]
    fn a_succession_that_changes_nothing_or_never_is_refused() {
        let mut without = next("2027-01-01T00:00:00Z");
        without.pades = None;
        let mut other_side = next("2027-01-01T00:00:00Z");
        other_side.gm = Some(GmConfig {
            seal: "a".into(),
            key: "b".to_owned(),
            certificates: "c".into(),
        });
        let cases = [
            ("no moment", next("next year"), "next.from"),
            ("nothing changes", without, "next.pades"),
            ("a side that is not there", other_side, "next.gm"),
        ];
        for (what, next, field) in cases {
            let refused = check(&[seal(Some(next))]).expect_err(what).to_string();
            assert!(refused.contains(field), "{what}: {refused}");
        }
        assert!(check(&[seal(Some(next("2027-01-01T00:00:00Z"))), seal(None)]).is_ok());
    }
}
