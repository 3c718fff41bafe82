//! Objects in an object stream (ISO 32000-2, 7.5.7).

use std::sync::Arc;

use crate::error::PdfError;
use crate::lexer::Lexer;
use crate::limits::{Limits, check};
use crate::object::{Dictionary, ObjectId, Value};
use crate::parser::Parser;
use crate::references::{Visit, Walk};

/// A decoded object stream and the places of its objects.
#[derive(Debug)]
pub(crate) struct ObjectStream {
    pub(crate) id: ObjectId,
    /// The number of its indirect `/Length`.
    pub(crate) length_number: Option<u32>,
    pub(crate) data: Arc<Vec<u8>>,
    /// Number and offset in `data` of each object, offsets rising.
    places: Vec<(u32, usize)>,
}

impl ObjectStream {
    /// Reads the header of `/N` pairs in front of `/First`.
    pub(crate) fn read(
        id: ObjectId,
        length_number: Option<u32>,
        dictionary: &Dictionary,
        data: Vec<u8>,
        limits: &Limits,
    ) -> Result<Self, PdfError> {
        let broken = |problem| PdfError::ObjectStreamBroken {
            container: id,
            problem,
        };
        let count = |key: &[u8]| {
            let value = dictionary.get(key).and_then(Value::as_integer);
            value.and_then(|value| usize::try_from(value).ok())
        };
        let number = count(b"N").ok_or(broken("/N is not a direct count"))?;
        let first = count(b"First")
            .filter(|first| *first <= data.len())
            .ok_or(broken("/First is not an offset in it"))?;
        check("objects_max", number as u64, limits.objects_max as u64)?;
        // Two numbers and two separators are at least four bytes; so this bounds `places`.
        if number > first {
            return Err(broken("/N is more than fits in front of /First"));
        }
        let mut lexer = Lexer::new(data.get(..first).unwrap_or_default(), 0);
        let mut places: Vec<(u32, usize)> = Vec::with_capacity(number);
        let mut pair_member = || {
            lexer.skip_blank();
            lexer.digits()
        };
        for _ in 0..number {
            let object_number = pair_member().and_then(|number| u32::try_from(number).ok());
            let offset = pair_member()
                .and_then(|offset| usize::try_from(offset).ok())
                .and_then(|offset| offset.checked_add(first));
            let (Some(object_number), Some(offset)) = (object_number, offset) else {
                return Err(broken("its header is not /N pairs of numbers"));
            };
            if places.last().is_some_and(|(_, before)| *before >= offset) || offset > data.len() {
                return Err(broken("its offsets do not rise or leave it"));
            }
            places.push((object_number, offset));
        }
        Ok(ObjectStream {
            id,
            length_number,
            data: Arc::new(data),
            places,
        })
    }

    /// The value at `index`, which must be that of object `id` and end before the next one.
    pub(crate) fn value(
        &self,
        id: ObjectId,
        index: u32,
        limits: &Limits,
        read_bytes: &mut u64,
    ) -> Result<Value, PdfError> {
        let (readable, offset) = self.readable(id, index)?;
        let mut parser = Parser::new(readable, offset, limits);
        let value = parser.value();
        *read_bytes += parser.read_bytes();
        let value = value.map_err(|source| self.inside(source))?;
        parser.lexer.skip_blank();
        if parser.lexer.peek().is_some() {
            return Err(self.broken("more than one value stands at an object's place"));
        }
        Ok(value)
    }

    /// Visits the references of the object at `index`.
    pub(crate) fn references(
        &self,
        id: ObjectId,
        index: u32,
        limits: &Limits,
        read_bytes: &mut u64,
        visit: &mut Visit<'_>,
    ) -> Result<(), PdfError> {
        let (readable, offset) = self.readable(id, index)?;
        let mut walk = Walk::new(readable, offset, limits);
        let visited = walk.visit(visit);
        *read_bytes += walk.read_bytes();
        visited.map_err(|source| self.inside(source))
    }

    /// The data up to where the next object begins, and the object's place in them.
    fn readable(&self, id: ObjectId, index: u32) -> Result<(&[u8], usize), PdfError> {
        let index = index as usize;
        let Some((number, offset)) = self.places.get(index).copied() else {
            return Err(self.broken("the cross reference names an index it does not have"));
        };
        if number != id.number {
            return Err(self.broken("another object stands at the index the cross reference names"));
        }
        let end = self
            .places
            .get(index + 1)
            .map_or(self.data.len(), |(_, next)| *next);
        let readable = self.data.get(..end).unwrap_or_default();
        Ok((readable, offset))
    }

    fn broken(&self, problem: &'static str) -> PdfError {
        PdfError::ObjectStreamBroken {
            container: self.id,
            problem,
        }
    }

    fn inside(&self, source: PdfError) -> PdfError {
        PdfError::InObjectStream {
            container: self.id,
            source: Box::new(source),
        }
    }
}
