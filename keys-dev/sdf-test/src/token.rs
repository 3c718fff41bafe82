//! The same device as a PKCS#11 token: one SM2 key pair with the mechanisms of one vendor, and only
//! the functions that the `cryptoki` crate calls.
//!
//! The numbers are Sansec's: CKK_SM2 is [`KEY_TYPE`], and [`MECHANISMS`] says what each mechanism
//! takes and gives. The label of the token is [`TOKEN_LABEL`], of both keys [`KEY_LABEL`], their id
//! is 01; the PIN is the password of the control file.
#![allow(
    non_snake_case,
    reason = "the functions have the names that PKCS#11 gives them"
)]

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use cryptoki_sys::*;
use yinxin_sm::{DEFAULT_DISTID, Signature, sm3};

use crate::control::Control;
use crate::device;

/// CK_TOKEN_INFO.label.
pub const TOKEN_LABEL: &str = "yinxin test";
/// CKA_LABEL of the key pair.
pub const KEY_LABEL: &str = "seal key";
/// CKA_KEY_TYPE.
pub const KEY_TYPE: CK_KEY_TYPE = 0x8000_0004;

/// What a mechanism takes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Digest,
    ZAndMessage,
    Message,
}

/// Each mechanism: its number, what it takes, and whether it gives DER.
const MECHANISMS: [(CK_MECHANISM_TYPE, Input, bool); 6] = [
    (0x8000_8100, Input::ZAndMessage, false),
    (0x8000_8101, Input::ZAndMessage, true),
    (0x8000_8102, Input::Message, false),
    (0x8000_8103, Input::Message, true),
    (0x8000_8104, Input::Digest, true),
    (0x8000_8105, Input::Digest, false),
];

/// The curve's OID, 1.2.156.10197.1.301, in DER.
const CURVE: [u8; 10] = [0x06, 0x08, 0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d];
/// A DER signature of SM2 is never longer.
const DER_BYTES_MAX: usize = 72;

const SLOT: CK_SLOT_ID = 7;
const PRIVATE: CK_OBJECT_HANDLE = 1;
const PUBLIC: CK_OBJECT_HANDLE = 2;
/// A second private key of the same label, when the control file says `two_keys = 1`.
const SECOND: CK_OBJECT_HANDLE = 3;

#[derive(Default)]
struct Session {
    found: Vec<CK_OBJECT_HANDLE>,
    signing: Option<(Input, bool)>,
}

#[derive(Default)]
struct State {
    initialized: bool,
    logged_in: bool,
    last: CK_SESSION_HANDLE,
    sessions: BTreeMap<CK_SESSION_HANDLE, Session>,
}

fn state() -> MutexGuard<'static, State> {
    static STATE: OnceLock<Mutex<State>> = OnceLock::new();
    let state = STATE.get_or_init(Mutex::default);
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Reads the control file, waits, and gives what it orders.
fn enter(function: &str) -> Result<Control, CK_RV> {
    let control = Control::read();
    if let Some(wait) = control.hang(function) {
        std::thread::sleep(wait);
    }
    if control.is_dropped() {
        let mut state = state();
        state.sessions.clear();
        state.logged_in = false;
        return Err(CKR_DEVICE_REMOVED);
    }
    match control.code(function) {
        Some(code) => Err(CK_RV::from(code.cast_unsigned())),
        None if state().initialized || function == "C_Initialize" => Ok(control),
        None => Err(CKR_CRYPTOKI_NOT_INITIALIZED),
    }
}

/// Runs the body of a function that gives a `CK_RV`.
fn call(function: &str, body: impl FnOnce(&Control) -> Result<(), CK_RV>) -> CK_RV {
    match enter(function).and_then(|control| body(&control)) {
        Ok(()) => CKR_OK,
        Err(code) => code,
    }
}

fn with_session<T>(
    handle: CK_SESSION_HANDLE,
    work: impl FnOnce(&mut Session, bool) -> Result<T, CK_RV>,
) -> Result<T, CK_RV> {
    let mut state = state();
    let logged_in = state.logged_in;
    let session = state.sessions.get_mut(&handle);
    work(session.ok_or(CKR_SESSION_HANDLE_INVALID)?, logged_in)
}

