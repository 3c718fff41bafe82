//! Decoding of stream data within a budget (ISO 32000-2, 7.4).

mod ascii;
mod lzw;
mod predictor;

use flate2::{Decompress, FlushDecompress, Status};

use crate::error::PdfError;
use crate::lexer::is_whitespace;
pub(crate) use predictor::Predictor;

/// One filter with the parameters that matter to it.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    Flate(Predictor),
    Lzw {
        predictor: Predictor,
        early_change: bool,
    },
    AsciiHex,
    Ascii85,
    RunLength,
}

impl Filter {
    fn name(&self) -> &'static str {
        match self {
            Filter::Flate(_) => "FlateDecode",
            Filter::Lzw { .. } => "LZWDecode",
            Filter::AsciiHex => "ASCIIHexDecode",
            Filter::Ascii85 => "ASCII85Decode",
            Filter::RunLength => "RunLengthDecode",
        }
    }
}

/// What a decoder reports; the caller knows the place and the filter.
pub(crate) enum Fault {
    /// The output would be longer than the room.
    TooLong,
    Broken(&'static str),
}

/// Output with a fixed room, so that no bomb grows past it.
pub(crate) struct Sink {
    bytes: Vec<u8>,
    room: usize,
}

impl Sink {
    fn new(room: usize) -> Self {
        Sink {
            bytes: Vec::new(),
            room,
        }
    }

