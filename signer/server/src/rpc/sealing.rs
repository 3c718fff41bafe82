//! SealingService.

use std::pin::Pin;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::mpsc;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};
use yinxin_pki::DigestAlgorithm;
use yinxin_proto::v1::sealing_service_server::SealingService;
use yinxin_proto::v1::{seal_document_request, seal_document_response};
use yinxin_proto::{Bytes, v1};
use yinxin_signer::profile::{SealProfile, SignatureProfile, container_bytes_max};
use yinxin_signer::record::{Operation, RequestKey};
use yinxin_signer::road::Released;
use yinxin_store::DocumentSpool;

use super::{Admitted, Rpc, placing};
use crate::pipeline::{Act, blocking};
use crate::receipt::{Receipt, timestamp};
use crate::service::Service;
use crate::status::Refusal;
use crate::usage::{Permit, Wish, digest_subject, document_subject};
use crate::{body, caller, fields};

/// How much of a sealed document goes into one message.
const CHUNK_BYTES: usize = 256 * 1024;

/// Seals of one request after the first: offices put two or three on one document.
const FURTHER_SEALS_MAX: usize = 7;

/// How many chunks of an upload may wait for the disk and the digests.
const CHUNKS_WAITING: usize = 8;

type Answers = Pin<Box<dyn Stream<Item = Result<v1::SealDocumentResponse, Status>> + Send>>;

#[tonic::async_trait]
impl SealingService for Rpc {
    type SealDocumentStream = Answers;

    async fn seal_document(
        &self,
        request: Request<Streaming<v1::SealDocumentRequest>>,
    ) -> Result<Response<Answers>, Status> {
        let department = caller::department(&request)?;
        let (service, stream) = (self.service(), request.into_inner());
        let worker = Arc::clone(&service);
        let work = async move { seal_document(&worker, department, stream).await };
        let released = service.within_time(work).await?;
        Ok(Response::new(service.document_answers(&released).await?))
    }

    async fn seal_digest(
        &self,
        request: Request<v1::SealDigestRequest>,
    ) -> Result<Response<v1::SealDigestResponse>, Status> {
        let department = caller::department(&request)?;
        let (service, request) = (self.service(), request.into_inner());
        let worker = Arc::clone(&service);
        let work = async move { seal_digest(&worker, department, request).await };
        Ok(Response::new(service.within_time(work).await?))
    }

    async fn describe_seal(
        &self,
        request: Request<v1::DescribeSealRequest>,
    ) -> Result<Response<v1::DescribeSealResponse>, Status> {
        let department = caller::department(&request)?;
        Ok(Response::new(describe(
            &self.service(),
            &department,
            request.get_ref(),
        )?))
    }
}

