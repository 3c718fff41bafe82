//! The command as a department: a connection with a client certificate, and the calls.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio_stream::StreamExt as _;
use tonic::transport::{Certificate, Channel, ClientTlsConfig, Identity};
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_proto::v1::licence_service_client::LicenceServiceClient;
use yinxin_proto::v1::seal_document_request::Part as RequestPart;
use yinxin_proto::v1::seal_document_response::Part as ResponsePart;
use yinxin_proto::v1::seal_service_client::SealServiceClient;
use yinxin_proto::v1::sealing_service_client::SealingServiceClient;
use yinxin_proto::v1::verification_service_client::VerificationServiceClient;
use yinxin_proto::v1::verify_document_request::Part as VerifyPart;

use crate::failure::{Failure, doing};

/// How much of a file goes into one message.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;

/// The largest message we take: an issued licence is at most 4 MiB.
const MESSAGE_BYTES_MAX: usize = 5 * 1024 * 1024;

/// A client.toml: where the services are, and who we are.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConnectionFile {
    /// For example `https://localhost:7443`.
    pub(crate) signer: String,
    /// For example `https://localhost:7444`.
    pub(crate) verifier: Option<String>,
    /// The authority of the servers' certificates, PEM.
    pub(crate) server_ca: PathBuf,
    /// Our certificate, PEM.
    pub(crate) certificate: PathBuf,
    /// Our key, PEM.
    pub(crate) key: PathBuf,
}

impl ConnectionFile {
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        let mut file: Self =
            toml::from_str(&text).map_err(|error| Failure::file(path, &error.message()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        for one in [&mut file.server_ca, &mut file.certificate, &mut file.key] {
            if one.is_relative() {
                *one = folder.join(&*one);
            }
        }
        Ok(file)
    }

    async fn channel(&self, address: &str) -> Result<Channel, Failure> {
        let read = |path: &Path| std::fs::read(path).map_err(|error| Failure::file(path, &error));
        let tls = ClientTlsConfig::new()
            .ca_certificate(Certificate::from_pem(read(&self.server_ca)?))
            .identity(Identity::from_pem(
                read(&self.certificate)?,
                read(&self.key)?,
            ));
        let unreachable = |error: tonic::transport::Error| {
            let cause = std::error::Error::source(&error)
                .map_or_else(|| error.to_string(), std::string::ToString::to_string);
            Failure::new(
                format!("无法连接 {address}：{cause}"),
                format!("cannot reach {address}: {cause}"),
            )
        };
        Channel::from_shared(address.to_owned())
            .map_err(doing("服务地址不正确", "the server's address is wrong"))?
            .tls_config(tls)
            .map_err(unreachable)?
            .initial_stream_window_size(4 * 1024 * 1024)
            .initial_connection_window_size(8 * 1024 * 1024)
            .connect()
            .await
            .map_err(unreachable)
    }

    pub(crate) async fn signer(&self) -> Result<Signer, Failure> {
        Ok(Signer(self.channel(&self.signer).await?))
    }

    pub(crate) async fn verifier(&self) -> Result<Verifier, Failure> {
        let address = self.verifier.as_deref().ok_or_else(|| {
            Failure::new(
                "连接配置中没有核验服务",
                "the connection file names no verifier",
            )
        })?;
        Ok(Verifier(self.channel(address).await?))
    }
}

/// The signing service.
pub(crate) struct Signer(Channel);

impl Signer {
    /// The registry of seals.
    pub(crate) fn seals(&self) -> SealServiceClient<Channel> {
        SealServiceClient::new(self.0.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) async fn issue(
        &self,
        request: v1::IssueLicenceRequest,
    ) -> Result<v1::IssueLicenceResponse, Failure> {
        LicenceServiceClient::new(self.0.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .issue_licence(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| Failure::status(&status))
    }

    /// The sealed document, compared with the digest in the receipt.
    pub(crate) async fn seal(
        &self,
        header: v1::SealDocumentHeader,
        document: Bytes,
    ) -> Result<Vec<u8>, Failure> {
        let head = v1::SealDocumentRequest {
            part: Some(RequestPart::Header(header)),
        };
        let parts =
            tokio_stream::once(head).chain(tokio_stream::iter(chunks(document)).map(|chunk| {
                v1::SealDocumentRequest {
                    part: Some(RequestPart::Chunk(chunk)),
                }
            }));
        let refused = |status: tonic::Status| Failure::status(&status);
        let mut answers = SealingServiceClient::new(self.0.clone())
            .max_decoding_message_size(MESSAGE_BYTES_MAX)
            .seal_document(parts)
            .await
            .map_err(refused)?
            .into_inner();
        let mut receipt = None;
        let mut sealed = Vec::new();
        while let Some(answer) = answers.message().await.map_err(refused)? {
            match answer.part {
                Some(ResponsePart::Receipt(first)) => receipt = Some(first),
                Some(ResponsePart::Chunk(chunk)) => sealed.extend_from_slice(&chunk),
                None => {}
            }
        }
        let receipt = receipt
            .ok_or_else(|| Failure::new("服务没有给出回执", "the service gave no receipt"))?;
        if DigestAlgorithm::Sha256.digest(&sealed) != receipt.document_sha256 {
            return Err(Failure::new(
                "文件没有传完整",
                "the sealed file did not arrive whole",
            ));
        }
        Ok(sealed)
    }

    pub(crate) async fn describe(
        &self,
        request: v1::DescribeSealRequest,
    ) -> Result<v1::DescribeSealResponse, Failure> {
        SealingServiceClient::new(self.0.clone())
            .describe_seal(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| Failure::status(&status))
    }

    pub(crate) async fn seal_digest(
        &self,
        request: v1::SealDigestRequest,
    ) -> Result<v1::SealDigestResponse, Failure> {
        SealingServiceClient::new(self.0.clone())
            .seal_digest(request)
            .await
            .map(tonic::Response::into_inner)
            .map_err(|status| Failure::status(&status))
    }
}

/// The verification service.
pub(crate) struct Verifier(Channel);

impl Verifier {
    pub(crate) async fn verify(
        &self,
        header: v1::VerifyDocumentHeader,
        document: Bytes,
    ) -> Result<v1::VerifyDocumentResponse, Failure> {
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
            .map_err(|status| Failure::status(&status))
    }
}

/// The document in slices of itself.
fn chunks(mut document: Bytes) -> impl Iterator<Item = Bytes> {
    std::iter::from_fn(move || {
        (!document.is_empty()).then(|| document.split_to(document.len().min(CHUNK_BYTES)))
    })
}
