//! The signer's state: everything is loaded and checked against everything else before any port
//! opens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;
use yinxin_edge::{ListenError, read, read_trust, value_error};
use yinxin_pki::Certificate;
use yinxin_signer::appearance::{Centre, RoundSeal, SealFont, draw_round_seal};
use yinxin_signer::error::SetupError;
use yinxin_signer::keys::KeyStore;
use yinxin_signer::licence::{Issuer, unified_credit_code};
use yinxin_signer::policy::{Departments, Grant};
use yinxin_signer::ports::{Clock, SystemClock};
use yinxin_signer::profile::{HandlerNames, ProfileNames};
use yinxin_signer::record::{Operation, Outcome, Record as _};
use yinxin_signer::road::RoadSettings;
use yinxin_signer::seal::{GmMaterial, Seal, SigningIdentity};
use yinxin_store::{DocumentFolder, DocumentSpool, FolderError, SqliteRecord};
use yinxin_typeset::Typesetter;
use yinxin_verifier::Trust;

use crate::config::{Config, ConfigError, IdentityConfig, LimitsConfig, SealConfig};
use crate::fonts;
use crate::keys::Keys;
use crate::receipt::hexadecimal;
use crate::steps::Checkpoints;

/// Room for the updates of one request: each is a container, an appearance and a few objects.
const SIGNATURES_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// China has one time, eight hours ahead of UTC.
const UTC_OFFSET_MINUTES: i16 = 480;

/// Why the signer does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration file.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Keys, certificates and seals do not fit together.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// A device cannot be used as it is configured.
    #[error("the device {device}: {source}")]
    Device {
        /// Its name.
        device: String,
        /// Why.
        source: yinxin_hsm::OpenError,
    },
    /// A seal cannot be drawn.
    #[error("the seal {seal} cannot be drawn: {message}")]
    Appearance {
        /// The seal's id.
        seal: String,
        /// Why.
        message: String,
    },
    /// The record or the document folder.
    #[error("the record cannot be opened: {0}")]
    Record(String),
    /// The network.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The system gives no randomness.
    #[error("the system gives no randomness")]
    NoEntropy,
    /// The published vectors of SM2 and SM3 do not come out on this processor.
    #[error("the self-test of SM2 and SM3 failed on this processor: {0}")]
    SelfTest(#[from] yinxin_sm::Error),
}

/// A seal together with what licences need to know of its owner.
#[derive(Debug)]
pub(crate) struct HeldSeal {
    pub(crate) seal: Arc<Seal>,
    pub(crate) issuer: Option<Issuer>,
}

/// The signer's state.
pub(crate) struct Service {
    pub(crate) settings: RoadSettings,
    pub(crate) limits: LimitsConfig,
    pub(crate) departments: Departments,
    pub(crate) seals: BTreeMap<String, HeldSeal>,
    pub(crate) keys: Keys,
    pub(crate) record: SqliteRecord,
    pub(crate) documents: DocumentFolder,
    pub(crate) trust: Trust,
    pub(crate) typesetter: Typesetter,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) checkpoints: Arc<dyn Checkpoints>,
    /// Names this run of this process in the record.
    pub(crate) holder: String,
    /// One permit for each document that is worked on.
    pub(crate) working: Semaphore,
}

/// What outlives a reading of the configuration: there is one record, and one run of this process.
struct Lasting {
    record: SqliteRecord,
    documents: DocumentFolder,
    checkpoints: Arc<dyn Checkpoints>,
    holder: String,
}

/// What a configuration says, loaded and checked.
struct Loaded {
    departments: Departments,
    seals: BTreeMap<String, HeldSeal>,
    keys: Keys,
    trust: Trust,
    typesetter: Typesetter,
}

impl Loaded {
    fn load(config: &Config, keys_before: &Keys) -> Result<Self, StartError> {
        let keys = Keys::open(config, keys_before)?;
        let found = fonts::load(&config.fonts)?;
        let seals = open_seals(config, &keys.router, &found.seal)?;
        let departments = departments(config, &seals)?;
        let trust = read_trust(&config.trust.directory, config.trust.allow_dev_only)?;
        let typesetter = Typesetter::new(found.files).map_err(|error| ConfigError::Content {
            path: config.fonts.paths.first().cloned().unwrap_or_default(),
            message: error.to_string(),
        })?;
        Ok(Self {
            departments,
            seals,
            keys,
            trust,
            typesetter,
        })
    }
}

