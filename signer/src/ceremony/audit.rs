//! The audit chain: one JSON object a line, each with the digest of the line before.
//!
//! ```text
//! {"sequence":1,"at":"2026-11-22T08:00:00Z","operator":"li","action":"generate","key":"village",
//!  "stage":"begun","facts":{…},"previous":"0000…"}
//! ```
//! Nobody can change, drop or move a line without breaking every digest after it; the last digest,
//! on the signed paper of a ceremony, fixes all that came before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::fingerprint;

/// Where an action stands. What begins and never ends was interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Written before anything is done.
    Begun,
    /// It was done.
    Done,
    /// It was not done, or not wholly.
    Failed,
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// From 1, without gaps.
    pub sequence: u64,
    /// When, RFC 3339.
    pub at: String,
    /// Who typed.
    pub operator: String,
    /// The command.
    pub action: String,
    /// The key's name.
    pub key: String,
    /// Begun, done, failed.
    pub stage: Stage,
    /// What is worth knowing; never anything secret.
    pub facts: BTreeMap<String, String>,
    /// SHA-256 of the line before, without its line end; zeros in the first.
    pub previous: String,
}

/// What the next line stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The last line's number; 0 for an empty chain.
    pub sequence: u64,
    /// The last line's digest.
    pub digest: String,
}

impl Default for Head {
    fn default() -> Self {
        Self {
            sequence: 0,
            digest: "0".repeat(64),
        }
    }
}

/// Why a chain is not whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBroken {
    /// A line that is no entry.
    #[error("line {line} of the audit is not an entry: {detail}")]
    Line {
        /// From 1.
        line: usize,
        /// The reader's words.
        detail: String,
    },
    /// A line in another's place, or one missing.
    #[error("line {line} of the audit has the number {found}")]
    Sequence {
        /// From 1.
        line: usize,
        /// Its number.
        found: u64,
    },
    /// A line before it was changed.
    #[error("line {line} of the audit does not continue the one before: something was changed")]
    Digest {
        /// From 1.
        line: usize,
    },
    /// The last line has no end: writing was interrupted.
    #[error("the last line of the audit is cut off; the machine stopped while writing it")]
    CutOff,
}

/// What an action writes.
#[derive(Clone, Debug, Default)]
pub struct Note {
    /// When, RFC 3339.
    pub at: String,
    /// Who typed.
    pub operator: String,
    /// The command.
    pub action: String,
    /// The key's name.
    pub key: String,
    /// What is worth knowing.
    pub facts: BTreeMap<String, String>,
}

impl Head {
    /// The next line, with its end, and the head after it.
    #[must_use]
    pub fn next(&self, note: &Note, stage: Stage) -> (String, Self) {
        let entry = Entry {
            sequence: self.sequence + 1,
            at: note.at.clone(),
            operator: note.operator.clone(),
            action: note.action.clone(),
            key: note.key.clone(),
            stage,
            facts: note.facts.clone(),
            previous: self.digest.clone(),
        };
        let mut line = serde_json::to_string(&entry).expect("an entry is plain text");
        let head = Self {
            sequence: entry.sequence,
            digest: fingerprint(line.as_bytes()),
        };
        line.push('\n');
        (line, head)
    }
}

/// Reads a whole chain and checks every link.
///
/// # Errors
/// [`ChainBroken`] with the first line that does not fit.
pub fn read_chain(text: &str) -> Result<(Vec<Entry>, Head), ChainBroken> {
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(ChainBroken::CutOff);
    }
    let mut head = Head::default();
    let mut entries = Vec::new();
    for (line, content) in (1..).zip(text.lines()) {
        let entry: Entry = serde_json::from_str(content).map_err(|error| ChainBroken::Line {
            line,
            detail: error.to_string(),
        })?;
        if entry.sequence != head.sequence + 1 {
            let found = entry.sequence;
            return Err(ChainBroken::Sequence { line, found });
        }
        if entry.previous != head.digest {
            return Err(ChainBroken::Digest { line });
        }
        head = Head {
            sequence: entry.sequence,
            digest: fingerprint(content.as_bytes()),
        };
        entries.push(entry);
    }
    Ok((entries, head))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "a test may fail loudly")]
    use super::*;

    fn chain() -> Vec<String> {
        let mut head = Head::default();
        ["one", "two", "three"]
            .map(|key| {
                let note = Note {
                    key: key.to_owned(),
                    ..Note::default()
                };
                let (line, next) = head.next(&note, Stage::Done);
                head = next;
                line
            })
            .to_vec()
    }

    #[test]
    fn a_line_changed_dropped_moved_or_cut_breaks_the_chain() {
        let good = chain();
        let (entries, head) = read_chain(&good.concat()).expect("the chain is whole");
        assert_eq!((entries.len(), head.sequence), (3, 3));
        assert_eq!(read_chain("").map(|(_, head)| head), Ok(Head::default()));

        let changed = [&good[0].replace("one", "eno"), &good[1], &good[2]];
        let cases = [
            ("changed", changed.map(String::as_str).concat()),
            ("dropped", format!("{}{}", good[0], good[2])),
            ("moved", format!("{}{}{}", good[1], good[0], good[2])),
            ("cut off", good.concat().trim_end().to_owned()),
            ("no entry", format!("{}hello\n", good[0])),
        ];
        for (what, text) in cases {
            assert!(read_chain(&text).is_err(), "{what}");
        }
    }
}
