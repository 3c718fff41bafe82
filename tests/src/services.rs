//! The two services in this process, and an installation to run them on.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use yinxin_keys_dev::{Installation, InstallationOptions, OWNER_NAME, SEAL_DIAMETER_MM};
use yinxin_proto::Bytes;
use yinxin_signer::appearance::{Centre, RoundSeal, round_seal_svg};
use yinxin_signer::ports::{Clock as _, SystemClock};
use yinxin_signer_server::{NoCheckpoints, Signer, seal_font};
use yinxin_verifier_server::Verifier;

/// Where Chinese fonts may be; scripts/setup sees to one of them.
const FONTS: [&str; 3] = [
    "target/fonts",
    "/usr/share/fonts/opentype/noto",
    "/usr/share/fonts/truetype",
];

/// The Song faces alone: a start should not read eighty megabytes of fonts.
fn fonts() -> Vec<PathBuf> {
    let folders = FONTS.iter().map(|folder| crate::workspace().join(folder));
    let mut found = Vec::new();
    for folder in folders.filter(|folder| folder.is_dir()) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if path.is_file() && (name.starts_with("Noto") || name.starts_with("SourceHan")) {
                found.push(path.canonicalize().unwrap());
            }
        }
        if !found.is_empty() {
            found.sort();
            return found;
        }
    }
    panic!("no Chinese fonts: run scripts/setup")
}

/// Makes a trial installation in `folder`; both services choose their ports.
#[must_use]
pub fn install(folder: &Path) -> Installation {
    let fonts = fonts();
    let seal = RoundSeal {
        upper_text: OWNER_NAME.to_owned(),
        lower_text: None,
        diameter_mm: SEAL_DIAMETER_MM,
        centre: Centre::Star,
    };
    let picture = round_seal_svg(&seal, &seal_font(&fonts).unwrap()).unwrap();
    let options = InstallationOptions {
        fonts,
        seal_picture_svg: picture.into_bytes(),
        signer_port: 0,
        verifier_port: 0,
        now: SystemClock.now(),
    };
    Installation::make(folder, &options).unwrap()
}

/// Both services, until they are dropped with their runtime.
#[derive(Debug)]
pub struct Services {
    /// Where the signer answers.
    pub signer: SocketAddr,
    /// Where the verifier answers.
    pub verifier: SocketAddr,
}

impl Services {
    /// Starts both on the current runtime.
    pub async fn start(installation: &Installation) -> Self {
        let config = yinxin_signer_server::Config::read(&installation.signer_config).unwrap();
        let signer = Signer::open(&config, Arc::new(NoCheckpoints))
            .await
            .unwrap();
        let config = yinxin_verifier_server::Config::read(&installation.verifier_config).unwrap();
        let verifier = Verifier::open(&config).await.unwrap();
        let started = Self {
            signer: signer.address(),
            verifier: verifier.address(),
        };
        tokio::spawn(signer.serve(std::future::pending()));
        tokio::spawn(verifier.serve(std::future::pending()));
        started
    }
}

/// The SDF device for tests: cargo lays the cdylib of a dev-dependency beside the executables that
/// asked for it, which a test does with `use yinxin_sdf_test as _`.
#[must_use]
pub fn sdf_library() -> PathBuf {
    let name = format!("{}yinxin_sdf_test.so", std::env::consts::DLL_PREFIX);
    std::env::current_exe().unwrap().with_file_name(name)
}

/// A plain PDF of one page, by hand.
#[must_use]
pub fn plain_pdf() -> Bytes {
    let objects = [
        "1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n",
        "2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n",
        "3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] >>\nendobj\n",
    ];
    let mut pdf = String::from("%PDF-1.7\n");
    let mut table = String::from("xref\n0 4\n0000000000 65535 f \n");
    for object in objects {
        table.push_str(&format!("{:010} 00000 n \n", pdf.len()));
        pdf.push_str(object);
    }
    let start = pdf.len();
    pdf.push_str(&table);
    pdf.push_str(&format!(
        "trailer\n<< /Size 4 /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n"
    ));
    pdf.into_bytes().into()
}
