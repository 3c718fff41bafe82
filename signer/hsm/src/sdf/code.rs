//! The return codes of GM/T 0018, by name.

macro_rules! codes {
    ($($(#[doc = $doc:literal])* $variant:ident = $code:literal, $name:literal;)*) => {
        /// A return code other than SDR_OK (GM/T 0018-2012, annex A; 1F from GM/T 0018-2023).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum SdfError {
            $($(#[doc = $doc])* $variant,)*
            /// A code the standard does not give: vendors have ranges of their own.
            Vendor(u32),
        }

        impl SdfError {
            /// The error of a code; `None` for SDR_OK.
            #[must_use]
            pub const fn from_code(code: u32) -> Option<Self> {
                match code {
                    0 => None,
                    $($code => Some(Self::$variant),)*
                    other => Some(Self::Vendor(other)),
                }
            }

            /// The number.
            #[must_use]
            pub const fn code(self) -> u32 {
                match self {
                    $(Self::$variant => $code,)*
                    Self::Vendor(code) => code,
                }
            }

            /// The standard's name.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                    Self::Vendor(_) => "vendor's own",
                }
            }
        }
    };
}

codes! {
    /// Unknown error.
    Unknown = 0x0100_0001, "SDR_UNKNOWERR";
    /// The function is not supported.
    NotSupported = 0x0100_0002, "SDR_NOTSUPPORT";
    /// Communication with the device failed.
    Communication = 0x0100_0003, "SDR_COMMFAIL";
    /// The device's hardware does not answer.
    Hardware = 0x0100_0004, "SDR_HARDFAIL";
    /// The device cannot be opened.
    OpenDevice = 0x0100_0005, "SDR_OPENDEVICE";
    /// No session can be opened.
    OpenSession = 0x0100_0006, "SDR_OPENSESSION";
    /// No right to use the private key.
    PrivateKeyRight = 0x0100_0007, "SDR_PARDENY";
    /// There is no such key.
    KeyNotExist = 0x0100_0008, "SDR_KEYNOTEXIST";
    /// The algorithm is not supported.
    AlgorithmNotSupported = 0x0100_0009, "SDR_ALGNOTSUPPORT";
    /// The algorithm's mode is not supported.
    ModeNotSupported = 0x0100_000a, "SDR_ALGMODNOTSUPPORT";
    /// The public key operation failed.
    PublicKeyOperation = 0x0100_000b, "SDR_PKOPERR";
    /// The private key operation failed.
    PrivateKeyOperation = 0x0100_000c, "SDR_SKOPERR";
    /// Signing failed.
    Sign = 0x0100_000d, "SDR_SIGNERR";
    /// Verifying failed.
    Verify = 0x0100_000e, "SDR_VERIFYERR";
    /// The symmetric operation failed.
    SymmetricOperation = 0x0100_000f, "SDR_SYMOPERR";
    /// A step of a multi-part operation came out of order.
    Step = 0x0100_0010, "SDR_STEPERR";
    /// A file's size, or the input's length, is wrong.
    FileSize = 0x0100_0011, "SDR_FILESIZEERR";
    /// There is no such file.
    FileNotExist = 0x0100_0012, "SDR_FILENOEXIST";
    /// The offset in the file is wrong.
    FileOffset = 0x0100_0013, "SDR_FILEOFSERR";
    /// The key is of another type.
    KeyType = 0x0100_0014, "SDR_KEYTYPEERR";
    /// The key is broken.
    Key = 0x0100_0015, "SDR_KEYERR";
    /// The ECC ciphertext is broken.
    EccCiphertext = 0x0100_0016, "SDR_ENCDATAERR";
    /// The random number generator failed.
    Random = 0x0100_0017, "SDR_RANDERR";
    /// The access right to the private key was not given.
    PrivateKeyAccess = 0x0100_0018, "SDR_PRKRERR";
    /// The MAC operation failed.
    Mac = 0x0100_0019, "SDR_MACERR";
    /// The file is there already.
    FileExists = 0x0100_001a, "SDR_FILEEXISTS";
    /// The file cannot be written.
    FileWrite = 0x0100_001b, "SDR_FILEWERR";
    /// A buffer is too short.
    NoBuffer = 0x0100_001c, "SDR_NOBUFFER";
    /// An argument is wrong.
    InputArgument = 0x0100_001d, "SDR_INARGERR";
    /// An output argument is wrong.
    OutputArgument = 0x0100_001e, "SDR_OUTARGERR";
    /// The user's identifier is wrong.
    UserIdentifier = 0x0100_001f, "SDR_USERIDERR";
}

impl SdfError {
    /// Whether the device or its session is gone, so that only a new connection can help. The
    /// vendors' own ranges count: their codes are about the device and the card.
    #[must_use]
    pub const fn is_loss(self) -> bool {
        matches!(
            self,
            Self::Communication
                | Self::Hardware
                | Self::OpenDevice
                | Self::OpenSession
                | Self::Vendor(_)
        )
    }
}

impl std::fmt::Display for SdfError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} ({:#010x})", self.name(), self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_code_has_a_name_and_comes_back() {
        assert_eq!(SdfError::from_code(0), None);
        for code in 0x0100_0001..=0x0100_001f {
            let error = SdfError::from_code(code);
            assert!(
                !matches!(error, None | Some(SdfError::Vendor(_))),
                "{code:#x}"
            );
            assert_eq!(error.map(SdfError::code), Some(code));
        }
        let vendor = SdfError::from_code(0x0101_0001);
        assert_eq!(vendor, Some(SdfError::Vendor(0x0101_0001)));
        assert_eq!(SdfError::Sign.to_string(), "SDR_SIGNERR (0x0100000d)");
    }
}
