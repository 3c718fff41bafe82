//! Everything of a request that decides its result, as one digest.

use prost::Message;
use ring::digest::{Context, SHA256};

/// SHA-256 over parts, each preceded by its length, so that no two lists of parts agree by chance.
pub(crate) fn body_sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    digest
}

/// The digest of a message, and of a document that belongs to it.
pub(crate) fn of_message<M: Message>(message: &M, document_sha256: Option<&[u8; 32]>) -> [u8; 32] {
    let encoded = message.encode_to_vec();
    match document_sha256 {
        Some(document) => body_sha256(&[&encoded, document]),
        None => body_sha256(&[&encoded]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moving_a_byte_between_parts_changes_the_digest() {
        assert_ne!(body_sha256(&[b"ab", b"c"]), body_sha256(&[b"a", b"bc"]));
        assert_ne!(body_sha256(&[b"ab"]), body_sha256(&[b"ab", b""]));
    }
}
