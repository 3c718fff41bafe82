//! The seals as the signer holds them: what the registry says, drawn and ready to use.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use yinxin_edge::{read, value_error};
use yinxin_pki::UnixSeconds;
use yinxin_signer::appearance::{SealFont, SealKind};
use yinxin_signer::error::SetupError;
use yinxin_signer::keys::KeyStore;
use yinxin_signer::licence::{Issuer, unified_credit_code};
use yinxin_signer::registry::{
    Actor, Application, CONFIGURATION, CertListKind, Change, Duties, Face, Filing, KeyBinding,
    Material, RegistryError, SealLayout, SealRecord, SealState, Stage, Terms, material_of,
};
use yinxin_signer::seal::{GmMaterial, Seal};
use yinxin_store::{ChangeError, SqliteRecord};

use crate::config::{Config, IdentityConfig, SealConfig};
use crate::service::StartError;

/// Said of a seal whose configuration names no keeper: then only approvers suspend it.
const NO_KEEPER: &str = "-";
/// What the configuration's seals are filed under.
const NOT_STATED: &str = "not stated";
/// Whoever configures seals has no separation of duties to keep.
const DUTIES: Duties = Duties {
    applicant_may_keep: true,
};

/// A seal of the registry, with what its version in use needs to be applied.
#[derive(Debug)]
pub(crate) struct HeldSeal {
    pub(crate) seal: Arc<Seal>,
    pub(crate) issuer: Option<Issuer>,
    /// The version that `seal` is.
    pub(crate) version: u32,
    /// The registry's word.
    pub(crate) record: SealRecord,
}

/// One seal: always in the registry, perhaps ready to use.
#[derive(Clone, Debug)]
pub(crate) enum Entry {
    /// It has a version in use.
    Held(Arc<HeldSeal>),
    /// It has none, or the version in use cannot be loaded.
    Idle(Arc<SealRecord>),
}

impl Entry {
    pub(crate) fn record(&self) -> &SealRecord {
        match self {
            Self::Held(held) => &held.record,
            Self::Idle(record) => record,
        }
    }
}

/// All seals.
pub(crate) struct SealBook {
    pub(crate) font: SealFont,
    entries: RwLock<BTreeMap<String, Entry>>,
}

impl SealBook {
    /// Brings the configuration's seals into the registry, then loads the registry.
    pub(crate) async fn open(
        config: &Config,
        keys: &dyn KeyStore,
        font: SealFont,
        record: &SqliteRecord,
        now: UnixSeconds,
    ) -> Result<Self, StartError> {
        let mut known: BTreeMap<_, _> = record
            .seals()
            .await
            .map_err(broken)?
            .into_iter()
            .map(|seal| (seal.application().code.clone(), seal))
            .collect();
        let mut configured: BTreeMap<String, usize> = BTreeMap::new();
        for (index, one) in config.seals.iter().enumerate() {
            if configured.insert(one.id.clone(), index).is_some() {
                let rule = format!("{} is given twice", one.id);
                return Err(value_error(format!("seal[{index}].id"), rule).into());
            }
            let wanted = Configured::read(index, &one.at(now))?;
            // Drawn and checked before anything of it is written down; what comes next as well, so
            // that the change does not fail when its moment is there.
            let next = (one.next.is_some())
                .then(|| Configured::read(index, &one.after()))
                .transpose()?;
            for one in std::iter::once(&wanted).chain(&next) {
                let (application, terms) = (&one.application, &one.application.terms);
                load(application, terms, &one.material, &font, keys)?;
            }
            import(record, known.remove(&one.id), wanted, now)
                .await
                .map_err(broken)?;
        }
        let book = Self {
            font,
            entries: RwLock::new(BTreeMap::new()),
        };
        for seal in record.seals().await.map_err(broken)? {
            let code = seal.application().code.clone();
            if let Err(error) = book.put(seal, keys) {
                if configured.contains_key(&code) {
                    return Err(error);
                }
                // Its key may live in a device that is away: the others must not wait for it.
                tracing::error!(seal = %code, %error, "a seal of the registry cannot be used");
            }
        }
        Ok(book)
    }

