//! The signer's state: everything is loaded and checked against everything else before any port
//! opens.

use std::collections::BTreeSet;
use std::sync::Arc;

use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;
use yinxin_edge::{ListenError, read, read_trust, value_error};
use yinxin_pki::{Certificate, SignatureAlgorithm};
use yinxin_signer::appearance::SealFont;
use yinxin_signer::error::SetupError;
use yinxin_signer::keys::RsaPadding;
use yinxin_signer::ports::{Clock, SystemClock};
use yinxin_signer::profile::{HandlerNames, ProfileNames};
use yinxin_signer::record::{Outcome, Record as _};
use yinxin_signer::registry::Duties;
use yinxin_signer::road::RoadSettings;
use yinxin_signer::seal::SigningIdentity;
use yinxin_store::{DocumentFolder, DocumentSpool, SqliteRecord};
use yinxin_typeset::Typesetter;
use yinxin_verifier::Trust;

use crate::config::{Config, ConfigError, IdentityConfig, LimitsConfig};
use crate::figures::Figures;
use crate::fonts;
use crate::keys::Keys;
use crate::people::People;
use crate::renewal::Renewal;
use crate::seals::SealBook;
use crate::steps::Checkpoints;
use crate::usage::{RuleBook, configured_rules};

/// Room for the updates of one request: each is a container (in hexadecimal twice as long as the
/// picture in it), an appearance and a few objects.
const SIGNATURES_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Up to this length a sealed document stays in memory and is then kept in the record itself. A
/// proof of one page has 20 to 60 KiB; SQLite reads and writes blobs of up to about 100 KiB faster
/// than a file system does files (sqlite.org/fasterthanfs.html, sqlite.org/intern-v-extern-blob.html).
const SHORT_BYTES_MAX: u64 = 128 * 1024;

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

/// The signer's state.
pub(crate) struct Service {
    pub(crate) settings: RoadSettings,
    pub(crate) limits: LimitsConfig,
    pub(crate) seals: SealBook,
    pub(crate) rules: RuleBook,
    pub(crate) people: People,
    pub(crate) duties: Duties,
    /// Seals of the registry that are renewed by rule.
    pub(crate) renewals: Vec<Renewal>,
    /// The codes of the configuration's own seals.
    pub(crate) configured: BTreeSet<String>,
    /// Who makes seal objects, under which vendor's name; the identity is none's to use otherwise.
    pub(crate) maker: Option<(String, SigningIdentity)>,
    pub(crate) keys: Keys,
    pub(crate) record: SqliteRecord,
    pub(crate) documents: DocumentFolder,
    pub(crate) trust: Trust,
    pub(crate) typesetter: Typesetter,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) checkpoints: Arc<dyn Checkpoints>,
    pub(crate) figures: Figures,
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
    figures: Figures,
    holder: String,
}

/// What a configuration says, loaded and checked.
struct Loaded {
    people: People,
    maker: Option<(String, SigningIdentity)>,
    renewals: Vec<Renewal>,
    seal_font: SealFont,
    keys: Keys,
    trust: Trust,
    typesetter: Typesetter,
}

impl Loaded {
    fn load(config: &Config, keys_before: &Keys, figures: &Figures) -> Result<Self, StartError> {
        let keys = Keys::open(config, keys_before, figures)?;
        let found = fonts::load(&config.fonts)?;
        let people = People::new(&config.people)?;
        let maker = maker(config, &keys)?;
        let renewals = Renewal::read_all(config, &keys)?;
        let trust = read_trust(&config.trust.directory, config.trust.allow_dev_only)?;
        Ok(Self {
            people,
            maker,
            renewals,
            seal_font: found.seal,
            keys,
            trust,
            typesetter: found.typesetter,
        })
    }
}