async fn seal_document(
    service: &Arc<Service>,
    department: String,
    mut stream: Streaming<v1::SealDocumentRequest>,
) -> Result<Released, Refusal> {
    let header = match next_part(&mut stream).await? {
        Some(seal_document_request::Part::Header(header)) => header,
        Some(seal_document_request::Part::Chunk(_)) | None => {
            return Err(Refusal::Stream {
                rule: "the first message must be the header",
            });
        }
    };
    fields::request_id(&header.request_id)?;
    fields::who(header.operator.as_ref(), &header.case_number)?;
    let profile = fields::profile(header.profile)?;
    let wish = Wish {
        department: &department,
        operation: Operation::SealDocument,
        seal_id: &header.seal_id,
        licence_type: "",
        operator: header.operator.as_ref(),
        case_number: &header.case_number,
        usage: header.usage.as_ref(),
    };
    let permit = service.authorise(&wish)?;
    let mut acts = vec![Act {
        seal: Arc::clone(&permit.held.seal),
        profile,
        site: placing::first(&header, &permit.held.seal, profile)?,
    }];
    let further = further(service, &header, wish, &mut acts)?;

    let _working = service
        .working
        .acquire()
        .await
        .map_err(|_| Refusal::ShuttingDown)?;
    let with_sm3 = acts
        .iter()
        .flat_map(|act| act.profile.signatures())
        .any(|signature| signature.digest_algorithm() == DigestAlgorithm::Sm3);
    let spool = receive(service, &mut stream, header.document_bytes, with_sm3).await?;
    let subject =
        |permit: &Permit| document_subject(&header, spool.digests().sha256(), &permit.held.seal.id);
    let admitted = Admitted {
        key: RequestKey {
            caller: department,
            request_id: header.request_id.clone(),
        },
        operation: Operation::SealDocument,
        // Whether the length was announced changes nothing in the result.
        body_sha256: body::of_message(
            &v1::SealDocumentHeader {
                document_bytes: 0,
                ..header.clone()
            },
            Some(&spool.digests().sha256()),
        ),
        details: json!({
            "seal": header.seal_id,
            "profile": profile.name(),
            "case_number": header.case_number,
            "operator": header.operator.as_ref().map(|operator| &operator.account),
            "further_seals": header.further_seals.iter().map(|one| &one.seal_id).collect::<Vec<_>>(),
            "document_bytes": spool.length(),
        }),
        subject: subject(&permit),
        further: further
            .into_iter()
            .map(|(permit, profile)| {
                let subject = subject(&permit);
                (permit, profile, subject)
            })
            .collect(),
        permit,
        profile,
    };
    service
        .under_record(admitted, |service, _, open| async move {
            let sealed = service.seal_document(&open, &acts, spool).await?;
            service
                .release(&open, sealed.signatures, Some(&sealed.stored), None)
                .await
        })
        .await
}

/// The further seals of a request: each permitted as if it were asked for alone.
fn further(
    service: &Service,
    header: &v1::SealDocumentHeader,
    first: Wish<'_>,
    acts: &mut Vec<Act>,
) -> Result<Vec<(Permit, SealProfile)>, Refusal> {
    let count = header.further_seals.len();
    if count > FURTHER_SEALS_MAX {
        return Err(Refusal::Limit {
            limit: "further_seals",
            value: count as u64,
            max: FURTHER_SEALS_MAX as u64,
        });
    }
    let mut further = Vec::with_capacity(count);
    for asked in &header.further_seals {
        let profile = fields::profile(asked.profile)?;
        let permit = service.authorise(&Wish {
            seal_id: &asked.seal_id,
            ..first
        })?;
        let seal = &permit.held.seal;
        let placement = asked.placement.as_ref();
        acts.push(Act {
            seal: Arc::clone(seal),
            profile,
            site: placing::site(placement, &asked.reason, &asked.location, seal)?,
        });
        further.push((permit, profile));
    }
    Ok(further)
}

async fn next_part(
    stream: &mut Streaming<v1::SealDocumentRequest>,
) -> Result<Option<seal_document_request::Part>, Refusal> {
    match stream.message().await {
        Ok(Some(message)) => match message.part {
            Some(part) => Ok(Some(part)),
            None => Err(Refusal::Stream {
                rule: "a message must hold a header or a chunk",
            }),
        },
        Ok(None) => Ok(None),
        Err(_) => Err(Refusal::Stream {
            rule: "the stream broke off",
        }),
    }
}

async fn next_chunk(
    stream: &mut Streaming<v1::SealDocumentRequest>,
) -> Result<Option<Bytes>, Refusal> {
    match next_part(stream).await? {
        Some(seal_document_request::Part::Chunk(chunk)) => Ok(Some(chunk)),
        Some(seal_document_request::Part::Header(_)) => Err(Refusal::Stream {
            rule: "the header must come once",
        }),
        None => Ok(None),
    }
}

