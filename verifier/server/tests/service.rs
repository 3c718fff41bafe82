//! The service over loopback, called by a real client.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use tokio::sync::oneshot;
use tokio_stream::StreamExt as _;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Endpoint, Identity};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;
use yinxin_keys_dev::{CertificateRequest, DevKeys, KeyKind, dev_name};
use yinxin_pki::UnixSeconds;
use yinxin_proto::v1::verification_service_client::VerificationServiceClient;
use yinxin_proto::v1::verify_document_request::Part;
use yinxin_proto::v1::{
    Indication, Language, VerifyDocumentHeader, VerifyDocumentRequest, VerifyDocumentResponse,
};
use yinxin_proto::{Bytes, Timestamp};
use yinxin_verifier_server::config::{LimitsConfig, LogFormat, Tls, TrustConfig};
use yinxin_verifier_server::{Config, StartError, Verifier, run};

/// One set of development keys for all tests of this file.
fn keys() -> &'static DevKeys {
    static KEYS: OnceLock<(tempfile::TempDir, DevKeys)> = OnceLock::new();
    let (_, keys) = KEYS.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap();
        let now = UnixSeconds(i64::try_from(now.as_secs()).unwrap());
        let keys = DevKeys::make(&folder.path().join("keys"), now).unwrap();
        (folder, keys)
    });
    keys
}

fn config() -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        tls: Some(Tls {
            certificate: keys().tls_server().chain,
            key: keys().tls_server().key,
            client_ca: Some(keys().tls_root()),
        }),
        insecure_loopback: false,
        trust: TrustConfig {
            directory: keys().trust_directory(),
            allow_dev_only: true,
        },
        spool: None,
        limits: LimitsConfig::default(),
        metrics: None,
        log: LogFormat::Json,
    }
}

/// A verifier that answers until the value is dropped.
struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    serving: tokio::task::JoinHandle<Result<(), StartError>>,
}

impl Running {
    async fn start(config: &Config) -> Self {
        let verifier = Verifier::open(config).await.unwrap();
        let address = verifier.address();
        let (stop, stopped) = oneshot::channel();
        let serving = tokio::spawn(verifier.serve(async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop: Some(stop),
            serving,
        }
    }

    fn endpoint(&self, tls: ClientTlsConfig) -> Endpoint {
        Endpoint::from_shared(format!("https://localhost:{}", self.address.port()))
            .unwrap()
            .tls_config(tls)
            .unwrap()
    }

    async fn channel(&self) -> Channel {
        self.endpoint(client_tls().identity(department()))
            .connect()
            .await
            .unwrap()
    }

    async fn client(&self) -> VerificationServiceClient<Channel> {
        VerificationServiceClient::new(self.channel().await)
    }
}

fn client_tls() -> ClientTlsConfig {
    let root = fs::read(keys().tls_root()).unwrap();
    ClientTlsConfig::new().ca_certificate(Certificate::from_pem(root))
}

fn department() -> Identity {
    let files = keys().department_data();
    Identity::from_pem(fs::read(files.chain).unwrap(), fs::read(files.key).unwrap())
}

fn header(header: VerifyDocumentHeader) -> VerifyDocumentRequest {
    VerifyDocumentRequest {
        part: Some(Part::Header(header)),
    }
}

fn english() -> VerifyDocumentHeader {
    VerifyDocumentHeader {
        language: Language::English.into(),
        ..Default::default()
    }
}

fn chunk(bytes: &[u8]) -> VerifyDocumentRequest {
    VerifyDocumentRequest {
        part: Some(Part::Chunk(Bytes::copy_from_slice(bytes))),
    }
}

async fn call(
    client: &mut VerificationServiceClient<Channel>,
    messages: Vec<VerifyDocumentRequest>,
) -> Result<VerifyDocumentResponse, Status> {
    let answer = client.verify_document(tokio_stream::iter(messages)).await;
    answer.map(tonic::Response::into_inner)
}

#[track_caller]
fn assert_refused(
    answer: Result<VerifyDocumentResponse, Status>,
    code: Code,
    reason: &str,
) -> std::collections::HashMap<String, String> {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), code, "{status:?}");
    let info = status.get_details_error_info().unwrap();
    assert_eq!(
        (info.reason.as_str(), info.domain.as_str()),
        (reason, "yinxin")
    );
    info.metadata
}

