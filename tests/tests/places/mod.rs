//! What other people's tools say of sealed pages: verdicts, pictures, and where MuPDF sees words.
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::{Path, PathBuf};
use std::time::Instant;

use yinxin_tests::peers;
use yinxin_tests::process::{TOOL_TIME_MAX, run, run_ok};

/// What a file holds, and whom its readers are to trust.
pub(crate) struct Sealed<'a> {
    /// For messages.
    pub(crate) what: &'a str,
    pub(crate) file: &'a Path,
    /// The RSA root.
    pub(crate) root: &'a Path,
    /// How many fields each signature has, oldest first.
    pub(crate) fields: &'a [usize],
}

impl Sealed<'_> {
    /// Each reader that is on this machine finds every signature valid.
    pub(crate) fn is_accepted_by_all(&self) {
        self.is_accepted_by_pyhanko();
        self.is_accepted_by_pdfsig();
        self.is_accepted_by_mutool();
        self.is_accepted_by_pdfbox();
        if let Some(found) = peers::qpdf_check(self.file) {
            assert_eq!(found, (0, 0), "{}", self.what);
        }
    }

    pub(crate) fn is_accepted_by_pyhanko(&self) {
        let (what, count) = (self.what, self.fields.iter().sum::<usize>());
        let roots: [PathBuf; 1] = [self.root.to_owned()];
        let start = Instant::now();
        // It compares the revisions anew for each field; that it says the same of every field of a
        // signature is seen on files with fewer of them.
        let reports = if count > 100 && self.fields.len() > 1 {
            peers::pyhanko_once_a_signature(&[self.file], &roots)
        } else {
            peers::pyhanko(&[self.file], &roots)
        };
        let Some(reports) = reports else { return };
        eprintln!("{what}: pyHanko took {:?}", start.elapsed());
        let Some(signatures) = reports[0]["signatures"].as_array() else {
            panic!("{what}: {}", reports[0]);
        };
        assert_eq!(signatures.len(), count, "{what}");
        for signature in signatures {
            assert_eq!(signature["bottom_line"], true, "{what}: {signature}");
            assert!(signature["suspicious"].is_null(), "{what}: {signature}");
        }
    }

    fn is_accepted_by_pdfsig(&self) {
        let Some(mut pdfsig) = peers::tool("pdfsig") else {
            return;
        };
        let text = run(pdfsig.arg(self.file), TOOL_TIME_MAX).unwrap().text();
        let valid = text.matches("Signature is Valid").count();
        let count = self.fields.iter().sum::<usize>();
        assert_eq!(valid, count, "{}, pdfsig: {text}", self.what);
    }

    fn is_accepted_by_mutool(&self) {
        let Some(mut mutool) = peers::tool("mutool") else {
            return;
        };
        let start = Instant::now();
        let command = mutool.args(["sign", "-v"]).arg(self.file);
        let text = run(command, TOOL_TIME_MAX).unwrap().text();
        eprintln!("{}: mutool took {:?}", self.what, start.elapsed());
        // The authority is not in mutool's list; what matters is the digest.
        assert!(
            !text.contains("digest error"),
            "{}, mutool: {text}",
            self.what
        );
        let unchanged = text.matches("The document is unchanged since signing");
        assert_eq!(
            unchanged.count(),
            self.fields.last().copied().unwrap_or_default(),
            "{}, mutool: {text}",
            self.what
        );
    }

    fn is_accepted_by_pdfbox(&self) {
        let Some(reports) = peers::verify_cms(&[self.file], &[self.root.to_owned()]) else {
            return;
        };
        let signatures = reports[0]["signatures"].as_array().unwrap();
        assert!(
            signatures.len() >= self.fields.len(),
            "{}, PDFBox: {}",
            self.what,
            reports[0]
        );
        for signature in signatures {
            assert_eq!(
                signature["valid"], true,
                "{}, PDFBox: {signature}",
                self.what
            );
        }
    }
}

/// A grey picture.
#[derive(Clone)]
pub(crate) struct Picture {
    width: usize,
    height: usize,
    pixels_per_mm: f64,
    grey: Vec<u8>,
}

/// The first pages, rendered by MuPDF.
pub(crate) fn render(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    dots_per_inch: u32,
    count: usize,
) -> Option<Vec<Picture>> {
    let file = folder.join(format!("{name}.pdf"));
    std::fs::write(&file, bytes).unwrap();
    let mut mutool = peers::tool("mutool")?;
    mutool.args([
        "draw",
        "-c",
        "gray",
        "-F",
        "pgm",
        "-r",
        &dots_per_inch.to_string(),
    ]);
    mutool.arg("-o").arg(folder.join(format!("{name}-%d.pgm")));
    run_ok(mutool.arg(&file).arg(format!("1-{count}"))).unwrap();
    let picture = |number| {
        let path = folder.join(format!("{name}-{number}.pgm"));
        let picture = Picture::read(&path, f64::from(dots_per_inch) / 25.4);
        std::fs::remove_file(path).unwrap();
        picture
    };
    Some((1..=count).map(picture).collect())
}

