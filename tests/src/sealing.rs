//! Sealing on the signer's library alone: the whole road, with keys and a record in memory.

use std::future::Future;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use yinxin_keys_dev::{CertificateRequest, DevPki, Identity, KeyKind, SealRequest, dev_name};
use yinxin_pdf::{Appearance, FieldTarget, Placement};
use yinxin_pki::{Certificate, SignatureAlgorithm, UnixSeconds};
use yinxin_ses::Picture;
use yinxin_signer::error::SealError;
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_signer::prefix::PrefixDigests;
use yinxin_signer::profile::SignatureProfile;
use yinxin_signer::record::{
    Intent, IntentId, LicenceSeries, NewRequest, OpenIntent, Opened, Outcome, Record, RecordError,
    Release, RequestKey, SealedIntent,
};
use yinxin_signer::road::{Order, Prepared, RoadSettings, SelfCheck, Signed, Wishes, prepare};
use yinxin_signer::seal::{GmMaterial, Seal, SigningIdentity};
use yinxin_signer::usage::{UseClaim, UseRefused};
use yinxin_verifier::{HashedStart, Options, Trust};

/// The key that signs with PSS.
const PSS_KEY: &str = "rsa-pss";

/// The side of the test seals, in millimetres.
pub const SEAL_MM: f64 = 40.0;

/// Throw-away keys, two seals, and whom a verifier should trust.
#[derive(Debug)]
pub struct Bench {
    /// Authorities and certificates.
    pub pki: DevPki,
    /// SM2, and RSA for PAdES.
    pub first: Seal,
    /// Another SM2 signer, and P-256 for PAdES.
    pub second: Seal,
    /// RSA with PSS, and nothing else.
    pub third: Seal,
    /// The development roots and their revocation lists.
    pub trust: Trust,
    /// When all signatures are made.
    pub now: UnixSeconds,
    keys: DevKeys,
    folder: tempfile::TempDir,
}

/// The keys of this process: RSA generation costs a second.
#[must_use]
pub fn bench() -> &'static Bench {
    static BENCH: OnceLock<Bench> = OnceLock::new();
    BENCH.get_or_init(Bench::new)
}

/// One signature of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// PAdES with the first seal's RSA key.
    PadesRsa,
    /// PAdES with the second seal's P-256 key.
    PadesP256,
    /// PAdES with the third seal's RSA key, which signs with PSS.
    PadesPss,
    /// The first seal as a seal signature.
    GmSeal,
    /// The second seal as CMS with SM2 and SM3.
    GmCms,
}

impl Kind {
    /// For messages.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PadesRsa => "pades-rsa",
            Self::PadesP256 => "pades-p256",
            Self::PadesPss => "pades-pss",
            Self::GmSeal => "gm-seal",
            Self::GmCms => "gm-cms",
        }
    }

    /// Whether pyHanko, pdfsig and mutool know the algorithms.
    #[must_use]
    pub fn is_pades(self) -> bool {
        matches!(self, Self::PadesRsa | Self::PadesP256 | Self::PadesPss)
    }

    fn profile(self) -> SignatureProfile {
        match self {
            Self::PadesRsa | Self::PadesP256 | Self::PadesPss => SignatureProfile::PadesBB,
            Self::GmSeal => SignatureProfile::GmSeal,
            Self::GmCms => SignatureProfile::GmCms,
        }
    }
}

