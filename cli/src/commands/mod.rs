//! One module a command.

pub(crate) mod demo;
pub(crate) mod dev;
pub(crate) mod issue;
pub(crate) mod keys;
pub(crate) mod seal;
pub(crate) mod seal_admin;
pub(crate) mod serve;
pub(crate) mod verify;

use std::future::Future;
use std::path::Path;

use yinxin_proto::Bytes;
use yinxin_proto::v1;
use yinxin_signer::ports::{Clock as _, SystemClock};

use crate::args::Connection;
use crate::failure::{Failure, doing};

/// Runs a command's network part.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(doing("无法启动", "cannot start"))?
        .block_on(work)
}

pub(crate) fn read(path: &Path) -> Result<Bytes, Failure> {
    std::fs::read(path)
        .map(Bytes::from)
        .map_err(|error| Failure::file(path, &error))
}

/// Writes a file whole or not at all: beside its place first, then renamed.
pub(crate) fn write(path: &Path, parts: &[&[u8]]) -> Result<(), Failure> {
    use std::io::Write as _;
    use std::os::unix::fs::PermissionsExt as _;
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        Some(_) | None => Path::new("."),
    };
    let cannot = |error: std::io::Error| Failure::file(path, &error);
    let mut file = tempfile::Builder::new()
        // As for any file a person makes; the umask takes its part.
        .permissions(std::fs::Permissions::from_mode(0o666))
        .tempfile_in(folder)
        .map_err(cannot)?;
    parts
        .iter()
        .try_for_each(|part| file.write_all(part))
        .map_err(cannot)?;
    file.persist(path)
        .map_err(|error| Failure::file(path, &error.error))?;
    Ok(())
}

/// Now, to the second.
pub(crate) fn now() -> yinxin_pki::UnixSeconds {
    SystemClock.now()
}

impl Connection {
    fn request_id(&self) -> Result<String, Failure> {
        match &self.request_id {
            Some(given) => Ok(given.clone()),
            None => random_request_id(),
        }
    }

    fn operator(&self) -> v1::Operator {
        let account = self
            .operator
            .clone()
            .or_else(|| std::env::var("USER").ok())
            .filter(|account| !account.is_empty())
            .unwrap_or_else(|| "cli".to_owned());
        v1::Operator {
            account,
            name: String::new(),
        }
    }

    fn profile(&self) -> Result<v1::SealProfile, Failure> {
        profile(&self.profile)
    }
}

pub(crate) fn profile(name: &str) -> Result<v1::SealProfile, Failure> {
    match name {
        "pades-b-b" => Ok(v1::SealProfile::PadesBB),
        "gm-seal" => Ok(v1::SealProfile::GmSeal),
        "gm-cms" => Ok(v1::SealProfile::GmCms),
        "dual" => Ok(v1::SealProfile::Dual),
        other => Err(Failure::new(
            format!("没有签章方式 {other}；可用 pades-b-b、gm-seal、gm-cms、dual"),
            format!("there is no profile {other}; use pades-b-b, gm-seal, gm-cms or dual"),
        )),
    }
}

/// 32 hexadecimal digits.
pub(crate) fn random_request_id() -> Result<String, Failure> {
    use yinxin_sm::Entropy as _;
    let mut bytes = [0; 16];
    yinxin_signer::ports::SystemEntropy::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new("系统没有随机数", "the system gives no randomness"))?;
    Ok(base16ct::lower::encode_string(&bytes))
}
