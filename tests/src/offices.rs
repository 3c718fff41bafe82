//! Offices with people: an installation whose seals are applied for, approved, made and kept.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use yinxin_keys_dev::{
    CertificateRequest, DevPki, Identity, Installation, KeyKind, dev_name, encrypt_key_pem,
};
use yinxin_pdf::{FieldTarget, Placement};
use yinxin_pki::{KeyUsage, SignatureAlgorithm, UnixSeconds};
use yinxin_proto::{Timestamp, v1};
use yinxin_signer::approval::statement_cms;
use yinxin_signer::keys::{KeyStore, KeyStoreError, RsaPadding};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_signer::profile::SignatureProfile;
use yinxin_signer::road::{Order, Wishes};
use yinxin_signer::seal::{GmMaterial, Seal, SigningIdentity};

use crate::department::{Department, reason, seal_header};
use crate::sealing::{appearance, seal_unasked};
use crate::services::{Services, install, plain_pdf};

/// extendedKeyUsage id-kp-clientAuth (RFC 5280, 4.2.1.12).
const CLIENT_AUTH: &str = "1.3.6.1.5.5.7.3.2";

/// The owner's unified credit code; the check characters are right.
pub const OWNER_CODE: &str = "54441900MB0000019N";

/// The people, and what they do.
const PEOPLE: [(&str, &str); 7] = [
    ("zhang", "applicant"),
    ("wang", "approver"),
    ("zhao", "approver"),
    ("qian", "approver"),
    ("chen", "maker"),
    ("li", "keeper"),
    ("sun", "auditor"),
];

/// A running signer and verifier, with everybody's connections.
#[derive(Debug)]
pub struct Offices {
    /// Authorities, to make further certificates from.
    pub pki: DevPki,
    /// The department that seals.
    pub data: Department,
    /// The same department at the verifier.
    pub verifier: Department,
    people: BTreeMap<String, Department>,
    approvers: BTreeMap<String, Identity>,
    bindings: BTreeMap<String, v1::KeyBinding>,
    /// The keys of the seals, as somebody has them who stole a copy.
    signers: BTreeMap<String, Identity>,
    /// The verifier's trust folder.
    pub trust: PathBuf,
    _folder: tempfile::TempDir,
}

impl Offices {
    /// Starts both services. The signer holds, for each name in `seals`, the SM2 key `NAME-sm2` and
    /// the P-256 key `NAME-p256`, with certificates, for seals that are yet to be applied for.
    pub async fn start(seals: &[&str]) -> Self {
        Self::start_with(seals, "").await
    }

    /// The same with more of a configuration, in which FOLDER is the folder that holds
    /// NAME-sm2.chain.pem and NAME-p256.chain.pem.
    pub async fn start_with(seals: &[&str], configuration: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(folder.path());
        let now = SystemClock.now();
        let pki = installation.keys.pki(now).unwrap();
        let mut more = String::new();
        let mut bindings = BTreeMap::new();
        let mut signers = BTreeMap::new();
        for seal in seals {
            for (kind, issuer) in [
                (KeyKind::Sm2, &pki.sm2_issuing),
                (KeyKind::P256, &pki.rsa_issuing),
            ] {
                let key = format!(
                    "{seal}-{}",
                    if kind == KeyKind::Sm2 { "sm2" } else { "p256" }
                );
                let signer = issuer.issue(&request(&key, kind, now)).unwrap();
                let file = folder.path().join(format!("{key}.key.pem"));
                let passphrase = installation.keys.passphrase().unwrap();
                let pem = encrypt_key_pem(&signer.key, passphrase.as_bytes()).unwrap();
                std::fs::write(&file, pem).unwrap();
                key_section(&mut more, &key, &file);
                let chain = [signer.certificate.to_pem(), issuer.certificate.to_pem()].concat();
                std::fs::write(folder.path().join(format!("{key}.chain.pem")), &chain).unwrap();
                let binding = v1::KeyBinding {
                    key: key.clone(),
                    certificates_pem: chain,
                };
                bindings.insert(key.clone(), binding);
                signers.insert(key, signer);
            }
        }
        let approvers = people(folder.path(), &pki, now, &mut more);
        let mut config = std::fs::read_to_string(&installation.signer_config).unwrap();
        config.push_str(&more);
        let path = folder.path().to_str().unwrap();
        config.push_str(&configuration.replace("FOLDER", path));
        std::fs::write(&installation.signer_config, config).unwrap();

        let services = Services::start(&installation).await;
        let port = services.signer.port();
        let mut connections = BTreeMap::new();
        for (name, _) in PEOPLE {
            let client = client_file(folder.path(), name, &installation);
            let connection = Department::connect(&client, port).await.unwrap();
            connections.insert(name.to_owned(), connection);
        }
        let client = &installation.client_config;
        Self {
            pki,
            data: Department::connect(client, port).await.unwrap(),
            verifier: Department::connect(client, services.verifier.port())
                .await
                .unwrap(),
            people: connections,
            approvers,
            bindings,
            signers,
            trust: installation.trust.clone(),
            _folder: folder,
        }
    }

