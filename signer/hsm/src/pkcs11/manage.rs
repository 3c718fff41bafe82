//! Making, showing and destroying keys of a token: for a person, not for the service.
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "cryptoki's enums list all of PKCS#11 and grow with it; we name what we use"
)]

use cryptoki::context::Pkcs11;
use cryptoki::mechanism::vendor_defined::VendorDefinedMechanism;
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::Session;
use cryptoki::slot::Slot;
use cryptoki::types::RawAuthPin;
use yinxin_signer::keys::KeyStoreError;

use super::connection::told;
use super::{Pkcs11Library, Sm2Numbers, TokenSelector};
use crate::{OpenError, Secret};

/// secp256r1 as CKA_EC_PARAMS (RFC 5480, 2.1.1.1).
const P256_PARAMETERS: [u8; 10] = [0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
/// The SM2 curve as CKA_EC_PARAMS (GB/T 33560, table A.1).
const SM2_PARAMETERS: [u8; 10] = [0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];

/// A token with a person logged in; the session closes when dropped.
pub struct TokenManager {
    library: Pkcs11,
    slot: Slot,
    session: Session,
}

/// A key to be made in a token.
#[derive(Clone, Debug)]
pub struct NewTokenKey {
    /// CKA_LABEL of both halves.
    pub label: String,
    /// CKA_ID of both halves.
    pub id: Vec<u8>,
    /// What it shall be.
    pub kind: NewTokenKeyKind,
}

/// What a new key shall be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewTokenKeyKind {
    /// RSA with the exponent 65537.
    Rsa {
        /// Length of the modulus.
        bits: u16,
    },
    /// P-256.
    P256,
    /// SM2 with a vendor's numbers.
    Sm2 {
        /// Those it signs with; the key type is given to the new key.
        numbers: Sm2Numbers,
        /// The mechanism that makes key pairs.
        generation: u64,
    },
}

/// What the token says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// CK_TOKEN_INFO.label.
    pub label: String,
    /// CK_TOKEN_INFO.serialNumber.
    pub serial: String,
    /// CK_TOKEN_INFO.manufacturerID.
    pub manufacturer: String,
    /// CK_TOKEN_INFO.model.
    pub model: String,
}

/// What the token says of a private key (PKCS#11 3.1, 4.9 and 4.14). It is the token's word, signed by
/// nobody; `None` is an attribute it does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyAttributes {
    /// CKA_LABEL.
    pub label: String,
    /// CKA_ID.
    pub id: Vec<u8>,
    /// CKA_LOCAL: made in this token.
    pub local: Option<bool>,
    /// CKA_SENSITIVE: never shown in clear.
    pub sensitive: Option<bool>,
    /// CKA_ALWAYS_SENSITIVE: nor was it ever.
    pub always_sensitive: Option<bool>,
    /// CKA_EXTRACTABLE: may leave wrapped.
    pub extractable: Option<bool>,
    /// CKA_NEVER_EXTRACTABLE: nor might it ever.
    pub never_extractable: Option<bool>,
    /// CKA_PRIVATE: only after login.
    pub private: Option<bool>,
    /// CKA_MODIFIABLE.
    pub modifiable: Option<bool>,
}

impl KeyAttributes {
    /// Whether the token says that the key was made inside and cannot and never could leave.
    #[must_use]
    pub fn never_left(&self) -> bool {
        let all = [
            self.local,
            self.sensitive,
            self.always_sensitive,
            self.never_extractable,
        ];
        all.iter().all(|one| *one == Some(true)) && self.extractable == Some(false)
    }