impl Service {
    pub(crate) async fn open(
        config: &Config,
        checkpoints: Arc<dyn Checkpoints>,
        figures: Figures,
    ) -> Result<Self, StartError> {
        // Before any key is opened: a wrong carry on one processor has happened to others.
        yinxin_sm::self_test()?;
        let loaded = Loaded::load(config, &Keys::default(), &figures)?;
        let record = SqliteRecord::open(&config.record.database)
            .await
            .map_err(|error| StartError::Record(error.to_string()))?;
        let told = figures.clone();
        record.watch_commits(move |time| told.committed(time));
        let documents = DocumentFolder::open(&config.record.documents)
            .map_err(|error| StartError::Record(error.to_string()))?;
        let lasting = Lasting {
            record,
            documents,
            checkpoints,
            figures,
            holder: new_holder()?,
        };
        let service = Self::assemble(config, loaded, lasting).await?;
        service.close_what_a_crash_left().await?;
        Ok(service)
    }

    /// The same service under another configuration. Work that is under way ends on this one.
    pub(crate) async fn open_again(&self, config: &Config) -> Result<Self, StartError> {
        let loaded = Loaded::load(config, &self.keys, &self.figures)?;
        let lasting = Lasting {
            record: self.record.clone(),
            documents: self.documents.clone(),
            checkpoints: Arc::clone(&self.checkpoints),
            figures: self.figures.clone(),
            holder: self.holder.clone(),
        };
        Self::assemble(config, loaded, lasting).await
    }

    async fn assemble(
        config: &Config,
        loaded: Loaded,
        lasting: Lasting,
    ) -> Result<Self, StartError> {
        let clock = Arc::new(SystemClock);
        let (record, keys) = (lasting.record, loaded.keys);
        let now = clock.now();
        let seals = SealBook::open(config, &keys.router, loaded.seal_font, &record, now).await?;
        let broken =
            |error: yinxin_signer::record::RecordError| StartError::Record(error.to_string());
        let rules = RuleBook::new(
            configured_rules(config, &seals)?,
            record.rules().await.map_err(broken)?,
        );
        Ok(Self {
            settings: road_settings(config),
            limits: config.limits,
            seals,
            rules,
            people: loaded.people,
            duties: config.registry.duties(),
            renewals: loaded.renewals,
            configured: config.seals.iter().map(|seal| seal.id.clone()).collect(),
            maker: loaded.maker,
            keys,
            record,
            documents: lasting.documents,
            trust: loaded.trust,
            typesetter: loaded.typesetter,
            clock,
            checkpoints: lasting.checkpoints,
            figures: lasting.figures,
            holder: lasting.holder,
            working: Semaphore::new(config.limits.concurrent_documents_max as usize),
        })
    }

    /// An empty document that may grow to the limit and by its signatures.
    pub(crate) fn new_spool(&self, with_sm3: bool) -> DocumentSpool {
        let bytes_max = self
            .limits
            .document_bytes_max
            .saturating_add(SIGNATURES_BYTES_MAX);
        DocumentSpool::new(&self.documents, with_sm3, SHORT_BYTES_MAX, bytes_max)
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
    Ok(base16ct::lower::encode_string(&bytes))
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

/// Who makes seal objects: checked like a seal's signer, and SM2.
fn maker(config: &Config, keys: &Keys) -> Result<Option<(String, SigningIdentity)>, StartError> {
    let Some(maker) = &config.registry.maker else {
        return Ok(None);
    };
    let identity = identity(maker)?;
    identity.check(&keys.router)?;
    if identity.signature_algorithm()? != SignatureAlgorithm::Sm2Sm3 {
        let rule = "must have an SM2 key (GB/T 38540)";
        return Err(value_error("registry.maker.certificates", rule).into());
    }
    if !config.registry.vendor_id.is_ascii() {
        return Err(value_error("registry.vendor_id", "must be ASCII").into());
    }
    Ok(Some((config.registry.vendor_id.clone(), identity)))
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
        rsa_padding: RsaPadding::default(),
    })
}
