//! A places file: several seals of one request, or a signing plan, in TOML.
//!
//! ```toml
//! certify = "filling-and-signing"
//!
//! [[seals]]
//! place = { word = "甲方（盖章）" }
//!
//! [plan]
//! first = "甲方"
//! later = [{ name = "乙方", place = { word = "乙方（盖章）" } }]
//! ```

use std::path::Path;

use serde::Deserialize;
use yinxin_proto::v1;

use super::place::{Spelling, Where};
use super::{Certify, profile};
use crate::failure::Failure;

/// What a file says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PlacesFile {
    /// The seals in their order; at least one.
    pub(super) seals: Vec<OneSeal>,
    pub(super) certify: Option<Certify>,
    pub(super) plan: Option<Plan>,
}

/// One of them. What is not said is as on the command line.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OneSeal {
    pub(super) seal: Option<String>,
    pub(super) profile: Option<String>,
    pub(super) reason: Option<String>,
    #[serde(default)]
    pub(super) place: Where,
}

/// Who signs after whom.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Plan {
    first: String,
    later: Vec<Later>,
    #[serde(default)]
    last_locks: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Later {
    name: String,
    place: Where,
    #[serde(default)]
    width_mm: f64,
    #[serde(default)]
    height_mm: f64,
}

impl PlacesFile {
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        Self::parse(&text).map_err(|error| Failure::file(path, &error))
    }

    fn parse(text: &str) -> Result<Self, toml::de::Error> {
        toml::from_str(text)
    }

    /// Puts the file's seals, plan and certification into a request that holds the rest.
    ///
    /// # Errors
    /// A place that is none, no seal at all, or several seals with a plan.
    pub(super) fn fill(&self, header: &mut v1::SealDocumentHeader) -> Result<(), Failure> {
        let Some((first, further)) = self.seals.split_first() else {
            return Err(Failure::new(
                "没有印章：请写至少一个 [[seals]]",
                "there is no seal: write at least one [[seals]]",
            ));
        };
        if !further.is_empty() && (self.plan.is_some() || self.certify.is_some()) {
            return Err(Failure::new(
                "有 plan 或 certify 时只能有一个 [[seals]]：其他各方写在 [[plan.later]]，或另行盖章",
                "with plan or certify there is one [[seals]] only: name the others in [[plan.later]], or seal a second time",
            ));
        }
        let further = further
            .iter()
            .map(|one| {
                Ok(v1::FurtherSeal {
                    seal_id: one.seal.clone().unwrap_or_else(|| header.seal_id.clone()),
                    profile: match &one.profile {
                        Some(name) => profile(name)?.into(),
                        None => header.profile,
                    },
                    placement: Some(one.place.placement(Spelling::File)?),
                    reason: one.reason.clone().unwrap_or_else(|| header.reason.clone()),
                    location: String::new(),
                })
            })
            .collect::<Result<_, Failure>>()?;
        header.further_seals = further;
        if let Some(seal) = &first.seal {
            header.seal_id.clone_from(seal);
        }
        if let Some(name) = &first.profile {
            header.profile = profile(name)?.into();
        }
        if let Some(reason) = &first.reason {
            header.reason.clone_from(reason);
        }
        header.placement = Some(first.place.placement(Spelling::File)?);
        if let Some(certify) = self.certify {
            header.certification = certify.wire().into();
        }
        header.plan = self.plan.as_ref().map(Plan::wire).transpose()?;
        Ok(())
    }
}

impl Plan {
    fn wire(&self) -> Result<v1::SigningPlan, Failure> {
        let later = self.later.iter().map(|signer| {
            Ok(v1::LaterSigner {
                name: signer.name.clone(),
                placement: Some(signer.place.placement(Spelling::File)?),
                width_mm: signer.width_mm,
                height_mm: signer.height_mm,
            })
        });
        Ok(v1::SigningPlan {
            first_name: self.first.clone(),
            later: later.collect::<Result<_, Failure>>()?,
            last_locks: self.last_locks,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANUAL: &str = include_str!("../../../../docs/places.md");

    /// The examples of the manual.
    fn examples() -> Vec<&'static str> {
        let blocks = MANUAL.split("```toml\n").skip(1);
        blocks
            .filter_map(|block| block.split("```").next())
            .collect()
    }

    fn filled(file: &PlacesFile) -> Result<v1::SealDocumentHeader, Failure> {
        let mut header = v1::SealDocumentHeader {
            seal_id: "village".to_owned(),
            reason: "why".to_owned(),
            ..v1::SealDocumentHeader::default()
        };
        file.fill(&mut header).map(|()| header)
    }

    #[test]
    fn the_examples_of_the_manual_say_what_the_manual_says() {
        let [several, plan] = examples()[..] else {
            panic!("the manual has two examples");
        };
        let several = filled(&PlacesFile::parse(several).unwrap()).unwrap();
        assert_eq!(several.seal_id, "village");
        let [seam] = &several.further_seals[..] else {
            panic!("one further seal");
        };
        assert_eq!(
            (seam.seal_id.as_str(), seam.reason.as_str()),
            ("contract-seal", "why")
        );
        let plan = filled(&PlacesFile::parse(plan).unwrap()).unwrap();
        assert_eq!(plan.certification(), v1::Certification::FillingAndSigning);
        let plan = plan.plan.unwrap();
        assert_eq!(plan.first_name, "甲方");
        assert!(plan.last_locks);
        let later: Vec<_> = plan
            .later
            .iter()
            .map(|one| (one.name.as_str(), one.width_mm))
            .collect();
        assert_eq!(later, [("乙方", 0.0), ("丙方", 30.0)]);
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_with_words() {
        // Chance that is the same each time (Numerical Recipes, 7.1).
        let mut state = 1_u32;
        let mut below = move |end: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state as usize / 7 % end
        };
        let mut read = 0;
        for _ in 0..2_000 {
            for example in examples() {
                let mut characters: Vec<char> = example.chars().collect();
                for _ in 0..=below(3) {
                    let at = below(characters.len());
                    match below(3) {
                        0 => drop(characters.remove(at)),
                        1 => characters.insert(at, ['"', '[', '{', '9', '-', '\u{0}'][below(6)]),
                        _ => characters.swap(at, at / 2),
                    }
                }
                let text: String = characters.into_iter().collect();
                match PlacesFile::parse(&text) {
                    Ok(file) => {
                        read += 1;
                        let _refused_or_not = filled(&file);
                    }
                    Err(error) => assert!(!error.message().is_empty(), "{text}"),
                }
            }
        }
        assert!(read > 100, "{read} of 4000 could be read");
    }
}
