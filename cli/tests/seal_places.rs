//! `yinxin seal` to every kind of place, as a person types it, through a running service.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;
use yinxin_tests::pages::{chinese, pages, with_contents};
use yinxin_tests::services::{Services, install};

fn yinxin(folder: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_yinxin"))
        .args(words)
        .current_dir(folder)
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// A clerk's folder with a `client.toml`, and the service behind it.
struct Office {
    folder: tempfile::TempDir,
    trust: PathBuf,
    #[allow(dead_code, reason = "the services live in it")]
    runtime: tokio::runtime::Runtime,
}

impl Office {
    fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let installation = install(&folder.path().join("house"));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let services = runtime.block_on(Services::start(&installation));
        let client = std::fs::read_to_string(&installation.client_config).unwrap();
        let mut client: toml::Table = client.parse().unwrap();
        let address = format!("https://localhost:{}", services.signer.port());
        client.insert("signer".to_owned(), address.into());
        std::fs::write(folder.path().join("client.toml"), client.to_string()).unwrap();
        Self {
            folder,
            trust: installation.trust,
            runtime,
        }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
    }

    /// `yinxin seal FROM TO` with these words, separated by blanks.
    fn seal(&self, from: &str, to: &str, words: &str) -> Output {
        let mut all = vec!["seal", from, to, "--connect", "client.toml"];
        all.extend(words.split_whitespace());
        yinxin(self.folder.path(), &all)
    }

    /// The names of the signed fields, after it was sealed and found valid.
    fn sealed(&self, from: &str, to: &str, words: &str) -> Vec<String> {
        let done = self.seal(from, to, words);
        assert_eq!(done.status.code(), Some(0), "{words}: {}", said(&done));
        let trust = self.trust.to_str().unwrap();
        let verify = ["verify", to, "--trust", trust, "--allow-dev-only", "--json"];
        let report = yinxin(self.folder.path(), &verify);
        assert_eq!(report.status.code(), Some(0), "{words}: {}", said(&report));
        let bytes = std::fs::read(self.folder.path().join(to)).unwrap();
        let report: Value = serde_json::from_slice(&report.stdout).unwrap();
        assert!(!report["signatures"].as_array().unwrap().is_empty());
        signed_fields(&bytes)
    }

    fn refused(&self, from: &str, words: &str, expected: &str) {
        let done = self.seal(from, "refused.pdf", words);
        assert_eq!(done.status.code(), Some(3), "{words}");
        let said = said(&done);
        assert!(said.contains(expected), "{words}: {said}");
    }
}

fn signed_fields(bytes: &[u8]) -> Vec<String> {
    let document = yinxin_pdf::Document::open(bytes, yinxin_pdf::Limits::default()).unwrap();
    let fields = document.signature_fields().unwrap();
    fields
        .into_iter()
        .filter_map(|field| field.value.is_some().then_some(field.name))
        .collect()
}

/// A contract of three pages, each with a line to seal, and issuer and date on the last.
fn contract() -> Vec<u8> {
    let mut contents: Vec<String> = (1..=3)
        .map(|number| format!("BT /F0 12 Tf 72 780 Td (Page {number}) Tj ET\n"))
        .collect();
    contents[1] += &chinese(150.0, 500.0, "甲方（盖章）");
    contents[1] += &chinese(350.0, 500.0, "乙方（盖章）");
    contents[2] += &chinese(300.0, 300.0, "示例镇人民政府");
    contents[2] += &chinese(300.0, 260.0, "2026年11月28日");
    with_contents(&contents)
}