    /// Names and answers, as PKCS#11 calls them.
    #[must_use]
    pub fn named(&self) -> [(&'static str, Option<bool>); 7] {
        [
            ("CKA_LOCAL", self.local),
            ("CKA_SENSITIVE", self.sensitive),
            ("CKA_ALWAYS_SENSITIVE", self.always_sensitive),
            ("CKA_EXTRACTABLE", self.extractable),
            ("CKA_NEVER_EXTRACTABLE", self.never_extractable),
            ("CKA_PRIVATE", self.private),
            ("CKA_MODIFIABLE", self.modifiable),
        ]
    }
}

impl TokenManager {
    /// Finds the token and logs its user in. The PIN is shown to the token once.
    ///
    /// # Errors
    /// [`OpenError`]; [`KeyStoreError::WrongPin`] in [`OpenError::Key`].
    pub fn login(
        library: &Pkcs11Library,
        selector: &TokenSelector,
        pin: &Secret,
    ) -> Result<Self, OpenError> {
        let slot = library.slot(selector)?;
        let library = library.0.clone();
        let name = selector.label.as_deref().or(selector.serial.as_deref());
        let token = format!("the token {}", name.unwrap_or("without a name"));
        let session = library
            .open_rw_session(slot)
            .map_err(|error| told(&token, &error))?;
        super::connection::login(&session, &token, &raw_pin(pin))?;
        Ok(Self {
            library,
            slot,
            session,
        })
    }

    /// What the token says of itself.
    ///
    /// # Errors
    /// The token's own.
    pub fn token(&self) -> Result<TokenFacts, KeyStoreError> {
        let info = self
            .library
            .get_token_info(self.slot)
            .map_err(|error| told("the token", &error))?;
        let trimmed = |text: &str| text.trim_end().to_owned();
        Ok(TokenFacts {
            label: trimmed(info.label()),
            serial: trimmed(info.serial_number()),
            manufacturer: trimmed(info.manufacturer_id()),
            model: trimmed(info.model()),
        })
    }

    /// Makes a key pair that signs, cannot be shown and cannot leave, and tells what the token says
    /// of it afterwards.
    ///
    /// # Errors
    /// [`KeyStoreError::NameTaken`] when the label or the id is in use; the token's own.
    pub fn generate(&self, key: &NewTokenKey) -> Result<KeyAttributes, KeyStoreError> {
        let name = key.label.as_str();
        let told = |error| told(name, &error);
        for one in [
            Attribute::Label(name.as_bytes().to_vec()),
            Attribute::Id(key.id.clone()),
        ] {
            if !self.session.find_objects(&[one]).map_err(told)?.is_empty() {
                return Err(KeyStoreError::NameTaken {
                    key: name.to_owned(),
                });
            }
        }
        let (mechanism, kind) = generation(key)?;
        let named = |more: &[Attribute]| {
            let mut template = vec![
                Attribute::Token(true),
                Attribute::Label(name.as_bytes().to_vec()),
                Attribute::Id(key.id.clone()),
            ];
            template.extend_from_slice(more);
            template
        };
        let mut public = named(&[Attribute::Private(false), Attribute::Verify(true)]);
        public.extend(kind.public);
        let mut private = named(&[
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
        ]);
        private.extend(kind.both.clone());
        public.extend(kind.both);
        let (_, made) = self
            .session
            .generate_key_pair(&mechanism, &public, &private)
            .map_err(told)?;
        self.attributes(name, made)
    }

    /// What the token says of the private keys with this label or id; all of them with neither.
    ///
    /// # Errors
    /// The token's own.
    pub fn keys(
        &self,
        label: Option<&str>,
        id: Option<&[u8]>,
    ) -> Result<Vec<KeyAttributes>, KeyStoreError> {
        let name = label.unwrap_or("of any name");
        let mut template = vec![Attribute::Class(ObjectClass::PRIVATE_KEY)];
        template.extend(selection(label, id));
        let found = self
            .session
            .find_objects(&template)
            .map_err(|error| told(name, &error))?;
        found
            .into_iter()
            .map(|object| self.attributes(name, object))
            .collect()
    }

    /// Destroys the key pair with this label and id, and the certificates beside it, and gives the
    /// number of objects. They are looked for again afterwards.
    ///
    /// # Errors
    /// [`KeyStoreError::NoSuchKey`]; [`KeyStoreError::NameTaken`] for two private keys;
    /// [`KeyStoreError::BadAnswer`] when something is still there; the token's own.
    pub fn destroy(&self, label: &str, id: &[u8]) -> Result<usize, KeyStoreError> {
        let told = |error| told(label, &error);
        let template = selection(Some(label), Some(id));
        match self.keys(Some(label), Some(id))?.len() {
            0 => {
                return Err(KeyStoreError::NoSuchKey {
                    key: label.to_owned(),
                });
            }
            1 => {}
            _ => {
                return Err(KeyStoreError::NameTaken {
                    key: label.to_owned(),
                });
            }
        }
        let objects = self.session.find_objects(&template).map_err(told)?;
        for object in &objects {
            self.session.destroy_object(*object).map_err(told)?;
        }
        if !(self.session.find_objects(&template).map_err(told)?).is_empty() {
            return Err(KeyStoreError::BadAnswer {
                key: label.to_owned(),
                why: "the token still shows what it said it destroyed",
            });
        }
        Ok(objects.len())
    }

