//! The object identifiers this crate knows, in dotted form.

// Public keys and curves (RFC 3279, RFC 5480, GB/T 33560 table A.1).
pub(crate) const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
pub(crate) const EC_PUBLIC_KEY: &str = "1.2.840.10045.2.1";
pub(crate) const CURVE_P256: &str = "1.2.840.10045.3.1.7";
pub(crate) const CURVE_SM2: &str = "1.2.156.10197.1.301";

// Signature algorithms (RFC 4055, RFC 5758, GB/T 33560 table A.1).
pub(crate) const SHA256_WITH_RSA: &str = "1.2.840.113549.1.1.11";
pub(crate) const SHA384_WITH_RSA: &str = "1.2.840.113549.1.1.12";
pub(crate) const SHA512_WITH_RSA: &str = "1.2.840.113549.1.1.13";
pub(crate) const RSASSA_PSS: &str = "1.2.840.113549.1.1.10";
pub(crate) const MGF1: &str = "1.2.840.113549.1.1.8";
pub(crate) const ECDSA_WITH_SHA256: &str = "1.2.840.10045.4.3.2";
pub(crate) const SM2_WITH_SM3: &str = "1.2.156.10197.1.501";
/// "SM2-1 digital signature": what GM/T 0010 writes where CMS has the signature algorithm.
pub(crate) const SM2_SIGN: &str = "1.2.156.10197.1.301.1";

// Digests.
/// Only ever refused: the default of RSASSA-PSS parameters.
pub(crate) const SHA1: &str = "1.3.14.3.2.26";
pub(crate) const SHA256: &str = "2.16.840.1.101.3.4.2.1";
pub(crate) const SHA384: &str = "2.16.840.1.101.3.4.2.2";
pub(crate) const SHA512: &str = "2.16.840.1.101.3.4.2.3";
pub(crate) const SM3: &str = "1.2.156.10197.1.401";

// CMS content types (RFC 5652) and their GM/T 0010 counterparts.
pub(crate) const CMS_DATA: &str = "1.2.840.113549.1.7.1";
pub(crate) const CMS_SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
pub(crate) const GM_SIGNED_DATA: &str = "1.2.156.10197.6.1.4.2.2";

// Attributes of a signer info (RFC 5652 11, RFC 2634, RFC 5035).
pub(crate) const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
pub(crate) const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
pub(crate) const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
pub(crate) const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.12";
pub(crate) const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";

/// extensionRequest of a certification request (RFC 2985 5.4.2).
pub(crate) const EXTENSION_REQUEST: &str = "1.2.840.113549.1.9.14";

// Certificate and list extensions (RFC 5280 4.2, 5.2, 5.3).
pub(crate) const SUBJECT_KEY_ID: &str = "2.5.29.14";
pub(crate) const KEY_USAGE: &str = "2.5.29.15";
pub(crate) const SUBJECT_ALT_NAME: &str = "2.5.29.17";
pub(crate) const ISSUER_ALT_NAME: &str = "2.5.29.18";
pub(crate) const BASIC_CONSTRAINTS: &str = "2.5.29.19";
pub(crate) const CRL_NUMBER: &str = "2.5.29.20";
pub(crate) const REASON_CODE: &str = "2.5.29.21";
pub(crate) const DELTA_CRL_INDICATOR: &str = "2.5.29.27";
pub(crate) const ISSUING_DISTRIBUTION_POINT: &str = "2.5.29.28";
pub(crate) const CERTIFICATE_ISSUER: &str = "2.5.29.29";
pub(crate) const CRL_DISTRIBUTION_POINTS: &str = "2.5.29.31";
pub(crate) const CERTIFICATE_POLICIES: &str = "2.5.29.32";
pub(crate) const POLICY_MAPPINGS: &str = "2.5.29.33";
pub(crate) const AUTHORITY_KEY_ID: &str = "2.5.29.35";
pub(crate) const EXTENDED_KEY_USAGE: &str = "2.5.29.37";
pub(crate) const INHIBIT_ANY_POLICY: &str = "2.5.29.54";

// Name attributes (RFC 4519, PKCS #9).
pub(crate) const COMMON_NAME: &str = "2.5.4.3";
pub(crate) const SURNAME: &str = "2.5.4.4";
pub(crate) const SERIAL_NUMBER: &str = "2.5.4.5";
pub(crate) const COUNTRY: &str = "2.5.4.6";
pub(crate) const LOCALITY: &str = "2.5.4.7";
pub(crate) const STATE_OR_PROVINCE: &str = "2.5.4.8";
pub(crate) const STREET: &str = "2.5.4.9";
pub(crate) const ORGANIZATION: &str = "2.5.4.10";
pub(crate) const ORGANIZATIONAL_UNIT: &str = "2.5.4.11";
pub(crate) const TITLE: &str = "2.5.4.12";
pub(crate) const GIVEN_NAME: &str = "2.5.4.42";
pub(crate) const ORGANIZATION_IDENTIFIER: &str = "2.5.4.97";
pub(crate) const EMAIL: &str = "1.2.840.113549.1.9.1";
pub(crate) const DOMAIN_COMPONENT: &str = "0.9.2342.19200300.100.1.25";
pub(crate) const USER_ID: &str = "0.9.2342.19200300.100.1.1";
