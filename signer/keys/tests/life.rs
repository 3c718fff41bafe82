//! The life of a software key, step by step, with what must be refused on the way.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};

use yinxin_keys::{
    AddCustodian, Approve, Attest, Backup, Cipher, Context, Csr, Destroy, Facts, Generate,
    ImportEncryptionKey, InstallCertificate, KeysError, Restore, Room, SealUse, SecretSource, Step,
    list, perform,
};
use yinxin_keys_dev::{
    CertificateRequest, DevPki, Identity, KeyKind as DevKind, SystemEntropy, dev_name,
    encrypt_key_pem,
};
use yinxin_pki::{Certificate, KeyUsage, UnixSeconds};
use yinxin_signer::ceremony::audit::Stage;
use yinxin_signer::ceremony::{CertificateProblem, KeyKind};

/// 2026-11-22T08:00:00Z.
const NOW: UnixSeconds = UnixSeconds(1_795_334_400);
const DAY: i64 = 86_400;

struct World {
    folder: tempfile::TempDir,
    room: Room,
    context: Context,
    pki: DevPki,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let pki = DevPki::make(NOW).unwrap();
        for (name, certificates) in [
            ("anchors", pki.anchors()),
            ("intermediates", pki.intermediates()),
        ] {
            let place = folder.path().join("trust").join(name);
            std::fs::create_dir_all(&place).unwrap();
            let pem: String = certificates.iter().map(Certificate::to_pem).collect();
            std::fs::write(place.join("all.pem"), pem).unwrap();
        }
        Self {
            room: Room::open(&folder.path().join("keys")).unwrap(),
            context: Context {
                now: NOW,
                operator: "li".to_owned(),
            },
            folder,
            pki,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn secret(&self, name: &str, text: &str) -> SecretSource {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        SecretSource::File(path)
    }

    fn passphrase(&self) -> SecretSource {
        self.secret("passphrase", "correct horse battery\n")
    }

    fn perform(&self, step: Step) -> Result<Facts, KeysError> {
        perform(&self.room, &step, &self.context)
    }

    fn generate(&self, name: &str, kind: KeyKind, cipher: Cipher) -> Result<Facts, KeysError> {
        self.perform(Step::Generate(Generate {
            name: name.to_owned(),
            kind,
            device: None,
            label: None,
            id: None,
            cipher,
            pbkdf2: cipher == Cipher::Sm4,
            secret: self.passphrase(),
        }))
    }

    fn request(&self, name: &str, out: &str) -> Vec<u8> {
        let out = self.path(out);
        self.perform(Step::Csr(Csr {
            name: name.to_owned(),
            subject: "C=CN,O=示范村村民委员会,CN=电子印章".to_owned(),
            out: out.clone(),
            secret: self.passphrase(),
        }))
        .unwrap();
        std::fs::read(out).unwrap()
    }

    fn install(&self, name: &str, pem: &str) -> Result<Facts, KeysError> {
        let certificates = self.path("answer.pem");
        std::fs::write(&certificates, pem).unwrap();
        self.perform(Step::InstallCertificate(InstallCertificate {
            name: name.to_owned(),
            certificates,
            trust: self.path("trust"),
            allow_dev_only: true,
        }))
    }

    fn custodian(&self, name: &str) -> Identity {
        let request = signer(name, DevKind::P256);
        let identity = self.pki.rsa_issuing.issue(&request).unwrap();
        std::fs::write(
            self.path(&format!("{name}.pem")),
            identity.certificate.to_pem(),
        )
        .unwrap();
        let pem = encrypt_key_pem(&identity.key, b"custodian's own").unwrap();
        std::fs::write(self.path(&format!("{name}.key.pem")), pem).unwrap();
        self.perform(Step::AddCustodian(AddCustodian {
            name: name.to_owned(),
            certificate: self.path(&format!("{name}.pem")),
        }))
        .unwrap();
        identity
    }

    fn approve(&self, key: &str, custodian: &str) -> PathBuf {
        let out = self.path(&format!("{key}.{custodian}.approval"));
        self.perform(Step::Approve(Approve {
            name: key.to_owned(),
            custodian: custodian.to_owned(),
            custodian_key: self.path(&format!("{custodian}.key.pem")),
            out: out.clone(),
            secret: self.secret("custodian", "custodian's own"),
        }))
        .unwrap();
        out
    }

    fn destroy(&self, key: &str, approvals: &[&Path]) -> Result<Facts, KeysError> {
        self.perform(Step::Destroy(Destroy {
            name: key.to_owned(),
            approvals: approvals.iter().map(|path| path.to_path_buf()).collect(),
            secret: SecretSource::Prompt,
        }))
    }
}

fn signer(name: &str, kind: DevKind) -> CertificateRequest {
    CertificateRequest::signer(
        dev_name("示范村村民委员会", name),
        kind,
        UnixSeconds(NOW.0 - DAY),
        UnixSeconds(NOW.0 + 365 * DAY),
    )
}

#[test]
fn a_key_of_each_kind_is_made_requested_for_certified_and_listed() {
    let world = World::new();
    let cases = [
        ("rsa", KeyKind::Rsa2048, Cipher::Aes256),
        ("p256", KeyKind::P256, Cipher::Aes256),
        ("sm2", KeyKind::Sm2, Cipher::Sm4),
    ];
    for (name, kind, cipher) in cases {
        let facts = world.generate(name, kind, cipher).unwrap();
        assert_eq!(facts["kind"], kind.name());
        assert!(matches!(
            world.generate(name, kind, cipher),
            Err(KeysError::NameTaken { .. })
        ));
        let request = world.request(name, &format!("{name}.csr"));
        let authority = match kind {
            KeyKind::Sm2 => &world.pki.sm2_issuing,
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 | KeyKind::P256 => {
                &world.pki.rsa_issuing
            }
        };
        let template = signer("电子印章", DevKind::Sm2);
        let certificate = authority.certify(&request, &template).unwrap();

        let mut encryption = template.clone();
        encryption.key_usage = KeyUsage::ENCRYPTION;
        let mut expired = template.clone();
        expired.not_after = UnixSeconds(NOW.0 - 1);
        let stranger = Identity::self_signed(&signer("stranger", DevKind::P256)).unwrap();
        let wrong = [
            ("usage", authority.certify(&request, &encryption).unwrap()),
            ("expired", authority.certify(&request, &expired).unwrap()),
            ("chain", stranger.certify(&request, &template).unwrap()),
            ("key", world.pki.rsa_signer.certificate.clone()),
        ];
        for (what, wrong) in wrong {
            let refused = world.install(name, &wrong.to_pem());
            assert!(
                matches!(refused, Err(KeysError::Certificate(_))),
                "{what}: {refused:?}"
            );
        }
        let facts = world.install(name, &certificate.to_pem()).unwrap();
        assert_eq!(facts["serial"], certificate.serial_hex());
        let installed = world.room.certificates(name).unwrap();
        assert_eq!(
            installed,
            [certificate.clone(), authority.certificate.clone()]
        );
        assert!(world.install(name, &certificate.to_pem()).is_err());

        let renewed = authority.certify(&request, &template).unwrap();
        world.install(name, &renewed.to_pem()).unwrap();
        let kept = format!("{name}.{}.pem", certificate.serial_hex());
        assert!(world.room.path(&kept).exists());
        let facts = world
            .perform(Step::Attest(Attest {
                name: name.to_owned(),
                secret: world.passphrase(),
            }))
            .unwrap();
        assert!(facts["attestation"].starts_with("none"), "{facts:?}");
    }
    let uses = [SealUse {
        seal: "village (pades)".to_owned(),
        spki_der: world.room.card("rsa").unwrap().spki_der(),
    }];
    let listed = list(&world.room, &uses, NOW).unwrap();
    assert_eq!(listed.len(), 3);
    let rsa = listed.iter().find(|one| one.card.name == "rsa").unwrap();
    assert_eq!(rsa.seals, ["village (pades)"]);
    assert_eq!(rsa.days_left, Some(365));
    let strict = world.perform(Step::InstallCertificate(InstallCertificate {
        name: "rsa".to_owned(),
        certificates: world.path("answer.pem"),
        trust: world.path("trust"),
        allow_dev_only: false,
    }));
    assert!(matches!(
        strict,
        Err(KeysError::Certificate(
            CertificateProblem::DevelopmentOnly { .. } | CertificateProblem::OtherKey { .. }
        ))
    ));
}

#[test]
fn a_copy_brings_back_the_key_and_no_other() {
    let world = World::new();
    world
        .generate("seal", KeyKind::Sm2, Cipher::Aes256)
        .unwrap();
    let copy = world.path("seal.copy.pem");
    let backup = |backup_secret| {
        world.perform(Step::Backup(Backup {
            name: "seal".to_owned(),
            out: copy.clone(),
            secret: world.passphrase(),
            backup_secret,
        }))
    };
    assert!(matches!(
        backup(world.passphrase()),
        Err(KeysError::Value { .. })
    ));
    let other = || world.secret("copy", "another long passphrase");
    backup(other()).unwrap();

    let restore = |name: &str, from: &Path, backup_secret| {
        world.perform(Step::Restore(Restore {
            name: name.to_owned(),
            from: from.to_path_buf(),
            backup_secret,
            secret: world.secret("new", "a third long passphrase"),
        }))
    };
    assert!(
        restore("seal", &copy, other()).is_err(),
        "the file is there"
    );
    std::fs::remove_file(world.room.path("seal.key.pem")).unwrap();
    assert!(matches!(
        restore("seal", &copy, world.passphrase()),
        Err(KeysError::KeyFile(_) | KeysError::Store(_))
    ));
    world
        .generate("strange", KeyKind::Sm2, Cipher::Aes256)
        .unwrap();
    assert!(matches!(
        restore(
            "seal",
            &world.room.path("strange.key.pem"),
            world.passphrase()
        ),
        Err(KeysError::OtherKey { .. })
    ));
    restore("seal", &copy, other()).unwrap();
    let attest = |secret| {
        world.perform(Step::Attest(Attest {
            name: "seal".to_owned(),
            secret,
        }))
    };
    assert!(attest(world.passphrase()).is_err());
    attest(world.secret("new", "a third long passphrase")).unwrap();
}

#[test]
fn destruction_takes_two_persons_who_mean_this_key_today() {
    let mut world = World::new();
    for name in ["seal", "other"] {
        world.generate(name, KeyKind::P256, Cipher::Aes256).unwrap();
    }
    for name in ["wang", "zhao"] {
        world.custodian(name);
    }
    let (wang, zhao) = (world.approve("seal", "wang"), world.approve("seal", "zhao"));
    let elsewhere = world.approve("other", "zhao");
    let cases: [(&str, &[&Path]); 4] = [
        ("one person", &[&wang]),
        ("one person twice", &[&wang, &wang]),
        ("an approval of another key", &[&wang, &elsewhere]),
        ("nobody", &[]),
    ];
    for (what, approvals) in cases {
        let refused = world.destroy("seal", approvals);
        assert!(
            matches!(refused, Err(KeysError::NotApproved(_))),
            "{what}: {refused:?}"
        );
    }
    world.context.now = UnixSeconds(NOW.0 + 2 * DAY);
    assert!(matches!(
        world.destroy("seal", &[&wang, &zhao]),
        Err(KeysError::NotApproved(_))
    ));
    world.context.now = UnixSeconds(NOW.0 + 60);
    assert!(world.room.path("seal.key.pem").exists());
    let facts = world.destroy("seal", &[&wang, &zhao]).unwrap();
    assert!(facts["approved-by"].contains("wang") && facts["approved-by"].contains("zhao"));
    assert!(!world.room.path("seal.key.pem").exists());
    assert!(matches!(
        world.room.card("seal"),
        Err(KeysError::NoSuchKey { .. })
    ));
    assert!(world.room.card("other").is_ok());

    let (entries, head) = world.room.audit().read().unwrap();
    assert_eq!(head.sequence, entries.len() as u64);
    let last = entries.last().unwrap();
    assert_eq!((last.action.as_str(), last.stage), ("destroy", Stage::Done));
    assert!(last.facts.contains_key("approval-2-signature"));
    let failed = entries.iter().filter(|entry| entry.stage == Stage::Failed);
    assert_eq!(failed.count(), 5);
    let text = std::fs::read_to_string(world.room.path("audit.jsonl")).unwrap();
    for secret in ["correct horse", "custodian's own"] {
        assert!(!text.contains(secret));
    }
}

#[test]
fn a_changed_audit_stops_everything() {
    let world = World::new();
    world
        .generate("seal", KeyKind::P256, Cipher::Aes256)
        .unwrap();
    let path = world.room.path("audit.jsonl");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("\"li\"", "\"il\"")).unwrap();
    assert!(matches!(
        world.generate("second", KeyKind::P256, Cipher::Aes256),
        Err(KeysError::Audit(_))
    ));
    assert!(!world.room.path("second.key.pem").exists());
}

