//! One session with a token.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "cryptoki's enums list all of PKCS#11 and grow with it; we name what we use"
)]

use std::collections::BTreeMap;

use cryptoki::context::Pkcs11;
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::vendor_defined::VendorDefinedMechanism;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use yinxin_pki::tlv::{self, tag};
use yinxin_pki::{PublicKey, issue, sm2_message_digest};
use yinxin_signer::keys::KeyStoreError;
use yinxin_sm::DEFAULT_DISTID;

use super::settings::{Pkcs11Key, Pkcs11KeyKind, Sm2Encoding, Sm2Input, Sm2Numbers, TokenSelector};
use crate::device::LoginGate;
use crate::{OpenError, Secret, signature};

/// A logged-in session and the private keys found through it; the session closes when dropped.
pub(super) struct Connection {
    session: Session,
    has_sha256_rsa: bool,
    has_sha256_rsa_pss: bool,
    handles: BTreeMap<String, ObjectHandle>,
}

/// A key whose public half could be read.
pub(super) struct OpenedKey {
    pub(super) public_key: PublicKey,
    pub(super) spki_der: Vec<u8>,
}

impl Connection {
    pub(super) fn open(
        library: &Pkcs11,
        slot: Slot,
        selector: &TokenSelector,
        pin: &Secret,
        gate: &LoginGate,
    ) -> Result<Self, OpenError> {
        let token = || {
            let name = selector.label.as_deref().or(selector.serial.as_deref());
            format!("the token {}", name.unwrap_or("without a name"))
        };
        let failed = |error: &Error| OpenError::Key(told(&token(), error));
        let mechanisms = library
            .get_mechanism_list(slot)
            .map_err(|error| failed(&error))?;
        let session = library
            .open_ro_session(slot)
            .map_err(|error| failed(&error))?;
        let raw_pin = RawAuthPin::new(Box::new(pin.expose().to_vec()));
        gate.pass(|| login(&session, &token(), &raw_pin))?;
        Ok(Self {
            session,
            has_sha256_rsa: mechanisms.contains(&MechanismType::SHA256_RSA_PKCS),
            has_sha256_rsa_pss: mechanisms.contains(&MechanismType::SHA256_RSA_PKCS_PSS),
            handles: BTreeMap::new(),
        })
    }

    /// Finds the private key and its public half.
    pub(super) fn find(&mut self, settings: &Pkcs11Key) -> Result<OpenedKey, OpenError> {
        let name = settings.name.as_str();
        let failed = |error: Error| OpenError::Key(told(name, &error));
        let mut template = vec![
            Attribute::Class(ObjectClass::PRIVATE_KEY),
            Attribute::Sign(true),
        ];
        if let Some(label) = &settings.label {
            template.push(Attribute::Label(label.as_bytes().to_vec()));
        }
        if let Some(id) = &settings.id {
            template.push(Attribute::Id(id.clone()));
        }
        template.extend(self.kind_template(settings)?);
        let found = self.session.find_objects(&template).map_err(failed)?;
        let private = match found.as_slice() {
            [] => {
                return Err(OpenError::Key(KeyStoreError::NoSuchKey {
                    key: name.to_owned(),
                }));
            }
            [one] => *one,
            _ => {
                return Err(OpenError::Key(KeyStoreError::NameTaken {
                    key: name.to_owned(),
                }));
            }
        };
        let spki_der = self.public_key(settings, private)?;
        let public_key = PublicKey::from_spki_der(&spki_der).map_err(|_| bad(name, NO_KEY))?;
        self.handles.insert(name.to_owned(), private);
        Ok(OpenedKey {
            public_key,
            spki_der,
        })
    }

    fn kind_template(&self, settings: &Pkcs11Key) -> Result<Vec<Attribute>, OpenError> {
        Ok(match &settings.kind {
            Pkcs11KeyKind::Rsa | Pkcs11KeyKind::RsaPss => {
                vec![Attribute::KeyType(KeyType::RSA)]
            }
            Pkcs11KeyKind::P256 => vec![Attribute::KeyType(KeyType::EC)],
            Pkcs11KeyKind::Sm2(numbers) => {
                let mut template = Vec::new();
                if let Some(number) = numbers.key_type {
                    template.push(Attribute::KeyType(
                        KeyType::new_vendor_defined(number).map_err(|_| {
                            OpenError::NumberNotVendors {
                                key: settings.name.clone(),
                                number,
                            }
                        })?,
                    ));
                }
                if let Some(parameters) = &numbers.curve_parameters {
                    template.push(Attribute::EcParams(parameters.clone()));
                }
                template
            }
        })
    }