/// Gives a list in the two calls of PKCS#11: its length first, then its items.
///
/// # Safety
/// `count` is a place, and `*count` items fit at `items` unless it is null.
unsafe fn give<T: Copy>(list: &[T], items: *mut T, count: *mut CK_ULONG) -> Result<(), CK_RV> {
    // SAFETY: the caller's contract.
    let room = unsafe { *count } as usize;
    // SAFETY: the caller's contract.
    unsafe { *count = list.len() as CK_ULONG };
    if items.is_null() {
        return Ok(());
    }
    if room < list.len() {
        return Err(CKR_BUFFER_TOO_SMALL);
    }
    // SAFETY: the caller's contract, and the room was checked.
    unsafe { std::ptr::copy_nonoverlapping(list.as_ptr(), items, list.len()) };
    Ok(())
}

fn padded<const N: usize>(text: &str) -> [u8; N] {
    let mut field = [b' '; N];
    for (place, byte) in field.iter_mut().zip(text.bytes()) {
        *place = byte;
    }
    field
}

fn attribute(object: CK_OBJECT_HANDLE, kind: CK_ATTRIBUTE_TYPE) -> Option<Vec<u8>> {
    let number = |value: CK_ULONG| Some(value.to_ne_bytes().to_vec());
    let flag = |value: bool| Some(vec![u8::from(value)]);
    let is_public = object == PUBLIC;
    match kind {
        CKA_CLASS if is_public => number(CKO_PUBLIC_KEY),
        CKA_CLASS => number(CKO_PRIVATE_KEY),
        CKA_KEY_TYPE => number(KEY_TYPE),
        CKA_LABEL => Some(KEY_LABEL.as_bytes().to_vec()),
        CKA_ID if object == SECOND => Some(vec![2]),
        CKA_ID => Some(vec![1]),
        CKA_TOKEN => flag(true),
        CKA_SIGN | CKA_PRIVATE | CKA_SENSITIVE => flag(!is_public),
        CKA_EC_PARAMS => Some(CURVE.to_vec()),
        CKA_EC_POINT if is_public => {
            let mut point = vec![0x04, 0x41];
            point.extend_from_slice(&device::sm2().public_key().to_sec1_bytes());
            Some(point)
        }
        _ => None,
    }
}

/// # Safety
/// A place for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn C_GetFunctionList(list: *mut *mut CK_FUNCTION_LIST) -> CK_RV {
    static LIST: OnceLock<CK_FUNCTION_LIST> = OnceLock::new();
    let functions = LIST.get_or_init(|| CK_FUNCTION_LIST {
        version: CK_VERSION {
            major: 2,
            minor: 40,
        },
        C_Initialize: Some(C_Initialize),
        C_Finalize: Some(C_Finalize),
        C_GetFunctionList: Some(C_GetFunctionList),
        C_GetSlotList: Some(C_GetSlotList),
        C_GetTokenInfo: Some(C_GetTokenInfo),
        C_GetMechanismList: Some(C_GetMechanismList),
        C_OpenSession: Some(C_OpenSession),
        C_CloseSession: Some(C_CloseSession),
        C_Login: Some(C_Login),
        C_GetAttributeValue: Some(C_GetAttributeValue),
        C_FindObjectsInit: Some(C_FindObjectsInit),
        C_FindObjects: Some(C_FindObjects),
        C_FindObjectsFinal: Some(C_FindObjectsFinal),
        C_SignInit: Some(C_SignInit),
        C_Sign: Some(C_Sign),
        ..CK_FUNCTION_LIST::default()
    });
    // SAFETY: the caller's contract. Nobody writes through it.
    unsafe { *list = std::ptr::from_ref(functions).cast_mut() };
    CKR_OK
}

unsafe extern "C" fn C_Initialize(_arguments: *mut std::ffi::c_void) -> CK_RV {
    call("C_Initialize", |_| {
        let mut state = state();
        if state.initialized {
            return Err(CKR_CRYPTOKI_ALREADY_INITIALIZED);
        }
        state.initialized = true;
        Ok(())
    })
}

unsafe extern "C" fn C_Finalize(_reserved: *mut std::ffi::c_void) -> CK_RV {
    call("C_Finalize", |_| {
        *state() = State::default();
        Ok(())
    })
}

unsafe extern "C" fn C_GetSlotList(
    _with_token: CK_BBOOL,
    slots: *mut CK_SLOT_ID,
    count: *mut CK_ULONG,
) -> CK_RV {
    // SAFETY: the contract of PKCS#11.
    call("C_GetSlotList", |_| unsafe { give(&[SLOT], slots, count) })
}