#[test]
fn each_kind_of_place_can_be_asked_for_with_options() {
    let office = Office::open();
    office.write("contract.pdf", contract());
    for (words, fields) in [
        ("", &["Seal-1"][..]),
        ("--page 2 --x 20 --y 30.5", &["Seal-1"]),
        ("--page last", &["Seal-1"]),
        (
            "--page all --x 20 --y 100",
            &["Seal-1-p1", "Seal-1-p2", "Seal-1-p3"],
        ),
        ("--page 1,3", &["Seal-1-p1", "Seal-1-p2"]),
        ("--page 2-3", &["Seal-1-p1", "Seal-1-p2"]),
        ("--word （盖章）", &["Seal-1"]),
        (
            "--word （盖章） --nth 1 --offset-x -10 --offset-y 5",
            &["Seal-1"],
        ),
        (
            "--word （盖章） --nth all --page 2",
            &["Seal-1-p1", "Seal-1-p2"],
        ),
        ("--issuer-date --issuer 示例镇人民政府", &["Seal-1"]),
        ("--seam right", &["Seal-1-p1", "Seal-1-p2", "Seal-1-p3"]),
        (
            "--seam top --double-sided --along 60 --sheets-per-seal 2",
            &["Seal-1-p1", "Seal-1-p2", "Seal-1-p3"],
        ),
        ("--invisible --page 3", &["Seal-1"]),
        ("--certify no-changes", &["Seal-1"]),
    ] {
        let words = format!("--profile pades-b-b {words}");
        let found = office.sealed("contract.pdf", "sealed.pdf", &words);
        assert_eq!(found, fields, "{words}");
    }
    // In the file's own field, over another seal, off the page: only if asked for.
    let over = "--profile pades-b-b --x 140 --y 230";
    office.sealed("contract.pdf", "once.pdf", "--profile gm-seal");
    office.refused("once.pdf", over, "STAMP_OVERLAPS");
    office.sealed("once.pdf", "twice.pdf", &format!("{over} --may-overlap"));
    let out = "--profile pades-b-b --x 190 --y 20";
    office.refused("once.pdf", out, "PDF_PLACEMENT_OUTSIDE_PAGE");
    office.sealed("once.pdf", "twice.pdf", &format!("{out} --may-leave-page"));
    let nothing = "--profile pades-b-b --certify no-changes";
    office.sealed("contract.pdf", "closed.pdf", nothing);
    let after = office.seal("closed.pdf", "refused.pdf", "--profile pades-b-b");
    assert_eq!(after.status.code(), Some(3), "{}", said(&after));
}

#[test]
fn a_places_file_names_several_seals_and_a_seal_that_stands_in_it_often_is_approved_once() {
    let office = Office::open();
    office.write("contract.pdf", contract());
    office.write(
        "places.toml",
        r#"
        [[seals]]
        profile = "gm-seal"
        place = { word = "甲方（盖章）" }

        [[seals]]
        reason = "骑缝"
        place = { seam = "right", page = "1-3" }

        [[seals]]
        seal = "village-demo"
        place = { page = 1, x = 20, y = 30 }
        "#,
    );
    let words = "--profile pades-b-b --places places.toml";
    let found = office.sealed("contract.pdf", "sealed.pdf", words);
    let expected = ["Seal-1", "Seal-2-p1", "Seal-2-p2", "Seal-2-p3", "Seal-3"];
    assert_eq!(found, expected);

    let words = format!("{words} --request-approval");
    let asked = office.seal("contract.pdf", "none.pdf", &words);
    assert_eq!(asked.status.code(), Some(0), "{}", said(&asked));
    let statements = said(&asked).matches("\"statement\"").count();
    assert_eq!(statements, 1, "{}", said(&asked));
}

#[test]
fn the_parties_of_a_plan_sign_in_their_order_and_the_last_closes_the_file() {
    let office = Office::open();
    office.write("contract.pdf", contract());
    office.write(
        "plan.toml",
        r#"
        certify = "filling-and-signing"

        [[seals]]
        place = { word = "甲方（盖章）" }

        [plan]
        first = "甲方"
        last_locks = true

        [[plan.later]]
        name = "乙方"
        place = { word = "乙方（盖章）" }

        [[plan.later]]
        name = "丙方"
        place = { page = "last", x = 20, y = 150 }
        "#,
    );
    let seal = "--profile pades-b-b";
    let plan = "--profile gm-cms --places plan.toml";
    let party = |name: &str| format!("{seal} --party {name}");
    let mut fields = office.sealed("contract.pdf", "1.pdf", plan);
    assert_eq!(fields, ["SigningPlan.甲方"]);
    office.refused("1.pdf", &party("丙方"), "PLAN_OUT_OF_ORDER");
    office.refused("1.pdf", seal, "PLAN_NOT_IN_PLAN");
    let digest = format!("{} --digest-only", party("丙方"));
    office.refused("1.pdf", &digest, "it is the turn of \"乙方\"");
    // A party whose file must not leave its machine signs all the same.
    let digest = format!("{} --digest-only", party("乙方"));
    fields = office.sealed("1.pdf", "2.pdf", &digest);
    assert_eq!(fields.len(), 2, "{fields:?}");
    fields = office.sealed("2.pdf", "3.pdf", &party("丙方"));
    assert_eq!(fields.len(), 3, "{fields:?}");
    office.refused("3.pdf", seal, "PLAN_COMPLETE");
}

