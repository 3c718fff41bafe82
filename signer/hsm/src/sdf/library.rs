//! The vendor's library: its symbols, and one connection through them.
#![allow(
    unsafe_code,
    reason = "GM/T 0018 is a C interface; the symbols are bound and called here and nowhere else"
)]

use std::ffi::c_void;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::code::SdfError;
use super::layout::{self, BUFFER_BYTES, Buffer, FieldLayout};
use super::{SdfKeyKind, SdfSettings};
use crate::{OpenError, Secret, signature};

type Handle = *mut c_void;

// The functions of GM/T 0018-2012, 6.2, 6.3 and 6.4: LONG is an `int`, ULONG an `unsigned int`.
type OpenDevice = unsafe extern "C" fn(*mut Handle) -> i32;
type CloseDevice = unsafe extern "C" fn(Handle) -> i32;
type OpenSession = unsafe extern "C" fn(Handle, *mut Handle) -> i32;
type CloseSession = unsafe extern "C" fn(Handle) -> i32;
type AccessRight = unsafe extern "C" fn(Handle, u32, *const u8, u32) -> i32;
type ExportPublicKey = unsafe extern "C" fn(Handle, u32, *mut u8) -> i32;
type SignEcc = unsafe extern "C" fn(Handle, u32, *const u8, u32, *mut u8) -> i32;
type PrivateRsa = unsafe extern "C" fn(Handle, u32, *const u8, u32, *mut u8, *mut u32) -> i32;

/// What went wrong in one call.
#[derive(Debug)]
pub(super) enum Failure {
    /// The library returned a code.
    Code {
        operation: &'static str,
        error: SdfError,
    },
    /// It returned SDR_OK with something that cannot be right.
    Answer { why: &'static str },
}

impl Failure {
    pub(super) const fn answer(why: &'static str) -> Self {
        Self::Answer { why }
    }

    /// Whether the connection can no longer be relied upon. A session that lost its access right
    /// must be logged in again; a broken answer leaves nothing to trust.
    pub(super) const fn needs_new_connection(&self) -> bool {
        match self {
            Self::Code { error, .. } => {
                error.is_loss() || matches!(error, SdfError::PrivateKeyRight | SdfError::Step)
            }
            Self::Answer { .. } => true,
        }
    }
}

struct Symbols {
    open_device: OpenDevice,
    close_device: CloseDevice,
    open_session: OpenSession,
    close_session: CloseSession,
    access_right: Option<AccessRight>,
    export_ecc: Option<ExportPublicKey>,
    sign_ecc: Option<SignEcc>,
    export_rsa: Option<ExportPublicKey>,
    private_rsa: Option<PrivateRsa>,
}

/// The symbols of a loaded library. It stays loaded until the process ends: the libraries of
/// several vendors keep threads of their own and do not survive being unloaded.
pub(super) struct Library {
    symbols: Arc<Symbols>,
    /// The device, while a session is open on it.
    open: Mutex<Weak<OpenDeviceHandle>>,
}

impl Library {
    /// Loads the library and binds what the keys in `settings` need, and nothing else.
    pub(super) fn load(settings: &SdfSettings) -> Result<Self, OpenError> {
        let path = &settings.library;
        // SAFETY: loading runs the library's initialisers. The operator named this file as the
        // code that holds the keys; there is no more to know about it before it runs.
        let library =
            unsafe { libloading::Library::new(path) }.map_err(|error| OpenError::Library {
                path: path.clone(),
                detail: error.to_string(),
            })?;
        let library: &'static libloading::Library = Box::leak(Box::new(library));
        macro_rules! bind {
            ($name:literal) => {
                // SAFETY: the type is the one GM/T 0018 gives the function of this name, and the
                // library is never unloaded, so that the pointer stays good.
                unsafe { library.get(concat!($name, "\0").as_bytes()) }
                    .map(|symbol| *symbol)
                    .map_err(|_| OpenError::SymbolMissing {
                        path: path.clone(),
                        symbol: $name,
                    })
            };
            ($name:literal if $needed:expr) => {
                if $needed { Some(bind!($name)?) } else { None }
            };
        }
        let has = |kind| settings.keys.iter().any(|key| key.kind == kind);
        let sm2 = has(SdfKeyKind::Sm2);
        let rsa = has(SdfKeyKind::Rsa) || has(SdfKeyKind::RsaPss);
        let password = settings.keys.iter().any(|key| key.password.is_some());
        let symbols = Symbols {
            open_device: bind!("SDF_OpenDevice")?,
            close_device: bind!("SDF_CloseDevice")?,
            open_session: bind!("SDF_OpenSession")?,
            close_session: bind!("SDF_CloseSession")?,
            access_right: bind!("SDF_GetPrivateKeyAccessRight" if password),
            export_ecc: bind!("SDF_ExportSignPublicKey_ECC" if sm2),
            sign_ecc: bind!("SDF_InternalSign_ECC" if sm2),
            export_rsa: bind!("SDF_ExportSignPublicKey_RSA" if rsa),
            private_rsa: bind!("SDF_InternalPrivateKeyOperation_RSA" if rsa),
        };
        Ok(Self {
            symbols: Arc::new(symbols),
            open: Mutex::new(Weak::new()),
        })
    }