unsafe extern "C" fn C_GetTokenInfo(slot: CK_SLOT_ID, info: *mut CK_TOKEN_INFO) -> CK_RV {
    call("C_GetTokenInfo", |_| {
        if slot != SLOT {
            return Err(CKR_SLOT_ID_INVALID);
        }
        let told = CK_TOKEN_INFO {
            label: padded(TOKEN_LABEL),
            manufacturerID: padded("yinxin"),
            model: padded("test"),
            serialNumber: padded("0001"),
            flags: CKF_TOKEN_INITIALIZED | CKF_LOGIN_REQUIRED | CKF_USER_PIN_INITIALIZED,
            ulMaxPinLen: 64,
            ulSessionCount: state().sessions.len() as CK_ULONG,
            utcTime: padded(""),
            ..CK_TOKEN_INFO::default()
        };
        // SAFETY: the contract of PKCS#11.
        unsafe { *info = told };
        Ok(())
    })
}

unsafe extern "C" fn C_GetMechanismList(
    _slot: CK_SLOT_ID,
    mechanisms: *mut CK_MECHANISM_TYPE,
    count: *mut CK_ULONG,
) -> CK_RV {
    let numbers = MECHANISMS.map(|(number, ..)| number);
    // SAFETY: the contract of PKCS#11.
    call("C_GetMechanismList", |_| unsafe {
        give(&numbers, mechanisms, count)
    })
}

unsafe extern "C" fn C_OpenSession(
    slot: CK_SLOT_ID,
    _flags: CK_FLAGS,
    _application: *mut std::ffi::c_void,
    _notify: CK_NOTIFY,
    session: *mut CK_SESSION_HANDLE,
) -> CK_RV {
    call("C_OpenSession", |control| {
        if slot != SLOT {
            return Err(CKR_SLOT_ID_INVALID);
        }
        let mut state = state();
        if state.sessions.len() as u64 >= control.sessions_max() {
            return Err(CKR_SESSION_COUNT);
        }
        state.last += 1;
        let handle = state.last;
        state.sessions.insert(handle, Session::default());
        // SAFETY: the contract of PKCS#11.
        unsafe { *session = handle };
        Ok(())
    })
}

unsafe extern "C" fn C_CloseSession(session: CK_SESSION_HANDLE) -> CK_RV {
    let mut state = state();
    if state.sessions.remove(&session).is_none() {
        return CKR_SESSION_HANDLE_INVALID;
    }
    if state.sessions.is_empty() {
        state.logged_in = false;
    }
    CKR_OK
}

unsafe extern "C" fn C_Login(
    session: CK_SESSION_HANDLE,
    _user: CK_USER_TYPE,
    pin: *mut CK_UTF8CHAR,
    length: CK_ULONG,
) -> CK_RV {
    call("C_Login", |control| {
        with_session(session, |_, _| Ok(()))?;
        let mut state = state();
        if state.logged_in {
            return Err(CKR_USER_ALREADY_LOGGED_IN);
        }
        // SAFETY: the contract of PKCS#11.
        let given = unsafe { std::slice::from_raw_parts(pin, length as usize) };
        if given != control.password() {
            return Err(CKR_PIN_INCORRECT);
        }
        state.logged_in = true;
        Ok(())
    })
}

unsafe extern "C" fn C_GetAttributeValue(
    session: CK_SESSION_HANDLE,
    object: CK_OBJECT_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    call("C_GetAttributeValue", |_| {
        with_session(session, |_, _| Ok(()))?;
        // SAFETY: the contract of PKCS#11.
        let template = unsafe { std::slice::from_raw_parts_mut(template, count as usize) };
        let mut told = Ok(());
        for wanted in template {
            let Some(value) = attribute(object, wanted.type_) else {
                wanted.ulValueLen = CK_UNAVAILABLE_INFORMATION;
                told = Err(CKR_ATTRIBUTE_TYPE_INVALID);
                continue;
            };
            // SAFETY: the contract of PKCS#11: `ulValueLen` bytes fit at `pValue`.
            unsafe {
                give(&value, wanted.pValue.cast(), &raw mut wanted.ulValueLen)?;
            }
        }
        told
    })
}

