//! Signatures that must be taken and signatures that must not, in Wycheproof's JSON form:
//! tests/vectors/sm2_verify.json, for other implementations to use as well.
//!
//! The file is written by the generator below (`UPDATE_VECTORS=1 cargo test -p yinxin-sm --test
//! negative_vectors`), from fixed keys and nonces, with big integers and the curve arithmetic of
//! RustCrypto's `sm2`, none of ours. The test reads it back and asks ours.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

mod common;

use common::{hex, to_hex};
use num_bigint::BigUint;
use serde_json::{Value, json};
use sm2::{
    ProjectivePoint, Scalar,
    elliptic_curve::{PrimeField as _, sec1::ToEncodedPoint as _},
};
use std::path::PathBuf;
use yinxin_sm::{Encoding, PreparedPublicKey, PublicKey, Signature, sm3};

const N: &str = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123";
const DISTID: &[u8] = b"1234567812345678";

fn n() -> BigUint {
    BigUint::from_bytes_be(&hex(N))
}

fn bytes32(value: &BigUint) -> [u8; 32] {
    let bytes = value.to_bytes_be();
    let mut padded = [0; 32];
    padded[32 - bytes.len()..].copy_from_slice(&bytes);
    padded
}

fn scalar(value: &BigUint) -> Scalar {
    Scalar::from_repr(bytes32(value).into()).unwrap()
}

/// 04 ‖ X ‖ Y of k G.
fn point(k: &BigUint) -> Vec<u8> {
    let point = (ProjectivePoint::GENERATOR * scalar(k)).to_affine();
    point.to_encoded_point(false).as_bytes().to_vec()
}

/// e, from the standard's definition of Z.
fn digest(public: &[u8], message: &[u8]) -> BigUint {
    let a = "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC";
    let b = "28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93";
    let g = point(&BigUint::from(1_u8));
    let z = sm3(&[
        &[0, 128][..],
        DISTID,
        &hex(a),
        &hex(b),
        &g[1..],
        &public[1..],
    ]
    .concat());
    BigUint::from_bytes_be(&sm3(&[&z[..], message].concat()))
}

fn signature(d: &BigUint, k: &BigUint, message: &[u8]) -> (BigUint, BigUint) {
    let n = n();
    let e = digest(&point(d), message);
    let r = (e + BigUint::from_bytes_be(&point(k)[1..33])) % &n;
    let inverse = (d + 1_u8).modpow(&(&n - 2_u8), &n);
    let s = inverse * (k + &n * &n - &r * d) % &n;
    (r, s)
}

/// Minimal DER of an INTEGER that is not negative.
fn integer(value: &BigUint) -> Vec<u8> {
    let mut bytes = value.to_bytes_be();
    if bytes[0] >= 0x80 {
        bytes.insert(0, 0);
    }
    element(2, &bytes)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    let long = [tag, 0x81, length];
    let header = if length < 0x80 {
        vec![tag, length]
    } else {
        long.to_vec()
    };
    [&header[..], content].concat()
}

fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(0x30, &parts.concat())
}

fn der(r: &BigUint, s: &BigUint) -> Vec<u8> {
    sequence(&[&integer(r), &integer(s)])
}

struct Group {
    comment: &'static str,
    d: BigUint,
}

/// Keys at the ends of their range, powers of two, and the scalar whose window representation
/// needs a doubling in a naive table method (30 2^252 - n).
fn groups() -> Vec<Group> {
    let n = n();
    let group = |comment, d: BigUint| Group { comment, d };
    vec![
        group(
            "the key of GB/T 32918.5, annex A",
            BigUint::from_bytes_be(&hex(
                "3945208F7B2144B13F36E38AC6D39F95889393692860B51A42FB81EF4DF7C5B8",
            )),
        ),
        group("d = 1", BigUint::from(1_u8)),
        group("d = 2", BigUint::from(2_u8)),
        group("d = n - 2", &n - 2_u8),
        group("d = (n - 1) / 2", (&n - 1_u8) / 2_u8),
        group("d = 2^255", BigUint::from(1_u8) << 255_u32),
        group("d = 30 2^252 - n", (BigUint::from(30_u8) << 252_u32) - &n),
    ]
}

