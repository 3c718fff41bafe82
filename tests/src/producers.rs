//! Real PDFs: each made on this machine by the program that real files come from.
//!
//! They are made once, into target/corpus, and reused. A producer that is missing is a visible
//! skip. Nothing of them is committed: their outputs differ from machine to machine, and that is
//! what they are for.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::{python_script, tool};
use crate::process::run_ok;
use crate::skip::skip;
use crate::target;

/// Part of the folder's name: change it when a recipe below changes.
const RECIPES: &str = "corpus-1";

/// A way to make a PDF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Producer {
    /// typst, PDF/A-2b, tagged.
    Typst,
    /// LibreOffice Writer.
    LibreOffice,
    /// Chromium's print-to-pdf (Skia).
    Chromium,
    /// reportlab, four pages.
    Reportlab,
    /// cairo, through cairocffi.
    Cairo,
    /// Ghostscript's ps2pdf.
    Ghostscript,
    /// pdfTeX: object streams and a cross-reference stream.
    PdfTex,
    /// MuPDF's mutool create.
    MuPdf,
    /// qpdf --object-streams=generate.
    ObjectStreams,
    /// qpdf --linearize.
    Linearized,
    /// qpdf --rotate: pages turned by 0, 90, 180 and 270 degrees.
    Rotated,
    /// CropBox away from the origin, UserUnit 2, inherited boxes and rotation.
    PageBoxes,
    /// An existing form without a signature field.
    Form,
    /// An existing form with an empty signature field named `Approval`, added by pyHanko.
    EmptyField,
    /// typst, three pages of PDF/A-1b.
    Archive1b,
    /// The same, tagged.
    Archive1a,
    /// PDF/A-2b.
    Archive2b,
    /// The same, tagged.
    Archive2a,
    /// PDF/A-3b.
    Archive3b,
    /// PDF/UA-1.
    ArchiveUa1,
    /// PDF/A-1b without an output intent.
    Archive1bNoIntent,
    /// PDF/A-2b without an output intent.
    Archive2bNoIntent,
    /// typst with Chinese text, PDF/A-2b.
    ChineseTypst,
    /// LibreOffice Writer's web export of a Chinese page.
    ChineseLibreOffice,
    /// Chromium's print of the same page.
    ChineseChromium,
    /// A Chinese .docx, exported by LibreOffice Writer.
    ChineseDocx,
    /// reportlab with a font that is not embedded (UniGB-UCS2-H).
    ChineseCid,
    /// Written by hand as Word writes: marked content, one matrix a run, kerned arrays, an embedded
    /// font's two-byte codes with /W and ToUnicode.
    ChineseWordLike,
    /// A hybrid-reference file, ISO 32000-2, 7.5.8.4: written by hand, since no tool here makes one.
    Hybrid,
}