#[test]
fn what_does_not_go_together_is_refused_with_the_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::write(folder.path().join("in.pdf"), pages(1)).unwrap();
    write("one.toml", "[[seals]]\nplace = { page = 1 }\n");
    write("none.toml", "seals = []\n");
    write("key.toml", "[[seals]]\nplace = { seem = \"right\" }\n");
    write(
        "way.toml",
        "[[seals]]\nplace = { seam = \"right\", nth = 2 }\n",
    );
    write("page.toml", "[[seals]]\nplace = { page = \"3-1\" }\n");
    write(
        "plan.toml",
        "certify = \"no-changes\"\n[[seals]]\n[[seals]]\n",
    );
    write("edge.toml", "[[seals]]\nplace = { seam = \"middle\" }\n");
    for (words, chinese, english) in [
        (
            "--word 盖章 --seam right",
            "只能选一个",
            "choose one of --word and --seam",
        ),
        (
            "--field A --invisible",
            "只能选一个",
            "for several seals use --places",
        ),
        (
            "--word 盖章 --x 20",
            "--x 不与 --word 一起用，只与 --page 一起用；--word 可配 --page、--nth、--offset-x",
            "--x does not go with --word but with --page; --word takes --page, --nth, --offset-x",
        ),
        (
            "--nth 2",
            "--nth 只与 --word",
            "--nth goes with --word only",
        ),
        (
            "--double-sided",
            "--seam",
            "--double-sided goes with --seam only",
        ),
        (
            "--field A --page 2",
            "--page 不与 --field",
            "--page does not go with --field but with --word, --seam, --invisible",
        ),
        (
            "--issuer 镇政府",
            "--issuer-date",
            "--issuer goes with --issuer-date only",
        ),
        (
            "--invisible --page all",
            "一个页码",
            "give --page one number",
        ),
        (
            "--certify p2",
            "--profile pades-b-b",
            "use --profile pades-b-b",
        ),
        (
            "--places one.toml --page 2",
            "都写在文件里",
            "write every place into the file",
        ),
        ("--places none.toml", "[[seals]]", "at least one [[seals]]"),
        ("--places key.toml", "unknown field", "unknown field `seem`"),
        (
            "--places way.toml",
            "nth 不与 seam 一起用，只与 word",
            "nth does not go with seam but with word",
        ),
        ("--places page.toml", "页码从 1 起", "count from 1"),
        ("--places plan.toml", "只能有一个", "one [[seals]] only"),
        (
            "--places edge.toml",
            "middle",
            "expected one of `right`, `left`, `top`, `bottom`",
        ),
        ("--places missing.toml", "missing.toml", "missing.toml"),
        ("--page 0", "页码从 1 起", "count from 1"),
        ("--page 1-4000000000", "最多 2000 页", "at most 2000 pages"),
        (
            "--word 盖章 --nth 0",
            "1 起的序号",
            "a number from 1, last or all",
        ),
        (
            "--seam middle",
            "right",
            "possible values: right, left, top, bottom",
        ),
        (
            "--places one.toml --digest-only",
            "--digest-only",
            "cannot be used with",
        ),
        (
            "--places one.toml --certify p1",
            "--certify",
            "cannot be used with",
        ),
    ] {
        for (language, expected) in [("zh", chinese), ("en", english)] {
            let mut all = vec!["--lang", language, "seal", "in.pdf", "out.pdf"];
            all.extend(words.split_whitespace());
            let done = yinxin(folder.path(), &all);
            assert_eq!(done.status.code(), Some(3), "{words}");
            let said = said(&done);
            assert!(said.contains(expected), "{words}: {said}");
        }
    }
    assert!(!folder.path().join("out.pdf").exists());
}

#[test]
fn the_help_of_seal_speaks_of_each_kind_of_place_in_chinese_and_in_english() {
    let help = said(&yinxin(Path::new("."), &["seal", "--help"]));
    for line in [
        "骑缝章",
        "seam stamp",
        "骑年盖月",
        "over issuer and date",
        "over this word",
        "双面打印",
        "two pages make a sheet",
        "签署计划",
        "signing plan",
        "certifies the file",
    ] {
        assert!(help.contains(line), "{line} is missing in:\n{help}");
    }
}
