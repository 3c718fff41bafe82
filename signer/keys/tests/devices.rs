//! Keys that are in a device already are taken in and used; what their standard cannot do is
//! refused with the way out. The device is the SDF library for tests, which is a token as well.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::PathBuf;

use yinxin_keys::{
    AddCustodian, Adopt, Approve, Attest, Backup, Cipher, Context, Csr, Destroy, Facts, Generate,
    KeysError, Room, SecretSource, Step, perform,
};
use yinxin_keys_dev::{
    CertificateRequest, DevKey, Identity, KeyKind as DevKind, dev_name, encrypt_key_pem,
};
use yinxin_pki::{CertificationRequest, UnixSeconds};
use yinxin_signer::ceremony::KeyKind;
// Only so that cargo builds the device.
use yinxin_sdf_test as _;

/// 2026-11-22T08:00:00Z.
const NOW: UnixSeconds = UnixSeconds(1_795_334_400);
/// The device's own default.
const PASSWORD: &str = "11111111";

struct World {
    folder: tempfile::TempDir,
    room: Room,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let built = std::env::current_exe().unwrap().with_file_name(format!(
            "{}yinxin_sdf_test.so",
            std::env::consts::DLL_PREFIX
        ));
        let room = Room::open(&folder.path().join("keys")).unwrap();
        std::fs::copy(built, room.path("device.so")).unwrap();
        let rsa = DevKey::generate(DevKind::Rsa { bits: 2048 }).unwrap();
        std::fs::write(room.path("device.so.rsa"), rsa.pkcs8_der()).unwrap();
        let devices = "[[device]]\nname = \"machine\"\nkind = \"sdf\"\nlibrary = \"device.so\"\n\
             [[device]]\nname = \"token\"\nkind = \"pkcs11\"\nlibrary = \"device.so\"\n\
             token = \"yinxin test\"\n[device.sm2]\nkey_type = 0x80000004\n\
             mechanism = 0x80008104\ninput = \"digest\"\noutput = \"der\"\n";
        std::fs::write(room.path("devices.toml"), devices).unwrap();
        std::fs::write(folder.path().join("pin"), PASSWORD).unwrap();
        Self { folder, room }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn pin(&self) -> SecretSource {
        SecretSource::File(self.path("pin"))
    }

    fn perform(&self, step: Step) -> Result<Facts, KeysError> {
        let context = Context {
            now: NOW,
            operator: "li".to_owned(),
        };
        perform(&self.room, &step, &context)
    }

    fn adopt(&self, name: &str, device: &str, kind: KeyKind) -> Result<Facts, KeysError> {
        let is_token = device == "token";
        self.perform(Step::Adopt(Adopt {
            name: name.to_owned(),
            kind,
            device: device.to_owned(),
            label: is_token.then(|| "seal key".to_owned()),
            id: None,
            index: (!is_token).then_some(1),
            secret: self.pin(),
        }))
    }
}

#[test]
fn keys_of_a_machine_and_of_a_token_are_adopted_and_sign_their_requests() {
    let world = World::new();
    let cases = [
        ("machine-sm2", "machine", KeyKind::Sm2),
        ("machine-rsa", "machine", KeyKind::Rsa2048),
        ("token-sm2", "token", KeyKind::Sm2),
    ];
    for (name, device, kind) in cases {
        let facts = world.adopt(name, device, kind).unwrap();
        assert!(facts["origin"].starts_with("not made here"), "{facts:?}");
        let out = world.path(&format!("{name}.csr"));
        world
            .perform(Step::Csr(Csr {
                name: name.to_owned(),
                subject: "C=CN,CN=电子印章".to_owned(),
                out: out.clone(),
                secret: world.pin(),
            }))
            .unwrap();
        let request = std::fs::read(out).unwrap();
        let request = CertificationRequest::from_pem_or_der(&request).unwrap();
        request.verify().unwrap();
        assert_eq!(
            request.spki_der(),
            world.room.card(name).unwrap().spki_der()
        );
    }
    // The two ways lead to one key.
    let card = |name| world.room.card(name).unwrap().public_key;
    assert_eq!(card("machine-sm2"), card("token-sm2"));
    let facts = world
        .perform(Step::Attest(Attest {
            name: "machine-sm2".to_owned(),
            secret: world.pin(),
        }))
        .unwrap();
    assert!(facts["attestation"].starts_with("none"), "{facts:?}");
    assert!(
        world.adopt("wrong", "machine", KeyKind::P256).is_err(),
        "GM/T 0018 has no P-256"
    );
}

#[test]
fn what_a_machine_cannot_do_is_refused_with_the_way_out() {
    let world = World::new();
    world.adopt("seal", "machine", KeyKind::Sm2).unwrap();
    let generated = world.perform(Step::Generate(Generate {
        name: "new".to_owned(),
        kind: KeyKind::Sm2,
        device: Some("machine".to_owned()),
        label: None,
        id: None,
        cipher: Cipher::Aes256,
        pbkdf2: false,
        secret: world.pin(),
    }));
    let copied = world.perform(Step::Backup(Backup {
        name: "seal".to_owned(),
        out: world.path("copy.pem"),
        secret: world.pin(),
        backup_secret: world.pin(),
    }));
    let mut approvals = Vec::new();
    for name in ["wang", "zhao"] {
        let request = CertificateRequest::signer(
            dev_name("示范村", name),
            DevKind::P256,
            UnixSeconds(NOW.0 - 1),
            UnixSeconds(NOW.0 + 86_400),
        );
        let person = Identity::self_signed(&request).unwrap();
        std::fs::write(world.path("person.pem"), person.certificate.to_pem()).unwrap();
        let key = encrypt_key_pem(&person.key, b"a person's own").unwrap();
        std::fs::write(world.path("person.key.pem"), key).unwrap();
        std::fs::write(world.path("own"), "a person's own").unwrap();
        world
            .perform(Step::AddCustodian(AddCustodian {
                name: name.to_owned(),
                certificate: world.path("person.pem"),
            }))
            .unwrap();
        let out = world.path(&format!("{name}.approval"));
        world
            .perform(Step::Approve(Approve {
                name: "seal".to_owned(),
                custodian: name.to_owned(),
                custodian_key: world.path("person.key.pem"),
                out: out.clone(),
                secret: SecretSource::File(world.path("own")),
            }))
            .unwrap();
        approvals.push(out);
    }
    let destroyed = world.perform(Step::Destroy(Destroy {
        name: "seal".to_owned(),
        approvals,
        secret: world.pin(),
    }));
    for (what, done, way_out) in [
        ("making", generated, "adopt"),
        ("a copy", copied, "vendor"),
        ("destroying", destroyed, "vendor"),
    ] {
        let error = done.expect_err(what);
        assert!(
            matches!(error, KeysError::NotHere { .. }),
            "{what}: {error}"
        );
        assert!(error.to_string().contains(way_out), "{what}: {error}");
    }
    assert!(world.room.card("seal").is_ok());
}
