//! `[[key]]` and `[[device]]` of the configuration, and what must hold between them.

use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;
use yinxin_edge::{ConfigError, value_error};
use yinxin_hsm::PoolSettings;
use yinxin_signer::keys::RsaPadding;

/// One key: in an encrypted file, or in one device or several.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Our name of it.
    pub name: String,
    /// Encrypted PKCS#8, PEM or DER.
    pub file: Option<PathBuf>,
    /// In a file, for SM2: whether nonces are prepared ahead. Faster, and not for a virtual machine
    /// that may be resumed twice from one snapshot of its memory.
    #[serde(default)]
    pub prepared_nonces: bool,
    /// For RSA: how it pads. A key signs with one padding only.
    #[serde(default)]
    pub padding: Option<Padding>,
    /// The devices that hold it, the preferred one first. All name it in the same way.
    #[serde(default)]
    pub devices: Vec<String>,
    /// In a device: what it is.
    pub kind: Option<KeyKind>,
    /// In a token: CKA_LABEL.
    pub label: Option<String>,
    /// In a token: CKA_ID, hexadecimal.
    pub id: Option<String>,
    /// In a token, for SM2: the vendor's numbers.
    pub sm2: Option<Sm2Config>,
    /// In an SDF machine: the key's index, from 1.
    pub index: Option<u32>,
    /// In an SDF machine: where the password of the access right comes from.
    pub password: Option<SecretSource>,
    /// In a device: the key's certificate, PEM or DER. Another key in its place is refused; without
    /// it, a device that is away when the service starts stops the start.
    pub certificate: Option<PathBuf>,
}

/// How an RSA key pads; the hash is SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// PKCS#1 v1.5; what holds when nothing is said.
    Pkcs1,
    /// PSS with a salt of 32 octets.
    Pss,
}

/// What a key in a device is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyKind {
    /// RSA with SHA-256.
    Rsa,
    /// ECDSA on P-256.
    P256,
    /// SM2.
    Sm2,
}

/// How one vendor does SM2 in PKCS#11; its header file has the numbers.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sm2Config {
    /// CKA_KEY_TYPE; absent to search without it.
    pub key_type: Option<u64>,
    /// The mechanism.
    pub mechanism: u64,
    /// CKA_EC_PARAMS, hexadecimal; absent to search without it.
    pub curve_parameters: Option<String>,
    /// What the mechanism takes.
    pub input: Sm2Input,
    /// What it gives.
    pub output: Sm2Output,
}

/// Who computes Z and the digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sm2Input {
    /// We do.
    Digest,
    /// The mechanism hashes and knows no Z.
    ZAndMessage,
    /// The mechanism does both.
    Message,
}

/// The form of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sm2Output {
    /// r ‖ s.
    Raw,
    /// DER.
    Der,
}

/// One device.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceConfig {
    /// Our name of it.
    pub name: String,
    /// How it is spoken to.
    pub kind: DeviceKind,
    /// The vendor's shared library.
    pub library: PathBuf,
    /// PKCS#11: the token's label.
    pub token: Option<String>,
    /// PKCS#11: the token's serial number.
    pub serial: Option<String>,
    /// PKCS#11: where the user's PIN comes from.
    pub pin: Option<SecretSource>,
    /// SDF: bytes of a field of its ECC structures, 64 (absent) or 32.
    pub layout: Option<u16>,
    /// Sessions and waits.
    #[serde(default)]
    pub pool: PoolConfig,
}

/// How a device is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceKind {
    /// PKCS#11.
    Pkcs11,
    /// GM/T 0018.
    Sdf,
}

/// Where a PIN or password comes from: `{ file = "…" }`, `{ environment = "…" }` or `"prompt"`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A file; one line end at its end is not part of it.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
    /// The person at the terminal, when the service starts.
    Prompt,
}

/// Sessions and waits; [`PoolSettings`] says what each is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PoolConfig {
    /// Sessions held open.
    pub sessions: Option<usize>,
    /// Calls that may wait.
    pub waiting_max: Option<usize>,
    /// Threads that may be stuck in the vendor's library.
    pub stuck_max: Option<usize>,
    /// How long a caller waits for a signature.
    pub sign_milliseconds_max: Option<u64>,
    /// When a call of the device is given up.
    pub hang_milliseconds_max: Option<u64>,
    /// The same for connecting.
    pub connect_milliseconds_max: Option<u64>,
    /// The first wait before a lost device is tried again.
    pub retry_milliseconds_min: Option<u64>,
    /// The longest such wait.
    pub retry_milliseconds_max: Option<u64>,
    /// When an unused session is tested.
    pub check_seconds: Option<u64>,
    /// When a second device is asked as well.
    pub hedge_milliseconds: Option<u64>,
}