    /// Opens a session, on the device that the other sessions use or, without one, on the device
    /// opened anew.
    pub(super) fn connect(&self) -> Result<Connection, Failure> {
        let device = self.device()?;
        let mut session = std::ptr::null_mut();
        // SAFETY: the device is open, and `session` is a place for one handle.
        let code = unsafe { (self.symbols.open_session)(device.handle, &raw mut session) };
        if let Err(failure) = checked("SDF_OpenSession", code) {
            // The handle may be of before a loss: the next session opens the device anew.
            *self.open_device_slot() = Weak::new();
            return Err(failure);
        }
        if session.is_null() {
            return Err(Failure::answer("SDF_OpenSession gave no handle"));
        }
        Ok(Connection { device, session })
    }

    fn device(&self) -> Result<Arc<OpenDeviceHandle>, Failure> {
        let mut open = self.open_device_slot();
        if let Some(device) = open.upgrade() {
            return Ok(device);
        }
        let mut handle = std::ptr::null_mut();
        // SAFETY: `handle` is a place for one handle.
        let code = unsafe { (self.symbols.open_device)(&raw mut handle) };
        checked("SDF_OpenDevice", code)?;
        if handle.is_null() {
            return Err(Failure::answer("SDF_OpenDevice gave no handle"));
        }
        let device = Arc::new(OpenDeviceHandle {
            symbols: Arc::clone(&self.symbols),
            handle,
        });
        *open = Arc::downgrade(&device);
        Ok(device)
    }

    fn open_device_slot(&self) -> MutexGuard<'_, Weak<OpenDeviceHandle>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The open device; closed after the last session on it.
struct OpenDeviceHandle {
    symbols: Arc<Symbols>,
    handle: Handle,
}

// SAFETY: GM/T 0018 binds no handle to a thread, and a device handle is what sessions are opened
// on, by any thread; nothing else is done with it until it is closed.
unsafe impl Send for OpenDeviceHandle {}
// SAFETY: as above.
unsafe impl Sync for OpenDeviceHandle {}

impl Drop for OpenDeviceHandle {
    fn drop(&mut self) {
        // Nobody to tell when closing fails; the device is most likely gone.
        // SAFETY: the handle came from SDF_OpenDevice and is closed once, after its sessions.
        let _ = unsafe { (self.symbols.close_device)(self.handle) };
    }
}

/// An open session; closed when dropped.
pub(super) struct Connection {
    device: Arc<OpenDeviceHandle>,
    session: Handle,
}

// SAFETY: GM/T 0018 binds no handle to a thread. A session must not be used by two threads at once,
// and `Connection` is not Sync.
unsafe impl Send for Connection {}

impl Drop for Connection {
    fn drop(&mut self) {
        // Nobody to tell when closing fails.
        // SAFETY: the handle came from SDF_OpenSession and is closed once, before its device.
        let _ = unsafe { (self.device.symbols.close_session)(self.session) };
    }
}

impl Connection {
    pub(super) fn take_access_right(&self, index: u32, password: &Secret) -> Result<(), Failure> {
        let call = bound(self.device.symbols.access_right)?;
        let password = password.expose();
        let length = length_of(password)?;
        // SAFETY: the session is open, and `length` bytes stand at the pointer.
        let code = unsafe { call(self.session, index, password.as_ptr(), length) };
        checked("SDF_GetPrivateKeyAccessRight", code)
    }