/// Takes the document in. A long one is written and hashed beside the network, as it comes.
async fn receive(
    service: &Arc<Service>,
    stream: &mut Streaming<v1::SealDocumentRequest>,
    announced: u64,
    with_sm3: bool,
) -> Result<DocumentSpool, Refusal> {
    let max = service.limits.document_bytes_max;
    let refuse_over = |value: u64| {
        (value > max)
            .then_some(Refusal::Limit {
                limit: "document bytes",
                value,
                max,
            })
            .map_or(Ok(()), Err)
    };
    refuse_over(announced)?;
    let mut spool = service.new_spool(with_sm3);
    loop {
        let Some(chunk) = next_chunk(stream).await? else {
            break;
        };
        refuse_over(spool.length() + chunk.len() as u64)?;
        if spool.needs_disk_for(chunk.len()) {
            spool = receive_beside(stream, spool, chunk, refuse_over).await?;
            break;
        }
        // Short, and in memory.
        spool.append(&chunk)?;
    }
    if announced != 0 && announced != spool.length() {
        return Err(Refusal::Stream {
            rule: "the document is not as long as announced",
        });
    }
    if spool.length() == 0 {
        return Err(Refusal::Stream {
            rule: "the document is empty",
        });
    }
    Ok(spool)
}

/// The rest of a document that is not short any more, from `chunk` on.
async fn receive_beside(
    stream: &mut Streaming<v1::SealDocumentRequest>,
    mut spool: DocumentSpool,
    chunk: Bytes,
    refuse_over: impl Fn(u64) -> Result<(), Refusal>,
) -> Result<DocumentSpool, Refusal> {
    let mut length = spool.length() + chunk.len() as u64;
    let (chunks, mut arriving) = mpsc::channel(CHUNKS_WAITING);
    let writing = blocking(move || {
        let rest = std::iter::from_fn(|| arriving.blocking_recv());
        spool.append_all(std::iter::once(chunk).chain(rest))?;
        Ok::<_, Refusal>(spool)
    });
    let taking = async {
        // Dropped at the end of this block: then the writer has all.
        let chunks = chunks;
        while let Some(chunk) = next_chunk(stream).await? {
            length += chunk.len() as u64;
            refuse_over(length)?;
            // The writer stops early only when it has failed, and then it says why.
            if chunks.send(chunk).await.is_err() {
                break;
            }
        }
        Ok::<_, Refusal>(())
    };
    let (written, taken) = tokio::join!(writing, taking);
    taken?;
    written?
}

impl Service {
    /// The receipt, then the document in chunks, read from the folder as the caller takes them.
    async fn document_answers(self: &Arc<Self>, released: &Released) -> Result<Answers, Refusal> {
        let release = released.release();
        let receipt = Receipt::from_json(&release.receipt_json)?;
        let sha256 = release.document_sha256.ok_or(Refusal::Internal {
            what: "a document's release has no document",
        })?;
        let first = v1::SealDocumentReceipt {
            receipt: Some(receipt.to_wire("")?),
            document_sha256: sha256.to_vec(),
            document_bytes: receipt.document_bytes,
            replayed: released.replayed(),
        };
        let document = self.released_document(release).await?;
        let starts = (0..document.len()).step_by(CHUNK_BYTES);
        let chunks = starts.map(move |start| {
            let end = document.len().min(start + CHUNK_BYTES);
            seal_document_response::Part::Chunk(document.slice(start..end))
        });
        let parts = std::iter::once(seal_document_response::Part::Receipt(first)).chain(chunks);
        Ok(Box::pin(tokio_stream::iter(parts).map(|part| {
            Ok(v1::SealDocumentResponse { part: Some(part) })
        })))
    }
}

/// The one signature of a profile that makes only one.
fn single(profile: SealProfile) -> Result<SignatureProfile, Refusal> {
    match profile.signatures() {
        [only] => Ok(*only),
        _ => Err(yinxin_signer::error::SealError::NotForDigests {
            profile: profile.name(),
        }
        .into()),
    }
}

fn wire_digest(algorithm: DigestAlgorithm) -> v1::DigestAlgorithm {
    match algorithm {
        DigestAlgorithm::Sha256 => v1::DigestAlgorithm::Sha256,
        DigestAlgorithm::Sm3 => v1::DigestAlgorithm::Sm3,
    }
}

