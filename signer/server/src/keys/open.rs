//! The keys of a configuration, opened side by side.

use std::sync::Arc;
use std::time::{Duration, Instant};

use yinxin_edge::{ConfigError, read, value_error};
use yinxin_hsm::{
    DeviceKeyStore, FieldLayout, OpenError, Pkcs11Key, Pkcs11KeyKind, Pkcs11Library,
    Pkcs11Settings, SdfKey, SdfKeyKind, SdfSettings, Secret, SharedKey, Sm2Encoding, Sm2Numbers,
    TokenSelector,
};
use yinxin_pki::{Certificate, PublicKey};
use yinxin_signer::error::SetupError;
use yinxin_signer::keys::{KeyRouter, KeyStore, RsaPadding, SoftwareKeyStore};
use zeroize::Zeroizing;

use super::config::{
    DeviceConfig, DeviceKind, KeyConfig, KeyKind, SecretSource, Sm2Config, Sm2Input, Sm2Output,
    octets,
};
use super::timed::Timed;
use crate::config::Config;
use crate::figures::Figures;
use crate::service::StartError;

/// How long the start waits for devices, all of them together.
const START_WAIT: Duration = Duration::from_secs(10);

/// The keys of a configuration: where each name leads, and the devices behind.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    pub(crate) router: KeyRouter,
    devices: Vec<OpenDevice>,
}

/// A device with what it was opened with, so that reading the configuration again leaves it alone
/// when nothing has changed.
#[derive(Debug)]
struct OpenDevice {
    config: DeviceConfig,
    keys: Vec<KeyConfig>,
    secrets: Secrets,
    store: DeviceKeyStore,
}

/// The PIN of a token, or the password of each key of a machine.
type Secrets = Vec<Option<Secret>>;

impl Keys {
    /// Opens every key. A device that is not there does not stop the others: its keys refuse to sign
    /// until it comes. Devices of `before` that are configured as they were go on as they are.
    ///
    /// # Errors
    /// What is wrong in the configuration, in a key file or with a device's library.
    pub(crate) fn open(
        config: &Config,
        before: &Self,
        figures: &Figures,
    ) -> Result<Self, StartError> {
        let mut devices = Vec::new();
        for (index, device) in config.devices.iter().enumerate() {
            devices.push(open_device(index, device, &config.keys, before)?);
        }
        let mut routes = open_files(config)?;
        for key in config.keys.iter().filter(|key| key.file.is_none()) {
            let stores = key.devices.iter().filter_map(|name| {
                let mut opened = devices.iter();
                let found = opened.find(|device| device.config.name == *name);
                found.map(|device| device.store.clone())
            });
            let store = Arc::new(SharedKey::new(stores.collect()));
            routes.push((key.name.clone(), store));
        }
        await_devices(&devices);
        let routes = routes.into_iter().map(|(key, store)| {
            let timed: Arc<dyn KeyStore> = Arc::new(Timed::new(&key, store, figures));
            (key, timed)
        });
        Ok(Self {
            router: KeyRouter::new(routes).map_err(SetupError::from)?,
            devices,
        })
    }

    /// Every device, for its figures.
    pub(crate) fn devices(&self) -> impl Iterator<Item = &DeviceKeyStore> {
        self.devices.iter().map(|device| &device.store)
    }

    /// What an operator asks for by having the configuration read again: lost devices and refused
    /// PINs are tried once more.
    pub(crate) fn try_again(&self) {
        for device in &self.devices {
            device.store.try_again();
        }
    }
}

/// Until each device has answered, or time is up.
fn await_devices(devices: &[OpenDevice]) {
    let until = Instant::now() + START_WAIT;
    for device in devices {
        let left = until.saturating_duration_since(Instant::now());
        if let Err(error) = device.store.wait_until_up(left) {
            tracing::error!(
                device = %device.config.name,
                %error,
                "the device does not sign now; its seals are refused until it does"
            );
        }
    }
}

/// A key's name and the store that holds it.
type Route = (String, Arc<dyn KeyStore>);

