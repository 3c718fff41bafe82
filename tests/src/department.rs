//! A department: a gRPC client with its certificate.

use std::path::Path;

use serde_json::Value;
use tokio_stream::{Stream, StreamExt as _};
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use tonic_types::StatusExt as _;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::licence_service_client::LicenceServiceClient;
use yinxin_proto::v1::seal_document_request::Part as SealPart;
use yinxin_proto::v1::seal_document_response::Part as SealedPart;
use yinxin_proto::v1::seal_service_client::SealServiceClient;
use yinxin_proto::v1::sealing_service_client::SealingServiceClient;
use yinxin_proto::v1::verification_service_client::VerificationServiceClient;
use yinxin_proto::v1::verify_document_request::Part as VerifyPart;

/// How much goes into one message.
const CHUNK_BYTES: usize = 256 * 1024;

/// The longest message taken.
const MESSAGE_BYTES_MAX: usize = 5 * 1024 * 1024;

/// A connection of one department to one address.
#[derive(Clone, Debug)]
pub struct Department(Channel);

impl Department {
    /// Connects with the certificate that a client.toml names, to another port than it says.
    ///
    /// # Errors
    /// What the transport says; a server that has been killed is one.
    pub async fn connect(client_toml: &Path, port: u16) -> Result<Self, tonic::transport::Error> {
        let text = std::fs::read_to_string(client_toml).unwrap();
        let file: toml::Table = text.parse().unwrap();
        let read = |key: &str| std::fs::read(file[key].as_str().unwrap()).unwrap();
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read("server_ca")))
            .identity(Identity::from_pem(read("certificate"), read("key")));
        let channel = Channel::from_shared(format!("https://localhost:{port}"))
            .unwrap()
            .tls_config(tls)?
            .initial_stream_window_size(4 * 1024 * 1024)
            .initial_connection_window_size(8 * 1024 * 1024)
            .connect()
            .await?;
        Ok(Self(channel))
    }

    /// SealService, for whoever this connection's certificate names.
    #[must_use]
    pub fn seals(&self) -> SealServiceClient<Channel> {
        SealServiceClient::new(self.0.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    /// Issues a licence.
    ///
    /// # Errors
    /// The service's status.
    pub async fn issue(
        &self,
        request: v1::IssueLicenceRequest,
    ) -> Result<v1::IssueLicenceResponse, tonic::Status> {
        LicenceServiceClient::new(self.0.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .issue_licence(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Seals a document: receipt and sealed bytes.
    ///
    /// # Errors
    /// The service's status.
    pub async fn seal(
        &self,
        header: v1::SealDocumentHeader,
        document: Bytes,
    ) -> Result<(v1::SealDocumentReceipt, Vec<u8>), tonic::Status> {
        let mut sealed = Vec::new();
        let take = |chunk: &[u8]| sealed.extend_from_slice(chunk);
        let receipt = self.seal_streaming(header, document, take).await?;
        Ok((receipt, sealed))
    }

    /// As [`Department::seal`], with the sealed bytes handed over as they come and not collected.
    ///
    /// # Errors
    /// The service's status.
    pub async fn seal_streaming(
        &self,
        header: v1::SealDocumentHeader,
        document: Bytes,
        take: impl FnMut(&[u8]),
    ) -> Result<v1::SealDocumentReceipt, tonic::Status> {
        self.seal_as_it_comes(header, tokio_stream::iter(chunks(document)), take)
            .await
    }

    /// As [`Department::seal_streaming`], for a document that is still being made.
    ///
    /// # Errors
    /// The service's status.
    pub async fn seal_as_it_comes(
        &self,
        header: v1::SealDocumentHeader,
        chunks: impl Stream<Item = Bytes> + Send + 'static,
        mut take: impl FnMut(&[u8]),
    ) -> Result<v1::SealDocumentReceipt, tonic::Status> {
        let head = v1::SealDocumentRequest {
            part: Some(SealPart::Header(header)),
        };
        let parts = tokio_stream::once(head).chain(chunks.map(|chunk| v1::SealDocumentRequest {
            part: Some(SealPart::Chunk(chunk)),
        }));
        let mut answers = SealingServiceClient::new(self.0.clone())
            .seal_document(parts)
            .await?
            .into_inner();
        let mut receipt = None;
        while let Some(answer) = answers.message().await? {
            match answer.part.expect("each message holds a part") {
                SealedPart::Receipt(first) => receipt = Some(first),
                SealedPart::Chunk(chunk) => take(&chunk),
            }
        }
        Ok(receipt.expect("the receipt comes first"))
    }

    /// What a department needs to prepare a file.
    ///
    /// # Errors
    /// The service's status.
    pub async fn describe(
        &self,
        request: v1::DescribeSealRequest,
    ) -> Result<v1::DescribeSealResponse, tonic::Status> {
        SealingServiceClient::new(self.0.clone())
            .describe_seal(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Seals a digest.
    ///
    /// # Errors
    /// The service's status.
    pub async fn seal_digest(
        &self,
        request: v1::SealDigestRequest,
    ) -> Result<v1::SealDigestResponse, tonic::Status> {
        SealingServiceClient::new(self.0.clone())
            .seal_digest(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Verifies a document.
    ///
    /// # Errors
    /// The service's status.
    pub async fn verify(
        &self,
        document: Bytes,
    ) -> Result<v1::VerifyDocumentResponse, tonic::Status> {
        let header = v1::VerifyDocumentHeader {
            language: v1::Language::English.into(),
            ..Default::default()
        };
        let head = v1::VerifyDocumentRequest {
            part: Some(VerifyPart::Header(header)),
        };
        let parts =
            tokio_stream::once(head).chain(tokio_stream::iter(chunks(document)).map(|chunk| {
                v1::VerifyDocumentRequest {
                    part: Some(VerifyPart::Chunk(chunk)),
                }
            }));
        VerificationServiceClient::new(self.0.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .verify_document(parts)
            .await
            .map(tonic::Response::into_inner)
    }
}

fn chunks(mut document: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        (!document.is_empty()).then(|| document.split_to(document.len().min(CHUNK_BYTES)))
    })
}

/// The stable reason and the facts of a status; every error must carry them.
#[must_use]
pub fn reason(status: &tonic::Status) -> (String, Value) {
    let details = status.get_error_details();
    let info = details
        .error_info()
        .unwrap_or_else(|| panic!("no ErrorInfo in {status:?}"));
    assert_eq!(info.domain, "yinxin");
    (
        info.reason.clone(),
        serde_json::to_value(&info.metadata).unwrap(),
    )
}

/// A good request for a marital proof.
#[must_use]
pub fn marital_proof(request_id: &str, profile: v1::SealProfile) -> v1::IssueLicenceRequest {
    v1::IssueLicenceRequest {
        request_id: request_id.to_owned(),
        licence_type: "marital-proof".to_owned(),
        seal_id: yinxin_keys_dev::SEAL_ID.to_owned(),
        profile: profile.into(),
        fields_json: include_str!("marital-proof.json").to_owned(),
        case_number: "TEST-1".to_owned(),
        operator: Some(operator()),
        division_code: String::new(),
        usage: None,
    }
}

/// A good header for a visible seal on the first page.
#[must_use]
pub fn seal_header(request_id: &str, profile: v1::SealProfile) -> v1::SealDocumentHeader {
    let visible = v1::VisiblePlacement {
        page_number: 1,
        x_mm: 20.0,
        y_mm: 20.0,
        field_name: String::new(),
    };
    v1::SealDocumentHeader {
        request_id: request_id.to_owned(),
        seal_id: yinxin_keys_dev::SEAL_ID.to_owned(),
        profile: profile.into(),
        placement: Some(v1::Placement {
            position: Some(v1::placement::Position::Visible(visible)),
            ..v1::Placement::default()
        }),
        case_number: "TEST-1".to_owned(),
        operator: Some(operator()),
        ..Default::default()
    }
}

/// A good request for a digest, with the algorithm that the profile wants.
#[must_use]
pub fn digest_request(request_id: String, profile: v1::SealProfile) -> v1::SealDigestRequest {
    let digest_algorithm = if profile == v1::SealProfile::PadesBB {
        v1::DigestAlgorithm::Sha256
    } else {
        v1::DigestAlgorithm::Sm3
    };
    v1::SealDigestRequest {
        request_id,
        seal_id: yinxin_keys_dev::SEAL_ID.to_owned(),
        profile: profile.into(),
        digest_algorithm: digest_algorithm.into(),
        digest: vec![7; 32],
        document_name: "contract.pdf".to_owned(),
        field_name: "Seal".to_owned(),
        case_number: "TEST-1".to_owned(),
        operator: Some(operator()),
        ..Default::default()
    }
}

fn operator() -> v1::Operator {
    v1::Operator {
        account: "tester".to_owned(),
        name: String::new(),
    }
}