unsafe extern "C" fn C_FindObjectsInit(
    session: CK_SESSION_HANDLE,
    template: *mut CK_ATTRIBUTE,
    count: CK_ULONG,
) -> CK_RV {
    call("C_FindObjectsInit", |control| {
        let template = match count {
            0 => &[][..],
            // SAFETY: the contract of PKCS#11.
            _ => unsafe { std::slice::from_raw_parts(template, count as usize) },
        };
        let matches = |object: CK_OBJECT_HANDLE| {
            template.iter().all(|wanted| {
                // SAFETY: the contract of PKCS#11.
                let value = unsafe {
                    std::slice::from_raw_parts(
                        wanted.pValue.cast::<u8>(),
                        wanted.ulValueLen as usize,
                    )
                };
                attribute(object, wanted.type_).as_deref() == Some(value)
            })
        };
        with_session(session, |session, logged_in| {
            let there = |object: CK_OBJECT_HANDLE| {
                object == PUBLIC || logged_in && (object == PRIVATE || control.has_two_keys())
            };
            session.found = [PRIVATE, PUBLIC, SECOND]
                .into_iter()
                .filter(|object| there(*object) && matches(*object))
                .collect();
            Ok(())
        })
    })
}

unsafe extern "C" fn C_FindObjects(
    session: CK_SESSION_HANDLE,
    objects: *mut CK_OBJECT_HANDLE,
    room: CK_ULONG,
    count: *mut CK_ULONG,
) -> CK_RV {
    call("C_FindObjects", |_| {
        with_session(session, |session, _| {
            let most = session.found.len().min(room as usize);
            let given: Vec<_> = session.found.drain(..most).collect();
            // SAFETY: the contract of PKCS#11; no more are given than there is room for.
            unsafe {
                *count = room;
                give(&given, objects, count)
            }
        })
    })
}

unsafe extern "C" fn C_FindObjectsFinal(_session: CK_SESSION_HANDLE) -> CK_RV {
    call("C_FindObjectsFinal", |_| Ok(()))
}

unsafe extern "C" fn C_SignInit(
    session: CK_SESSION_HANDLE,
    mechanism: *mut CK_MECHANISM,
    key: CK_OBJECT_HANDLE,
) -> CK_RV {
    call("C_SignInit", |_| {
        // SAFETY: the contract of PKCS#11.
        let asked = unsafe { (*mechanism).mechanism };
        let known = MECHANISMS.into_iter().find(|(number, ..)| *number == asked);
        let (_, input, der) = known.ok_or(CKR_MECHANISM_INVALID)?;
        with_session(session, |session, logged_in| {
            if !logged_in {
                return Err(CKR_USER_NOT_LOGGED_IN);
            }
            if key != PRIVATE && key != SECOND {
                return Err(CKR_KEY_HANDLE_INVALID);
            }
            session.signing = Some((input, der));
            Ok(())
        })
    })
}

unsafe extern "C" fn C_Sign(
    session: CK_SESSION_HANDLE,
    data: *mut CK_BYTE,
    length: CK_ULONG,
    signature: *mut CK_BYTE,
    signature_length: *mut CK_ULONG,
) -> CK_RV {
    if signature.is_null() {
        // Only the length is asked for.
        // SAFETY: the contract of PKCS#11.
        unsafe { *signature_length = DER_BYTES_MAX as CK_ULONG };
        return CKR_OK;
    }
    call("C_Sign", |control| {
        let signing = with_session(session, |session, _| Ok(session.signing.take()))?;
        let (input, der) = signing.ok_or(CKR_OPERATION_NOT_INITIALIZED)?;
        let data = match length {
            0 => &[][..],
            // SAFETY: the contract of PKCS#11.
            _ => unsafe { std::slice::from_raw_parts(data, length as usize) },
        };
        let mut digest = match input {
            Input::Digest => data.try_into().map_err(|_| CKR_DATA_LEN_RANGE)?,
            Input::ZAndMessage => sm3(data),
            Input::Message => device::sm2()
                .public_key()
                .message_digest(DEFAULT_DISTID, data)
                .map_err(|_| CKR_FUNCTION_FAILED)?,
        };
        if control.signs_wrongly() {
            digest.reverse();
        }
        let structure = device::ecc_sign(&digest, 32).ok_or(CKR_FUNCTION_FAILED)?;
        let raw: [u8; 64] = structure.try_into().map_err(|_| CKR_FUNCTION_FAILED)?;
        let signed = Signature::from_raw(&raw).map_err(|_| CKR_FUNCTION_FAILED)?;
        let mut answer = if der { signed.to_der() } else { raw.to_vec() };
        control.shorten("C_Sign", &mut answer);
        // SAFETY: the contract of PKCS#11.
        unsafe { give(&answer, signature, signature_length) }
    })
}