impl PoolConfig {
    pub(super) fn settings(&self) -> PoolSettings {
        let defaults = PoolSettings::default();
        let milliseconds =
            |given: Option<u64>, default| given.map_or(default, Duration::from_millis);
        PoolSettings {
            sessions: self.sessions.unwrap_or(defaults.sessions),
            waiting_max: self.waiting_max.unwrap_or(defaults.waiting_max),
            stuck_max: self.stuck_max.unwrap_or(defaults.stuck_max),
            sign_max: milliseconds(self.sign_milliseconds_max, defaults.sign_max),
            hang_max: milliseconds(self.hang_milliseconds_max, defaults.hang_max),
            connect_max: milliseconds(self.connect_milliseconds_max, defaults.connect_max),
            retry_min: milliseconds(self.retry_milliseconds_min, defaults.retry_min),
            retry_max: milliseconds(self.retry_milliseconds_max, defaults.retry_max),
            check_every: self
                .check_seconds
                .map_or(defaults.check_every, Duration::from_secs),
            hedge_after: milliseconds(self.hedge_milliseconds, defaults.hedge_after),
        }
    }
}

impl KeyConfig {
    pub(super) fn rsa_padding(&self) -> RsaPadding {
        match self.padding {
            None | Some(Padding::Pkcs1) => RsaPadding::Pkcs1,
            Some(Padding::Pss) => RsaPadding::Pss,
        }
    }

    /// Its paths, for [`yinxin_edge::resolve`].
    pub(crate) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let password = self.password.as_mut().and_then(SecretSource::path_mut);
        (self.file.as_mut().into_iter())
            .chain(self.certificate.as_mut())
            .chain(password)
    }
}

impl DeviceConfig {
    /// Its paths, for [`yinxin_edge::resolve`].
    pub(crate) fn paths_mut(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let pin = self.pin.as_mut().and_then(SecretSource::path_mut);
        [&mut self.library].into_iter().chain(pin)
    }
}

impl SecretSource {
    fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Environment(_) | Self::Prompt => None,
        }
    }
}

/// Octets of an even number of hexadecimal digits.
pub(super) fn octets(text: &str) -> Option<Vec<u8>> {
    base16ct::mixed::decode_vec(text).ok()
}

/// What the types cannot say of keys and devices.
///
/// # Errors
/// [`ConfigError::Value`] with the field and its rule.
pub(crate) fn check(keys: &[KeyConfig], devices: &[DeviceConfig]) -> Result<(), ConfigError> {
    for (index, device) in devices.iter().enumerate() {
        let wrong =
            |field: &str, rule: &str| Err(value_error(format!("device[{index}].{field}"), rule));
        if device.name.is_empty() || earlier(devices, index, |one| &one.name) {
            return wrong("name", "must be given, and to one device only");
        }
        if !keys.iter().any(|key| key.devices.contains(&device.name)) {
            return wrong("name", "no key is in this device");
        }
        match device.kind {
            DeviceKind::Pkcs11 if device.token.is_none() && device.serial.is_none() => {
                return wrong("token", "a token needs its label or its serial number");
            }
            DeviceKind::Pkcs11 if device.pin.is_none() => {
                return wrong(
                    "pin",
                    "a token needs { file = … }, { environment = … } or \"prompt\"",
                );
            }
            DeviceKind::Pkcs11 if device.layout.is_some() => {
                return wrong("layout", "is for devices of kind sdf");
            }
            DeviceKind::Sdf
                if device.token.is_some() || device.serial.is_some() || device.pin.is_some() =>
            {
                return wrong(
                    "pin",
                    "token, serial and pin are for devices of kind pkcs11",
                );
            }
            DeviceKind::Sdf if !matches!(device.layout, None | Some(32 | 64)) => {
                return wrong("layout", "must be 64 or 32");
            }
            DeviceKind::Pkcs11 | DeviceKind::Sdf => {}
        }
    }
    for index in 0..keys.len() {
        check_key(keys, index, devices)
            .map_err(|(field, rule)| value_error(format!("key[{index}].{field}"), rule))?;
    }
    Ok(())
}

