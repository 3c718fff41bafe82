//! The key usage extension (RFC 5280 4.2.1.3).

/// What a key may be used for, one flag per bit of the extension.
///
/// ```text
/// KeyUsage ::= BIT STRING {
///      digitalSignature(0), nonRepudiation(1) /* contentCommitment */, keyEncipherment(2),
///      dataEncipherment(3), keyAgreement(4), keyCertSign(5), cRLSign(6),
///      encipherOnly(7), decipherOnly(8) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "one bool per bit of the standard's BIT STRING"
)]
pub struct KeyUsage {
    /// Bit 0.
    pub digital_signature: bool,
    /// Bit 1, nonRepudiation.
    pub content_commitment: bool,
    /// Bit 2.
    pub key_encipherment: bool,
    /// Bit 3.
    pub data_encipherment: bool,
    /// Bit 4.
    pub key_agreement: bool,
    /// Bit 5: may sign certificates.
    pub key_cert_sign: bool,
    /// Bit 6: may sign revocation lists.
    pub crl_sign: bool,
    /// Bit 7.
    pub encipher_only: bool,
    /// Bit 8.
    pub decipher_only: bool,
}

impl KeyUsage {
    /// digitalSignature and nonRepudiation only: the signing certificate of a dual pair (GM/T 0015).
    pub const SIGNING: Self = Self {
        digital_signature: true,
        content_commitment: true,
        ..Self::NONE
    };
    /// keyCertSign and cRLSign: a certification authority.
    pub const AUTHORITY: Self = Self {
        key_cert_sign: true,
        crl_sign: true,
        ..Self::NONE
    };
    /// digitalSignature only: a TLS certificate on an elliptic curve.
    pub const DIGITAL_SIGNATURE: Self = Self {
        digital_signature: true,
        ..Self::NONE
    };
    /// keyEncipherment, dataEncipherment and keyAgreement: the encryption certificate of a dual
    /// pair (GM/T 0015), which no seal may be bound to.
    pub const ENCRYPTION: Self = Self {
        key_encipherment: true,
        data_encipherment: true,
        key_agreement: true,
        ..Self::NONE
    };
    /// No bit set. A certificate never carries this; a template with it writes no extension.
    pub const NONE: Self = Self {
        digital_signature: false,
        content_commitment: false,
        key_encipherment: false,
        data_encipherment: false,
        key_agreement: false,
        key_cert_sign: false,
        crl_sign: false,
        encipher_only: false,
        decipher_only: false,
    };

    /// The flags, bit 0 first.
    pub(crate) const fn flags(&self) -> [bool; 9] {
        [
            self.digital_signature,
            self.content_commitment,
            self.key_encipherment,
            self.data_encipherment,
            self.key_agreement,
            self.key_cert_sign,
            self.crl_sign,
            self.encipher_only,
            self.decipher_only,
        ]
    }

    /// From x509-parser's flags, whose bit n (from the least significant) is the standard's bit n.
    pub(crate) const fn from_bits(bits: u16) -> Self {
        Self {
            digital_signature: bits & 1 != 0,
            content_commitment: bits & (1 << 1) != 0,
            key_encipherment: bits & (1 << 2) != 0,
            data_encipherment: bits & (1 << 3) != 0,
            key_agreement: bits & (1 << 4) != 0,
            key_cert_sign: bits & (1 << 5) != 0,
            crl_sign: bits & (1 << 6) != 0,
            encipher_only: bits & (1 << 7) != 0,
            decipher_only: bits & (1 << 8) != 0,
        }
    }
}