/// One empty page, without a signature.
fn unsealed_pdf() -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>",
    ];
    let mut pdf = "%PDF-1.7\n".to_owned();
    let mut table = "xref\n0 4\n0000000000 65535 f \n".to_owned();
    for (number, object) in (1..).zip(objects) {
        table += &format!("{:010} 00000 n \n", pdf.len());
        pdf += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let start = pdf.len();
    pdf += &table;
    pdf += &format!("trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    pdf.into_bytes()
}

#[tokio::test]
async fn a_document_without_a_signature_is_answered_with_indeterminate() {
    let running = Running::start(&config()).await;
    let mut client = running.client().await;
    let pdf = unsealed_pdf();
    let at = Timestamp {
        seconds: 1_790_000_000,
        nanos: 0,
    };
    let header = header(VerifyDocumentHeader {
        at: Some(at),
        document_bytes: pdf.len() as u64,
        ..english()
    });
    let (first, rest) = pdf.split_at(100);
    let answer = call(
        &mut client,
        vec![header, chunk(first), chunk(&[]), chunk(rest)],
    )
    .await;
    let answer = answer.unwrap();
    assert_eq!(answer.indication(), Indication::Indeterminate);
    assert!(answer.signatures.is_empty());
    assert_eq!(answer.document_bytes, pdf.len() as u64);
    assert_eq!(answer.document_sha256.len(), 32);
    assert_eq!(answer.verified_at, Some(at));
    assert!(
        answer.report_json.starts_with('{'),
        "{}",
        answer.report_json
    );
    assert!(
        answer.report_json.contains("NO_SIGNATURE"),
        "{}",
        answer.report_json
    );
    assert!(!answer.report_text.is_empty());
}

#[tokio::test]
async fn the_text_comes_in_the_language_asked_for_and_in_chinese_otherwise() {
    let running = Running::start(&config()).await;
    let mut client = running.client().await;
    let pdf = unsealed_pdf();
    let mut text = async |language: i32| {
        let header = header(VerifyDocumentHeader {
            language,
            ..Default::default()
        });
        call(&mut client, vec![header, chunk(&pdf)]).await
    };
    let english = text(Language::English.into()).await.unwrap().report_text;
    let chinese = text(Language::Chinese.into()).await.unwrap().report_text;
    let unspecified = text(0).await.unwrap().report_text;
    assert!(english.is_ascii(), "{english}");
    assert!(!chinese.is_ascii(), "{chinese}");
    assert_eq!(chinese.lines().count(), unspecified.lines().count());
    let metadata = assert_refused(text(77).await, Code::InvalidArgument, "FIELD_INVALID");
    assert_eq!(metadata["field"], "language");
}

#[tokio::test]
async fn what_is_no_pdf_is_refused_with_its_reason() {
    let running = Running::start(&config()).await;
    let mut client = running.client().await;
    let answer = call(&mut client, vec![header(english()), chunk(b"GIF89a")]).await;
    assert_refused(answer, Code::InvalidArgument, "PDF_NOT_A_PDF");
}

#[tokio::test]
async fn a_document_above_the_limit_is_refused_and_the_limit_is_named() {
    let mut config = config();
    config.limits.document_bytes_max = 1_000;
    let running = Running::start(&config).await;
    let mut client = running.client().await;
    let announced = header(VerifyDocumentHeader {
        document_bytes: 1_001,
        ..english()
    });
    let cases = [
        ("announced", vec![announced], "1001"),
        (
            "in one chunk",
            vec![header(english()), chunk(&[b'x'; 2_000])],
            "2000",
        ),
        (
            "in two chunks",
            vec![header(english()), chunk(&[b'x'; 900]), chunk(&[b'x'; 900])],
            "1800",
        ),
    ];
    for (case, messages, value) in cases {
        let answer = call(&mut client, messages).await;
        let metadata = assert_refused(answer, Code::ResourceExhausted, "LIMIT_EXCEEDED");
        assert_eq!(metadata["limit"], "document_bytes_max", "{case}");
        assert_eq!(
            (metadata["max"].as_str(), metadata["value"].as_str()),
            ("1000", value)
        );
    }
}

#[tokio::test]
async fn a_message_above_the_limit_is_refused() {
    let running = Running::start(&config()).await;
    let mut client = running.client().await;
    let long = chunk(&vec![b'x'; 2 * 1024 * 1024]);
    let answer = call(&mut client, vec![header(english()), long]).await;
    assert_refused(answer, Code::OutOfRange, "STREAM_BROKEN");
}

#[tokio::test]
async fn a_stream_out_of_order_is_refused() {
    let running = Running::start(&config()).await;
    let mut client = running.client().await;
    let longer = header(VerifyDocumentHeader {
        document_bytes: 7,
        ..english()
    });
    let cases = [
        ("nothing at all", vec![]),
        ("no header", vec![chunk(b"%PDF-1.7")]),
        ("two headers", vec![header(english()), header(english())]),
        ("no document", vec![header(english())]),
        (
            "an empty message",
            vec![header(english()), VerifyDocumentRequest { part: None }],
        ),
        ("shorter than announced", vec![longer, chunk(b"%PDF")]),
    ];
    for (case, messages) in cases {
        println!("{case}");
        let answer = call(&mut client, messages).await;
        assert_refused(answer, Code::InvalidArgument, "STREAM_OUT_OF_ORDER");
    }
}

#[tokio::test]
async fn a_moment_outside_the_calendar_is_refused() {
    let running = Running::start(&config()).await;
    let mut client = running.client().await;
    for seconds in [i64::MIN, i64::MAX, 253_402_300_800] {
        let at = Some(Timestamp { seconds, nanos: 0 });
        let header = header(VerifyDocumentHeader { at, ..english() });
        let metadata = assert_refused(
            call(&mut client, vec![header]).await,
            Code::InvalidArgument,
            "FIELD_INVALID",
        );
        assert_eq!(metadata["field"], "at");
    }
}

#[tokio::test]
async fn a_caller_who_does_not_go_on_is_cut_off_in_time() {
    let mut config = config();
    config.limits.request_seconds_max = 1;
    let running = Running::start(&config).await;
    let mut client = running.client().await;
    let stalled = tokio_stream::once(header(english())).chain(tokio_stream::pending());
    let answer = client
        .verify_document(stalled)
        .await
        .map(tonic::Response::into_inner);
    assert_refused(answer, Code::DeadlineExceeded, "REQUEST_TOO_SLOW");
}

type Answer = Result<VerifyDocumentResponse, Status>;

/// Begins two calls that wait with their document, at a server that lets in one. Gives
/// back what lets that one go on, its answer to come, and the other's refusal.
async fn one_of_two(
    client: &VerificationServiceClient<Channel>,
) -> (oneshot::Sender<()>, tokio::task::JoinHandle<Answer>, Answer) {
    let stalled = || {
        let mut client = client.clone();
        let (go_on, waiting) = oneshot::channel();
        let (feed, receiver) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            if waiting.await.is_ok() {
                feed.send(chunk(&unsealed_pdf())).await.unwrap();
            }
        });
        let call = tokio::spawn(async move {
            let rest = tokio_stream::wrappers::ReceiverStream::new(receiver);
            let stream = tokio_stream::once(header(english())).chain(rest);
            client
                .verify_document(stream)
                .await
                .map(tonic::Response::into_inner)
        });
        (go_on, call)
    };
    let ((go_first, mut first), (go_second, mut second)) = (stalled(), stalled());
    tokio::select! {
        refused = &mut first => (go_second, second, refused.unwrap()),
        refused = &mut second => (go_first, first, refused.unwrap()),
    }
}