impl Service {
    pub(crate) async fn open(
        config: &Config,
        checkpoints: Arc<dyn Checkpoints>,
    ) -> Result<Self, StartError> {
        // Before any key is opened: a wrong carry on one processor has happened to others.
        yinxin_sm::self_test()?;
        let loaded = Loaded::load(config, &Keys::default())?;
        let record = SqliteRecord::open(&config.record.database)
            .await
            .map_err(|error| StartError::Record(error.to_string()))?;
        let documents = DocumentFolder::open(&config.record.documents)
            .map_err(|error| StartError::Record(error.to_string()))?;
        let lasting = Lasting {
            record,
            documents,
            checkpoints,
            holder: new_holder()?,
        };
        let service = Self::assemble(config, loaded, lasting);
        service.close_what_a_crash_left().await?;
        Ok(service)
    }

    /// The same service under another configuration. Work that is under way ends on this one.
    pub(crate) fn open_again(&self, config: &Config) -> Result<Self, StartError> {
        let loaded = Loaded::load(config, &self.keys)?;
        let lasting = Lasting {
            record: self.record.clone(),
            documents: self.documents.clone(),
            checkpoints: Arc::clone(&self.checkpoints),
            holder: self.holder.clone(),
        };
        Ok(Self::assemble(config, loaded, lasting))
    }

    fn assemble(config: &Config, loaded: Loaded, lasting: Lasting) -> Self {
        Self {
            settings: road_settings(config),
            limits: config.limits,
            departments: loaded.departments,
            seals: loaded.seals,
            keys: loaded.keys,
            record: lasting.record,
            documents: lasting.documents,
            trust: loaded.trust,
            typesetter: loaded.typesetter,
            clock: Arc::new(SystemClock),
            checkpoints: lasting.checkpoints,
            holder: lasting.holder,
            working: Semaphore::new(config.limits.concurrent_documents_max as usize),
        }
    }

    /// An empty document that may grow to the limit and by its signatures.
    pub(crate) fn new_spool(&self, with_sm3: bool) -> Result<DocumentSpool, FolderError> {
        let bytes_max = self
            .limits
            .document_bytes_max
            .saturating_add(SIGNATURES_BYTES_MAX);
        self.documents.spool(with_sm3, bytes_max)
    }

    /// Intents without outcome can only be a crash's: nothing was released under them. They get
    /// their outcome now, so that nobody wonders; the caller's retry makes a new attempt.
    async fn close_what_a_crash_left(&self) -> Result<(), StartError> {
        let broken =
            |error: yinxin_signer::record::RecordError| StartError::Record(error.to_string());
        for open in self
            .record
            .open_intents(&self.holder)
            .await
            .map_err(broken)?
        {
            tracing::warn!(
                request_id = %open.intent.key.request_id,
                department = %open.intent.key.caller,
                seal = %open.intent.seal_id,
                "an intent without outcome was left by an earlier run; it is closed as failed"
            );
            let outcome = Outcome::Failed {
                reason: "PROCESS_ENDED".to_owned(),
                at: self.clock.now(),
            };
            self.record
                .record_outcome(open.id, &outcome)
                .await
                .map_err(broken)?;
        }
        Ok(())
    }
}

fn new_holder() -> Result<String, StartError> {
    let mut bytes = [0; 16];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StartError::NoEntropy)?;
    Ok(hexadecimal(&bytes))
}

fn road_settings(config: &Config) -> RoadSettings {
    let defaults = ProfileNames::default();
    let names = |given: &Option<crate::config::NamesConfig>, default: HandlerNames| {
        given.as_ref().map_or(default, |names| HandlerNames {
            filter: names.filter.clone(),
            sub_filter: names.sub_filter.clone(),
        })
    };
    let mut limits = yinxin_pdf::Limits::default();
    limits.file_bytes_max = config.limits.document_bytes_max;
    limits.pages_max = config.limits.pages_max as _;
    limits.objects_max = config.limits.objects_max as _;
    RoadSettings {
        limits,
        names: ProfileNames {
            gm_seal: names(&config.profiles.gm_seal, defaults.gm_seal),
            gm_cms: names(&config.profiles.gm_cms, defaults.gm_cms),
        },
        utc_offset_minutes: UTC_OFFSET_MINUTES,
    }
}