impl Bench {
    fn new() -> Self {
        let now = SystemClock.now();
        let pki = DevPki::make(now).unwrap();
        let other = pki
            .sm2_issuing
            .issue(&CertificateRequest::signer(
                dev_name("示例村民委员会", "示例村民委员会"),
                KeyKind::Sm2,
                UnixSeconds(now.0 - 86_400),
                UnixSeconds(now.0 + 365 * 86_400),
            ))
            .unwrap();
        let pss = pki
            .rsa_issuing
            .issue(&CertificateRequest::signer(
                dev_name("示例村民委员会", "示例村民委员会"),
                KeyKind::Rsa { bits: 2048 },
                UnixSeconds(now.0 - 86_400),
                UnixSeconds(now.0 + 365 * 86_400),
            ))
            .unwrap();
        let keys = DevKeys(vec![
            (PSS_KEY, pss.clone()),
            ("rsa", pki.rsa_signer.clone()),
            ("p256", pki.p256_signer.clone()),
            ("sm2-first", pki.sm2_signer.clone()),
            ("sm2-second", other.clone()),
        ]);
        let sm2_chain = pki.sm2_issuing.certificate.clone();
        let rsa_chain = pki.rsa_issuing.certificate.clone();
        let seal = |id: &str, gm: (&str, &Identity), pades: (&str, &Identity)| Seal {
            id: id.to_owned(),
            owner_name: "示例村民委员会".to_owned(),
            owner_code: None,
            appearance: appearance(),
            width_mm: SEAL_MM,
            height_mm: SEAL_MM,
            gm: Some(gm_material(&pki, id, identity(gm.0, gm.1, &sm2_chain))),
            pades: Some(identity(pades.0, pades.1, &rsa_chain)),
        };
        let first = seal(
            "first",
            ("sm2-first", &pki.sm2_signer),
            ("rsa", &pki.rsa_signer),
        );
        let second = seal("second", ("sm2-second", &other), ("p256", &pki.p256_signer));
        let pss = identity(PSS_KEY, &pss, &rsa_chain)
            .padded_by(&keys)
            .unwrap();
        let third = Seal {
            id: "third".to_owned(),
            gm: None,
            pades: Some(pss),
            ..second.clone()
        };
        third.check(&keys).unwrap();
        first.check(&keys).unwrap();
        second.check(&keys).unwrap();
        let trust = Trust {
            anchors: pki.anchors(),
            intermediates: pki.intermediates(),
            crls: pki.crls().unwrap(),
            seal_statuses: Vec::new(),
            allow_dev_only: true,
        };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("rsa-root.pem"),
            pki.rsa_root.certificate.to_pem(),
        )
        .unwrap();
        std::fs::write(
            folder.path().join("sm2-root.pem"),
            pki.sm2_root.certificate.to_pem(),
        )
        .unwrap();
        Self {
            pki,
            first,
            second,
            third,
            trust,
            now,
            keys,
            folder,
        }
    }

    /// The RSA root as a file, for pyHanko.
    #[must_use]
    pub fn rsa_root(&self) -> PathBuf {
        self.folder.path().join("rsa-root.pem")
    }

    /// The SM2 root as a file, for BouncyCastle.
    #[must_use]
    pub fn sm2_root(&self) -> PathBuf {
        self.folder.path().join("sm2-root.pem")
    }

    /// Options for our verifier.
    #[must_use]
    pub fn options(&self) -> Options {
        Options::at(self.now)
    }

    /// One signature down the whole road: the sealed file, after our own verifier accepted it.
    ///
    /// # Errors
    /// As the road's steps.
    pub fn seal(
        &self,
        document: &[u8],
        kind: Kind,
        field: FieldTarget,
        placement: Placement,
    ) -> Result<Vec<u8>, SealError> {
        let signed = self.begin(document, None, kind, field, placement)?;
        let sealed = [document, signed.tail()].concat();
        self.complete(signed, &HashedStart::new(false), &sealed)?;
        Ok(sealed)
    }

    /// The road as far as the key. `prefix` as in [`prepare`].
    ///
    /// # Errors
    /// As the road's steps.
    pub fn begin(
        &self,
        document: &[u8],
        prefix: Option<&PrefixDigests>,
        kind: Kind,
        field: FieldTarget,
        placement: Placement,
    ) -> Result<Signed, SealError> {
        let order = Order {
            field,
            place: placement.into(),
            ..self.order(kind)
        };
        self.begin_order(document, prefix, &order)
    }

    /// What all orders here have in common: a new field, invisible on the first page.
    #[must_use]
    pub fn order(&self, kind: Kind) -> Order<'_> {
        Order {
            seal: match kind {
                Kind::PadesRsa | Kind::GmSeal => &self.first,
                Kind::PadesP256 | Kind::GmCms => &self.second,
                Kind::PadesPss => &self.third,
            },
            profile: kind.profile(),
            field: FieldTarget::New { name: None },
            place: Placement::Invisible { page_index: 0 }.into(),
            wishes: Wishes {
                // Tests of other things seal one place again and again.
                may_overlap: true,
                ..Wishes::default()
            },
            reason: Some("interop 测试".to_owned()),
            location: None,
            at: self.now,
        }
    }

    /// One order down the whole road, as [`Bench::seal`].
    ///
    /// # Errors
    /// As the road's steps.
    pub fn seal_order(&self, document: &[u8], order: &Order<'_>) -> Result<Vec<u8>, SealError> {
        let signed = self.begin_order(document, None, order)?;
        let sealed = [document, signed.tail()].concat();
        self.complete(signed, &HashedStart::new(false), &sealed)?;
        Ok(sealed)
    }

    fn begin_order(
        &self,
        document: &[u8],
        prefix: Option<&PrefixDigests>,
        order: &Order<'_>,
    ) -> Result<Signed, SealError> {
        self.sign(self.prepare(document, prefix, order)?)
    }

    /// The road's first step. `prefix` as in [`prepare`].
    ///
    /// # Errors
    /// As [`prepare`].
    pub fn prepare(
        &self,
        document: &[u8],
        prefix: Option<&PrefixDigests>,
        order: &Order<'_>,
    ) -> Result<Prepared, SealError> {
        let settings = RoadSettings {
            utc_offset_minutes: 480,
            ..RoadSettings::default()
        };
        prepare(document, prefix, order, &settings)
    }

    /// The road from there as far as the key.
    ///
    /// # Errors
    /// As the road's steps.
    pub fn sign(&self, prepared: Prepared) -> Result<Signed, SealError> {
        sign(&self.keys, prepared, self.now)
    }

    /// The rest of the road, for the document with the signature's tail. `start` as in
    /// [`SelfCheck::of_document`].
    ///
    /// # Errors
    /// As the road's steps.
    pub fn complete(
        &self,
        signed: Signed,
        start: &HashedStart,
        sealed: &[u8],
    ) -> Result<(), SealError> {
        let check = SelfCheck::of_document(start, sealed, &self.trust, &self.options())?;
        signed.self_check(&check)?;
        Ok(())
    }

    /// As [`Bench::seal`], in a new visible field on the first page.
    ///
    /// # Errors
    /// As the road's steps.
    pub fn seal_visibly(
        &self,
        document: &[u8],
        kind: Kind,
        x_mm: f64,
        y_mm: f64,
    ) -> Result<Vec<u8>, SealError> {
        self.seal(
            document,
            kind,
            FieldTarget::New { name: None },
            visible(0, x_mm, y_mm),
        )
    }
}

