//! What is approved, as text.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use yinxin_pki::UnixSeconds;

/// A use to be approved. The texts hold no control characters; whoever makes one has checked that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// Names it: 32 hexadecimal digits.
    pub id: String,
    /// The department that asks.
    pub caller: String,
    /// The operator there.
    pub operator: String,
    /// The operation's stable name.
    pub operation: String,
    /// The seal's code.
    pub seal: String,
    /// The seal's name, for the reader.
    pub seal_name: String,
    /// SHA-256 of the document as it will be sent, of the form's fields, or the digest itself.
    pub document_sha256: [u8; 32],
    /// SHA-256 of everything that says where and how the seal goes.
    pub place_sha256: [u8; 32],
    /// The place, for the reader.
    pub place: String,
    /// How many copies may be given out.
    pub copies: u32,
    /// The case at the department.
    pub case_number: String,
    /// How many people must sign: 1 or 2.
    pub needed: u8,
    /// When it was asked for.
    pub created_at: UnixSeconds,
    /// The last second at which it may be used.
    pub expires_at: UnixSeconds,
}

/// One person's signature under an approval.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApprovalSignature {
    /// Who: the common name of their client certificate.
    pub approver: String,
    /// SHA-256 of the certificate they signed with.
    pub certificate_sha256: [u8; 32],
    /// The detached CMS over the statement.
    pub cms_der: Vec<u8>,
    /// When it came in.
    pub signed_at: UnixSeconds,
}

impl Approval {
    /// The canonical statement: UTF-8, lines ending in LF, always in this order. Approvers sign
    /// exactly these bytes.
    #[must_use]
    pub fn statement(&self) -> String {
        format!(
            "印信用印审批 / Yinxin approval of a seal's use, version 1\n\
             approval: {}\n\
             department: {}\n\
             operator: {}\n\
             operation: {}\n\
             case: {}\n\
             seal: {} {}\n\
             document-sha256: {}\n\
             place: {}\n\
             place-sha256: {}\n\
             copies: {}\n\
             created: {}\n\
             expires: {}\n",
            self.id,
            self.caller,
            self.operator,
            self.operation,
            self.case_number,
            self.seal,
            self.seal_name,
            base16ct::lower::encode_string(&self.document_sha256),
            self.place,
            base16ct::lower::encode_string(&self.place_sha256),
            self.copies,
            moment(self.created_at),
            moment(self.expires_at),
        )
    }
}

/// ISO 8601 in UTC; seconds where the calendar ends.
fn moment(at: UnixSeconds) -> String {
    OffsetDateTime::from_unix_timestamp(at.0)
        .ok()
        .and_then(|moment| moment.format(&Rfc3339).ok())
        .unwrap_or_else(|| at.0.to_string())
}