/// Key files, each in a thread of its own: opening one takes long on purpose (scrypt, PBKDF2).
fn open_files(config: &Config) -> Result<Vec<Route>, StartError> {
    let files: Vec<_> = config
        .keys
        .iter()
        .filter_map(|key| key.file.as_ref().map(|file| (key, file)))
        .collect();
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let passphrase = passphrase(config)?;
    let at_a_time = std::thread::available_parallelism().map_or(1, usize::from);
    let open_one = |(key, path): &(&KeyConfig, &std::path::PathBuf)| {
        let file = Zeroizing::new(read(path)?);
        let mut store = if key.prepared_nonces {
            SoftwareKeyStore::with_prepared_nonces()
        } else {
            SoftwareKeyStore::new()
        }
        .with_rsa_padding(key.rsa_padding());
        store
            .open_encrypted(&key.name, &file, &passphrase)
            .map_err(SetupError::from)?;
        let spki_der = store.public_key_spki(&key.name).map_err(SetupError::from)?;
        if key.padding.is_some()
            && !matches!(
                PublicKey::from_spki_der(&spki_der),
                Ok(PublicKey::Rsa { .. })
            )
        {
            let rule = format!("is for RSA keys, and {} is none", key.name);
            return Err(value_error("key.padding", rule).into());
        }
        let store: Arc<dyn KeyStore> = Arc::new(store);
        Ok::<_, StartError>((key.name.clone(), store))
    };
    let mut opened = Vec::new();
    for some in files.chunks(at_a_time) {
        let done = std::thread::scope(|scope| {
            let threads: Vec<_> = some
                .iter()
                .map(|one| scope.spawn(|| open_one(one)))
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join())
                .collect::<Vec<_>>()
        });
        for one in done {
            let lost = |_| value_error("key", "a thread that opened a key file ended early");
            opened.push(one.map_err(lost)??);
        }
    }
    Ok(opened)
}

fn passphrase(config: &Config) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let wrong = |rule: &str| value_error("passphrase", rule);
    let source = match &config.passphrase {
        None => return Err(wrong("must be given, for the keys in files")),
        Some(given) => match (&given.file, &given.environment) {
            (Some(path), None) => SecretSource::File(path.clone()),
            (None, Some(name)) => SecretSource::Environment(name.clone()),
            (Some(_), Some(_)) | (None, None) => {
                return Err(wrong("exactly one of file and environment must be given"));
            }
        },
    };
    secret_bytes("passphrase", &source)
}

/// Reads a PIN, password or passphrase; `field` is for errors.
fn secret_bytes(field: &str, source: &SecretSource) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    match source {
        SecretSource::File(path) => {
            let mut bytes = Zeroizing::new(read(path)?);
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
            Ok(bytes)
        }
        SecretSource::Environment(name) => std::env::var(name)
            .map(|value| Zeroizing::new(value.into_bytes()))
            .map_err(|_| value_error(field, format!("the environment variable {name} is not set"))),
        SecretSource::Prompt => rpassword::prompt_password(format!("{field}: "))
            .map(|value| Zeroizing::new(value.into_bytes()))
            .map_err(|error| value_error(field, format!("nobody can be asked for it: {error}"))),
    }
}

fn secret(field: String, source: &Option<SecretSource>) -> Result<Option<Secret>, ConfigError> {
    let Some(source) = source else {
        return Ok(None);
    };
    let bytes = secret_bytes(&field, source)?;
    Ok(Some(Secret::new(bytes.to_vec())))
}

fn open_device(
    index: usize,
    config: &DeviceConfig,
    keys: &[KeyConfig],
    before: &Keys,
) -> Result<OpenDevice, StartError> {
    let own: Vec<KeyConfig> = keys
        .iter()
        .filter(|key| key.devices.contains(&config.name))
        .cloned()
        .collect();
    let same = before
        .devices
        .iter()
        .find(|device| device.config == *config && device.keys == own);
    let asks = |source: &Option<SecretSource>| *source == Some(SecretSource::Prompt);
    let prompted = asks(&config.pin) || own.iter().any(|key| asks(&key.password));
    let secrets = match same {
        // Nobody is asked again for what has not changed.
        Some(device) if prompted => device.secrets.clone(),
        Some(_) | None => read_secrets(config, &own)?,
    };
    if let Some(device) = same
        && device.secrets == secrets
    {
        return Ok(OpenDevice {
            config: config.clone(),
            keys: own,
            secrets,
            store: device.store.clone(),
        });
    }
    let store = start(config, &own, &secrets).map_err(|error| match error {
        Starting::Config(error) => StartError::Config(error),
        Starting::Open(OpenError::PoolSetting { field, rule }) => {
            value_error(format!("device[{index}].pool.{field}"), rule).into()
        }
        Starting::Open(source) => StartError::Device {
            device: config.name.clone(),
            source,
        },
    })?;
    Ok(OpenDevice {
        config: config.clone(),
        keys: own,
        secrets,
        store,
    })
}

fn read_secrets(config: &DeviceConfig, keys: &[KeyConfig]) -> Result<Secrets, ConfigError> {
    match config.kind {
        DeviceKind::Pkcs11 => {
            let field = format!("PIN of the device {}", config.name);
            Ok(vec![secret(field, &config.pin)?])
        }
        DeviceKind::Sdf => keys
            .iter()
            .map(|key| secret(format!("password of the key {}", key.name), &key.password))
            .collect(),
    }
}

