//! Where passphrases and PINs come from.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::Deserialize;
use zeroize::Zeroizing;

use crate::KeysError;
use crate::error::file_error;

/// The shortest passphrase that a new key file is written under.
const PASSPHRASE_CHARACTERS_MIN: usize = 12;

/// Where a passphrase or PIN comes from: `prompt`, `file:PATH` or `env:NAME`. Never itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum SecretSource {
    /// The person at the terminal.
    #[default]
    Prompt,
    /// A file; one line end at its end is not part of it.
    File(PathBuf),
    /// An environment variable.
    Environment(String),
}

impl FromStr for SecretSource {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once(':') {
            None if text == "prompt" => Ok(Self::Prompt),
            Some(("file", path)) if !path.is_empty() => Ok(Self::File(path.into())),
            Some(("env", name)) if !name.is_empty() => Ok(Self::Environment(name.to_owned())),
            // What stands here may be the secret itself, so it is not repeated.
            _ => Err("must be prompt, file:PATH or env:NAME".to_owned()),
        }
    }
}

impl TryFrom<String> for SecretSource {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for SecretSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Prompt => formatter.write_str("prompt"),
            Self::File(path) => write!(formatter, "file:{}", path.display()),
            Self::Environment(name) => write!(formatter, "env:{name}"),
        }
    }
}

impl SecretSource {
    /// The secret; `what` tells the person which one is asked for.
    ///
    /// # Errors
    /// [`KeysError::Secret`], [`KeysError::File`].
    pub(crate) fn read(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let cannot = |detail: String| KeysError::Secret {
            from: self.to_string(),
            detail,
        };
        let secret = match self {
            Self::Prompt => rpassword::prompt_password(format!("{what}: "))
                .map(|text| Zeroizing::new(text.into_bytes()))
                .map_err(|error| cannot(error.to_string()))?,
            Self::File(path) => {
                let mut bytes = Zeroizing::new(std::fs::read(path).map_err(file_error(path))?);
                for end in [b'\n', b'\r'] {
                    if bytes.last() == Some(&end) {
                        bytes.pop();
                    }
                }
                bytes
            }
            Self::Environment(name) => std::env::var(name)
                .map(|text| Zeroizing::new(text.into_bytes()))
                .map_err(|_| cannot("the environment variable is not set".to_owned()))?,
        };
        if secret.is_empty() {
            return Err(cannot("it is empty".to_owned()));
        }
        Ok(secret)
    }

    /// A passphrase for a new file: long enough, and typed twice by a person.
    ///
    /// # Errors
    /// As [`SecretSource::read`].
    pub(crate) fn read_new(&self, what: &str) -> Result<Zeroizing<Vec<u8>>, KeysError> {
        let cannot = |detail: String| KeysError::Secret {
            from: self.to_string(),
            detail,
        };
        let secret = self.read(what)?;
        let characters = String::from_utf8_lossy(&secret).chars().count();
        if characters < PASSPHRASE_CHARACTERS_MIN {
            return Err(cannot(format!(
                "a passphrase has at least {PASSPHRASE_CHARACTERS_MIN} characters, this one has \
                 {characters}"
            )));
        }
        if *self == Self::Prompt && *self.read(&format!("{what}, 再输一次 · once more"))? != *secret
        {
            return Err(cannot("the two are not the same".to_owned()));
        }
        Ok(secret)
    }

    pub(crate) fn path_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            Self::File(path) => Some(path),
            Self::Prompt | Self::Environment(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_given_by_mistake_is_not_repeated() {
        for wrong in ["hunter2hunter2", "pass:hunter2", "file:", "env:", ""] {
            let error = wrong.parse::<SecretSource>().expect_err(wrong);
            assert!(!error.contains("hunter2"), "{error}");
        }
        assert_eq!("prompt".parse(), Ok(SecretSource::Prompt));
        assert_eq!(
            "file:/run/pin".parse(),
            Ok(SecretSource::File("/run/pin".into()))
        );
    }

    #[test]
    fn a_line_end_is_no_part_of_a_secret_and_short_passphrases_are_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let source = SecretSource::File(path.clone());
        std::fs::write(&path, "correct horse\r\n").expect("a file");
        let read = source.read_new("passphrase").expect("long enough");
        assert_eq!(read.as_slice(), b"correct horse");
        for short in ["elevenchars", "\n", ""] {
            std::fs::write(&path, short).expect("a file");
            assert!(matches!(
                source.read_new("passphrase"),
                Err(KeysError::Secret { .. })
            ));
        }
    }
}