#[test]
fn the_encryption_key_of_a_dual_pair_comes_in_its_envelope() {
    let world = World::new();
    world.generate("sign", KeyKind::Sm2, Cipher::Sm4).unwrap();
    let request = world.request("sign", "sign.csr");
    let asked = yinxin_pki::CertificationRequest::from_pem_or_der(&request).unwrap();
    let signing = yinxin_sm::PublicKey::from_spki_der(asked.spki_der()).unwrap();

    // What the authority's key centre does.
    let mut entropy = SystemEntropy::new().unwrap();
    let made = yinxin_sm::SecretKey::generate(&mut entropy).unwrap();
    let envelope = yinxin_sm::envelop_key(&made, &signing, &mut entropy).unwrap();
    std::fs::write(world.path("envelope.der"), &envelope).unwrap();
    let mut template = signer("电子印章", DevKind::Sm2);
    template.key_usage = KeyUsage::ENCRYPTION;
    template.key = Some(yinxin_keys_dev::DevKey::from_pkcs8_der(&made.to_pkcs8_der()).unwrap());
    let certificate = world.pki.sm2_issuing.issue(&template).unwrap().certificate;

    let import = |name: &str, signing_key: &str| {
        world.perform(Step::ImportEncryptionKey(ImportEncryptionKey {
            name: name.to_owned(),
            signing_key: signing_key.to_owned(),
            envelope: world.path("envelope.der"),
            secret: world.passphrase(),
        }))
    };
    world
        .generate("stranger", KeyKind::Sm2, Cipher::Aes256)
        .unwrap();
    assert!(matches!(
        import("enc", "stranger"),
        Err(KeysError::Envelope(_))
    ));
    import("enc", "sign").unwrap();
    world.install("enc", &certificate.to_pem()).unwrap();
    // Neither half of the pair takes the other's certificate or role.
    assert!(world.install("sign", &certificate.to_pem()).is_err());
    let refused = world.perform(Step::Csr(Csr {
        name: "enc".to_owned(),
        subject: "CN=x".to_owned(),
        out: world.path("enc.csr"),
        secret: world.passphrase(),
    }));
    assert!(matches!(refused, Err(KeysError::NotHere { .. })));
}
