//! What each key is, and what it signs.

use yinxin_pki::{Certificate, UnixSeconds};

use crate::{Card, KeysError, Room};

/// A seal that signs with a public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealUse {
    /// The seal, and in which role.
    pub seal: String,
    /// The public key of its certificate.
    pub spki_der: Vec<u8>,
}

/// A key with its certificates and seals.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its card.
    pub card: Card,
    /// Its own certificate, if one is installed.
    pub certificate: Option<Certificate>,
    /// Days left of it; negative when it is over.
    pub days_left: Option<i64>,
    /// The seals it signs for.
    pub seals: Vec<String>,
}

/// Every key of a room; `seals` are those of a signer's configuration.
///
/// # Errors
/// As [`Room::cards`].
pub fn list(room: &Room, seals: &[SealUse], now: UnixSeconds) -> Result<Vec<Listed>, KeysError> {
    let mut listed = Vec::new();
    for card in room.cards()? {
        let certificate = room.certificates(&card.name)?.into_iter().next();
        let spki_der = card.spki_der();
        listed.push(Listed {
            days_left: (certificate.as_ref())
                .map(|certificate| (certificate.not_after().0 - now.0).div_euclid(86_400)),
            certificate,
            seals: (seals.iter())
                .filter(|one| one.spki_der == spki_der)
                .map(|one| one.seal.clone())
                .collect(),
            card,
        });
    }
    Ok(listed)
}