    /// The SubjectPublicKeyInfo: from the private object where it says (RSA), from the public
    /// object with the same id or label, or else the one the settings name. The self-test shows
    /// whether it belongs to the private key.
    fn public_key(
        &self,
        settings: &Pkcs11Key,
        private: ObjectHandle,
    ) -> Result<Vec<u8>, OpenError> {
        let name = settings.name.as_str();
        let mut objects = vec![private];
        let id = self
            .attributes(name, private, &[AttributeType::Id])?
            .into_iter()
            .find_map(|attribute| match attribute {
                Attribute::Id(id) if !id.is_empty() => Some(Attribute::Id(id)),
                _ => None,
            });
        let same = id.or_else(|| {
            let label = settings.label.as_ref()?;
            Some(Attribute::Label(label.as_bytes().to_vec()))
        });
        if let Some(same) = same {
            let mut template = vec![Attribute::Class(ObjectClass::PUBLIC_KEY), same];
            template.extend(self.kind_template(settings)?);
            objects.extend(
                self.session
                    .find_objects(&template)
                    .map_err(|error| told(name, &error))?,
            );
        }
        for object in objects {
            let spki_der = match settings.kind {
                Pkcs11KeyKind::Rsa | Pkcs11KeyKind::RsaPss => self.rsa_public_key(name, object)?,
                Pkcs11KeyKind::P256 => self
                    .point(name, object)?
                    .map(|point| issue::p256_spki_der(&point)),
                Pkcs11KeyKind::Sm2(_) => match self.point(name, object)? {
                    Some(point) => Some(
                        yinxin_sm::PublicKey::from_sec1_bytes(&point)
                            .map_err(|_| bad(name, NO_KEY))?
                            .to_spki_der(),
                    ),
                    None => None,
                },
            };
            if let Some(spki_der) = spki_der {
                return Ok(spki_der);
            }
        }
        settings.public_key_spki.clone().ok_or_else(|| {
            bad(
                name,
                "the token shows no public key, and none is configured",
            )
        })
    }

    fn rsa_public_key(
        &self,
        name: &str,
        object: ObjectHandle,
    ) -> Result<Option<Vec<u8>>, KeyStoreError> {
        let wanted = [AttributeType::Modulus, AttributeType::PublicExponent];
        let (mut modulus, mut exponent) = (None, None);
        for attribute in self.attributes(name, object, &wanted)? {
            match attribute {
                Attribute::Modulus(value) if !value.is_empty() => modulus = Some(value),
                Attribute::PublicExponent(value) if !value.is_empty() => exponent = Some(value),
                _ => {}
            }
        }
        Ok(modulus
            .zip(exponent)
            .map(|(modulus, exponent)| signature::rsa_spki_der(&modulus, &exponent)))
    }

    /// CKA_EC_POINT as 04 ‖ X ‖ Y. The standard wraps it in an OCTET STRING; some tokens do not,
    /// and some leave the 04 out as well.
    fn point(&self, name: &str, object: ObjectHandle) -> Result<Option<[u8; 65]>, KeyStoreError> {
        let attributes = self.attributes(name, object, &[AttributeType::EcPoint])?;
        let value = attributes
            .into_iter()
            .find_map(|attribute| match attribute {
                Attribute::EcPoint(value) if !value.is_empty() => Some(value),
                _ => None,
            });
        let Some(value) = value else {
            return Ok(None);
        };
        point_of(&value)
            .map(Some)
            .ok_or_else(|| KeyStoreError::BadAnswer {
                key: name.to_owned(),
                why: "CKA_EC_POINT is no point of a curve of 256 bits",
            })
    }

    /// Attributes as far as the object has them and shows them.
    fn attributes(
        &self,
        name: &str,
        object: ObjectHandle,
        wanted: &[AttributeType],
    ) -> Result<Vec<Attribute>, KeyStoreError> {
        self.session
            .get_attributes(object, wanted)
            .map_err(|error| told(name, &error))
    }