    fn push(&mut self, byte: u8) -> Result<(), Fault> {
        self.extend(&[byte])
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if bytes.len() > self.room - self.bytes.len() {
            return Err(Fault::TooLong);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }
}

/// Decodes `data` (at `offset` of the file) through `filters`; no stage may give more than `room`
/// bytes. `limit` is the name of the limit the room comes from, `spent` receives the bytes made
/// by all stages, also when one fails.
pub(crate) fn decode(
    data: &[u8],
    filters: &[Filter],
    offset: usize,
    room: usize,
    limit: &'static str,
    spent: &mut usize,
) -> Result<Vec<u8>, PdfError> {
    let mut current: Option<Vec<u8>> = None;
    for filter in filters {
        let input = current.as_deref().unwrap_or(data);
        let mut sink = Sink::new(room);
        let result = stage(input, filter, &mut sink);
        *spent = spent.saturating_add(sink.bytes.len());
        match result {
            Ok(()) => current = Some(sink.bytes),
            Err(Fault::TooLong) => {
                let max = room as u64;
                return Err(PdfError::LimitExceeded {
                    limit,
                    value: max.saturating_add(1),
                    max,
                });
            }
            Err(Fault::Broken(problem)) => {
                return Err(PdfError::FilterBroken {
                    offset,
                    filter: filter.name(),
                    problem,
                });
            }
        }
    }
    match current {
        Some(bytes) => Ok(bytes),
        None if data.len() > room => Err(PdfError::LimitExceeded {
            limit,
            value: data.len() as u64,
            max: room as u64,
        }),
        None => {
            *spent = spent.saturating_add(data.len());
            Ok(data.to_vec())
        }
    }
}

fn stage(input: &[u8], filter: &Filter, sink: &mut Sink) -> Result<(), Fault> {
    match filter {
        Filter::Flate(predictor) => {
            inflate(input, sink)?;
            predictor.undo(&mut sink.bytes)
        }
        Filter::Lzw {
            predictor,
            early_change,
        } => {
            lzw::decode(input, *early_change, sink)?;
            predictor.undo(&mut sink.bytes)
        }
        Filter::AsciiHex => ascii::hexadecimal(input, sink),
        Filter::Ascii85 => ascii::base85(input, sink),
        Filter::RunLength => ascii::run_length(input, sink),
    }
}

/// 7.4.4: a whole zlib stream with a right checksum. Producers that count the end-of-line marker
/// into `/Length` leave white space behind it; anything else behind it is refused.
fn inflate(input: &[u8], sink: &mut Sink) -> Result<(), Fault> {
    let mut inflater = Decompress::new(true);
    let mut chunk = vec![0; 32 * 1024];
    let mut rest = input;
    loop {
        let (read_before, made_before) = (inflater.total_in(), inflater.total_out());
        let status = inflater
            .decompress(rest, &mut chunk, FlushDecompress::None)
            .map_err(|_| Fault::Broken("not zlib data"))?;
        let read = (inflater.total_in() - read_before) as usize;
        let made = (inflater.total_out() - made_before) as usize;
        rest = rest.get(read..).unwrap_or_default();
        sink.extend(chunk.get(..made).unwrap_or_default())?;
        match status {
            Status::StreamEnd if rest.iter().copied().all(is_whitespace) => return Ok(()),
            Status::StreamEnd => return Err(Fault::Broken("bytes behind the end of the data")),
            Status::Ok | Status::BufError if read == 0 && made == 0 => {
                return Err(Fault::Broken("the data are cut off"));
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(data: &[u8], filter: Filter) -> Result<Vec<u8>, PdfError> {
        decode(data, &[filter], 0, 1000, "stream_bytes_max", &mut 0)
    }

    /// The example of ISO 32000-2, 7.4.4.2.
    #[test]
    fn the_lzw_example_of_the_standard_is_decoded() {
        let filter = Filter::Lzw {
            predictor: Predictor::NONE,
            early_change: true,
        };
        let data = [0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01];
        assert_eq!(
            decoded(&data, filter),
            Ok(vec![45, 45, 45, 45, 45, 65, 45, 45, 45, 66])
        );
    }

    #[test]
    fn ascii_and_run_length_data_are_decoded() {
        for (what, data, filter, expected) in [
            (
                "hexadecimal",
                &b"70 6F7>"[..],
                Filter::AsciiHex,
                Some(&b"pop"[..]),
            ),
            ("no end", b"70", Filter::AsciiHex, None),
            (
                "base 85",
                b"9jqo^ BlbD-z 7K~>",
                Filter::Ascii85,
                Some(b"Man is d\0\0\0\0F"),
            ),
            ("one digit", b"9jqo^9~>", Filter::Ascii85, None),
            ("above 2^32", b"uuuuu~>", Filter::Ascii85, None),
            ("z inside", b"9jzo^~>", Filter::Ascii85, None),
            (
                "runs",
                b"\x02abc\xfed\x80",
                Filter::RunLength,
                Some(b"abcddd"),
            ),
            ("cut runs", b"\x05abc", Filter::RunLength, None),
        ] {
            assert_eq!(decoded(data, filter).ok().as_deref(), expected, "{what}");
        }
    }

    #[test]
    fn every_png_predictor_gives_the_row_back() {
        let parameters = Predictor {
            predictor: 15,
            colors: 3,
            bits_per_component: 8,
            columns: 2,
        };
        let rows: [[u8; 6]; 5] = [
            [1, 2, 3, 4, 5, 6],
            [9, 9, 9, 1, 1, 1],
            [0, 255, 7, 3, 3, 3],
            [8, 1, 8, 1, 8, 1],
            [5; 6],
        ];
        let mut data = Vec::new();
        let mut above = [0_u8; 6];
        for (kind, row) in rows.iter().enumerate() {
            data.push(kind as u8);
            for at in 0..6 {
                let (left, corner) = if at < 3 {
                    (0, 0)
                } else {
                    (row[at - 3], above[at - 3])
                };
                let up = above[at];
                let (a, b, c) = (i32::from(left), i32::from(up), i32::from(corner));
                let estimate = a + b - c;
                let paeth = [(a, left), (b, up), (c, corner)]
                    .into_iter()
                    .min_by_key(|(value, _)| (estimate - value).abs())
                    .map_or(0, |(_, byte)| byte);
                let average = u8::midpoint(left, up);
                let predicted = [0, left, up, average, paeth][kind];
                data.push(row[at].wrapping_sub(predicted));
            }
            above = *row;
        }
        let mut plain = data;
        assert!(parameters.undo(&mut plain).is_ok());
        assert_eq!(plain, rows.concat());
    }

    #[test]
    fn flate_data_end_where_they_say() {
        use std::io::Write as _;
        let mut encoder =
            flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder
            .write_all(b"some data")
            .expect("a vector takes everything");
        let whole = encoder.finish().expect("a vector takes everything");
        let with = |tail: &[u8]| [&whole, tail].concat();
        let flate = || Filter::Flate(Predictor::NONE);
        assert_eq!(decoded(&whole, flate()), Ok(b"some data".to_vec()));
        assert_eq!(decoded(&with(b"\r\n"), flate()), Ok(b"some data".to_vec()));
        assert!(decoded(&with(b"x"), flate()).is_err());
        assert!(decoded(&whole[..whole.len() - 1], flate()).is_err());
        assert!(decoded(b"", flate()).is_err());
    }
}