#[tokio::test]
async fn one_request_too_many_is_told_to_come_again() {
    let mut config = config();
    config.limits.concurrent_uploads_max = 1;
    let running = Running::start(&config).await;
    let mut client = running.client().await;
    let (go_on, let_in, refused) = one_of_two(&client).await;
    assert_refused(refused, Code::ResourceExhausted, "BUSY");
    go_on.send(()).unwrap();
    let_in.await.unwrap().unwrap();
    call(&mut client, vec![header(english()), chunk(&unsealed_pdf())])
        .await
        .unwrap();
}

/// A client certificate that an authority unknown to the server has issued.
fn stranger() -> Identity {
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let now = i64::try_from(now).unwrap();
    let (from, until) = (UnixSeconds(now - 3_600), UnixSeconds(now + 3_600));
    let name = |common_name| dev_name("Elsewhere", common_name);
    let root = CertificateRequest::authority(name("CA"), KeyKind::P256, from, until, None);
    let root = yinxin_keys_dev::Identity::self_signed(&root).unwrap();
    let client = CertificateRequest::signer(name("dept-data"), KeyKind::P256, from, until);
    let client = CertificateRequest {
        extended_key_usage: vec![yinxin_pki::issue::purpose::CLIENT_AUTH],
        ..client
    };
    let client = root.issue(&client).unwrap();
    let key = yinxin_pki::to_pem("PRIVATE KEY", client.key.pkcs8_der());
    Identity::from_pem(client.certificate.to_pem(), key)
}