    /// Takes a seal's new state in. A version that cannot be loaded leaves the seal idle.
    pub(crate) fn put(&self, record: SealRecord, keys: &dyn KeyStore) -> Result<(), StartError> {
        let code = record.application().code.clone();
        let loaded = record
            .active_version()
            .map(|version| {
                let (terms, material) = (&version.terms, &version.material);
                load(record.application(), terms, material, &self.font, keys)
                    .map(|(seal, issuer)| (seal, issuer, version.number))
            })
            .transpose();
        let (entry, result) = match loaded {
            Ok(Some((seal, issuer, version))) => {
                let held = HeldSeal {
                    seal,
                    issuer,
                    version,
                    record,
                };
                (Entry::Held(Arc::new(held)), Ok(()))
            }
            Ok(None) => (Entry::Idle(Arc::new(record)), Ok(())),
            Err(error) => (Entry::Idle(Arc::new(record)), Err(error)),
        };
        self.entries
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(code, entry);
        result
    }

    /// One seal.
    pub(crate) fn get(&self, code: &str) -> Option<Entry> {
        self.entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(code)
            .cloned()
    }

    /// All seals, by code.
    pub(crate) fn all(&self) -> Vec<Entry> {
        self.entries
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    pub(crate) fn contains(&self, code: &str) -> bool {
        self.get(code).is_some()
    }
}

fn broken(error: ChangeError) -> StartError {
    StartError::Record(error.to_string())
}

/// A seal from what it was made from.
pub(crate) fn load(
    application: &Application,
    terms: &Terms,
    material: &Material,
    font: &SealFont,
    keys: &dyn KeyStore,
) -> Result<(Arc<Seal>, Option<Issuer>), StartError> {
    let damaged = |message: String| StartError::Appearance {
        seal: application.code.clone(),
        message,
    };
    let picture = terms
        .face
        .draw(font, &application.name)
        .map_err(|error| damaged(error.to_string()))?;
    let gm = match (
        &terms.gm,
        material
            .ses_der()
            .map_err(|error| damaged(error.to_string()))?,
    ) {
        (Some(binding), Some(seal_der)) => Some(GmMaterial {
            seal: yinxin_ses::Seal::parse(&seal_der).map_err(|source| SetupError::SealObject {
                seal: application.code.clone(),
                source,
            })?,
            seal_der,
            identity: binding
                .identity()
                .map_err(|error| damaged(error.to_string()))?
                .padded_by(keys)?,
        }),
        (Some(_), None) => return Err(damaged("it has an SM2 key and no seal object".to_owned())),
        (None, _) => None,
    };
    let pades = terms
        .pades
        .as_ref()
        .map(KeyBinding::identity)
        .transpose()
        .map_err(|error| damaged(error.to_string()))?
        .map(|identity| identity.padded_by(keys))
        .transpose()?;
    let [width_mm, height_mm] = picture.size_mm();
    let seal = Seal {
        id: application.code.clone(),
        owner_name: application.owner_name.clone(),
        owner_code: Some(application.owner_code.clone()),
        appearance: picture.appearance(),
        width_mm,
        height_mm,
        gm,
        pades,
    };
    seal.check(keys)?;
    let issuer = application.division_code.as_ref().map(|division| Issuer {
        name: application.owner_name.clone(),
        code: application.owner_code.clone(),
        division: division.clone(),
    });
    Ok((Arc::new(seal), issuer))
}

/// A seal of the configuration, read.
struct Configured {
    application: Application,
    material: Material,
}

impl Configured {
    fn read(index: usize, config: &SealConfig) -> Result<Self, StartError> {
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
        let mut material = Material {
            ses_pem: None,
            ses_sha256: None,
            maker: None,
        };
        let mut validity = None;
        let mut cert_list = CertListKind::Certificates;
        let mut layout = SealLayout::V4;
        let gm = match &config.gm {
            None => None,
            Some(gm) => {
                let der = read(&gm.seal)?;
                let unfit = |message: String| yinxin_edge::ConfigError::Content {
                    path: gm.seal.clone(),
                    message,
                };
                let seal =
                    yinxin_ses::Seal::parse(&der).map_err(|error| unfit(error.to_string()))?;
                material = material_of(&der).map_err(|error| unfit(error.to_string()))?;
                let property = seal.property();
                validity = Some((property.valid_start, property.valid_end));
                if matches!(property.cert_list, yinxin_ses::CertList::Digests(_)) {
                    cert_list = CertListKind::Digests;
                }
                if seal.version() == yinxin_ses::SealVersion::V5 {
                    layout = SealLayout::V5;
                }
                Some(binding(&IdentityConfig {
                    key: gm.key.clone(),
                    certificates: gm.certificates.clone(),
                })?)
            }
        };
        let pades = config.pades.as_ref().map(binding).transpose()?;
        let Some(first) = gm.as_ref().or(pades.as_ref()) else {
            return Err(SetupError::SealWithoutKey {
                seal: config.id.clone(),
            }
            .into());
        };
        let certificate = first
            .identity()
            .map_err(|error| wrong("certificates", error.to_string()))?
            .certificate;
        let (valid_from, valid_until) =
            validity.unwrap_or((certificate.not_before(), certificate.not_after()));
        let application = Application {
            code: config.id.clone(),
            name: config.owner_name.clone(),
            owner_name: config.owner_name.clone(),
            owner_code: config.owner_code.clone(),
            kind: if config.lower_text.is_some() {
                SealKind::Business
            } else {
                SealKind::LegalName
            },
            division_code: config.division_code.clone(),
            keeper: config
                .keeper
                .clone()
                .unwrap_or_else(|| NO_KEEPER.to_owned()),
            terms: Terms {
                face: Face::Plain {
                    upper_text: config.owner_name.clone(),
                    lower_text: config.lower_text.clone(),
                    diameter_mm: config.diameter_mm,
                },
                cert_list,
                layout,
                valid_from: valid_from.0,
                valid_until: valid_until.0,
                gm,
                pades,
            },
        };
        application
            .check()
            .map_err(|error| wrong("id", error.to_string()))?;
        Ok(Self {
            application,
            material,
        })
    }
}

pub(crate) fn binding(config: &IdentityConfig) -> Result<KeyBinding, StartError> {
    let path = &config.certificates;
    let pem = String::from_utf8(read(path)?).map_err(|_| yinxin_edge::ConfigError::Content {
        path: path.clone(),
        message: "is no PEM".to_owned(),
    })?;
    let binding = KeyBinding {
        key: config.key.clone(),
        certificates_pem: pem,
    };
    binding
        .identity()
        .map_err(|error| yinxin_edge::ConfigError::Content {
            path: path.clone(),
            message: error.to_string(),
        })?;
    Ok(binding)
}

/// Brings one seal of the configuration into the registry: a new one as filed and active, one whose
/// keys, picture or seal object have changed as a new version. What people did with it since
/// (suspended, lost, ended) stays as it is. A start that was cut off here is taken up again.
async fn import(
    record: &SqliteRecord,
    known: Option<SealRecord>,
    wanted: Configured,
    now: UnixSeconds,
) -> Result<(), ChangeError> {
    let actor = Actor::Configuration;
    let code = wanted.application.code.clone();
    let change = async |change: Change| {
        record
            .change_seal(&code, None, change, &actor, DUTIES, now)
            .await
    };
    let mut seal = match known {
        None => {
            record
                .apply_for_seal(wanted.application, &actor, DUTIES, now)
                .await?
        }
        Some(known) if known.stage().is_some() => {
            if known.applied_by() != Some(CONFIGURATION) {
                return Ok(());
            }
            known
        }
        Some(known) => {
            let unchanged = known.versions().last().is_some_and(|version| {
                version.terms == wanted.application.terms && version.material == wanted.material
            });
            let may_change = matches!(known.state(), SealState::Active | SealState::Lost);
            if unchanged || !may_change {
                return Ok(());
            }
            let renewal = Change::RenewalApplied {
                terms: Box::new(wanted.application.terms),
                reason: "changed in the configuration".to_owned(),
            };
            match change(renewal).await {
                // Until somebody gives it other keys, a lost seal stays lost.
                Err(ChangeError::Registry(RegistryError::LostKeyKept)) => return Ok(()),
                renewed => renewed?,
            }
        }
    };
    while let Some(stage) = seal.stage() {
        let next = match stage {
            Stage::Applied => Change::Approved,
            Stage::Approved => Change::Made {
                material: Box::new(wanted.material.clone()),
            },
            Stage::Made => Change::Filed {
                filing: Filing {
                    number: NOT_STATED.to_owned(),
                    authority: NOT_STATED.to_owned(),
                },
            },
            Stage::Filed => Change::Activated,
        };
        seal = change(next).await?;
    }
    Ok(())
}
