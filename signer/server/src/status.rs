//! Every refusal, and the one function that turns it into a gRPC status.

use tonic::{Code, Status};
use yinxin_edge::Shape;
use yinxin_pdf::PdfError;
use yinxin_signer::approval::{ApprovalError, ApprovalRefused};
use yinxin_signer::error::SealError;
use yinxin_signer::error::SetupError;
use yinxin_signer::keys::KeyStoreError;
use yinxin_signer::licence::FieldError;
use yinxin_signer::places::PlaceError;
use yinxin_signer::record::RecordError;
use yinxin_signer::registry::{FaceError, RegistryError, SealState};
use yinxin_signer::rules::Denied;
use yinxin_signer::usage::UseRefused;
use yinxin_store::{ChangeError, FolderError};
use yinxin_typeset::TypesetError;

/// Why a call gets an error and not an answer. The variants say whose move it is.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refusal {
    // ── The caller's move ────────────────────────────────────────────────────
    #[error("a client certificate with a common name is needed")]
    NoClientCertificate,
    #[error(transparent)]
    Denied(#[from] Denied),
    #[error("this client certificate belongs to nobody who works on seals")]
    NotAPerson,
    #[error(transparent)]
    Registry(#[from] RegistryError),
    #[error(transparent)]
    Approval(#[from] ApprovalRefused),
    #[error(transparent)]
    ApprovalSignature(#[from] ApprovalError),
    #[error("the seal cannot be drawn: {0}")]
    Face(#[from] FaceError),
    #[error("the key does not fit: {0}")]
    SealSetup(SetupError),
    #[error("{field}: {rule}")]
    Field { field: &'static str, rule: String },
    #[error("a field of the licence is refused: {0}")]
    LicenceField(#[from] FieldError),
    #[error("there is no licence type {name}")]
    NoSuchLicenceType { name: String },
    #[error("the request id was used before with a different request")]
    DifferentBody,
    #[error("the same request is being worked on; ask again")]
    InFlight,
    #[error("{limit} is {max}; this request has {value}")]
    Limit {
        limit: &'static str,
        value: u64,
        max: u64,
    },
    #[error("the stream of the document ended early or is out of order: {rule}")]
    Stream { rule: &'static str },
    #[error("the request took longer than {seconds} s")]
    TooSlow { seconds: u64 },
    // ── The document's, or the seal's ────────────────────────────────────────
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error("the text cannot be typeset: {0}")]
    Typeset(#[from] TypesetError),
    #[error("the seal {seal} is {}", state.name())]
    SealState { seal: String, state: SealState },
    #[error("the seal {seal} has just changed; ask again")]
    SealChanged { seal: String },
    // ── The outside world's, or ours ─────────────────────────────────────────
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error(transparent)]
    Store(#[from] FolderError),
    #[error("the seal {seal} cannot be loaded; the server's log says why")]
    SealNotLoaded { seal: String },
    #[error("no maker of seals is configured here: registry.maker")]
    NoMaker,
    #[error("the server is shutting down")]
    ShuttingDown,
    #[error("our own fault: {what}")]
    Internal { what: &'static str },
}

impl Refusal {
    fn shape(&self) -> Shape {
        let told = |code, reason| Shape::told(code, reason, self);
        let hidden = Shape::hidden;
        match self {
            Self::NoClientCertificate => told(Code::Unauthenticated, "CLIENT_CERTIFICATE_NEEDED"),
            Self::Denied(denied @ Denied::Quota) => told(Code::ResourceExhausted, denied.reason()),
            Self::Denied(denied) => told(Code::PermissionDenied, denied.reason()),
            Self::NotAPerson => told(Code::PermissionDenied, "PERSON_UNKNOWN"),
            Self::Registry(error) => registry(error, self),
            Self::Approval(refused) => told(Code::FailedPrecondition, refused.reason()),
            Self::ApprovalSignature(error) => match error {
                ApprovalError::Unknown { .. } => told(Code::NotFound, error.reason()),
                ApprovalError::Duty(error) => registry(error, self),
                ApprovalError::Expired { .. } | ApprovalError::SignedAlready { .. } => {
                    told(Code::FailedPrecondition, error.reason())
                }
                ApprovalError::Signature { .. } => told(Code::InvalidArgument, error.reason()),
                ApprovalError::OtherCertificate { .. } => {
                    told(Code::PermissionDenied, error.reason())
                }
            },
            Self::Face(error) => told(Code::InvalidArgument, "SEAL_FACE")
                .with("field", "terms.face_json")
                .with("rule", error),
            Self::SealSetup(_) => told(Code::FailedPrecondition, "SEAL_KEY_UNFIT"),
            Self::SealState { seal, state } => {
                told(Code::FailedPrecondition, state_reason(*state)).with("seal", seal)
            }
            Self::SealChanged { .. } => told(Code::Aborted, "SEAL_CHANGED"),
            Self::SealNotLoaded { seal } => {
                told(Code::Unavailable, "SEAL_NOT_LOADED").with("seal", seal)
            }
            Self::NoMaker => told(Code::FailedPrecondition, "MAKER_NOT_CONFIGURED"),
            Self::Field { field, rule } => told(Code::InvalidArgument, "FIELD_INVALID")
                .with("field", field)
                .with("rule", rule),
            Self::LicenceField(error) => told(Code::InvalidArgument, "LICENCE_FIELD_INVALID")
                .with("field", format!("fields_json.{}", error.field))
                .with("rule", &error.rule),
            Self::NoSuchLicenceType { .. } => told(Code::NotFound, "LICENCE_TYPE_UNKNOWN"),
            Self::DifferentBody => told(Code::AlreadyExists, "REQUEST_ID_REUSED"),
            Self::InFlight => told(Code::Aborted, "REQUEST_IN_FLIGHT"),
            Self::Limit { limit, value, max } => {
                told(Code::ResourceExhausted, "LIMIT_EXCEEDED").with_limit(limit, *value, *max)
            }
            Self::Stream { .. } => told(Code::InvalidArgument, "STREAM_OUT_OF_ORDER"),
            Self::TooSlow { .. } => told(Code::DeadlineExceeded, "REQUEST_TOO_SLOW"),
            Self::Seal(error) => match error {
                SealError::Document(document)
                | SealError::Place(PlaceError::Document(document)) => {
                    let code = if matches!(document, PdfError::LimitExceeded { .. }) {
                        Code::ResourceExhausted
                    } else if matches!(document, PdfError::Update(_)) {
                        Code::FailedPrecondition
                    } else {
                        Code::InvalidArgument
                    };
                    told(code, document.reason())
                }
                SealError::Place(
                    place @ (PlaceError::KeywordLength { .. }
                    | PlaceError::NoPages
                    | PlaceError::SeamGroup { .. }),
                ) => told(Code::InvalidArgument, place.reason()),
                SealError::Place(place) => told(Code::FailedPrecondition, place.reason()),
                SealError::Plan(plan) => told(Code::FailedPrecondition, plan.reason()),
                SealError::NotForDigests { .. } | SealError::DigestLength { .. } => {
                    told(Code::InvalidArgument, error.reason())
                }
                SealError::ProfileNotOffered { .. }
                | SealError::CertificateNotValidAt { .. }
                | SealError::SealNotValidAt { .. } => {
                    told(Code::FailedPrecondition, error.reason())
                }
                SealError::Keys(KeyStoreError::DeviceBusy { limit, max, .. }) => hidden(
                    Code::ResourceExhausted,
                    error.reason(),
                    "the device that holds the key has too much to do now; send again later",
                )
                .with("limit", limit)
                .with("max", max),
                SealError::Keys(_) => hidden(
                    Code::Unavailable,
                    error.reason(),
                    "the key store cannot sign now",
                ),
                SealError::Record(_) => hidden(
                    Code::Unavailable,
                    error.reason(),
                    "the record cannot be written now; nothing was signed",
                ),
                SealError::Setup(_) => {
                    hidden(Code::Internal, error.reason(), "the seal is set up wrongly")
                }
                SealError::SelfCheck { .. } => hidden(
                    Code::Internal,
                    error.reason(),
                    "our own verifier refuses what was made; it was not released",
                ),
            },
            Self::Typeset(error) => match error {
                TypesetError::MissingGlyph { .. } => told(Code::InvalidArgument, "GLYPH_MISSING"),
                TypesetError::NoFonts
                | TypesetError::FontUnreadable { .. }
                | TypesetError::FileName { .. }
                | TypesetError::Created { .. }
                | TypesetError::Template { .. } => hidden(
                    Code::Internal,
                    "TYPESETTING_FAILED",
                    "the licence's template cannot be typeset",
                ),
            },
            Self::Record(_) => hidden(
                Code::Unavailable,
                "RECORD_UNAVAILABLE",
                "the record is not available now",
            ),
            Self::Store(FolderError::TooLong { max }) => {
                told(Code::ResourceExhausted, "LIMIT_EXCEEDED")
                    .with("limit", "document bytes")
                    .with("max", max)
            }
            Self::Store(
                FolderError::InUse { .. }
                | FolderError::Missing { .. }
                | FolderError::Changed
                | FolderError::Io { .. },
            ) => hidden(
                Code::Unavailable,
                "DOCUMENT_STORE_UNAVAILABLE",
                "the document store is not available now",
            ),
            Self::ShuttingDown => told(Code::Unavailable, "SHUTTING_DOWN"),
            Self::Internal { .. } => hidden(Code::Internal, "INTERNAL", "our own fault"),
        }
    }

    /// The stable reason, for the log and the record.
    pub(crate) fn reason(&self) -> &'static str {
        self.shape().reason
    }
}

/// Why a seal that is not in force is not used.
pub(crate) fn state_reason(state: SealState) -> &'static str {
    match state {
        SealState::Applied
        | SealState::Approved
        | SealState::Made
        | SealState::Filed
        | SealState::Active => "SEAL_NOT_ACTIVE",
        SealState::Rejected => "SEAL_REJECTED",
        SealState::NotYetValid => "SEAL_NOT_YET_VALID",
        SealState::Expired => "SEAL_EXPIRED",
        SealState::Suspended => "SEAL_SUSPENDED",
        SealState::Lost => "SEAL_LOST",
        SealState::Cancelled => "SEAL_CANCELLED",
        SealState::Revoked => "SEAL_REVOKED",
        SealState::Withdrawn => "SEAL_WITHDRAWN",
    }
}

fn registry(error: &RegistryError, refusal: &Refusal) -> Shape {
    let told = |code| Shape::told(code, error.reason(), refusal);
    match error {
        RegistryError::NoSuchSeal { .. } => told(Code::NotFound),
        RegistryError::CodeTaken { .. } => told(Code::AlreadyExists),
        RegistryError::WrongState { state, change } => told(Code::FailedPrecondition)
            .with("state", state)
            .with("change", change),
        RegistryError::ChangedMeanwhile { .. } => told(Code::Aborted),
        RegistryError::RoleMissing { role, .. } => {
            told(Code::PermissionDenied).with("role", role.name())
        }
        RegistryError::SamePerson { rule } => told(Code::PermissionDenied).with("rule", rule),
        RegistryError::Field { field, rule } => told(Code::InvalidArgument)
            .with("field", field)
            .with("rule", rule),
        RegistryError::LostKeyKept => told(Code::FailedPrecondition),
        RegistryError::Damaged { .. } => Shape::hidden(
            Code::Internal,
            error.reason(),
            "the registry holds events that do not follow on each other",
        ),
    }
}

impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Registry(error) => Self::Registry(error),
            ChangeError::Record(error) => Self::Record(error),
        }
    }
}

impl From<UseRefused> for Refusal {
    fn from(refused: UseRefused) -> Self {
        match refused {
            UseRefused::Denied(denied) => Self::Denied(denied),
            UseRefused::Approval(refused) => Self::Approval(refused),
            UseRefused::SealChanged { seal } => Self::SealChanged { seal },
            UseRefused::Record(error) => Self::Record(error),
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        refusal.shape().into_status(&refusal)
    }
}