/// A place for a test seal.
#[must_use]
pub fn visible(page_index: usize, x_mm: f64, y_mm: f64) -> Placement {
    Placement::Visible {
        page_index,
        x_mm,
        y_mm,
        width_mm: SEAL_MM,
        height_mm: SEAL_MM,
    }
}

fn identity(key: &str, identity: &Identity, above: &Certificate) -> SigningIdentity {
    SigningIdentity {
        key: key.to_owned(),
        certificate: identity.certificate.clone(),
        chain: vec![above.clone()],
        rsa_padding: RsaPadding::default(),
    }
}

fn gm_material(pki: &DevPki, id: &str, identity: SigningIdentity) -> GmMaterial {
    let picture = Picture {
        kind: "SVG".to_owned(),
        data: b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
        width_mm: 40,
        height_mm: 40,
    };
    let request = SealRequest::new(
        format!("44190000000{id}"),
        "示例村民委员会",
        picture,
        &identity.certificate,
    );
    let seal_der = pki.seal_maker.make_seal(&request).unwrap();
    let seal = yinxin_ses::Seal::parse(&seal_der).unwrap();
    GmMaterial {
        seal_der,
        seal,
        identity,
    }
}

/// A frame with a bar in its lower left corner: enough to be seen, and to see which way is up,
/// without needing a font.
pub(crate) fn appearance() -> Appearance {
    Appearance {
        content: b"q 0.902 0 0.071 RG 0.902 0 0.071 rg 3 w 5 5 103 103 re S 10 10 60 25 re f Q"
            .as_slice()
            .into(),
        bbox: [0.0, 0.0, 113.0, 113.0],
        alternate_text: "示例村民委员会 seal".to_owned(),
        image: None,
    }
}