impl Producer {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Typst,
        Self::LibreOffice,
        Self::Chromium,
        Self::Reportlab,
        Self::Cairo,
        Self::Ghostscript,
        Self::PdfTex,
        Self::MuPdf,
        Self::ObjectStreams,
        Self::Linearized,
        Self::Rotated,
        Self::PageBoxes,
        Self::Form,
        Self::EmptyField,
        Self::Hybrid,
    ];

    /// Two pages with «盖章处» on each, in all the ways that Chinese text is written.
    pub const CHINESE: [Self; 6] = [
        Self::ChineseTypst,
        Self::ChineseLibreOffice,
        Self::ChineseChromium,
        Self::ChineseDocx,
        Self::ChineseCid,
        Self::ChineseWordLike,
    ];

    /// The file's name without its ending.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Typst => "typst",
            Self::LibreOffice => "libreoffice",
            Self::Chromium => "chromium",
            Self::Reportlab => "reportlab",
            Self::Cairo => "cairo",
            Self::Ghostscript => "ghostscript",
            Self::PdfTex => "pdftex",
            Self::MuPdf => "mupdf",
            Self::ObjectStreams => "object-streams",
            Self::Linearized => "linearized",
            Self::Rotated => "rotated",
            Self::PageBoxes => "page-boxes",
            Self::Form => "form",
            Self::EmptyField => "empty-field",
            Self::Archive1b => "archive-1b",
            Self::Archive1a => "archive-1a",
            Self::Archive2b => "archive-2b",
            Self::Archive2a => "archive-2a",
            Self::Archive3b => "archive-3b",
            Self::ArchiveUa1 => "archive-ua1",
            Self::Archive1bNoIntent => "archive-1b-no-intent",
            Self::Archive2bNoIntent => "archive-2b-no-intent",
            Self::ChineseTypst => "chinese-typst",
            Self::ChineseLibreOffice => "chinese-libreoffice",
            Self::ChineseChromium => "chinese-chromium",
            Self::ChineseDocx => "chinese-docx",
            Self::ChineseCid => "chinese-cid",
            Self::ChineseWordLike => "chinese-word-like",
            Self::Hybrid => "hybrid",
        }
    }

    /// The file, made if it is not there yet; none, after a visible skip, when that cannot be done.
    #[must_use]
    pub fn pdf(self) -> Option<PathBuf> {
        let folder = target().join(RECIPES);
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{}.pdf", self.name()));
        if file.exists() {
            return Some(file);
        }
        // Made aside and moved, so that another test process never sees half a file.
        let aside = tempfile::tempdir_in(&folder).unwrap();
        let made = aside.path().join("made.pdf");
        match self.make(aside.path(), &made)? {
            Ok(()) if made.exists() => {
                std::fs::rename(&made, &file).unwrap();
                Some(file)
            }
            Ok(()) => self.cannot("it left no file"),
            Err(why) => self.cannot(&why),
        }
    }

    fn html(self) -> &'static str {
        if matches!(self, Self::ChineseLibreOffice | Self::ChineseChromium) {
            CHINESE_HTML
        } else {
            HTML
        }
    }

    fn cannot(self, why: &str) -> Option<PathBuf> {
        skip(&format!("producer {}", self.name()), why);
        None
    }

    /// None when the tool is missing, which has been said already.
    fn make(self, aside: &Path, made: &Path) -> Option<Result<(), String>> {
        let done = |command: &mut Command| run_ok(command).map(|_| ());
        Some(match self {
            Self::Typst
            | Self::Reportlab
            | Self::Cairo
            | Self::Form
            | Self::Archive1b
            | Self::Archive1a
            | Self::Archive2b
            | Self::Archive2a
            | Self::Archive3b
            | Self::ArchiveUa1
            | Self::Archive1bNoIntent
            | Self::Archive2bNoIntent
            | Self::ChineseTypst
            | Self::ChineseCid
            | Self::ChineseWordLike => {
                done(python_script("producers.py")?.arg(self.name()).arg(made))
            }
            Self::ChineseDocx => {
                let source = aside.join("made.docx");
                let wrote = done(python_script("producers.py")?.arg(self.name()).arg(&source));
                match wrote {
                    Ok(()) => {
                        libreoffice(tool("soffice")?, aside, made, &source, "writer_pdf_Export")
                    }
                    Err(why) => Err(why),
                }
            }
            Self::PageBoxes => done(
                python_script("producers.py")?
                    .arg(self.name())
                    .arg(made)
                    .arg(Self::Reportlab.pdf()?),
            ),
            Self::EmptyField => done(
                python_script("producers.py")?
                    .arg(self.name())
                    .arg(made)
                    .arg(Self::Reportlab.pdf()?),
            ),
            Self::LibreOffice | Self::ChineseLibreOffice => {
                let source = aside.join("made.html");
                std::fs::write(&source, self.html()).unwrap();
                libreoffice(
                    tool("soffice")?,
                    aside,
                    made,
                    &source,
                    "writer_web_pdf_Export",
                )
            }
            Self::Chromium | Self::ChineseChromium => {
                chromium(tool("chromium")?, aside, made, self.html())
            }
            Self::Ghostscript => {
                std::fs::write(aside.join("page.ps"), POSTSCRIPT).unwrap();
                done(tool("ps2pdf")?.arg(aside.join("page.ps")).arg(made))
            }
            Self::PdfTex => {
                std::fs::write(aside.join("made.tex"), TEX).unwrap();
                let mut command = tool("pdflatex")?;
                command.args(["-interaction=nonstopmode", "-halt-on-error", "made.tex"]);
                done(command.current_dir(aside))
            }
            Self::MuPdf => {
                std::fs::write(aside.join("page.txt"), MUPDF_PAGE).unwrap();
                done(
                    tool("mutool")?
                        .args(["create", "-o"])
                        .arg(made)
                        .arg(aside.join("page.txt")),
                )
            }
            Self::ObjectStreams => done(
                tool("qpdf")?
                    .arg("--object-streams=generate")
                    .arg(Self::Reportlab.pdf()?)
                    .arg(made),
            ),
            Self::Linearized => done(
                tool("qpdf")?
                    .arg("--linearize")
                    .arg(Self::Reportlab.pdf()?)
                    .arg(made),
            ),
            Self::Rotated => done(
                tool("qpdf")?
                    .args(["--rotate=90:2", "--rotate=180:3", "--rotate=270:4"])
                    .arg(Self::Reportlab.pdf()?)
                    .arg(made),
            ),
            Self::Hybrid => std::fs::write(made, hybrid()).map_err(|error| error.to_string()),
        })
    }
}

fn libreoffice(
    mut soffice: Command,
    aside: &Path,
    made: &Path,
    source: &Path,
    filter: &str,
) -> Result<(), String> {
    // A profile of its own: a second soffice on one profile hands its work over and leaves.
    soffice
        .arg(format!(
            "-env:UserInstallation=file://{}",
            aside.join("profile").display()
        ))
        .args(["--headless", "--norestore", "--convert-to"])
        .arg(format!("pdf:{filter}"))
        .arg("--outdir")
        .arg(made.parent().expect("a file in a folder"))
        .arg(source);
    run_ok(&mut soffice).map(|_| ())
}