fn generate() -> Value {
    let n = n();
    let mut count = 0;
    let groups: Vec<Value> = groups()
        .into_iter()
        .map(|group| {
            let public = point(&group.d);
            let tests = tests_of(&group.d, &public, &n, &mut count);
            json!({
                "type": "Sm2Verify",
                "comment": group.comment,
                "publicKey": {
                    "type": "EcPublicKey",
                    "curve": "sm2p256v1",
                    "keySize": 256,
                    "uncompressed": to_hex(&public),
                },
                "userId": to_hex(DISTID),
                "sha": "SM3",
                "tests": tests,
            })
        })
        .collect();
    json!({
        "algorithm": "SM2",
        "schema": "in the form of Wycheproof's ecdsa_verify_schema_v1.json, with userId",
        "generatorVersion": "1",
        "numberOfTests": count,
        "header": [
            "Signatures SM2 with SM3 over msg, DER unless a flag says otherwise.",
            "acceptable: refused by strict DER, taken where field practice is.",
        ],
        "testGroups": groups,
    })
}

fn tests_of(d: &BigUint, public: &[u8], n: &BigUint, count: &mut u32) -> Vec<Value> {
    let message = b"negative vectors".to_vec();
    let one = BigUint::from(1_u8);
    let k = BigUint::from_bytes_be(&sm3(&[public, b"nonce"].concat())) % n;
    let (r, s) = signature(d, &k, &message);
    let e = digest(public, &message);
    let top = BigUint::from(1_u8) << 256_u32;
    let p = BigUint::from_bytes_be(&hex(
        "FFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF",
    ));
    let mut cases: Vec<(&str, &str, Vec<u8>, Vec<u8>)> = Vec::new();
    let mut add = |comment, result, message: &[u8], bytes: Vec<u8>| {
        cases.push((comment, result, message.to_vec(), bytes));
    };
    let signed = |k: &BigUint, message: &[u8]| {
        let (r, s) = signature(d, k, message);
        der(&r, &s)
    };
    add("valid", "valid", &message, der(&r, &s));
    add("valid, empty message", "valid", b"", signed(&k, b""));
    for (comment, k) in [
        ("valid, k = 1", one.clone()),
        ("valid, k = 2", BigUint::from(2_u8)),
        ("valid, k = n - 1", n - 1_u8),
        ("valid, k = n - 2", n - 2_u8),
        ("valid, k = (n + 1) / 2", (n + 1_u8) / 2_u8),
        (
            "valid, k = 30 2^252 - n",
            (BigUint::from(30_u8) << 252_u32) - n,
        ),
        (
            "valid, k = 2 n - 30 2^252",
            (n + n) - (BigUint::from(30_u8) << 252_u32),
        ),
        ("valid, k = 2^128", &one << 128_u32),
        ("valid, k = 2^252", &one << 252_u32),
        ("valid, k = 2^252 - 1", (&one << 252_u32) - 1_u8),
    ] {
        add(comment, "valid", &message, signed(&k, &message));
    }
    for (comment, r, s) in [
        ("r and s swapped", s.clone(), r.clone()),
        ("r + 1", (&r + 1_u8) % n, s.clone()),
        ("s + 1", r.clone(), (&s + 1_u8) % n),
        ("r negated", n - &r, s.clone()),
        ("s negated", r.clone(), n - &s),
        ("r = 0", BigUint::ZERO, s.clone()),
        ("s = 0", r.clone(), BigUint::ZERO),
        ("r = 0 and s = 0", BigUint::ZERO, BigUint::ZERO),
        ("r = 1 and s = 1", one.clone(), one.clone()),
        ("r = n", n.clone(), s.clone()),
        ("s = n", r.clone(), n.clone()),
        ("r + n", &r + n, s.clone()),
        ("s + n", r.clone(), &s + n),
        ("r + 2^256", &r + &top, s.clone()),
        ("s + 2^256", r.clone(), &s + &top),
        ("s + n 2^256", r.clone(), &s + n * &top),
        ("r = p", p.clone(), s.clone()),
        ("r = 2^256 - 1", &top - 1_u8, s.clone()),
        ("s = 2^256 - 1", r.clone(), &top - 1_u8),
        ("r = n - 1 and s = n - 1", n - 1_u8, n - 1_u8),
        ("r + s = n: t is zero", one.clone(), n - 1_u8),
        ("r = e: x would be zero", &e % n, s.clone()),
    ] {
        add(comment, "invalid", &message, der(&r, &s));
    }
    // s G + t P is infinity for s = -t d; r = e then would pass where its x is read as zero.
    // t = r + s = e - t d gives t = e / (1 + d).
    let inverse = (d + 1_u8).modpow(&(n - 2_u8), n);
    let t = &e * &inverse % n;
    let s_infinity = (n * n - &t * d) % n;
    add(
        "the point is infinity and r = e",
        "invalid",
        &message,
        der(&(&e % n), &s_infinity),
    );
    add(
        "another message",
        "invalid",
        b"negative vectorz",
        der(&r, &s),
    );

    let (r, s) = (integer(&r), integer(&s));
    let good = sequence(&[&r, &s]);
    let padded = |integer: &[u8]| element(2, &[&[0], &integer[2..]].concat());
    add(
        "trailing byte",
        "invalid",
        &message,
        [&good[..], &[0]].concat(),
    );
    add(
        "byte inside the sequence",
        "invalid",
        &message,
        sequence(&[&r, &s, &[0]]),
    );
    add(
        "third integer",
        "invalid",
        &message,
        sequence(&[&r, &s, &[2, 1, 1]]),
    );
    add("only r", "invalid", &message, sequence(&[&r]));
    add("empty", "invalid", &message, Vec::new());
    add("empty sequence", "invalid", &message, sequence(&[]));
    add(
        "cut off",
        "invalid",
        &message,
        good[..good.len() - 1].to_vec(),
    );
    add(
        "set for sequence",
        "invalid",
        &message,
        element(0x31, &good[2..]),
    );
    add(
        "octet string for r",
        "invalid",
        &message,
        sequence(&[&element(4, &r[2..]), &s]),
    );
    add(
        "r with a zero in front",
        "invalid",
        &message,
        sequence(&[&padded(&r), &s]),
    );
    add(
        "s with a zero in front",
        "invalid",
        &message,
        sequence(&[&r, &padded(&s)]),
    );
    add(
        "long length of the sequence",
        "invalid",
        &message,
        [&[0x30, 0x81], &good[1..]].concat(),
    );
    add(
        "indefinite length",
        "invalid",
        &message,
        [&[0x30, 0x80], &good[2..], &[0, 0]].concat(),
    );
    for (comment, strip_r) in [("r without its 00", true), ("s without its 00", false)] {
        let whole = if strip_r { &r } else { &s };
        if whole[2] == 0 {
            let bare = element(2, &whole[3..]);
            let bytes = if strip_r {
                sequence(&[&bare, &s])
            } else {
                sequence(&[&r, &bare])
            };
            add(comment, "acceptable", &message, bytes);
        }
    }
    cases
        .into_iter()
        .map(|(comment, result, message, bytes)| {
            *count += 1;
            json!({
                "tcId": *count,
                "comment": comment,
                "msg": to_hex(&message),
                "sig": to_hex(&bytes),
                "result": result,
            })
        })
        .collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn every_vector_is_judged_as_the_file_says_under_new_and_known_keys() {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/vectors/sm2_verify.json");
    let generated = generate();
    if std::env::var_os("UPDATE_VECTORS").is_some() {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        let pretty = serde_json::to_string_pretty(&generated).unwrap();
        std::fs::write(&file, pretty + "\n").unwrap();
    }
    let vectors: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
    assert!(
        vectors == generated,
        "the file is not what the generator writes"
    );
    let mut seen = 0;
    for group in vectors["testGroups"].as_array().unwrap() {
        let public = hex(text(&group["publicKey"]["uncompressed"]));
        let key = PublicKey::from_sec1_bytes(&public).unwrap();
        let known = PreparedPublicKey::new(&key);
        for test in group["tests"].as_array().unwrap() {
            let (message, bytes) = (hex(text(&test["msg"])), hex(text(&test["sig"])));
            let judge = |signature: &Signature| {
                let answer = key.verify(DISTID, &message, signature);
                assert_eq!(known.verify(DISTID, &message, signature), answer);
                answer.is_ok()
            };
            let strict = Signature::from_der(&bytes).is_ok_and(|signature| judge(&signature));
            let field = Signature::from_field_bytes(&bytes);
            let tolerant = field.as_ref().is_ok_and(|(signature, _)| judge(signature));
            let expected = match text(&test["result"]) {
                "valid" => (true, true),
                "acceptable" => {
                    assert_eq!(field.unwrap().1, Encoding::DerWithoutSignByte);
                    (false, true)
                }
                _ => (false, false),
            };
            assert_eq!((strict, tolerant), expected, "{test}");
            seen += 1;
        }
    }
    assert_eq!(vectors["numberOfTests"], seen);
}
