//! Documents by size, written in seconds and never kept in git: few long objects, many short ones,
//! and a small one.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// A scanned drawing in strips, each an image of this many bytes.
const STRIP_WIDTH: u64 = 2_000;
const STRIP_HEIGHT: u64 = 833;
const STRIP_BYTES: u64 = 3 * STRIP_WIDTH * STRIP_HEIGHT;

/// Lines of the drawing that one array names.
const LINES_PER_LAYER: u32 = 1_000;

/// The page of both documents, in points: A3.
const PAGE: (u64, u64) = (842, 1190);

/// A document whose size is in a few objects: a page of uncompressed images, as a scanner leaves
/// it. The file has `bytes` and at most one image more.
///
/// # Errors
/// What the file system says.
pub fn few_objects(path: &Path, bytes: u64) -> io::Result<()> {
    let strips = u32::try_from(bytes.div_ceil(STRIP_BYTES)).map_err(io::Error::other)?;
    let mut file = Pdf::create(path)?;
    file.object(b"<</Type/Catalog/Pages 2 0 R>>")?;
    file.object(b"<</Type/Pages/Kids[3 0 R]/Count 1>>")?;
    let (width, height) = PAGE;
    let names: String = (0..strips)
        .map(|strip| format!("/S{strip} {} 0 R", 5 + strip))
        .collect();
    file.object(
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Contents 4 0 R\
             /Resources<</XObject<<{names}>>>>>>"
        )
        .as_bytes(),
    )?;
    let step = height as f64 / f64::from(strips);
    let drawn: String = (0..strips)
        .map(|strip| {
            format!(
                "q {width} 0 0 {step:.3} 0 {:.3} cm /S{strip} Do Q\n",
                step * f64::from(strip)
            )
        })
        .collect();
    file.stream("", drawn.len() as u64, |out| {
        out.write_all(drawn.as_bytes())
    })?;
    let noise = noise();
    for strip in 0..strips as usize {
        let image = format!(
            "/Type/XObject/Subtype/Image/Width {STRIP_WIDTH}/Height {STRIP_HEIGHT}\
             /ColorSpace/DeviceRGB/BitsPerComponent 8"
        );
        file.stream(&image, STRIP_BYTES, |out| {
            let mut left = STRIP_BYTES as usize;
            let mut from = strip * 4099 % noise.len();
            while left > 0 {
                let piece = &noise[from..noise.len().min(from + left)];
                out.write_all(piece)?;
                left -= piece.len();
                from = 0;
            }
            Ok(())
        })?;
    }
    file.finish()
}

/// A document of `objects` small objects and some more that name them, about 145 bytes for each
/// with its entry in the cross-reference table: a drawing whose program keeps every line as an
/// object of its own.
///
/// # Errors
/// What the file system says.
pub fn many_objects(path: &Path, objects: u32) -> io::Result<()> {
    let layers = objects.div_ceil(LINES_PER_LAYER);
    let first_layer = 5;
    let first_line = first_layer + layers;
    let mut file = Pdf::create(path)?;
    file.object(b"<</Type/Catalog/Pages 2 0 R>>")?;
    file.object(b"<</Type/Pages/Kids[3 0 R]/Count 1>>")?;
    let (width, height) = PAGE;
    file.object(
        format!(
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 {width} {height}]/Resources<<>>\
             /PieceInfo<</Drawing<</LastModified(D:20261122080000Z)/Private 4 0 R>>>>>>"
        )
        .as_bytes(),
    )?;
    file.object(references(first_layer..first_line).as_bytes())?;
    for layer in 0..layers {
        let start = first_line + layer * LINES_PER_LAYER;
        let end = (start + LINES_PER_LAYER).min(first_line + objects);
        file.object(references(start..end).as_bytes())?;
    }
    for line in 0..objects {
        let (x, y) = (line % 842, line % 1190);
        file.object(
            format!(
                "<</Kind/Line/From[{x}.25 {y}.75]/To[{y}.5 {x}.125]/Width 0.25\
                 /Colour[0.1 0.2 0.3]/Note(line {line:07})>>"
            )
            .as_bytes(),
        )?;
    }
    file.finish()
}

/// A document of one page and about `bytes`, as a proof without embedded fonts would be.
#[must_use]
pub fn small(bytes: usize) -> Vec<u8> {
    let line =
        "BT /F1 11 Tf 72 700 Td (This certifies that the two named above are married.) Tj ET\n";
    let content = line.repeat(bytes.saturating_sub(700) / line.len());
    let objects = [
        "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
        "<</Type/Pages/Kids[3 0 R]/Count 1>>".to_owned(),
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R\
         /Resources<</Font<</F1 5 0 R>>>>>>"
            .to_owned(),
        format!(
            "<</Length {}>>\nstream\n{content}\nendstream",
            content.len()
        ),
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>".to_owned(),
    ];
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (number, object) in (1..).zip(&objects) {
        table += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{number} 0 obj\n{object}\nendobj\n");
    }
    let start = file.len();
    let size = objects.len() + 1;
    file += &format!("{table}trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{start}\n%%EOF\n");
    file.into_bytes()
}

fn references(objects: std::ops::Range<u32>) -> String {
    let all: Vec<String> = objects.map(|number| format!("{number} 0 R")).collect();
    format!("[{}]", all.join(" "))
}

/// A mebibyte that no compression and no lucky zero makes cheap; the same in every run.
fn noise() -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    (0..128 * 1024)
        .flat_map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        })
        .collect()
}

/// A PDF that is written from its start to its end and never held.
struct Pdf {
    out: BufWriter<File>,
    at: u64,
    offsets: Vec<u64>,
}

impl Pdf {
    fn create(path: &Path) -> io::Result<Self> {
        let out = BufWriter::with_capacity(1024 * 1024, File::create(path)?);
        let mut pdf = Self {
            out,
            at: 0,
            offsets: Vec::new(),
        };
        pdf.write(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")?;
        Ok(pdf)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    fn begin(&mut self) -> io::Result<()> {
        self.offsets.push(self.at);
        let number = self.offsets.len();
        self.write(format!("{number} 0 obj\n").as_bytes())
    }

    /// The next object.
    fn object(&mut self, body: &[u8]) -> io::Result<()> {
        self.begin()?;
        self.write(body)?;
        self.write(b"\nendobj\n")
    }

    /// The next object, a stream of exactly `length` bytes.
    fn stream(
        &mut self,
        entries: &str,
        length: u64,
        data: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.begin()?;
        self.write(format!("<<{entries}/Length {length}>>\nstream\n").as_bytes())?;
        data(&mut self.out)?;
        self.at += length;
        self.write(b"\nendstream\nendobj\n")
    }

    fn finish(mut self) -> io::Result<()> {
        let table = self.at;
        let size = self.offsets.len() + 1;
        write!(self.out, "xref\n0 {size}\n0000000000 65535 f \n")?;
        for offset in &self.offsets {
            writeln!(self.out, "{offset:010} 00000 n ")?;
        }
        write!(
            self.out,
            "trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{table}\n%%EOF\n"
        )?;
        self.out.flush()
    }
}
