//! What is refused in `[[key]]` and `[[device]]`, and what the rest means.
#![allow(clippy::unwrap_used, reason = "a test may fail loudly")]

use serde::Deserialize;

use super::config::{DeviceConfig, KeyConfig, check};

#[derive(Deserialize)]
struct Part {
    #[serde(default)]
    key: Vec<KeyConfig>,
    #[serde(default)]
    device: Vec<DeviceConfig>,
}

fn read(text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("part.toml");
    std::fs::write(&path, text).unwrap();
    let part: Part = yinxin_edge::read_toml(&path).map_err(|error| error.to_string())?;
    check(&part.key, &part.device).map_err(|error| error.to_string())
}

const TOKEN: &str = r#"
    [[device]]
    name = "a"
    kind = "pkcs11"
    library = "/usr/lib/softhsm/libsofthsm2.so"
    token = "yinxin"
    pin = { file = "pin" }
    pool = { sessions = 8, hedge_milliseconds = 100 }
    [[key]]
    name = "rsa"
    devices = ["a"]
    kind = "rsa"
    label = "seal"
    id = "0aff"
"#;

const MACHINE: &str = r#"
    [[device]]
    name = "a"
    kind = "sdf"
    library = "/opt/vendor/libsdf.so"
    layout = 32
    [[device]]
    name = "b"
    kind = "sdf"
    library = "/opt/vendor/libsdf-b.so"
    [[key]]
    name = "sm2"
    devices = ["a", "b"]
    kind = "sm2"
    index = 1
    password = "prompt"
"#;

#[test]
fn keys_in_files_tokens_and_machines_are_read() {
    let sm2 = TOKEN.replace("kind = \"rsa\"", "kind = \"sm2\"")
        + "sm2 = { key_type = 0x80000004, mechanism = 0x80008105, input = \"digest\", output = \"raw\" }";
    for text in [
        TOKEN,
        MACHINE,
        &sm2,
        "[[key]]\nname = 'one'\nfile = 'one.pem'",
        "[[key]]\nname = 'one'\nfile = 'one.pem'\npadding = 'pss'",
        &TOKEN.replace("id =", "padding = 'pss'\nid ="),
    ] {
        read(text).unwrap();
    }
}

#[test]
fn the_documented_example_is_read() {
    let page = include_str!("../../../../docs/operating/keys.md");
    let example = page
        .split("```toml\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .unwrap();
    read(example).unwrap();
    // What is commented out there, too.
    let more = example
        .replace("# padding", "padding")
        .replace("# prepared_nonces", "prepared_nonces");
    assert_ne!(more, example);
    read(&more).unwrap();
    let numbers = page
        .split("`sm2 = ")
        .nth(1)
        .and_then(|rest| rest.split('`').next())
        .unwrap();
    read(&format!(
        "{}sm2 = {numbers}",
        TOKEN.replace("\"rsa\"\n    label", "\"sm2\"\n    label")
    ))
    .unwrap();
}

#[test]
fn what_cannot_work_is_refused_by_its_field() {
    let token = |from: &str, to: &str| TOKEN.replace(from, to);
    let machine = |from: &str, to: &str| MACHINE.replace(from, to);
    let cases = [
        ("an unknown field", token("id =", "slot = 1\nid ="), "slot"),
        (
            "an unknown field of the pool",
            token("sessions", "session"),
            "session",
        ),
        ("no PIN", token("pin =", "#"), "device[0].pin"),
        ("no token", token("token =", "#"), "device[0].token"),
        (
            "a layout for a token",
            token("token =", "layout = 64\ntoken ="),
            "device[0].layout",
        ),
        (
            "a layout of 48",
            machine("layout = 32", "layout = 48"),
            "device[0].layout",
        ),
        (
            "a PIN for a machine",
            machine("layout = 32", "pin = \"prompt\""),
            "device[0].pin",
        ),
        (
            "two devices of one name",
            machine("name = \"b\"", "name = \"a\""),
            "device[1].name",
        ),
        (
            "a device without keys",
            machine("[\"a\", \"b\"]", "[\"a\"]"),
            "device[1].name",
        ),
        (
            "no such device",
            machine("[\"a\", \"b\"]", "[\"a\", \"b\", \"c\"]"),
            "no device c",
        ),
        (
            "a device twice",
            machine("[\"a\", \"b\"]", "[\"a\", \"b\", \"a\"]"),
            "a is given twice",
        ),
        (
            "a file and a device",
            token("id =", "file = \"f\"\nid ="),
            "key[0].file",
        ),
        ("neither", "[[key]]\nname = 'one'".to_owned(), "key[0].file"),
        (
            "a label for a file",
            "[[key]]\nname = 'one'\nfile = 'f'\nlabel = 'l'".to_owned(),
            "key[0].label",
        ),
        (
            "two keys of one name",
            format!("{TOKEN}\n[[key]]\nname = 'rsa'\nfile = 'f'"),
            "key[1].name",
        ),
        ("no kind", token("kind = \"rsa\"", ""), "key[0].kind"),
        (
            "no label and no id",
            token("label = \"seal\"\n    id = \"0aff\"", ""),
            "key[0].label",
        ),
        ("an id of three digits", token("0aff", "0af"), "key[0].id"),
        (
            "SM2 without numbers",
            token("kind = \"rsa\"", "kind = \"sm2\""),
            "key[0].sm2",
        ),
        (
            "PSS for SM2",
            machine("index = 1", "index = 1\npadding = 'pss'"),
            "key[0].padding",
        ),
        (
            "a padding nobody has",
            token("id =", "padding = 'oaep'\nid ="),
            "oaep",
        ),
        (
            "an index for a token",
            token("id =", "index = 1\nid ="),
            "key[0].index",
        ),
        ("index 0", machine("index = 1", "index = 0"), "key[0].index"),
        (
            "P-256 in a machine",
            machine("kind = \"sm2\"", "kind = \"p256\""),
            "key[0].kind",
        ),
        (
            "a label for a machine",
            machine("index = 1", "index = 1\nlabel = 'l'"),
            "key[0].label",
        ),
    ];
    for (what, text, named) in cases {
        let error = read(&text).expect_err(what);
        assert!(error.contains(named), "{what}: {error}");
    }
}