enum Starting {
    Config(ConfigError),
    Open(OpenError),
}

fn start(
    config: &DeviceConfig,
    keys: &[KeyConfig],
    secrets: &Secrets,
) -> Result<DeviceKeyStore, Starting> {
    let pool = config.pool.settings();
    match config.kind {
        DeviceKind::Pkcs11 => {
            let settings = Pkcs11Settings {
                library: Pkcs11Library::load(&config.library).map_err(Starting::Open)?,
                token: TokenSelector {
                    label: config.token.clone(),
                    serial: config.serial.clone(),
                },
                pin: (secrets.first().cloned().flatten())
                    .unwrap_or_else(|| Secret::new(Vec::new())),
                keys: keys
                    .iter()
                    .map(token_key)
                    .collect::<Result<_, _>>()
                    .map_err(Starting::Config)?,
            };
            settings.start(&config.name, pool).map_err(Starting::Open)
        }
        DeviceKind::Sdf => {
            let settings = SdfSettings {
                library: config.library.clone(),
                layout: match config.layout {
                    Some(32) => FieldLayout::Bytes32,
                    Some(_) | None => FieldLayout::Bytes64,
                },
                keys: keys
                    .iter()
                    .zip(secrets)
                    .map(|(key, password)| machine_key(key, password))
                    .collect::<Result<_, _>>()
                    .map_err(Starting::Config)?,
            };
            settings.start(&config.name, pool).map_err(Starting::Open)
        }
    }
}

fn token_key(key: &KeyConfig) -> Result<Pkcs11Key, ConfigError> {
    let kind = match (key.kind, &key.sm2) {
        (Some(KeyKind::Rsa), _) | (None, None) => match key.rsa_padding() {
            RsaPadding::Pkcs1 => Pkcs11KeyKind::Rsa,
            RsaPadding::Pss => Pkcs11KeyKind::RsaPss,
        },
        (Some(KeyKind::P256), _) => Pkcs11KeyKind::P256,
        (Some(KeyKind::Sm2) | None, Some(sm2)) => Pkcs11KeyKind::Sm2(sm2_numbers(sm2)),
        (Some(KeyKind::Sm2), None) => {
            return Err(value_error(
                "key.sm2",
                "SM2 in a token needs the vendor's numbers",
            ));
        }
    };
    Ok(Pkcs11Key {
        name: key.name.clone(),
        label: key.label.clone(),
        id: key.id.as_deref().and_then(octets),
        kind,
        public_key_spki: public_key(key)?,
    })
}

fn sm2_numbers(config: &Sm2Config) -> Sm2Numbers {
    Sm2Numbers {
        key_type: config.key_type,
        mechanism: config.mechanism,
        curve_parameters: config.curve_parameters.as_deref().and_then(octets),
        input: match config.input {
            Sm2Input::Digest => yinxin_hsm::Sm2Input::Digest,
            Sm2Input::ZAndMessage => yinxin_hsm::Sm2Input::ZAndMessage,
            Sm2Input::Message => yinxin_hsm::Sm2Input::Message,
        },
        output: match config.output {
            Sm2Output::Raw => Sm2Encoding::Raw,
            Sm2Output::Der => Sm2Encoding::Der,
        },
    }
}

fn machine_key(key: &KeyConfig, password: &Option<Secret>) -> Result<SdfKey, ConfigError> {
    Ok(SdfKey {
        name: key.name.clone(),
        index: key.index.unwrap_or(0),
        kind: match key.kind {
            Some(KeyKind::Sm2) => SdfKeyKind::Sm2,
            Some(KeyKind::Rsa | KeyKind::P256) | None => match key.rsa_padding() {
                RsaPadding::Pkcs1 => SdfKeyKind::Rsa,
                RsaPadding::Pss => SdfKeyKind::RsaPss,
            },
        },
        password: password.clone(),
        public_key_spki: public_key(key)?,
    })
}

/// The SubjectPublicKeyInfo of the certificate that the key is said to have.
fn public_key(key: &KeyConfig) -> Result<Option<Vec<u8>>, ConfigError> {
    let Some(path) = &key.certificate else {
        return Ok(None);
    };
    let content = |message: String| ConfigError::Content {
        path: path.clone(),
        message,
    };
    let certificates = Certificate::list_from_pem_or_der(&read(path)?)
        .map_err(|error| content(error.to_string()))?;
    match certificates.first() {
        Some(certificate) => Ok(Some(certificate.spki_der().to_vec())),
        None => Err(content("holds no certificate".to_owned())),
    }
}