/// The keys of the development PKI as a key store.
#[derive(Debug)]
struct DevKeys(Vec<(&'static str, Identity)>);

impl DevKeys {
    fn identity(&self, key: &str) -> Result<&Identity, KeyStoreError> {
        let found = self.0.iter().find(|(name, _)| *name == key);
        found
            .map(|(_, identity)| identity)
            .ok_or_else(|| KeyStoreError::NoSuchKey {
                key: key.to_owned(),
            })
    }
}

impl KeyStore for DevKeys {
    fn public_key_spki(&self, key: &str) -> Result<Vec<u8>, KeyStoreError> {
        Ok(self.identity(key)?.certificate.spki_der().to_vec())
    }

    fn rsa_padding(&self, key: &str) -> Result<RsaPadding, KeyStoreError> {
        Ok(if key == PSS_KEY {
            RsaPadding::Pss
        } else {
            RsaPadding::Pkcs1
        })
    }

    fn sign(
        &self,
        key: &str,
        algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        let identity = self.identity(key)?;
        let signed = if key == PSS_KEY {
            assert_eq!(*algorithm, RsaPadding::Pss.algorithm());
            identity.key.sign_pss(message)
        } else {
            assert_eq!(*algorithm, identity.key.algorithm());
            identity.sign(message)
        };
        signed.map_err(|_| KeyStoreError::SigningFailed {
            key: key.to_owned(),
        })
    }
}

/// A record that forgets all but the count of intents: for tests of the document alone.
#[derive(Debug, Default)]
struct Memory(AtomicI64);

impl Record for Memory {
    async fn open_request(&self, request: &NewRequest) -> Result<Opened, RecordError> {
        Ok(Opened::Proceed {
            first_opened_at: request.opened_at,
            attempt: 1,
        })
    }

    async fn reserve_number(
        &self,
        _key: &RequestKey,
        _series: &LicenceSeries,
    ) -> Result<u64, RecordError> {
        Ok(1)
    }

    async fn record_intent(
        &self,
        _intent: &Intent,
        _uses: &[UseClaim],
    ) -> Result<IntentId, UseRefused> {
        Ok(IntentId(self.0.fetch_add(1, Ordering::Relaxed)))
    }

    async fn record_outcome(
        &self,
        _intent: IntentId,
        _outcome: &Outcome,
    ) -> Result<(), RecordError> {
        Ok(())
    }

    async fn release(
        &self,
        _key: &RequestKey,
        _release: &Release,
        _sealed: &[SealedIntent],
    ) -> Result<(), RecordError> {
        Ok(())
    }

    async fn give_up(
        &self,
        _key: &RequestKey,
        _reason: &str,
        _at: UnixSeconds,
    ) -> Result<(), RecordError> {
        Ok(())
    }

    async fn open_intents(&self, _holder: &str) -> Result<Vec<OpenIntent>, RecordError> {
        Ok(Vec::new())
    }

    async fn licence(&self, _identifier: &str) -> Result<Option<Release>, RecordError> {
        Ok(None)
    }
}

/// One order sealed by somebody who has the keys and asks nobody.
pub(crate) fn seal_unasked(keys: &dyn KeyStore, document: &[u8], order: &Order<'_>) -> Vec<u8> {
    let prepared = prepare(document, None, order, &RoadSettings::default()).unwrap();
    let signed = sign(keys, prepared, order.at).unwrap();
    [document, signed.tail()].concat()
}

/// Signs what is written down in memory only.
fn sign(keys: &dyn KeyStore, prepared: Prepared, at: UnixSeconds) -> Result<Signed, SealError> {
    let key = RequestKey {
        caller: "tests".to_owned(),
        request_id: "1".to_owned(),
    };
    let record = Memory::default();
    let intended = now_or_never(prepared.record_intent(&record, &key, 1, 0, &[], at))
        .expect("a record in memory refuses nothing");
    intended.sign(keys)
}

/// The value of a future that never waits, as those of [`Memory`] are.
fn now_or_never<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("a record in memory does not wait"),
    }
}
