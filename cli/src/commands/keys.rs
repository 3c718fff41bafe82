//! `yinxin keys`: the life of keys, and everything for a trial.

pub(crate) mod arguments;

use std::path::Path;
use std::process::ExitCode;

use yinxin_keys::{Ceremony, Context, Room, SealUse, Step};
use yinxin_pki::Certificate;

use self::arguments::{Keys, KeysCommand};
use super::{now, read, write};
use crate::failure::{Failure, doing};
use crate::home;
use crate::language::Language;

/// Where the configurations listen.
pub(crate) const PORTS: [u16; 2] = [7443, 7444];

pub(crate) fn run(arguments: Keys, language: Language) -> Result<ExitCode, Failure> {
    let Keys {
        room,
        operator,
        command,
    } = arguments;
    let context = Context {
        now: now(),
        operator: operator
            .or_else(|| std::env::var("USER").ok())
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| "cli".to_owned()),
    };
    let step = match command {
        KeysCommand::Dev { dir, fonts } => return dev(&dir, &fonts.paths, language),
        KeysCommand::List { config } => return list(&room, config.as_deref(), language),
        KeysCommand::Audit => return audit(&room, language),
        KeysCommand::Ceremony {
            file,
            dry_run,
            transcript,
        } => return ceremony(&room, &file, dry_run, transcript.as_deref(), &context),
        KeysCommand::Generate(step) => Step::Generate(step),
        KeysCommand::Adopt(step) => Step::Adopt(step),
        KeysCommand::Csr(step) => Step::Csr(step),
        KeysCommand::InstallCertificate(step) => Step::InstallCertificate(step),
        KeysCommand::ImportEncryptionKey(step) => Step::ImportEncryptionKey(step),
        KeysCommand::Attest(step) => Step::Attest(step),
        KeysCommand::Backup(step) => Step::Backup(step),
        KeysCommand::Restore(step) => Step::Restore(step),
        KeysCommand::AddCustodian(step) => Step::AddCustodian(step),
        KeysCommand::Approve(step) => Step::Approve(step),
        KeysCommand::Destroy(step) => Step::Destroy(step),
    };
    let room = open(&room)?;
    let facts = yinxin_keys::perform(&room, &step, &context).map_err(not_done)?;
    let (chinese, english) = step.words();
    println!("{}: {}", language.pick(chinese, english), step.name());
    for (name, value) in facts {
        println!("  {name}: {value}");
    }
    Ok(ExitCode::SUCCESS)
}

fn not_done(error: yinxin_keys::KeysError) -> Failure {
    doing("没有完成", "not done")(error)
}

fn open(room: &Path) -> Result<Room, Failure> {
    Room::open(room).map_err(doing("密钥台账", "the key room"))
}

fn dev(dir: &Path, fonts: &[std::path::PathBuf], language: Language) -> Result<ExitCode, Failure> {
    let installation = home::make(dir, fonts, PORTS)?;
    println!(
        "{}\n  yinxin serve signer --config {}\n  yinxin serve verifier --config {}",
        language.pick(
            "试用密钥与配置已备好（仅供试用，带有 DEV-ONLY 标记）。启动服务：",
            "Trial keys and configuration are ready (marked DEV-ONLY). Start the services with:",
        ),
        installation.signer_config.display(),
        installation.verifier_config.display(),
    );
    Ok(ExitCode::SUCCESS)
}

fn list(room: &Path, config: Option<&Path>, language: Language) -> Result<ExitCode, Failure> {
    let seals = match config {
        Some(config) => seal_uses(config)?,
        None => Vec::new(),
    };
    let room = open(room)?;
    let listed = yinxin_keys::list(&room, &seals, now()).map_err(not_done)?;
    for one in &listed {
        println!("{} ({})", one.card.name, one.card.kind);
        println!(
            "  {}: {}",
            language.pick("位置", "store"),
            one.card.store.words()
        );
        let certificate = match (&one.certificate, one.days_left) {
            (Some(certificate), Some(days)) => format!(
                "{} {} {} {days} {}",
                certificate.subject_text(),
                language.pick("有效至", "until"),
                certificate.not_after(),
                language.pick("天", "days left")
            ),
            (None, _) | (_, None) => language.pick("无", "none").to_owned(),
        };
        println!("  {}: {certificate}", language.pick("证书", "certificate"));
        let seals = if one.seals.is_empty() {
            language.pick("无", "none").to_owned()
        } else {
            one.seals.join(", ")
        };
        println!("  {}: {seals}", language.pick("印章", "seals"));
    }
    if listed.is_empty() {
        println!("{}", language.pick("没有密钥", "no keys"));
    }
    Ok(ExitCode::SUCCESS)
}

/// The seals of a signer's configuration, by the public keys of their certificates; with the keys
/// that come next.
fn seal_uses(config: &Path) -> Result<Vec<SealUse>, Failure> {
    let config = yinxin_signer_server::Config::read(config)
        .map_err(doing("配置不正确", "the configuration"))?;
    let mut uses = Vec::new();
    for seal in &config.seals {
        let now = (seal.gm.as_ref(), seal.pades.as_ref(), String::new());
        let next = seal.next.as_ref().map(|next| {
            let from = format!(" from {}", next.from);
            (next.gm.as_ref(), next.pades.as_ref(), from)
        });
        for (gm, pades, from) in std::iter::once(now).chain(next) {
            let gm = gm.map(|gm| ("gm", &gm.certificates));
            let pades = pades.map(|pades| ("pades", &pades.certificates));
            for (side, path) in gm.into_iter().chain(pades) {
                let certificate = Certificate::from_pem_or_der(&read(path)?)
                    .map_err(|error| Failure::file(path, &error))?;
                uses.push(SealUse {
                    seal: format!("{} ({side}{from})", seal.id),
                    spki_der: certificate.spki_der().to_vec(),
                });
            }
        }
    }
    Ok(uses)
}

fn audit(room: &Path, language: Language) -> Result<ExitCode, Failure> {
    let room = open(room)?;
    let (entries, head) = room.audit().read().map_err(not_done)?;
    for entry in &entries {
        println!(
            "{} {} {} {} {} {:?}",
            entry.sequence, entry.at, entry.operator, entry.action, entry.key, entry.stage
        );
        for (name, value) in &entry.facts {
            println!("    {name}: {value}");
        }
    }
    println!(
        "{}: {} {}",
        language.pick("审计链完整，末端", "the audit chain is whole, last digest"),
        head.sequence,
        head.digest
    );
    Ok(ExitCode::SUCCESS)
}

fn ceremony(
    room: &Path,
    file: &Path,
    dry_run: bool,
    transcript: Option<&Path>,
    context: &Context,
) -> Result<ExitCode, Failure> {
    let ceremony = Ceremony::read(file).map_err(doing("仪式文件", "the ceremony file"))?;
    if dry_run {
        print!("{}", ceremony.plan());
        return Ok(ExitCode::SUCCESS);
    }
    let room = open(room)?;
    let (text, outcome) = ceremony.run(&room, context);
    print!("{text}");
    if let Some(path) = transcript {
        write(path, &[text.as_bytes()])?;
    }
    outcome.map_err(not_done)?;
    Ok(ExitCode::SUCCESS)
}
