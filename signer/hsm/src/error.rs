//! Why a device's store could not be opened.

use std::path::PathBuf;

use yinxin_signer::keys::KeyStoreError;

/// Why a device's store could not be opened. Never holds anything secret.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OpenError {
    /// The vendor's library cannot be loaded.
    #[error("the library {path} cannot be loaded: {detail}", path = path.display())]
    Library {
        /// The file named in the settings.
        path: PathBuf,
        /// What the system's loader, or the library itself, says.
        detail: String,
    },
    /// The library lacks a function that the configured keys need.
    #[error("the library {path} has no {symbol}", path = path.display())]
    SymbolMissing {
        /// The file named in the settings.
        path: PathBuf,
        /// The function's name.
        symbol: &'static str,
    },
    /// No token has this label and serial number.
    #[error("no token has the label {label:?} and the serial number {serial:?}")]
    NoSuchToken {
        /// The label asked for, if any.
        label: Option<String>,
        /// The serial number asked for, if any.
        serial: Option<String>,
    },
    /// More than one token fits: which one signs must never depend on chance.
    #[error("{count} tokens have the label {label:?} and the serial number {serial:?}")]
    TokenAmbiguous {
        /// The label asked for, if any.
        label: Option<String>,
        /// The serial number asked for, if any.
        serial: Option<String>,
        /// How many fit.
        count: usize,
    },
    /// Neither a label nor an id says which object is meant.
    #[error("the key {key} has neither a label nor an id")]
    KeyUnnamed {
        /// The key's name.
        key: String,
    },
    /// A PKCS#11 number below CKM_VENDOR_DEFINED and CKK_VENDOR_DEFINED, 0x80000000, which is
    /// not a vendor's to give.
    #[error("{number:#x} of the key {key} is not a vendor's number (0x80000000 and above)")]
    NumberNotVendors {
        /// The key's name.
        key: String,
        /// The number from the settings.
        number: u64,
    },
    /// A device could not be listed.
    #[error("the devices cannot be listed: {operation} gave {answer}")]
    Listing {
        /// The call of the device's interface.
        operation: &'static str,
        /// The device's answer.
        answer: String,
    },
    /// A pool cannot be set up so.
    #[error("{field} {rule}")]
    PoolSetting {
        /// The field of [`crate::PoolSettings`].
        field: &'static str,
        /// What it must be.
        rule: &'static str,
    },
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyStoreError),
}

impl OpenError {
    /// The same for a caller who wants a signature.
    #[must_use]
    pub fn into_key_store_error(self) -> KeyStoreError {
        match self {
            Self::Key(error) => error,
            other @ (Self::Library { .. }
            | Self::SymbolMissing { .. }
            | Self::NoSuchToken { .. }
            | Self::TokenAmbiguous { .. }
            | Self::KeyUnnamed { .. }
            | Self::NumberNotVendors { .. }
            | Self::Listing { .. }
            | Self::PoolSetting { .. }) => KeyStoreError::DeviceUnavailable {
                key: String::new(),
                operation: "connecting",
                answer: other.to_string(),
            },
        }
    }
}