fn identity(config: &IdentityConfig) -> Result<SigningIdentity, ConfigError> {
    let path = &config.certificates;
    let content = |message: String| ConfigError::Content {
        path: path.clone(),
        message,
    };
    let mut certificates = Certificate::list_from_pem_or_der(&read(path)?)
        .map_err(|error| content(error.to_string()))?
        .into_iter();
    let certificate = certificates
        .next()
        .ok_or_else(|| content("holds no certificate".to_owned()))?;
    let chain = certificates
        .filter(|certificate| !certificate.is_self_issued())
        .collect();
    Ok(SigningIdentity {
        key: config.key.clone(),
        certificate,
        chain,
    })
}

fn open_seals(
    config: &Config,
    keys: &dyn KeyStore,
    font: &SealFont,
) -> Result<BTreeMap<String, HeldSeal>, StartError> {
    let mut seals = BTreeMap::new();
    for (index, one) in config.seals.iter().enumerate() {
        let held = open_seal(index, one, font)?;
        held.seal.check(keys)?;
        if seals.insert(one.id.clone(), held).is_some() {
            let rule = format!("{} is given twice", one.id);
            return Err(value_error(format!("seal[{index}].id"), rule).into());
        }
    }
    Ok(seals)
}

fn open_seal(index: usize, config: &SealConfig, font: &SealFont) -> Result<HeldSeal, StartError> {
    let wrong = |field: &str, rule: String| value_error(format!("seal[{index}].{field}"), rule);
    let good_id = (1..=64).contains(&config.id.len())
        && config
            .id
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !good_id {
        return Err(wrong("id", "must be 1 to 64 of a-z, 0-9 and -".to_owned()).into());
    }
    unified_credit_code(&config.owner_code)
        .map_err(|error| wrong("owner_code", error.to_string()))?;
    let appearance = draw_round_seal(
        &RoundSeal {
            upper_text: config.owner_name.clone(),
            lower_text: config.lower_text.clone(),
            diameter_mm: config.diameter_mm,
            centre: Centre::Star,
        },
        font,
    )
    .map_err(|error| StartError::Appearance {
        seal: config.id.clone(),
        message: error.to_string(),
    })?;
    let gm = config
        .gm
        .as_ref()
        .map(|gm| {
            let seal_der = read(&gm.seal)?;
            let seal =
                yinxin_ses::Seal::parse(&seal_der).map_err(|error| ConfigError::Content {
                    path: gm.seal.clone(),
                    message: error.to_string(),
                })?;
            let identity = identity(&IdentityConfig {
                key: gm.key.clone(),
                certificates: gm.certificates.clone(),
            })?;
            Ok::<_, ConfigError>(GmMaterial {
                seal_der,
                seal,
                identity,
            })
        })
        .transpose()?;
    let pades = config.pades.as_ref().map(identity).transpose()?;
    let issuer = config.division_code.as_ref().map(|division| Issuer {
        name: config.owner_name.clone(),
        code: config.owner_code.clone(),
        division: division.clone(),
    });
    let seal = Seal {
        id: config.id.clone(),
        owner_name: config.owner_name.clone(),
        owner_code: Some(config.owner_code.clone()),
        appearance,
        width_mm: config.diameter_mm,
        height_mm: config.diameter_mm,
        gm,
        pades,
    };
    Ok(HeldSeal {
        seal: Arc::new(seal),
        issuer,
    })
}

fn departments(
    config: &Config,
    seals: &BTreeMap<String, HeldSeal>,
) -> Result<Departments, ConfigError> {
    let mut grants = BTreeMap::new();
    for (index, department) in config.departments.iter().enumerate() {
        let wrong =
            |field: &str, rule: String| value_error(format!("department[{index}].{field}"), rule);
        if let Some(unknown) = department
            .seals
            .iter()
            .find(|seal| !seals.contains_key(*seal))
        {
            return Err(wrong("seals", format!("there is no seal {unknown}")));
        }
        let operations = department
            .operations
            .iter()
            .map(|name| {
                Operation::from_name(name)
                    .map(Operation::name)
                    .ok_or_else(|| wrong("operations", format!("there is no operation {name}")))
            })
            .collect::<Result<BTreeSet<_>, _>>()?;
        let grant = Grant {
            seals: department.seals.clone(),
            operations,
        };
        if grants.insert(department.name.clone(), grant).is_some() {
            return Err(wrong("name", format!("{} is given twice", department.name)));
        }
    }
    Ok(Departments::new(grants))
}