/// The first page, rendered by Poppler.
pub(crate) fn render_with_poppler(
    folder: &Path,
    name: &str,
    bytes: &[u8],
    dots_per_inch: u32,
) -> Option<Picture> {
    let file = folder.join(format!("{name}.pdf"));
    std::fs::write(&file, bytes).unwrap();
    let mut pdftoppm = peers::tool("pdftoppm")?;
    pdftoppm.args(["-gray", "-singlefile", "-r", &dots_per_inch.to_string()]);
    run_ok(pdftoppm.arg(&file).arg(folder.join(name))).unwrap();
    let picture = folder.join(format!("{name}.pgm"));
    Some(Picture::read(&picture, f64::from(dots_per_inch) / 25.4))
}

impl Picture {
    /// Reads a binary PGM.
    fn read(path: &Path, pixels_per_mm: f64) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let mut fields = Vec::new();
        let mut at = 0;
        while fields.len() < 4 {
            let length = bytes[at..]
                .iter()
                .position(u8::is_ascii_whitespace)
                .unwrap();
            fields.push(String::from_utf8_lossy(&bytes[at..at + length]).into_owned());
            at += length + 1;
        }
        assert_eq!(fields[0], "P5");
        Self {
            width: fields[1].parse().unwrap(),
            height: fields[2].parse().unwrap(),
            pixels_per_mm,
            grey: bytes[at..].to_vec(),
        }
    }

    pub(crate) fn cut(&self, x: usize, y: usize, width: usize, height: usize) -> Self {
        // A page of 297 mm may be rendered a pixel larger or smaller.
        let x = x.min(self.width - width);
        let y = y.min(self.height - height);
        let rows = (y..y + height).map(|row| &self.grey[row * self.width + x..][..width]);
        Self {
            width,
            height,
            grey: rows.flatten().copied().collect(),
            ..*self
        }
    }

    pub(crate) fn beside(parts: &[Self]) -> Self {
        let height = parts[0].height;
        let rows = (0..height).flat_map(|row| {
            parts
                .iter()
                .flat_map(move |part| &part.grey[row * part.width..][..part.width])
        });
        Self {
            width: parts.iter().map(|part| part.width).sum(),
            height,
            pixels_per_mm: parts[0].pixels_per_mm,
            grey: rows.copied().collect(),
        }
    }

    pub(crate) fn below(parts: &[Self]) -> Self {
        Self {
            width: parts[0].width,
            height: parts.iter().map(|part| part.height).sum(),
            pixels_per_mm: parts[0].pixels_per_mm,
            grey: parts.iter().flat_map(|part| part.grey.clone()).collect(),
        }
    }

    pub(crate) fn pixels(&self) -> usize {
        self.grey.len()
    }

    /// Pixels that are not paper.
    pub(crate) fn dark(&self) -> usize {
        self.grey.iter().filter(|grey| **grey < 200).count()
    }

    /// Pixels that differ by more than the smoothing of an edge.
    pub(crate) fn differing_pixels(&self, other: &Self) -> usize {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let pairs = self.grey.iter().zip(&other.grey);
        pairs
            .filter(|(one, other)| one.abs_diff(**other) > 100)
            .count()
    }

    /// The edges in millimetres of all that another picture of the page shows differently.
    pub(crate) fn changed(&self, other: &Self) -> [f64; 4] {
        assert_eq!((self.width, self.height), (other.width, other.height));
        let mut edges = [usize::MAX, usize::MAX, 0, 0];
        for (place, (one, other)) in self.grey.iter().zip(&other.grey).enumerate() {
            if one.abs_diff(*other) > 100 {
                let (x, y) = (place % self.width, place / self.width);
                let [left, top, right, bottom] = edges;
                edges = [left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1)];
            }
        }
        edges.map(|edge| edge as f64 / self.pixels_per_mm)
    }

    /// The edges in millimetres of what is filled in the grey of pure red, found as rows of `run_mm` to
    /// a quarter more at one stretch, as lines of tables are not; it must be `side_mm` wide.
    pub(crate) fn solid(&self, run_mm: f64, side_mm: f64) -> [f64; 4] {
        let red = |grey: u8| (60..145).contains(&grey);
        let run = (run_mm * self.pixels_per_mm) as usize;
        let mut edges = [usize::MAX, usize::MAX, 0, 0];
        for (y, row) in self.grey.chunks_exact(self.width).enumerate() {
            for stretch in row
                .iter()
                .enumerate()
                .collect::<Vec<_>>()
                .chunk_by(|one, other| red(*one.1) == red(*other.1))
                .filter(|stretch| {
                    red(*stretch[0].1) && (run..=run * 5 / 4).contains(&stretch.len())
                })
            {
                let [left, top, right, bottom] = edges;
                let (first, last) = (stretch[0].0, stretch[stretch.len() - 1].0);
                edges = [
                    left.min(first),
                    top.min(y),
                    right.max(last + 1),
                    bottom.max(y + 1),
                ];
            }
        }
        let edges = edges.map(|edge| edge as f64 / self.pixels_per_mm);
        assert!(edges[2] - edges[0] >= side_mm, "a red square: {edges:?}");
        edges
    }
}