    /// A person's connection.
    #[must_use]
    pub fn person(&self, name: &str) -> &Department {
        &self.people[name]
    }

    /// What a seal on these keys is made from: the village's round seal, valid for a year.
    #[must_use]
    pub fn terms(&self, keys: &str, cert_list_type: u32, layout: u32) -> v1::SealTerms {
        let now = SystemClock.now().0;
        v1::SealTerms {
            face_json: r#"{"design": {"kind": "legal_name", "owner": "village_committee",
                "form": {"shape": "round", "name": "示范镇示例村村民委员会",
                         "diameter_mm": 42.0, "centre": "star"}}}"#
                .to_owned(),
            cert_list_type,
            layout,
            valid_from: Some(moment(now - 60)),
            valid_until: Some(moment(now + 365 * 86_400)),
            gm: self.bindings.get(&format!("{keys}-sm2")).cloned(),
            pades: self.bindings.get(&format!("{keys}-p256")).cloned(),
        }
    }

    /// An application for a seal kept by li.
    #[must_use]
    pub fn application(&self, code: &str, terms: v1::SealTerms) -> v1::ApplySealRequest {
        v1::ApplySealRequest {
            code: code.to_owned(),
            name: "示范镇示例村村民委员会".to_owned(),
            owner_name: "示范镇示例村村民委员会".to_owned(),
            owner_code: OWNER_CODE.to_owned(),
            kind: "legal_name".to_owned(),
            division_code: String::new(),
            keeper: "li".to_owned(),
            terms: Some(terms),
        }
    }

    /// One change of a seal by a person.
    ///
    /// # Errors
    /// The service's status.
    pub async fn change(
        &self,
        person: &str,
        code: &str,
        action: v1::SealAction,
    ) -> Result<v1::Seal, tonic::Status> {
        let request = v1::ChangeSealRequest {
            code: code.to_owned(),
            action: action.into(),
            reason: "a test".to_owned(),
            filing_number: format!("备{code}"),
            filing_authority: "示范市公安局".to_owned(),
            seen_sequence: 0,
        };
        let mut client = self.person(person).seals();
        client
            .change_seal(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// The reason why a request to seal a plain document is refused.
    pub async fn refused(&self, header: v1::SealDocumentHeader) -> String {
        let status = self.data.seal(header, plain_pdf()).await.unwrap_err();
        reason(&status).0
    }

    /// From applied to active.
    pub async fn activate(&self, code: &str) -> v1::Seal {
        use v1::SealAction as Action;
        for (person, action) in [
            ("wang", Action::Approve),
            ("chen", Action::Make),
            ("chen", Action::File),
        ] {
            self.change(person, code, action).await.unwrap();
        }
        self.change("li", code, Action::Activate).await.unwrap()
    }

    /// A seal from application to active.
    pub async fn new_seal(&self, code: &str, terms: v1::SealTerms) -> v1::Seal {
        let mut zhang = self.person("zhang").seals();
        zhang
            .apply_seal(self.application(code, terms))
            .await
            .unwrap();
        self.activate(code).await
    }

    /// A seal from application to active, which dept-data may seal documents with.
    pub async fn new_seal_in_use(&self, code: &str, terms: v1::SealTerms) -> v1::Seal {
        let seal = self.new_seal(code, terms).await;
        self.set_rule(v1::UseRule {
            id: code.to_owned(),
            seals: vec![code.to_owned()],
            ..Default::default()
        })
        .await;
        seal
    }

    /// Lets dept-data seal documents with a seal.
    pub async fn set_rule(&self, rule: v1::UseRule) {
        let rule = v1::UseRule {
            callers: vec!["dept-data".to_owned()],
            operations: vec!["seal-document".to_owned()],
            ..rule
        };
        let request = v1::SetUseRuleRequest { rule: Some(rule) };
        let mut wang = self.person("wang").seals();
        wang.set_use_rule(request).await.unwrap();
    }

    /// An approver's CMS over a statement, with their own certificate.
    #[must_use]
    pub fn sign_statement(&self, person: &str, statement: &str) -> Vec<u8> {
        let identity = &self.approvers[person];
        let issuer = if identity.key.sm2().is_some() {
            &self.pki.sm2_issuing
        } else {
            &self.pki.rsa_issuing
        };
        let certificates = [identity.certificate.clone(), issuer.certificate.clone()];
        statement_cms(statement, &One(identity), "own", &certificates).unwrap()
    }

    /// Has a person sign an approval.
    ///
    /// # Errors
    /// The service's status.
    pub async fn approve(
        &self,
        person: &str,
        approval: &v1::Approval,
    ) -> Result<v1::Approval, tonic::Status> {
        let request = v1::SignApprovalRequest {
            id: approval.id.clone(),
            cms_der: self.sign_statement(person, &approval.statement),
        };
        let mut client = self.person(person).seals();
        client
            .sign_approval(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// A document sealed with a seal's keys and seal object by somebody who asks no registry, at a
    /// time of their choosing.
    #[must_use]
    pub fn seal_unasked(
        &self,
        keys: &str,
        seal_der: &[u8],
        profile: SignatureProfile,
        document: &[u8],
        at: UnixSeconds,
    ) -> Vec<u8> {
        let seal = yinxin_ses::Seal::parse(seal_der).unwrap();
        let is_pades = profile == SignatureProfile::PadesBB;
        let (side, issuer) = if is_pades {
            ("p256", &self.pki.rsa_issuing)
        } else {
            ("sm2", &self.pki.sm2_issuing)
        };
        let key = format!("{keys}-{side}");
        let identity = SigningIdentity {
            key: key.clone(),
            certificate: self.signers[&key].certificate.clone(),
            chain: vec![issuer.certificate.clone()],
            rsa_padding: RsaPadding::default(),
        };
        let seal = Seal {
            id: seal.es_id().to_owned(),
            owner_name: seal.property().name.clone(),
            owner_code: None,
            appearance: appearance(),
            width_mm: 42.0,
            height_mm: 42.0,
            pades: is_pades.then(|| identity.clone()),
            gm: Some(GmMaterial {
                seal_der: seal_der.to_vec(),
                seal,
                identity,
            }),
        };
        let order = Order {
            seal: &seal,
            profile,
            field: FieldTarget::New { name: None },
            place: Placement::Invisible { page_index: 0 }.into(),
            wishes: Wishes::default(),
            reason: None,
            location: None,
            at,
        };
        seal_unasked(&One(&self.signers[&key]), document, &order)
    }

    /// The registry's status list, as the keeper fetches it for verifiers.
    pub async fn status_list(&self) -> Vec<u8> {
        let request = v1::ExportSealStatusRequest { valid_days: 1 };
        let mut chunks = self
            .person("li")
            .seals()
            .export_seal_status(request)
            .await
            .unwrap()
            .into_inner();
        let mut list = Vec::new();
        while let Some(part) = chunks.message().await.unwrap() {
            list.extend_from_slice(&part.chunk);
        }
        list
    }

    /// Has the verifier's service accept a document; how many signatures it has.
    pub async fn verifies(&self, document: &[u8]) -> usize {
        let document = document.to_vec().into();
        let report = self.verifier.verify(document).await.unwrap();
        assert_eq!(
            report.indication(),
            v1::Indication::TotalPassed,
            "{}",
            report.report_text
        );
        report.signatures.len()
    }

    /// A seal's status at a moment, as a department asks: number, and state.
    pub async fn status(&self, code: &str, at: i64) -> (u32, v1::SealState) {
        let request = v1::GetSealStatusRequest {
            code: code.to_owned(),
            at: Some(moment(at)),
            certificate_sha256: Vec::new(),
        };
        let answer = self
            .data
            .seals()
            .get_seal_status(request)
            .await
            .unwrap()
            .into_inner();
        (answer.seal_status, answer.state())
    }
}

/// What an operator asks for at counter 3, in a matter of water.
#[must_use]
pub fn header(request_id: &str, code: &str, operator: &str) -> v1::SealDocumentHeader {
    v1::SealDocumentHeader {
        seal_id: code.to_owned(),
        operator: Some(v1::Operator {
            account: operator.to_owned(),
            name: String::new(),
        }),
        usage: Some(v1::UseContext {
            unit: "counter-3".to_owned(),
            item_code: "water".to_owned(),
            channel: v1::UseChannel::Counter.into(),
            terminal: "T-1".to_owned(),
            ..Default::default()
        }),
        ..seal_header(request_id, v1::SealProfile::GmSeal)
    }
}

/// A moment on the wire.
#[must_use]
pub fn moment(seconds: i64) -> Timestamp {
    Timestamp { seconds, nanos: 0 }
}

fn request(name: &str, kind: KeyKind, now: UnixSeconds) -> CertificateRequest {
    CertificateRequest::signer(
        dev_name("示范市示范镇", name),
        kind,
        UnixSeconds(now.0 - 86_400),
        UnixSeconds(now.0 + 2 * 365 * 86_400),
    )
}

fn key_section(config: &mut String, name: &str, file: &Path) {
    writeln!(config, "[[key]]\nname = \"{name}\"\nfile = {file:?}").unwrap();
}

/// Everybody's client certificate, approvers' signing certificates, and the configuration of both.
fn people(
    folder: &Path,
    pki: &DevPki,
    now: UnixSeconds,
    config: &mut String,
) -> BTreeMap<String, Identity> {
    let mut approvers = BTreeMap::new();
    for (name, role) in PEOPLE {
        let client = pki
            .tls_root
            .issue(&CertificateRequest {
                key_usage: KeyUsage::DIGITAL_SIGNATURE,
                extended_key_usage: vec![CLIENT_AUTH],
                ..request(name, KeyKind::P256, now)
            })
            .unwrap();
        std::fs::write(
            folder.join(format!("{name}.pem")),
            client.certificate.to_pem(),
        )
        .unwrap();
        let key = yinxin_pki::to_pem("PRIVATE KEY", client.key.pkcs8_der());
        std::fs::write(folder.join(format!("{name}.key")), key).unwrap();
        writeln!(
            config,
            "[[person]]\nname = \"{name}\"\nroles = [\"{role}\"]"
        )
        .unwrap();
        if role == "approver" {
            // One approver signs with SM2, the others with P-256.
            let signing = if name == "wang" {
                pki.sm2_issuing.issue(&request(name, KeyKind::Sm2, now))
            } else {
                pki.rsa_issuing.issue(&request(name, KeyKind::P256, now))
            }
            .unwrap();
            let file = folder.join(format!("{name}.signing.pem"));
            std::fs::write(&file, signing.certificate.to_pem()).unwrap();
            writeln!(config, "approval_certificates = [{file:?}]").unwrap();
            approvers.insert(name.to_owned(), signing);
        }
    }
    approvers
}

fn client_file(folder: &Path, name: &str, installation: &Installation) -> std::path::PathBuf {
    let path = folder.join(format!("client-{name}.toml"));
    let text = format!(
        "signer = \"https://localhost\"\nserver_ca = {:?}\ncertificate = {:?}\nkey = {:?}\n",
        installation.keys.tls_root(),
        folder.join(format!("{name}.pem")),
        folder.join(format!("{name}.key")),
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// One identity as a key store.
struct One<'a>(&'a Identity);

impl KeyStore for One<'_> {
    fn public_key_spki(&self, _key: &str) -> Result<Vec<u8>, KeyStoreError> {
        Ok(self.0.certificate.spki_der().to_vec())
    }

    fn rsa_padding(&self, _key: &str) -> Result<RsaPadding, KeyStoreError> {
        Ok(RsaPadding::Pkcs1)
    }

    fn sign(
        &self,
        key: &str,
        _algorithm: &SignatureAlgorithm,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyStoreError> {
        self.0
            .sign(message)
            .map_err(|_| KeyStoreError::SigningFailed {
                key: key.to_owned(),
            })
    }
}
