//! Compiles the .proto files with protox, so that no protoc is needed, and keeps the
//! descriptor set for gRPC reflection.
use std::path::PathBuf;

use prost::Message as _;

/// Every file of the interface, under `proto/`.
const FILES: [&str; 6] = [
    "yinxin/v1/common.proto",
    "yinxin/v1/errors.proto",
    "yinxin/v1/licence.proto",
    "yinxin/v1/seal.proto",
    "yinxin/v1/sealing.proto",
    "yinxin/v1/verification.proto",
];

/// Fields that may hold much of a document: `Bytes`, so that a chunk is a slice of the
/// frame it arrived in and not a copy of it.
const SHARED_BYTES: [&str; 5] = [
    ".yinxin.v1.ExportSealStatusResponse.chunk",
    ".yinxin.v1.SealDocumentRequest.chunk",
    ".yinxin.v1.SealDocumentResponse.chunk",
    ".yinxin.v1.VerifyDocumentRequest.chunk",
    ".yinxin.v1.IssueLicenceResponse.document",
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=yinxin");
    let descriptors = protox::compile(FILES, ["."])?;
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(out.join("yinxin.v1.bin"), descriptors.encode_to_vec())?;
    let mut builder = tonic_prost_build::configure();
    for path in SHARED_BYTES {
        builder = builder.bytes(path);
    }
    builder.compile_fds(descriptors)?;
    Ok(())
}