    /// The signature over `message`, in the form of [`yinxin_signer::keys::KeyStore::sign`].
    pub(super) fn sign(
        &self,
        settings: &Pkcs11Key,
        public_key: &PublicKey,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let name = settings.name.as_str();
        let no_key = || KeyStoreError::NoSuchKey {
            key: name.to_owned(),
        };
        let handle = *self.handles.get(name).ok_or_else(no_key)?;
        let call = |mechanism: &Mechanism<'_>, data: &[u8]| {
            self.session
                .sign(mechanism, handle, data)
                .map_err(|error| told(name, &error))
        };
        let broken = |why| KeyStoreError::BadAnswer {
            key: name.to_owned(),
            why,
        };
        match &settings.kind {
            kind @ (Pkcs11KeyKind::Rsa | Pkcs11KeyKind::RsaPss) => {
                let signed = match (kind, self.has_sha256_rsa, self.has_sha256_rsa_pss) {
                    (Pkcs11KeyKind::RsaPss, _, true) => {
                        call(&Mechanism::Sha256RsaPkcsPss(pss_parameters()), message)?
                    }
                    (Pkcs11KeyKind::RsaPss, _, false) => {
                        let digest = signature::sha256(message);
                        call(&Mechanism::RsaPkcsPss(pss_parameters()), &digest)?
                    }
                    (_, true, _) => call(&Mechanism::Sha256RsaPkcs, message)?,
                    (_, false, _) => {
                        call(&Mechanism::RsaPkcs, &signature::sha256_digest_info(message))?
                    }
                };
                if public_key.signature_bytes_max() != Some(signed.len()) {
                    return Err(broken("the signature is not as long as the modulus"));
                }
                Ok(signed)
            }
            Pkcs11KeyKind::P256 => {
                let raw = call(&Mechanism::Ecdsa, &signature::sha256(message))?;
                signature::p256_der(&raw).ok_or_else(|| broken(NOT_RS))
            }
            Pkcs11KeyKind::Sm2(numbers) => {
                let PublicKey::Sm2(public_key) = public_key else {
                    return Err(broken("the key's public half is not of SM2"));
                };
                let input = sm2_input(numbers.input, public_key, message)
                    .ok_or_else(|| broken("the public key gives no Z"))?;
                let signed = call(&sm2_mechanism(numbers).map_err(broken)?, &input)?;
                match numbers.output {
                    Sm2Encoding::Raw => signature::sm2_der_from_raw(&signed),
                    Sm2Encoding::Der => signature::sm2_der_from_der(&signed),
                }
                .ok_or_else(|| broken(NOT_RS))
            }
        }
    }
}

/// Shows the PIN to the token, once.
///
/// # Errors
/// [`KeyStoreError::WrongPin`]; the token's own.
pub(super) fn login(session: &Session, token: &str, pin: &RawAuthPin) -> Result<(), KeyStoreError> {
    match session.login_with_raw(UserType::User, pin) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(()),
        Err(Error::Pkcs11(
            RvError::PinIncorrect
            | RvError::PinInvalid
            | RvError::PinLenRange
            | RvError::PinExpired
            | RvError::PinLocked,
            _,
        )) => Err(KeyStoreError::WrongPin {
            holder: token.to_owned(),
        }),
        Err(other) => Err(told(token, &other)),
    }
}

const NO_KEY: &str = "the token's public key is none";
const NOT_RS: &str = "the signature is no pair r, s in range and in the configured form";

fn bad(name: &str, why: &'static str) -> OpenError {
    OpenError::Key(KeyStoreError::BadAnswer {
        key: name.to_owned(),
        why,
    })
}

/// SHA-256 throughout and a salt as long (RFC 4055 3.1).
fn pss_parameters() -> PkcsPssParams {
    PkcsPssParams {
        hash_alg: MechanismType::SHA256,
        mgf: PkcsMgfType::MGF1_SHA256,
        s_len: 32.into(),
    }
}

fn sm2_mechanism(numbers: &Sm2Numbers) -> Result<Mechanism<'static>, &'static str> {
    let mechanism = MechanismType::new_vendor_defined(numbers.mechanism)
        .map_err(|_| "the mechanism's number is not a vendor's")?;
    Ok(Mechanism::VendorDefined(VendorDefinedMechanism::new::<()>(
        mechanism, None,
    )))
}