    /// The SubjectPublicKeyInfo of a signing key.
    pub(super) fn export_sm2(&self, index: u32, layout: FieldLayout) -> Result<Vec<u8>, Failure> {
        let call = bound(self.device.symbols.export_ecc)?;
        let mut buffer = Buffer::new();
        // SAFETY: the session is open; the buffer is aligned and longer than an ECCrefPublicKey
        // of either layout.
        let code = unsafe { call(self.session, index, buffer.as_mut_ptr()) };
        checked("SDF_ExportSignPublicKey_ECC", code)?;
        let point = layout::ecc_public_key(&buffer, layout).map_err(Failure::answer)?;
        yinxin_sm::PublicKey::from_sec1_bytes(&point)
            .map(|key| key.to_spki_der())
            .map_err(|_| Failure::answer("the public key is no point of the SM2 curve"))
    }

    /// The SubjectPublicKeyInfo of a signing key.
    pub(super) fn export_rsa(&self, index: u32) -> Result<Vec<u8>, Failure> {
        let call = bound(self.device.symbols.export_rsa)?;
        let mut buffer = Buffer::new();
        // SAFETY: the session is open; the buffer is aligned and longer than an RSArefPublicKey.
        let code = unsafe { call(self.session, index, buffer.as_mut_ptr()) };
        checked("SDF_ExportSignPublicKey_RSA", code)?;
        let (modulus, exponent) = layout::rsa_public_key(&buffer).map_err(Failure::answer)?;
        Ok(signature::rsa_spki_der(modulus, exponent))
    }

    /// r ‖ s over a digest e.
    pub(super) fn sign_sm2(
        &self,
        index: u32,
        layout: FieldLayout,
        digest: &[u8; 32],
    ) -> Result<[u8; 64], Failure> {
        let call = bound(self.device.symbols.sign_ecc)?;
        let mut buffer = Buffer::new();
        // SAFETY: the session is open, 32 bytes stand at the digest, and the buffer is aligned and
        // longer than an ECCSignature of either layout.
        let code = unsafe {
            call(
                self.session,
                index,
                digest.as_ptr(),
                32,
                buffer.as_mut_ptr(),
            )
        };
        checked("SDF_InternalSign_ECC", code)?;
        layout::ecc_signature(&buffer, layout).map_err(Failure::answer)
    }

    /// `input` to the private exponent; as long as `input`, which is as long as the modulus.
    pub(super) fn private_rsa(&self, index: u32, input: &[u8]) -> Result<Vec<u8>, Failure> {
        let call = bound(self.device.symbols.private_rsa)?;
        let mut buffer = Buffer::new();
        let input_length = length_of(input)?;
        if input.len() > BUFFER_BYTES {
            return Err(Failure::answer("the modulus is longer than our buffer"));
        }
        let mut length = input_length;
        // SAFETY: the session is open, `input_length` bytes stand at the input, and the buffer has
        // room for more than the `length` bytes that it says.
        let code = unsafe {
            call(
                self.session,
                index,
                input.as_ptr(),
                input_length,
                buffer.as_mut_ptr(),
                &raw mut length,
            )
        };
        checked("SDF_InternalPrivateKeyOperation_RSA", code)?;
        if length != input_length {
            return Err(Failure::answer(
                "the signature is not as long as the modulus",
            ));
        }
        buffer
            .written(input.len())
            .map(<[u8]>::to_vec)
            .ok_or(Failure::answer("the signature is longer than it says"))
    }
}

fn checked(operation: &'static str, code: i32) -> Result<(), Failure> {
    match SdfError::from_code(code.cast_unsigned()) {
        None => Ok(()),
        Some(error) => Err(Failure::Code { operation, error }),
    }
}

/// A function that [`Library::load`] bound because a configured key needs it.
fn bound<F>(symbol: Option<F>) -> Result<F, Failure> {
    symbol.ok_or(Failure::answer("the library's function was not bound"))
}

fn length_of(bytes: &[u8]) -> Result<u32, Failure> {
    u32::try_from(bytes.len()).map_err(|_| Failure::answer("the input is too long"))
}
