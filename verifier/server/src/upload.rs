//! Takes a document in: from the stream into a nameless file.

use std::path::Path;

use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;
use yinxin_proto::v1::VerifyDocumentRequest;
use yinxin_proto::v1::verify_document_request::Part;
use yinxin_proto::{Bytes, v1};
use yinxin_spool::{Mapped, Spool, SpoolError};

use crate::refusal::Refusal;

/// How much is collected before it is written: enough that a hop to another thread does
/// not count.
const WRITE_BYTES: usize = 256 * 1024;

/// How many chunks are collected at most, however short they are.
const WRITE_CHUNKS_MAX: usize = 256;

/// The name of the limit, as errors and the configuration say it.
pub(crate) const LIMIT: &str = "document_bytes_max";

/// Reads the header, which must come first.
pub(crate) async fn header(
    stream: &mut (impl Stream<Item = Result<VerifyDocumentRequest, Status>> + Unpin),
) -> Result<v1::VerifyDocumentHeader, Refusal> {
    match next_part(stream).await? {
        Some(Part::Header(header)) => Ok(header),
        Some(Part::Chunk(_)) | None => Err(Refusal::Stream {
            rule: "the first message must be the header",
        }),
    }
}

/// Takes the chunks in, to the end of the stream. `announced` is the header's length, 0
/// for none.
pub(crate) async fn document(
    stream: &mut (impl Stream<Item = Result<VerifyDocumentRequest, Status>> + Unpin),
    folder: &Path,
    announced: u64,
    max: u64,
) -> Result<Mapped, Refusal> {
    within(announced, max)?;
    let mut spool = Spool::anonymous(folder, max)?;
    let mut pending = Pending::default();
    while let Some(part) = next_part(stream).await? {
        let Part::Chunk(chunk) = part else {
            return Err(Refusal::Stream {
                rule: "the header must come once",
            });
        };
        within(
            spool.length() + pending.bytes as u64 + chunk.len() as u64,
            max,
        )?;
        pending.push(chunk);
        if pending.bytes >= WRITE_BYTES || pending.chunks.len() >= WRITE_CHUNKS_MAX {
            spool = pending.write_to(spool).await?;
        }
    }
    spool = pending.write_to(spool).await?;
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
    Ok(spool.map()?)
}

fn within(value: u64, max: u64) -> Result<(), Refusal> {
    match value <= max {
        true => Ok(()),
        false => Err(Refusal::Limit {
            limit: LIMIT,
            value,
            max,
        }),
    }
}

async fn next_part(
    stream: &mut (impl Stream<Item = Result<VerifyDocumentRequest, Status>> + Unpin),
) -> Result<Option<Part>, Refusal> {
    match stream.next().await {
        Some(Ok(VerifyDocumentRequest { part: Some(part) })) => Ok(Some(part)),
        Some(Ok(VerifyDocumentRequest { part: None })) => Err(Refusal::Stream {
            rule: "a message must hold a header or a chunk",
        }),
        Some(Err(status)) => Err(Refusal::Broken(status)),
        None => Ok(None),
    }
}

/// Chunks that wait to be written.
#[derive(Default)]
struct Pending {
    chunks: Vec<Bytes>,
    bytes: usize,
}

impl Pending {
    fn push(&mut self, chunk: Bytes) {
        self.bytes += chunk.len();
        self.chunks.push(chunk);
    }

    async fn write_to(&mut self, mut spool: Spool) -> Result<Spool, Refusal> {
        let Self { chunks, .. } = std::mem::take(self);
        tokio::task::spawn_blocking(move || {
            for chunk in &chunks {
                spool.append(chunk)?;
            }
            Ok::<_, SpoolError>(spool)
        })
        .await
        .map_err(|_| Refusal::Internal {
            what: "a worker thread ended early",
        })?
        .map_err(Refusal::from)
    }
}