fn sm2_input(
    input: Sm2Input,
    public_key: &yinxin_sm::PublicKey,
    message: &[u8],
) -> Option<Vec<u8>> {
    match input {
        Sm2Input::Digest => sm2_message_digest(public_key, message)
            .ok()
            .map(|digest| digest.to_vec()),
        Sm2Input::ZAndMessage => {
            let mut input = public_key.z(DEFAULT_DISTID).ok()?.to_vec();
            input.extend_from_slice(message);
            Some(input)
        }
        Sm2Input::Message => Some(message.to_vec()),
    }
}

fn point_of(value: &[u8]) -> Option<[u8; 65]> {
    // By length first: a bare point begins with 04 as well, the tag of an OCTET STRING.
    let inside = match value.len() {
        64 | 65 => value,
        _ => {
            let mut reader = tlv::Reader::new(value);
            let element = reader.expect(tag::OCTET_STRING, "CKA_EC_POINT").ok()?;
            reader.is_empty().then_some(element.content)?
        }
    };
    if let Ok(point) = <[u8; 65]>::try_from(inside) {
        return (point.first() == Some(&4)).then_some(point);
    }
    let coordinates = <&[u8; 64]>::try_from(inside).ok()?;
    let mut point = [4; 65];
    point.split_at_mut(1).1.copy_from_slice(coordinates);
    Some(point)
}

/// A failure in the words of the key store.
pub(super) fn told(key: &str, error: &Error) -> KeyStoreError {
    let operation = match error {
        Error::Pkcs11(_, function) => operation_name(function),
        _ => "the PKCS#11 library",
    };
    let (key, answer) = (key.to_owned(), answer_of(error));
    if is_loss(error) {
        KeyStoreError::DeviceUnavailable {
            key,
            operation,
            answer,
        }
    } else {
        KeyStoreError::DeviceRefused {
            key,
            operation,
            answer,
        }
    }
}

/// Whether the token or the session is gone, so that only a new session can help.
fn is_loss(error: &Error) -> bool {
    matches!(
        error,
        Error::Pkcs11(
            RvError::DeviceError
                | RvError::DeviceMemory
                | RvError::DeviceRemoved
                | RvError::GeneralError
                | RvError::CryptokiNotInitialized
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::SessionClosed
                | RvError::SessionCount
                | RvError::SessionHandleInvalid
                | RvError::SlotIdInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn,
            _
        )
    )
}

/// The name of the return value, without its prose.
pub(super) fn answer_of(error: &Error) -> String {
    match error {
        Error::Pkcs11(value, _) => format!("{value:?}"),
        other => other.to_string(),
    }
}

fn operation_name(function: &cryptoki::context::Function) -> &'static str {
    use cryptoki::context::Function;
    match function {
        Function::OpenSession => "C_OpenSession",
        Function::Login => "C_Login",
        Function::GetMechanismList => "C_GetMechanismList",
        Function::FindObjectsInit | Function::FindObjects | Function::FindObjectsFinal => {
            "C_FindObjects"
        }
        Function::GetAttributeValue => "C_GetAttributeValue",
        Function::GenerateKeyPair => "C_GenerateKeyPair",
        Function::DestroyObject => "C_DestroyObject",
        Function::SignInit => "C_SignInit",
        Function::Sign => "C_Sign",
        _ => "a PKCS#11 function",
    }
}

#[cfg(test)]
mod tests {
    #![allow(
        clippy::unwrap_used,
        clippy::indexing_slicing,
        reason = "a test may fail loudly"
    )]
    use super::*;

    #[test]
    fn a_point_is_read_in_the_three_forms_that_tokens_give() {
        let mut point = [7; 65];
        point[0] = 4;
        assert_eq!(point_of(&point), Some(point));
        assert_eq!(point_of(&point[1..]), Some(point));
        assert_eq!(point_of(&tlv::octet_string(&point)), Some(point));
        assert_eq!(point_of(&tlv::octet_string(&point[1..])), Some(point));
        assert_eq!(point_of(&point[..64]).map(|read| read[1]), Some(4));
        assert_eq!(point_of(&point[..63]), None);
        point[0] = 3;
        assert_eq!(point_of(&point), None);
    }
}