    fn attributes(&self, name: &str, object: ObjectHandle) -> Result<KeyAttributes, KeyStoreError> {
        let wanted = [
            AttributeType::Label,
            AttributeType::Id,
            AttributeType::Local,
            AttributeType::Sensitive,
            AttributeType::AlwaysSensitive,
            AttributeType::Extractable,
            AttributeType::NeverExtractable,
            AttributeType::Private,
            AttributeType::Modifiable,
        ];
        let told = |error| told(name, &error);
        let mut key = KeyAttributes::default();
        for attribute in self.session.get_attributes(object, &wanted).map_err(told)? {
            match attribute {
                Attribute::Label(value) => key.label = String::from_utf8_lossy(&value).into_owned(),
                Attribute::Id(value) => key.id = value,
                Attribute::Local(value) => key.local = Some(value),
                Attribute::Sensitive(value) => key.sensitive = Some(value),
                Attribute::AlwaysSensitive(value) => key.always_sensitive = Some(value),
                Attribute::Extractable(value) => key.extractable = Some(value),
                Attribute::NeverExtractable(value) => key.never_extractable = Some(value),
                Attribute::Private(value) => key.private = Some(value),
                Attribute::Modifiable(value) => key.modifiable = Some(value),
                _ => {}
            }
        }
        Ok(key)
    }
}

impl std::fmt::Debug for TokenManager {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TokenManager")
            .field("slot", &self.slot)
            .finish_non_exhaustive()
    }
}

fn selection(label: Option<&str>, id: Option<&[u8]>) -> Vec<Attribute> {
    let label = label.map(|label| Attribute::Label(label.as_bytes().to_vec()));
    let id = id.map(|id| Attribute::Id(id.to_vec()));
    label.into_iter().chain(id).collect()
}

fn raw_pin(pin: &Secret) -> RawAuthPin {
    RawAuthPin::new(Box::new(pin.expose().to_vec()))
}

/// What a kind adds to the templates.
struct KindTemplate {
    public: Vec<Attribute>,
    both: Vec<Attribute>,
}

fn generation(key: &NewTokenKey) -> Result<(Mechanism<'static>, KindTemplate), KeyStoreError> {
    let broken = |why| KeyStoreError::BadAnswer {
        key: key.label.clone(),
        why,
    };
    let curve = |parameters: &[u8]| vec![Attribute::EcParams(parameters.to_vec())];
    Ok(match &key.kind {
        NewTokenKeyKind::Rsa { bits } => (
            Mechanism::RsaPkcsKeyPairGen,
            KindTemplate {
                public: vec![
                    Attribute::ModulusBits(u64::from(*bits).into()),
                    Attribute::PublicExponent(vec![1, 0, 1]),
                ],
                both: Vec::new(),
            },
        ),
        NewTokenKeyKind::P256 => (
            Mechanism::EccKeyPairGen,
            KindTemplate {
                public: curve(&P256_PARAMETERS),
                both: Vec::new(),
            },
        ),
        NewTokenKeyKind::Sm2 {
            numbers,
            generation,
        } => {
            let mechanism = MechanismType::new_vendor_defined(*generation)
                .map_err(|_| broken("the mechanism that makes keys is not a vendor's number"))?;
            let both = match numbers.key_type {
                Some(number) => vec![Attribute::KeyType(
                    KeyType::new_vendor_defined(number)
                        .map_err(|_| broken("the key type is not a vendor's number"))?,
                )],
                None => Vec::new(),
            };
            let parameters = numbers.curve_parameters.as_deref();
            (
                Mechanism::VendorDefined(VendorDefinedMechanism::new::<()>(mechanism, None)),
                KindTemplate {
                    public: curve(parameters.unwrap_or(&SM2_PARAMETERS)),
                    both,
                },
            )
        }
    })
}
