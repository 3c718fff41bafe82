//! From a cross-reference entry to the object: in the file or in an object stream.

use std::sync::Arc;

use crate::document::Document;
use crate::error::PdfError;
use crate::object::{Dictionary, Kind, Object, ObjectId, ObjectSource, Raw, Value};
use crate::object_stream::ObjectStream;
use crate::parser::{Body, Frame, object_frame, object_header, stream_end};
use crate::references::{Visit, Walk};
use crate::xref::XrefEntry;

impl<'a> Document<'a> {
    /// Reads the object at `offset`, which revision `at` named; `view` is the newest revision to
    /// be looked at for an indirect `/Length`.
    pub(crate) fn object_in_file(
        &self,
        id: ObjectId,
        offset: usize,
        at: usize,
        view: usize,
    ) -> Result<Object<'a>, PdfError> {
        let readable = self.readable(at)?;
        let frame = self.frame(id, offset, readable)?;
        let (value, end) = match (frame.body, frame.value.kind) {
            (Body::Plain { end }, kind) => (
                Value {
                    span: frame.value.span,
                    kind,
                },
                end,
            ),
            (Body::Stream { start }, Kind::Dictionary(dictionary)) => {
                let length = self.stream_length(&dictionary, start, at, view)?;
                let (data, end) = stream_end(readable, start, length)?;
                self.charge((end - data.end) as u64)?;
                let span = frame.value.span.start..data.end;
                (
                    Value {
                        span,
                        kind: Kind::Stream { dictionary, data },
                    },
                    end,
                )
            }
            (Body::Stream { start }, _) => {
                return Err(PdfError::Syntax {
                    offset: start,
                    problem: "a stream without a dictionary",
                });
            }
        };
        Ok(Object {
            id,
            value,
            source: ObjectSource::File { span: offset..end },
            revision_index: at,
            view_index: view,
            raw: Raw::File(self.bytes()),
        })
    }

    /// The file as revision `at` knew it: its objects end before it does.
    fn readable(&self, at: usize) -> Result<&'a [u8], PdfError> {
        let end = self.revision(at)?.end;
        Ok(self.bytes().get(..end).unwrap_or(self.bytes()))
    }

    /// Visits the references of the object at `offset`, which revision `at` named.
    pub(crate) fn references_in_file(
        &self,
        id: ObjectId,
        offset: usize,
        at: usize,
        visit: &mut Visit<'_>,
    ) -> Result<(), PdfError> {
        let readable = self.readable(at)?;
        let body = body(id, offset, readable)?;
        let mut walk = Walk::new(readable, body, &self.limits);
        let visited = walk.visit(visit);
        self.charge((body - offset) as u64 + walk.read_bytes())?;
        visited
    }

    fn frame(&self, id: ObjectId, offset: usize, readable: &[u8]) -> Result<Frame, PdfError> {
        let body = body(id, offset, readable)?;
        let mut read_bytes = (body - offset) as u64;
        let frame = object_frame(readable, body, &self.limits, &mut read_bytes);
        self.charge(read_bytes)?;
        frame
    }

    /// `/Length` of a stream whose object revision `at` has written (7.3.8.2).
    fn stream_length(
        &self,
        dictionary: &Dictionary,
        start: usize,
        at: usize,
        view: usize,
    ) -> Result<u64, PdfError> {
        let wrong = |problem| PdfError::StreamLength {
            offset: start,
            problem,
        };
        let value = dictionary
            .get(b"Length")
            .ok_or(wrong("/Length is missing"))?;
        let length = match value.as_reference() {
            None => value.as_integer(),
            Some(id) => self.integer(id, start, at, view)?,
        };
        length
            .and_then(|length| u64::try_from(length).ok())
            .ok_or(wrong("/Length is not a count"))
    }

    /// The integer object that an indirect `/Length` names. It must not be newer than the stream:
    /// else an update could change where old data end.
    fn integer(
        &self,
        id: ObjectId,
        start: usize,
        stream_at: usize,
        view: usize,
    ) -> Result<Option<i64>, PdfError> {
        let wrong = |problem| PdfError::StreamLength {
            offset: start,
            problem,
        };
        match self.entry_at(id.number, view) {
            Some((at, _)) if at > stream_at => {
                Err(wrong("the object of /Length is newer than the stream"))
            }
            Some((at, XrefEntry::InFile { offset, generation })) if generation == id.generation => {
                let readable = self.readable(at)?;
                let frame = self.frame(id, offset, readable)?;
                // Of a stream this frame is only the dictionary: no integer, and no recursion.
                Ok(frame.value.as_integer())
            }
            Some((at, XrefEntry::InStream { container, index })) if id.generation == 0 => {
                let stream = self.object_stream(container, at, view)?;
                let object = self.object_in_stream(id, &stream, index, at, view)?;
                Ok(object.value.as_integer())
            }
            _ => Err(wrong("the object of /Length does not exist")),
        }
    }

    /// The object stream that an entry of revision `entry_at` names, decoded.
    pub(crate) fn object_stream(
        &self,
        container: u32,
        entry_at: usize,
        view: usize,
    ) -> Result<Arc<ObjectStream>, PdfError> {
        let id = ObjectId::new(container, 0);
        let broken = |problem| PdfError::ObjectStreamBroken {
            container: id,
            problem,
        };
        let Some((
            at,
            XrefEntry::InFile {
                offset,
                generation: 0,
            },
        )) = self.entry_at(container, view)
        else {
            return Err(broken("it does not stand in the file under generation 0"));
        };
        if at > entry_at {
            return Err(broken("it is newer than the entry that names it"));
        }
        let known = self.state().object_streams.get(&offset).cloned();
        if let Some(stream) = known {
            if stream.id != id {
                return Err(PdfError::ObjectMismatch { asked: id, offset });
            }
            return match stream
                .length_number
                .and_then(|number| self.entry_at(number, view))
            {
                Some((length_at, _)) if length_at > at => {
                    Err(broken("the object of its /Length is newer"))
                }
                _ => Ok(stream),
            };
        }
        // An indirect /Length of an object stream must itself stand in the file (7.5.7), so that
        // this cannot recurse.
        let readable = self.readable(at)?;
        let frame = self.frame(id, offset, readable)?;
        let length_number = frame
            .value
            .as_dictionary()
            .and_then(|dictionary| dictionary.get(b"Length")?.as_reference())
            .map(|length| length.number);
        if let Some(number) = length_number
            && matches!(
                self.entry_at(number, view),
                Some((_, XrefEntry::InStream { .. }))
            )
        {
            return Err(broken("its /Length stands in an object stream"));
        }
        let object = self.object_in_file(id, offset, at, view)?;
        let Some(dictionary) = object.dictionary().filter(|dictionary| {
            object.value.is_stream() && dictionary.has_name(b"Type", b"ObjStm")
        }) else {
            return Err(broken("it is not a stream of /Type /ObjStm"));
        };
        let data = self.stream_data(&object)?;
        let stream = Arc::new(ObjectStream::read(
            id,
            length_number,
            dictionary,
            data,
            &self.limits,
        )?);
        self.state()
            .object_streams
            .insert(offset, Arc::clone(&stream));
        Ok(stream)
    }

    pub(crate) fn object_in_stream(
        &self,
        id: ObjectId,
        stream: &ObjectStream,
        index: u32,
        at: usize,
        view: usize,
    ) -> Result<Object<'a>, PdfError> {
        let mut read_bytes = 0;
        let value = stream.value(id, index, &self.limits, &mut read_bytes);
        self.charge(read_bytes)?;
        Ok(Object {
            id,
            value: value?,
            source: ObjectSource::ObjectStream {
                container: stream.id,
                index,
            },
            revision_index: at,
            view_index: view,
            raw: Raw::Decoded(Arc::clone(&stream.data)),
        })
    }
}

/// Where the body of object `id` begins, whose header must stand at `offset`.
fn body(id: ObjectId, offset: usize, readable: &[u8]) -> Result<usize, PdfError> {
    let end = readable.len();
    if offset == 0 || offset >= end {
        return Err(PdfError::ObjectOffset { id, offset, end });
    }
    match object_header(readable, offset, Some(id)) {
        Some((_, body)) => Ok(body),
        None => Err(PdfError::ObjectMismatch { asked: id, offset }),
    }
}