fn earlier<T>(all: &[T], index: usize, name: impl Fn(&T) -> &String) -> bool {
    let own = all.get(index).map(&name);
    all.iter().take(index).any(|one| Some(name(one)) == own)
}

type Wrong = (&'static str, String);

fn check_key(keys: &[KeyConfig], index: usize, devices: &[DeviceConfig]) -> Result<(), Wrong> {
    let Some(key) = keys.get(index) else {
        return Ok(());
    };
    let wrong = |field: &'static str, rule: &str| Err((field, rule.to_owned()));
    if key.name.is_empty() || earlier(keys, index, |one| &one.name) {
        return wrong("name", "must be given, and to one key only");
    }
    let of_devices = [
        ("kind", key.kind.is_some()),
        ("label", key.label.is_some()),
        ("id", key.id.is_some()),
        ("sm2", key.sm2.is_some()),
        ("index", key.index.is_some()),
        ("password", key.password.is_some()),
        ("certificate", key.certificate.is_some()),
    ];
    if key.file.is_some() != key.devices.is_empty() {
        return wrong("file", "exactly one of file and devices must be given");
    }
    if key.file.is_some() {
        return match of_devices.iter().find(|(_, given)| *given) {
            Some((field, _)) => wrong(field, "is for keys in devices"),
            None => Ok(()),
        };
    }
    if key.prepared_nonces {
        return wrong("prepared_nonces", "is for keys in files");
    }
    let mut kinds = Vec::new();
    for (position, name) in key.devices.iter().enumerate() {
        match devices.iter().find(|device| device.name == *name) {
            None => return Err(("devices", format!("there is no device {name}"))),
            Some(_) if earlier(&key.devices, position, |one| one) => {
                return Err(("devices", format!("{name} is given twice")));
            }
            Some(device) => kinds.push(device.kind),
        }
    }
    let Some(kind) = key.kind else {
        return wrong("kind", "must be rsa, p256 or sm2 for a key in a device");
    };
    if key.padding.is_some() && kind != KeyKind::Rsa {
        return wrong("padding", "is for keys of kind rsa");
    }
    match kinds.first() {
        Some(first) if kinds.iter().any(|other| other != first) => {
            wrong("devices", "must all be of one kind")
        }
        Some(DeviceKind::Pkcs11) => check_token_key(key, kind),
        Some(DeviceKind::Sdf) => check_machine_key(key, kind),
        None => Ok(()),
    }
}

fn check_token_key(key: &KeyConfig, kind: KeyKind) -> Result<(), Wrong> {
    let wrong = |field: &'static str, rule: &str| Err((field, rule.to_owned()));
    if key.index.is_some() || key.password.is_some() {
        return wrong("index", "index and password are for devices of kind sdf");
    }
    if key.label.is_none() && key.id.is_none() {
        return wrong("label", "a key in a token needs its label or its id");
    }
    if key.id.as_deref().is_some_and(|id| octets(id).is_none()) {
        return wrong("id", "must be hexadecimal octets");
    }
    match &key.sm2 {
        None if kind == KeyKind::Sm2 => wrong("sm2", "SM2 in a token needs the vendor's numbers"),
        Some(_) if kind != KeyKind::Sm2 => wrong("sm2", "is for keys of kind sm2"),
        Some(sm2)
            if (sm2.curve_parameters.as_deref()).is_some_and(|text| octets(text).is_none()) =>
        {
            wrong("sm2.curve_parameters", "must be hexadecimal octets")
        }
        Some(_) | None => Ok(()),
    }
}

fn check_machine_key(key: &KeyConfig, kind: KeyKind) -> Result<(), Wrong> {
    let wrong = |field: &'static str, rule: &str| Err((field, rule.to_owned()));
    if key.label.is_some() || key.id.is_some() || key.sm2.is_some() {
        return wrong("label", "label, id and sm2 are for devices of kind pkcs11");
    }
    if kind == KeyKind::P256 {
        return wrong(
            "kind",
            "GM/T 0018 gives no signature on P-256; use rsa or sm2",
        );
    }
    match key.index {
        Some(1..) => Ok(()),
        Some(0) | None => wrong("index", "a key in an SDF machine needs its index, from 1"),
    }
}
