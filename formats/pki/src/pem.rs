//! PEM: base64 between BEGIN and END lines (RFC 7468).

use x509_parser::pem::Pem;

use crate::{PkiError, limits};

/// One block of a PEM file.
#[derive(Clone, PartialEq, Eq)]
pub struct PemBlock {
    /// What stands after BEGIN: `CERTIFICATE`, `X509 CRL`, `ENCRYPTED PRIVATE KEY`.
    pub label: String,
    /// The decoded octets.
    pub der: Vec<u8>,
}

impl std::fmt::Debug for PemBlock {
    // The octets may be a private key.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("PemBlock")
            .field("label", &self.label)
            .field("bytes", &self.der.len())
            .finish_non_exhaustive()
    }
}

/// Every block of a PEM file, in order; text around them is passed over. Empty when there is none.
///
/// # Errors
/// [`PkiError::LimitExceeded`]; [`PkiError::PemMalformed`] for a block without end or base64.
pub fn pem_blocks(text: &[u8]) -> Result<Vec<PemBlock>, PkiError> {
    limits::check("pem_bytes", text.len(), limits::PEM_BYTES_MAX)?;
    let mut blocks = Vec::new();
    for (index, pem) in Pem::iter_from_buffer(text).enumerate() {
        let number = index + 1;
        limits::check("pem_blocks", number, limits::CERTIFICATES_PER_FILE_MAX)?;
        let pem = pem.map_err(|error| PkiError::PemMalformed {
            number,
            detail: error.to_string(),
        })?;
        blocks.push(PemBlock {
            label: pem.label,
            der: pem.contents,
        });
    }
    Ok(blocks)
}

/// One PEM block with lines of 64 characters, ending in a line feed.
pub fn to_pem(label: &'static str, der: &[u8]) -> String {
    der::pem::encode_string(label, der::pem::LineEnding::LF, der)
        .expect("the labels are our own literals and memory holds the text")
}

/// The blocks labelled with one of `labels`, or the whole input as the only one when it is DER.
///
/// # Errors
/// As [`pem_blocks`]; [`PkiError::PemBlockMissing`], naming the first of `labels`, when there is none.
pub(crate) fn blocks_or_der(
    bytes: &[u8],
    labels: &[&'static str],
) -> Result<Vec<Vec<u8>>, PkiError> {
    // A SEQUENCE longer than 127 octets, as every certificate and list is: its second octet is no text.
    if let [crate::tlv::tag::SEQUENCE, 0x80..=0xff, ..] = bytes {
        return Ok(vec![bytes.to_vec()]);
    }
    let found: Vec<Vec<u8>> = pem_blocks(bytes)?
        .into_iter()
        .filter(|block| labels.contains(&block.label.as_str()))
        .map(|block| block.der)
        .collect();
    if found.is_empty() {
        return Err(PkiError::PemBlockMissing {
            label: labels.first().copied().unwrap_or_default(),
        });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for length in [0, 1, 47, 48, 49, 1000] {
            let der = vec![0xA5; length];
            let text = format!("comment\n{}\nmore", to_pem("X509 CRL", &der));
            let blocks = pem_blocks(text.as_bytes()).unwrap();
            assert_eq!(blocks.len(), 1);
            assert_eq!(blocks[0].label, "X509 CRL");
            assert_eq!(blocks[0].der, der);
        }
    }

    #[test]
    fn a_block_without_end_or_base64_is_an_error_with_its_number() {
        let good = to_pem("CERTIFICATE", b"x");
        for bad in [
            "-----BEGIN CERTIFICATE-----\nAAAA\n",
            "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
        ] {
            assert!(matches!(
                pem_blocks(format!("{good}{bad}").as_bytes()),
                Err(PkiError::PemMalformed { number: 2, .. })
            ));
        }
    }

    #[test]
    fn a_file_without_the_block_asked_for_says_so() {
        assert_eq!(
            blocks_or_der(to_pem("X509 CRL", b"x").as_bytes(), &["CERTIFICATE"]),
            Err(PkiError::PemBlockMissing {
                label: "CERTIFICATE"
            })
        );
    }
}