fn chromium(mut chromium: Command, aside: &Path, made: &Path, html: &str) -> Result<(), String> {
    let source = aside.join("page.html");
    std::fs::write(&source, html).unwrap();
    chromium
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--no-first-run",
        ])
        .args([
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ])
        .args(["--disable-dev-shm-usage", "--no-pdf-header-footer"])
        .arg(format!(
            "--user-data-dir={}",
            aside.join("profile").display()
        ))
        .arg(format!("--print-to-pdf={}", made.display()))
        .arg(format!("file://{}", source.display()));
    run_ok(&mut chromium).map(|_| ())
}

const HTML: &str = "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>Proof</title>\
<h1>Residence proof</h1><p>The person named below lives at the place named below.</p>\
<table border=\"1\"><tr><td>Name</td><td>Chen</td></tr><tr><td>Since</td><td>2019</td></tr></table>\
<p style=\"page-break-before: always\">Second page, <a href=\"#top\">with a link</a>.</p></html>";

const CHINESE_HTML: &str = "<!doctype html><html lang=\"zh\"><meta charset=\"utf-8\"><title>证明</title>\
<h1>居住证明</h1><p>兹证明下列人员居住在本村，情况属实。The person named below lives here.</p>\
<table border=\"1\"><tr><td>经办人（签字）</td><td>承办单位：盖章处</td></tr></table>\
<p style=\"text-align: right\">示例村民委员会</p><p style=\"text-align: right\">2026年11月22日</p>\
<p style=\"page-break-before: always\">第二页 page 2, <b>盖章处</b> and more.</p></html>";

const POSTSCRIPT: &str = "%!PS-Adobe-3.0
/Helvetica findfont 24 scalefont setfont
72 700 moveto (PostScript, page 1) show showpage
72 700 moveto (PostScript, page 2) show showpage
";

const TEX: &str = r"\documentclass{article}
\pdfminorversion=7
\pdfobjcompresslevel=2
\begin{document}
\section{Proof}
The committee states what the parties declared before it.
\newpage
Second page.
\end{document}
";

const MUPDF_PAGE: &str = "%%MediaBox 0 0 595 842
%%Font F Times-Roman
BT /F 24 Tf 72 700 Td (MuPDF) Tj ET
";

/// A table for old readers, and in its /XRefStm the objects that stand in an object stream.
#[must_use]
pub fn hybrid() -> Vec<u8> {
    let mut file = b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n".to_vec();
    let mut offsets = Vec::new();
    let mut object = |file: &mut Vec<u8>, body: &str| {
        offsets.push(file.len());
        file.extend_from_slice(body.as_bytes());
    };
    object(
        &mut file,
        "1 0 obj\n<</Type/Catalog/Pages 2 0 R/PieceInfo 6 0 R>>\nendobj\n",
    );
    object(
        &mut file,
        "2 0 obj\n<</Type/Pages/Kids[3 0 R]/Count 1>>\nendobj\n",
    );
    object(
        &mut file,
        "3 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Resources<<>>/Contents 4 0 R>>\nendobj\n",
    );
    let content = "0 0 1 RG 72 72 200 200 re S";
    object(
        &mut file,
        &format!(
            "4 0 obj\n<</Length {}>>\nstream\n{content}\nendstream\nendobj\n",
            content.len()
        ),
    );
    // Object 6 lives in object stream 5; both are free in the table and known to 7 only.
    let header = "6 0 ";
    let hidden = "<</Yinxin<</LastModified(D:20261122000000Z)>>>>";
    object(
        &mut file,
        &format!(
            "5 0 obj\n<</Type/ObjStm/N 1/First {}/Length {}>>\nstream\n{header}{hidden}\nendstream\nendobj\n",
            header.len(),
            header.len() + hidden.len()
        ),
    );
    let stream_at = file.len();
    let entries: Vec<u8> = [
        (5_usize, 1_u8, offsets[4], 0_u8),
        (6, 2, 5, 0),
        (7, 1, stream_at, 0),
    ]
    .iter()
    .flat_map(|(_, kind, field, last)| {
        let field = u32::try_from(*field).expect("a small file").to_be_bytes();
        [&[*kind][..], &field[..], &[*last][..]].concat()
    })
    .collect();
    file.extend_from_slice(
        format!(
            "7 0 obj\n<</Type/XRef/Size 8/Index[5 3]/W[1 4 1]/Root 1 0 R/Length {}>>\nstream\n",
            entries.len()
        )
        .as_bytes(),
    );
    file.extend_from_slice(&entries);
    file.extend_from_slice(b"\nendstream\nendobj\n");
    let table_at = file.len();
    file.extend_from_slice(b"xref\n0 5\n0000000005 65535 f \n");
    for offset in &offsets[..4] {
        file.extend_from_slice(format!("{offset:010} 00000 n \n").as_bytes());
    }
    file.extend_from_slice(b"5 3\n0000000006 00000 f \n0000000007 00000 f \n0000000000 00000 f \n");
    file.extend_from_slice(
        format!(
            "trailer\n<</Size 8/Root 1 0 R/XRefStm {stream_at}\
             /ID[<00112233445566778899aabbccddeeff><00112233445566778899aabbccddeeff>]>>\n\
             startxref\n{table_at}\n%%EOF\n"
        )
        .as_bytes(),
    );
    file
}
