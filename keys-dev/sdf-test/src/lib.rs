//! A device over software keys, for tests: a GM/T 0018 library, and a PKCS#11 token with SM2
//! ([`token`]), in one file. It never becomes part of a product binary.
//!
//! It keeps its state beside its own file, so that two copies of the file are two devices:
//! `<file>.sm2` and `<file>.rsa` hold the keys of index 1 (made when first needed), and
//! `<file>.control`, read at every call, says how it behaves. See [`control`].
#![allow(
    unsafe_code,
    reason = "a C interface is made of raw pointers; this one is for tests only"
)]

pub mod chaos;
pub mod control;
mod device;
pub mod token;

use std::ffi::c_void;
use std::sync::atomic::{AtomicU64, Ordering};

use control::Control;

/// SDR_OK.
const OK: i32 = 0;
const COMMUNICATION: i32 = 0x0100_0003;
const NO_SESSION: i32 = 0x0100_0006;
const RIGHT: i32 = 0x0100_0007;
const KEY_NOT_EXIST: i32 = 0x0100_0008;
const SIGN: i32 = 0x0100_000d;
const ACCESS: i32 = 0x0100_0018;
const INPUT: i32 = 0x0100_001d;

/// The index of the only key of each kind.
const KEY_INDEX: u32 = 1;

static SESSIONS: AtomicU64 = AtomicU64::new(0);
static REFUSED: AtomicU64 = AtomicU64::new(0);

/// How many sessions are open.
#[unsafe(no_mangle)]
pub extern "C" fn yinxin_sdf_test_sessions() -> u64 {
    SESSIONS.load(Ordering::SeqCst)
}

/// How many wrong passwords were given.
#[unsafe(no_mangle)]
pub extern "C" fn yinxin_sdf_test_refused() -> u64 {
    REFUSED.load(Ordering::SeqCst)
}

/// What a session handle points at.
struct Session {
    has_right: bool,
    epoch: u64,
}

/// Reads the control file, waits, and gives the code that the file orders, if any.
fn enter(function: &str) -> Result<Control, i32> {
    let control = Control::read();
    if let Some(wait) = control.hang(function) {
        std::thread::sleep(wait);
    }
    if control.is_dropped() {
        return Err(COMMUNICATION);
    }
    match control.code(function) {
        Some(code) => Err(code),
        None => Ok(control),
    }
}

/// # Safety
/// `device` is a place for a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_OpenDevice(device: *mut *mut c_void) -> i32 {
    if let Err(code) = enter("SDF_OpenDevice") {
        return code;
    }
    // SAFETY: the caller's contract. The handle is never followed.
    unsafe { *device = Box::into_raw(Box::new(0_u64)).cast() };
    OK
}

/// # Safety
/// `device` came from [`SDF_OpenDevice`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_CloseDevice(device: *mut c_void) -> i32 {
    // SAFETY: the caller's contract.
    drop(unsafe { Box::from_raw(device.cast::<u64>()) });
    OK
}

/// # Safety
/// `session` is a place for a handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_OpenSession(_device: *mut c_void, session: *mut *mut c_void) -> i32 {
    let control = match enter("SDF_OpenSession") {
        Ok(control) => control,
        Err(code) => return code,
    };
    if SESSIONS.fetch_add(1, Ordering::SeqCst) >= control.sessions_max() {
        SESSIONS.fetch_sub(1, Ordering::SeqCst);
        return NO_SESSION;
    }
    let opened = Box::new(Session {
        has_right: false,
        epoch: control.epoch(),
    });
    // SAFETY: the caller's contract.
    unsafe { *session = Box::into_raw(opened).cast() };
    OK
}

/// # Safety
/// `session` came from [`SDF_OpenSession`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_CloseSession(session: *mut c_void) -> i32 {
    // SAFETY: the caller's contract.
    drop(unsafe { Box::from_raw(session.cast::<Session>()) });
    SESSIONS.fetch_sub(1, Ordering::SeqCst);
    OK
}

/// # Safety
/// `session` came from [`SDF_OpenSession`]; `length` bytes stand at `password`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_GetPrivateKeyAccessRight(
    session: *mut c_void,
    index: u32,
    password: *const u8,
    length: u32,
) -> i32 {
    let control = match enter("SDF_GetPrivateKeyAccessRight") {
        Ok(control) => control,
        Err(code) => return code,
    };
    if index != KEY_INDEX {
        return KEY_NOT_EXIST;
    }
    // SAFETY: the caller's contract.
    let given = unsafe { std::slice::from_raw_parts(password, length as usize) };
    if given != control.password() {
        REFUSED.fetch_add(1, Ordering::SeqCst);
        return ACCESS;
    }
    // SAFETY: the caller's contract.
    unsafe { (*session.cast::<Session>()).has_right = true };
    OK
}