#[tokio::test]
async fn only_a_certificate_of_the_client_authority_opens_the_door() {
    let running = Running::start(&config()).await;
    let cases = [
        ("no certificate", client_tls()),
        (
            "a stranger's certificate",
            client_tls().identity(stranger()),
        ),
    ];
    for (case, tls) in cases {
        // The refusal may come with the handshake or with the first call.
        if let Ok(channel) = running.endpoint(tls).connect().await {
            let mut client = VerificationServiceClient::new(channel);
            let messages = vec![header(english()), chunk(&unsealed_pdf())];
            let status = call(&mut client, messages).await.unwrap_err();
            assert!(
                status.get_details_error_info().is_none(),
                "{case}: {status:?}"
            );
        }
    }
    let mut client = running.client().await;
    call(&mut client, vec![header(english()), chunk(&unsealed_pdf())])
        .await
        .unwrap();
}

#[tokio::test]
async fn everybody_may_ask_where_no_client_authority_is_given() {
    let mut config = config();
    config.tls.as_mut().unwrap().client_ca = None;
    let running = Running::start(&config).await;
    let channel = running.endpoint(client_tls()).connect().await.unwrap();
    let mut client = VerificationServiceClient::new(channel);
    call(&mut client, vec![header(english()), chunk(&unsealed_pdf())])
        .await
        .unwrap();
}

#[tokio::test]
async fn plain_text_is_answered_on_loopback_where_it_is_asked_for() {
    let mut config = config();
    config.tls = None;
    config.insecure_loopback = true;
    let running = Running::start(&config).await;
    let endpoint = Endpoint::from_shared(format!("http://{}", running.address)).unwrap();
    let mut client = VerificationServiceClient::new(endpoint.connect().await.unwrap());
    call(&mut client, vec![header(english()), chunk(&unsealed_pdf())])
        .await
        .unwrap();
}

#[tokio::test]
async fn health_and_reflection_answer() {
    let running = Running::start(&config()).await;
    let channel = running.channel().await;
    let mut health = tonic_health::pb::health_client::HealthClient::new(channel.clone());
    let request = tonic_health::pb::HealthCheckRequest {
        service: "yinxin.v1.VerificationService".to_owned(),
    };
    let status = health.check(request).await.unwrap().into_inner().status();
    assert_eq!(
        status,
        tonic_health::pb::health_check_response::ServingStatus::Serving
    );

    use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
    use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
    use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
    let ask = tonic_reflection::pb::v1::ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(channel);
    let answers = reflection
        .server_reflection_info(tokio_stream::once(ask))
        .await
        .unwrap();
    let answer = answers.into_inner().next().await.unwrap().unwrap();
    let Some(MessageResponse::ListServicesResponse(list)) = answer.message_response else {
        panic!("{answer:?}");
    };
    let names: Vec<_> = list
        .service
        .into_iter()
        .map(|service| service.name)
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name == "yinxin.v1.VerificationService"),
        "{names:?}"
    );
}

#[tokio::test]
async fn a_stop_finishes_the_call_that_is_under_way() {
    let mut config = config();
    config.limits.concurrent_uploads_max = 1;
    let mut running = Running::start(&config).await;
    let (go_on, let_in, _) = one_of_two(&running.client().await).await;
    running.stop.take().unwrap().send(()).unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    go_on.send(()).unwrap();
    let_in.await.unwrap().unwrap();
    tokio::time::timeout(Duration::from_secs(10), running.serving)
        .await
        .unwrap()
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn what_does_not_fit_together_is_refused_before_the_port_opens() {
    let missing = PathBuf::from("missing");
    type Damage<'a> = &'a dyn Fn(&mut Config);
    let cases: [(&str, Damage<'_>, &str); 5] = [
        (
            "no anchors",
            &|config| config.trust.directory = missing.clone(),
            "trust.directory",
        ),
        (
            "no certificate",
            &|config| config.tls.as_mut().unwrap().certificate = missing.clone(),
            "missing",
        ),
        (
            "the key of somebody else",
            &|config| config.tls.as_mut().unwrap().key = keys().department_data().key,
            "tls",
        ),
        (
            "no spool folder",
            &|config| config.spool = Some(missing.clone()),
            "spool",
        ),
        (
            "plain text for everybody",
            &|config| {
                config.tls = None;
                config.insecure_loopback = true;
                config.listen = "0.0.0.0:0".parse().unwrap();
            },
            "listen",
        ),
    ];
    for (case, damage, word) in cases {
        let mut config = config();
        damage(&mut config);
        let error = run(&config, std::future::pending()).await.unwrap_err();
        assert!(error.to_string().contains(word), "{case}: {error}");
    }
}