async fn seal_digest(
    service: &Arc<Service>,
    department: String,
    request: v1::SealDigestRequest,
) -> Result<v1::SealDigestResponse, Refusal> {
    fields::request_id(&request.request_id)?;
    fields::who(request.operator.as_ref(), &request.case_number)?;
    fields::text("document_name", &request.document_name, 1, 200)?;
    fields::text("field_name", &request.field_name, 1, 200)?;
    let profile = fields::profile(request.profile)?;
    let signature = single(profile)?;
    if request.digest_algorithm != wire_digest(signature.digest_algorithm()) as i32 {
        return Err(Refusal::Field {
            field: "digest_algorithm",
            rule: format!("{} goes with {}", profile.name(), signature.digest_name()),
        });
    }
    let permit = service.authorise(&Wish {
        department: &department,
        operation: Operation::SealDigest,
        seal_id: &request.seal_id,
        licence_type: "",
        operator: request.operator.as_ref(),
        case_number: &request.case_number,
        usage: request.usage.as_ref(),
    })?;
    let subject = digest_subject(&request)?;
    let admitted = Admitted {
        key: RequestKey {
            caller: department,
            request_id: request.request_id.clone(),
        },
        operation: Operation::SealDigest,
        body_sha256: body::of_message(&request, None),
        details: json!({
            "seal": request.seal_id,
            "profile": profile.name(),
            "case_number": request.case_number,
            "operator": request.operator.as_ref().map(|operator| &operator.account),
            "document_name": request.document_name,
        }),
        permit,
        profile,
        further: Vec::new(),
        subject,
    };
    let (digest, field_name) = (request.digest.clone(), request.field_name.clone());
    let released = service
        .under_record(admitted, move |service, admitted, open| async move {
            let seal = &admitted.permit.held.seal;
            let checked = service
                .seal_digest(&open, seal, signature, &digest, &field_name)
                .await?;
            service.release(&open, vec![checked], None, None).await
        })
        .await?;
    let release = released.release();
    let container = release.container.clone().ok_or(Refusal::Internal {
        what: "a digest's release has no container",
    })?;
    let receipt = Receipt::from_json(&release.receipt_json)?;
    Ok(v1::SealDigestResponse {
        container,
        receipt: Some(receipt.to_wire(&request.field_name)?),
        replayed: released.replayed(),
    })
}

fn describe(
    service: &Service,
    department: &str,
    request: &v1::DescribeSealRequest,
) -> Result<v1::DescribeSealResponse, Refusal> {
    let held = service.may_describe(department, Operation::SealDigest, &request.seal_id)?;
    let signature = single(fields::profile(request.profile)?)?;
    let seal = &held.seal;
    if seal.appearance.image.is_some() {
        return Err(Refusal::Field {
            field: "seal_id",
            rule: "the seal is a picture, which no content stream alone can draw: send the \
                   document with SealDocument"
                .to_owned(),
        });
    }
    let names = service.settings.names.of(signature);
    let room = container_bytes_max(seal, signature)?;
    Ok(v1::DescribeSealResponse {
        seal_id: seal.id.clone(),
        name: seal.owner_name.clone(),
        width_mm: seal.width_mm,
        height_mm: seal.height_mm,
        appearance_content: seal.appearance.content.plain().to_vec(),
        appearance_bbox: seal.appearance.bbox.to_vec(),
        container_bytes_max: u32::try_from(room).map_err(|_| Refusal::Internal {
            what: "a container of over 4 GiB",
        })?,
        filter: names.filter,
        sub_filter: names.sub_filter,
        digest_algorithm: wire_digest(signature.digest_algorithm()).into(),
        alternate_text: seal.appearance.alternate_text.clone(),
        valid_until: Some(timestamp(seal.valid_until(signature)?)),
    })
}