/// # Safety
/// `public_key` has room for an ECCrefPublicKey of the layout in force.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_ExportSignPublicKey_ECC(
    _session: *mut c_void,
    index: u32,
    public_key: *mut u8,
) -> i32 {
    let control = match enter("SDF_ExportSignPublicKey_ECC") {
        Ok(control) => control,
        Err(code) => return code,
    };
    if index != KEY_INDEX {
        return KEY_NOT_EXIST;
    }
    let mut structure = device::ecc_public_key(control.field_bytes());
    control.shorten("SDF_ExportSignPublicKey_ECC", &mut structure);
    // SAFETY: the caller's contract.
    unsafe { write(&structure, public_key) };
    OK
}

/// # Safety
/// `length` bytes stand at `data`; `signature` has room for an ECCSignature of the layout in force.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_InternalSign_ECC(
    session: *mut c_void,
    index: u32,
    data: *const u8,
    length: u32,
    signature: *mut u8,
) -> i32 {
    let control = match enter("SDF_InternalSign_ECC") {
        Ok(control) => control,
        Err(code) => return code,
    };
    if index != KEY_INDEX {
        return KEY_NOT_EXIST;
    }
    // SAFETY: the caller's contract.
    let opened = unsafe { &*session.cast::<Session>() };
    if opened.epoch != control.epoch() {
        return NO_SESSION;
    }
    if !opened.has_right {
        return RIGHT;
    }
    // SAFETY: the caller's contract.
    let data = unsafe { std::slice::from_raw_parts(data, length as usize) };
    let Ok(mut digest) = <[u8; 32]>::try_from(data) else {
        return INPUT;
    };
    if control.signs_wrongly() {
        digest.reverse();
    }
    let Some(mut structure) = device::ecc_sign(&digest, control.field_bytes()) else {
        return SIGN;
    };
    control.shorten("SDF_InternalSign_ECC", &mut structure);
    // SAFETY: the caller's contract.
    unsafe { write(&structure, signature) };
    OK
}

/// # Safety
/// `public_key` has room for an RSArefPublicKey.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_ExportSignPublicKey_RSA(
    _session: *mut c_void,
    index: u32,
    public_key: *mut u8,
) -> i32 {
    let control = match enter("SDF_ExportSignPublicKey_RSA") {
        Ok(control) => control,
        Err(code) => return code,
    };
    if index != KEY_INDEX {
        return KEY_NOT_EXIST;
    }
    let mut structure = device::rsa_public_key();
    control.shorten("SDF_ExportSignPublicKey_RSA", &mut structure);
    // SAFETY: the caller's contract.
    unsafe { write(&structure, public_key) };
    OK
}

/// # Safety
/// `length` bytes stand at `input`, and there is room for `*output_length` at `output`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn SDF_InternalPrivateKeyOperation_RSA(
    session: *mut c_void,
    index: u32,
    input: *const u8,
    length: u32,
    output: *mut u8,
    output_length: *mut u32,
) -> i32 {
    let control = match enter("SDF_InternalPrivateKeyOperation_RSA") {
        Ok(control) => control,
        Err(code) => return code,
    };
    if index != KEY_INDEX {
        return KEY_NOT_EXIST;
    }
    // SAFETY: the caller's contract.
    let opened = unsafe { &*session.cast::<Session>() };
    if opened.epoch != control.epoch() {
        return NO_SESSION;
    }
    if !opened.has_right {
        return RIGHT;
    }
    // SAFETY: the caller's contract.
    let mut input = unsafe { std::slice::from_raw_parts(input, length as usize) }.to_vec();
    if control.signs_wrongly()
        && let Some(last) = input.last_mut()
    {
        *last ^= 1;
    }
    let Some(mut raised) = device::rsa_private(&input) else {
        return INPUT;
    };
    control.shorten("SDF_InternalPrivateKeyOperation_RSA", &mut raised);
    // SAFETY: the caller's contract.
    if raised.len() > unsafe { *output_length } as usize {
        return INPUT;
    }
    // SAFETY: the caller's contract, checked above.
    unsafe { write(&raised, output) };
    // SAFETY: the caller's contract. The length was compared with a u32.
    unsafe { *output_length = raised.len() as u32 };
    OK
}

/// # Safety
/// There is room for `bytes` at `place`.
unsafe fn write(bytes: &[u8], place: *mut u8) {
    // SAFETY: the caller's contract; our own bytes do not overlap with it.
    unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), place, bytes.len()) };
}