/// Where MuPDF sees a word, in millimetres from the upper left corner of its page.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) start_mm: [f64; 2],
    /// The middle of the em boxes: along the line by their corners, across it 0.38 em from the
    /// baseline.
    pub(crate) middle_mm: [f64; 2],
}

/// A character of MuPDF's structured text.
struct Character {
    text: char,
    origin: [f64; 2],
    quad: Vec<f64>,
    size: f64,
}

/// Every occurrence of a word whose characters follow each other, page after page.
pub(crate) fn words(file: &Path, word: &str) -> Option<Vec<Seen>> {
    let mut mutool = peers::tool("mutool")?;
    let text = run_ok(mutool.args(["draw", "-F", "stext"]).arg(file))
        .unwrap()
        .stdout;
    let mut size = 0.0;
    let mut characters = Vec::new();
    for line in text.lines() {
        let attribute = |name: &str| {
            let start = line.find(&format!(" {name}=\""))? + name.len() + 3;
            line[start..].split('"').next()
        };
        if line.trim_start().starts_with("<font") {
            size = attribute("size").unwrap().parse().unwrap();
        }
        if !line.trim_start().starts_with("<char") {
            continue;
        }
        let number = |name: &str| attribute(name).unwrap().parse().unwrap();
        let written = attribute("c").unwrap();
        let entity = written
            .strip_prefix("&#x")
            .and_then(|digits| digits.strip_suffix(';'))
            .and_then(|digits| char::from_u32(u32::from_str_radix(digits, 16).ok()?));
        let quad = attribute("quad").unwrap().split(' ');
        characters.push(Character {
            text: match entity.or(written.chars().next()).unwrap_or(' ') {
                // Chromium's radicals for ideographs, as far as words here have them.
                '\u{2f49}' => '月',
                '\u{2f70}' => '示',
                '\u{2ea0}' => '民',
                other => other,
            },
            origin: [number("x"), number("y")],
            quad: quad.map(|number| number.parse().unwrap()).collect(),
            size,
        });
    }
    let wanted: Vec<char> = word.chars().collect();
    let seen = characters
        .windows(wanted.len())
        .filter(|window| {
            window
                .iter()
                .zip(&wanted)
                .all(|(one, wanted)| one.text == *wanted)
        })
        .map(|window| {
            let mm = |points: [f64; 2]| points.map(|points| points * 25.4 / 72.0);
            let (first, last) = (&window[0], &window[window.len() - 1]);
            // Upper left, upper right, lower left, lower right as the line runs.
            let along = [first.quad[2] - first.quad[0], first.quad[3] - first.quad[1]];
            let length = along[0].hypot(along[1]);
            let along = along.map(|part| part / length);
            let [x, y] = first.origin;
            let end = [last.quad[2] - x, last.quad[3] - y];
            let width = end[0] * along[0] + end[1] * along[1];
            // Up from the line, where y runs down.
            let up = [along[1], -along[0]];
            let half = [width / 2.0, 0.38 * first.size];
            Seen {
                start_mm: mm(first.origin),
                middle_mm: mm([
                    x + along[0] * half[0] + up[0] * half[1],
                    y + along[1] * half[0] + up[1] * half[1],
                ]),
            }
        });
    Some(seen.collect())
}

/// A round picture of noise with clear corners, as a PNG: a scan that compresses badly.
pub(crate) fn noisy_png(side: u32) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    let middle = f64::from(side) / 2.0;
    let mut pixels = Vec::new();
    for y in 0..side {
        for x in 0..side {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            let inside = (f64::from(x) - middle).hypot(f64::from(y) - middle) < middle - 2.0;
            let [noise, other, ..] = state.to_le_bytes();
            pixels.extend([
                200 + noise % 32,
                other % 32,
                other % 16,
                if inside { 255 } else { 0 },
            ]);
        }
    }
    rgba_png(side, &pixels)
}

/// A square PNG of these pixels.
pub(crate) fn rgba_png(side: u32, pixels: &[u8]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, side, side);
    encoder.set_color(png::ColorType::Rgba);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(pixels).unwrap();
    writer.finish().unwrap();
    file
}
