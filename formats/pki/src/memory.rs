//! Objects read before, found again by all of their bytes.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// What a certificate or seal ends in is its signature, which no two share.
const MARK_BYTES: usize = 16;

/// A bounded memory of objects, each found by exactly the bytes it was read from.
///
/// An answer is what reading would give: every byte is compared, none is hashed. When there is no
/// room, the object that was asked for the longest time ago goes. `T` is cheap to clone, such as an
/// `Arc`, and clones share what they remember themselves.
pub struct Memory<T> {
    objects_max: usize,
    bytes_max: usize,
    bytes_of: fn(&T) -> &[u8],
    kept: Mutex<Kept<T>>,
}

struct Kept<T> {
    objects: Vec<Remembered<T>>,
    /// Counts the questions.
    now: u64,
}

struct Remembered<T> {
    mark: Mark,
    used: u64,
    object: T,
}

/// Tells apart all that is honest, so that one object is compared for a question. Of objects with
/// one mark the newest stays.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark {
    length: usize,
    end: [u8; MARK_BYTES],
}

impl<T: Clone> Memory<T> {
    /// A memory of at most `objects_max` objects of at most `bytes_max` bytes each. `bytes_of` gives
    /// the bytes an object was read from.
    #[must_use]
    pub const fn new(objects_max: usize, bytes_max: usize, bytes_of: fn(&T) -> &[u8]) -> Self {
        Self {
            objects_max,
            bytes_max,
            bytes_of,
            kept: Mutex::new(Kept {
                objects: Vec::new(),
                now: 0,
            }),
        }
    }

    /// The object of these bytes; `read` reads it if it is not remembered.
    ///
    /// # Errors
    /// Those of `read`, which are not remembered.
    pub fn recall<E>(
        &self,
        bytes: &[u8],
        read: impl FnOnce(&[u8]) -> Result<T, E>,
    ) -> Result<T, E> {
        let Some(mark) = Mark::of(bytes).filter(|_| bytes.len() <= self.bytes_max) else {
            return read(bytes);
        };
        if let Some(object) = self.find(&mark, bytes) {
            return Ok(object);
        }
        let object = read(bytes)?;
        self.keep(mark, object.clone());
        Ok(object)
    }

    /// Forgets everything.
    pub fn forget(&self) {
        self.kept().objects.clear();
    }

    fn find(&self, mark: &Mark, bytes: &[u8]) -> Option<T> {
        let mut kept = self.kept();
        kept.now += 1;
        let now = kept.now;
        let found = kept
            .objects
            .iter_mut()
            .find(|found| found.mark == *mark)
            .filter(|found| (self.bytes_of)(&found.object) == bytes)?;
        found.used = now;
        Some(found.object.clone())
    }

    fn keep(&self, mark: Mark, object: T) {
        let mut kept = self.kept();
        let used = kept.now;
        let remembered = Remembered { mark, used, object };
        let is_full = kept.objects.len() >= self.objects_max;
        let place = kept
            .objects
            .iter_mut()
            .min_by_key(|found| (found.mark != mark, found.used))
            .filter(|found| is_full || found.mark == mark);
        match place {
            Some(place) => *place = remembered,
            None => kept.objects.push(remembered),
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept<T>> {
        // Nothing panics while it holds the lock; what was kept is whole at every moment.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Mark {
    /// None for objects shorter than any that is signed.
    fn of(bytes: &[u8]) -> Option<Self> {
        bytes.last_chunk().map(|end| Self {
            length: bytes.len(),
            end: *end,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::sync::Arc;

    use super::*;

    fn memory() -> Memory<Arc<Vec<u8>>> {
        Memory::new(3, 100, |object| object)
    }

    /// Whether it was read anew.
    fn is_read(memory: &Memory<Arc<Vec<u8>>>, bytes: &[u8]) -> bool {
        let read = Cell::new(false);
        let object = memory.recall(bytes, |bytes| {
            read.set(true);
            Ok::<_, ()>(Arc::new(bytes.to_vec()))
        });
        assert_eq!(object.map(|object| object.to_vec()), Ok(bytes.to_vec()));
        read.get()
    }

    fn object(first: u8, last: u8) -> Vec<u8> {
        let mut bytes = vec![first; 40];
        bytes.extend([last; 20]);
        bytes
    }

    #[test]
    fn what_was_read_is_not_read_again() {
        let memory = memory();
        assert!(is_read(&memory, &object(1, 1)));
        assert!(!is_read(&memory, &object(1, 1)));
        memory.forget();
        assert!(is_read(&memory, &object(1, 1)));
    }

    #[test]
    fn bytes_that_differ_anywhere_are_another_object() {
        let memory = memory();
        let honest = object(1, 2);
        is_read(&memory, &honest);
        for place in 0..honest.len() {
            let mut other = honest.clone();
            other[place] ^= 1;
            assert!(is_read(&memory, &other), "{place}");
        }
        for other in [
            &honest[1..],
            &honest[..59],
            &[honest.as_slice(), &[1]].concat(),
        ] {
            assert!(is_read(&memory, other), "{} bytes", other.len());
        }
    }

    #[test]
    fn what_was_asked_for_longest_ago_makes_room() {
        let memory = memory();
        for last in [1, 2, 3, 1, 4] {
            is_read(&memory, &object(0, last));
        }
        for (last, expected) in [(1, false), (3, false), (4, false), (2, true)] {
            assert_eq!(is_read(&memory, &object(0, last)), expected, "{last}");
        }
        assert_eq!(memory.kept().objects.len(), 3);
    }

    #[test]
    fn objects_of_one_mark_take_one_place() {
        let memory = memory();
        is_read(&memory, &object(0, 9));
        for first in 0..50 {
            is_read(&memory, &object(first, 1));
        }
        assert!(!is_read(&memory, &object(0, 9)));
        assert!(!is_read(&memory, &object(49, 1)));
        assert!(is_read(&memory, &object(48, 1)));
    }

    #[test]
    fn short_and_long_objects_and_failures_are_not_kept() {
        let memory = memory();
        for bytes in [vec![1; 15], vec![1; 101]] {
            assert!(is_read(&memory, &bytes));
            assert!(is_read(&memory, &bytes));
        }
        assert_eq!(memory.recall(&object(5, 5), |_| Err("no")), Err("no"));
        assert!(is_read(&memory, &object(5, 5)));
    }
}
