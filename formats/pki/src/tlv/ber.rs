//! BER's indefinite lengths and chunked strings, made definite and whole on a copy.

use std::borrow::Cow;

use super::{Header, Reader, TlvError, encode, tag};

/// How much [`normalise_ber`] works through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BerLimits {
    /// Length of the input in bytes. Longest real CMS in a PDF seen: about 60 KiB.
    pub bytes_max: usize,
    /// Elements within elements. A CMS with a time-stamp token inside goes about 25 deep.
    pub depth_max: usize,
}

impl Default for BerLimits {
    fn default() -> Self {
        Self {
            bytes_max: 1024 * 1024,
            depth_max: 64,
        }
    }
}

/// One element with every indefinite length made definite, and every constructed OCTET STRING
/// made primitive; borrowed when there is neither.
///
/// Elements in which nothing changes keep their bytes, so certificates and signed attributes come
/// through untouched unless they were indefinite themselves.
///
/// # Errors
/// [`TlvError::LimitExceeded`]; [`TlvError::TrailingBytes`] after the element; what headers can be
/// wrong in.
pub fn normalise_ber<'a>(bytes: &'a [u8], limits: &BerLimits) -> Result<Cow<'a, [u8]>, TlvError> {
    if bytes.len() > limits.bytes_max {
        return Err(TlvError::LimitExceeded {
            limit: "bytes_max",
            value: bytes.len(),
            max: limits.bytes_max,
        });
    }
    let mut walk = Walk {
        depth_max: limits.depth_max,
        changes: false,
    };
    let length = walk.measure(bytes, 0, 0)?;
    if let Some(count @ 1..) = bytes.len().checked_sub(length) {
        return Err(TlvError::TrailingBytes {
            field: "BER",
            offset: length,
            count,
        });
    }
    if !walk.changes {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    rewrite(bytes, &mut out)?;
    Ok(Cow::Owned(out))
}

/// The length in bytes of the first element, indefinite lengths included: what follows it in a
/// PDF's /Contents is padding.
///
/// # Errors
/// What headers can be wrong in; [`TlvError::LimitExceeded`] past the default depth.
pub fn der_length(bytes: &[u8]) -> Result<usize, TlvError> {
    let header = Header::read(bytes, 0)?;
    let Some(length) = header.content_length else {
        let mut walk = Walk {
            depth_max: BerLimits::default().depth_max,
            changes: false,
        };
        return walk.measure(bytes, 0, 0);
    };
    header
        .size
        .checked_add(length)
        .filter(|total| *total <= bytes.len())
        .ok_or(TlvError::Truncated { offset: 0 })
}

struct Walk {
    depth_max: usize,
    /// Whether anything was met that DER does not have.
    changes: bool,
}

impl Walk {
    /// The length of the element at the front of `bytes`, all its descendants checked.
    fn measure(&mut self, bytes: &[u8], offset: usize, depth: usize) -> Result<usize, TlvError> {
        if depth > self.depth_max {
            return Err(TlvError::LimitExceeded {
                limit: "depth_max",
                value: depth,
                max: self.depth_max,
            });
        }
        let truncated = TlvError::Truncated { offset };
        let header = Header::read(bytes, offset)?;
        let body = bytes.get(header.size..).ok_or(truncated)?;
        self.changes |=
            header.content_length.is_none() || header.tag == tag::OCTET_STRING_CONSTRUCTED;
        let start = offset + header.size;
        let Some(length) = header.content_length else {
            let mut at = 0;
            loop {
                let rest = body.get(at..).ok_or(truncated)?;
                if rest.starts_with(&[0, 0]) {
                    return Ok(header.size + at + 2);
                }
                at += self.measure(rest, start + at, depth + 1)?;
            }
        };
        let content = body.get(..length).ok_or(truncated)?;
        if header.tag & 0x20 != 0 {
            let mut at = 0;
            while at < length {
                let rest = content.get(at..).ok_or(truncated)?;
                at += self.measure(rest, start + at, depth + 1)?;
            }
        }
        Ok(header.size + length)
    }
}

/// Appends the element at the front of `bytes`, normalised, to `out`; returns what it took.
///
/// Only called after [`Walk::measure`] accepted the same bytes, which bounds the recursion.
fn rewrite(bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, TlvError> {
    let truncated = TlvError::Truncated { offset: 0 };
    let header = Header::read(bytes, 0)?;
    let mut body = bytes.get(header.size..).ok_or(truncated)?;
    if let Some(length) = header.content_length {
        body = body.get(..length).ok_or(truncated)?;
        if header.tag & 0x20 == 0 {
            let taken = header.size + length;
            out.extend_from_slice(bytes.get(..taken).ok_or(truncated)?);
            return Ok(taken);
        }
    }
    let mut content = Vec::new();
    let mut at = 0;
    loop {
        let rest = body.get(at..).ok_or(truncated)?;
        if rest.is_empty() || (header.content_length.is_none() && rest.starts_with(&[0, 0])) {
            break;
        }
        at += rewrite(rest, &mut content)?;
    }
    match header.content_length {
        Some(length) => {
            let taken = header.size + length;
            if content == body && header.tag != tag::OCTET_STRING_CONSTRUCTED {
                out.extend_from_slice(bytes.get(..taken).ok_or(truncated)?);
            } else {
                push_constructed(header.tag, &content, out)?;
            }
            Ok(taken)
        }
        None => {
            push_constructed(header.tag, &content, out)?;
            Ok(header.size + at + 2)
        }
    }
}

fn push_constructed(element_tag: u8, content: &[u8], out: &mut Vec<u8>) -> Result<(), TlvError> {
    if element_tag != tag::OCTET_STRING_CONSTRUCTED {
        out.extend_from_slice(&encode(element_tag, content));
        return Ok(());
    }
    // X.690, 8.7.3: the value is the segments' contents, one after another. Segments that were
    // constructed themselves are primitive by now.
    let mut joined = Vec::with_capacity(content.len());
    let mut segments = Reader::new(content);
    while !segments.is_empty() {
        let segment = segments.expect(tag::OCTET_STRING, "OCTET STRING segment")?;
        joined.extend_from_slice(segment.content);
    }
    out.extend_from_slice(&encode(tag::OCTET_STRING, &joined));
    Ok(())
}
