//! Which size and form a seal may have, by kind and owner: a table with its sources.

use serde::{Deserialize, Serialize};

use super::Centre;

/// What a seal is for (the police's seal kinds, and the personal name seal of 国办发〔2025〕33号).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SealKind {
    /// 法定名称章, the legal-name seal.
    LegalName,
    /// 财务专用章.
    Finance,
    /// 发票专用章.
    Invoice,
    /// 合同专用章.
    Contract,
    /// 法定代表人名章.
    LegalRepresentative,
    /// 业务专用章, 审批专用章, 电子证照专用章: as the owner's seal, with a line under the star.
    Business,
    /// 个人名章 used for the unit's business.
    Personal,
}

/// Whose seal it is, as far as size and centre depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerLevel {
    /// 国务院.
    StateCouncil,
    /// Provinces, the State Council's office, ministries.
    ProvinceOrMinistry,
    /// A body directly under the State Council, of full ministerial rank.
    DirectBody,
    /// The same, of deputy ministerial rank.
    DirectBodyDeputy,
    /// Coordinating and temporary bodies of the State Council.
    CoordinatingBody,
    /// A national bureau under a ministry.
    NationalBureau,
    /// Governments of prefectures, cities, counties and districts.
    CityOrCounty,
    /// 地区行署.
    RegionalOffice,
    /// Governments of towns (乡镇).
    Town,
    /// Foreign-affairs departments of ministries, embassies.
    ForeignAffairs,
    /// Inner departments and subordinate bodies of administrative organs.
    Department,
    /// Institutions (事业单位), social bodies, and firms other than limited companies.
    Organisation,
    /// Limited companies.
    Company,
    /// Firms with foreign investment.
    ForeignInvested,
    /// A village or residents' committee.
    VillageCommittee,
}

/// The outline of a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A circle.
    Round,
    /// An ellipse, lying.
    Oval,
    /// A square.
    Square,
}

/// One row of the table: the sizes in millimetres that a source allows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SizeRule {
    /// The outline.
    pub shape: Shape,
    /// The smallest and largest width.
    pub width_mm: [f64; 2],
    /// The smallest and largest height.
    pub height_mm: [f64; 2],
    /// What must stand in the middle; `None` where the source says nothing.
    pub centre: Option<Centre>,
    /// Who says so.
    pub source: &'static str,
}

/// The rule of size or form that a seal breaks.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
pub enum RuleError {
    /// The outline is none that this kind has.
    #[error("a seal of kind {kind:?} is not {shape:?} ({})", rule.source)]
    Shape {
        /// The kind.
        kind: SealKind,
        /// The outline asked for.
        shape: Shape,
        /// The first rule for the kind.
        rule: SizeRule,
    },
    /// The size is not the one for this kind and owner.
    #[error(
        "{width_mm} × {height_mm} mm is not the size of a {kind:?} seal of {owner:?}: width {} to \
         {} mm, height {} to {} mm ({})",
        rule.width_mm[0], rule.width_mm[1], rule.height_mm[0], rule.height_mm[1], rule.source
    )]
    Size {
        /// The kind.
        kind: SealKind,
        /// The owner.
        owner: OwnerLevel,
        /// The width asked for.
        width_mm: f64,
        /// The height asked for.
        height_mm: f64,
        /// The rule it breaks.
        rule: SizeRule,
    },
    /// Star and emblem are not free to choose.
    #[error("the middle of a {kind:?} seal of {owner:?} holds not {centre:?} ({})", rule.source)]
    Centre {
        /// The kind.
        kind: SealKind,
        /// The owner.
        owner: OwnerLevel,
        /// What was asked for.
        centre: Centre,
        /// The rule it breaks.
        rule: SizeRule,
    },
    /// A special seal must differ from the official one: it says below the star what it is for.
    #[error("a seal of kind {kind:?} needs a text that says what it is for (国发〔1999〕25号)")]
    PurposeMissing {
        /// The kind.
        kind: SealKind,
    },
}

const COUNCIL: &str = "国发〔1999〕25号";
const VILLAGE: &str = "国办发〔2001〕52号";
const CUSTOM: &str = "custom of police-approved seal makers";
const COMPANY: &str = "custom of police-approved seal makers: limited companies";
/// Its first part: oval, long axis 40 mm, short axis 30 mm, border 1 mm, red; the taxpayer's number in
/// the middle, the name around it, «发票专用章» below.
const INVOICE: &str = "国家税务总局公告2011年第7号";

const fn round(diameter_mm: f64, centre: Centre, source: &'static str) -> SizeRule {
    round_within([diameter_mm, diameter_mm], Some(centre), source)
}

const fn round_within(
    diameter_mm: [f64; 2],
    centre: Option<Centre>,
    source: &'static str,
) -> SizeRule {
    SizeRule {
        shape: Shape::Round,
        width_mm: diameter_mm,
        height_mm: diameter_mm,
        centre,
        source,
    }
}

const fn oval(width_mm: f64, height_mm: f64, source: &'static str) -> SizeRule {
    SizeRule {
        shape: Shape::Oval,
        width_mm: [width_mm, width_mm],
        height_mm: [height_mm, height_mm],
        centre: None,
        source,
    }
}

const NAME_SEAL: SizeRule = SizeRule {
    shape: Shape::Square,
    width_mm: [18.0, 20.0],
    height_mm: [18.0, 20.0],
    centre: None,
    source: CUSTOM,
};

/// The size and form of a seal, by kind and owner.
///
/// 国发〔1999〕25号 gives the diameters of administrative bodies; the smallest diameter of those
/// that it only limits upwards is the smallest that can be read in print. The other kinds follow
/// the tax administration and the custom of seal makers.
#[must_use]
pub fn size_rule(kind: SealKind, owner: OwnerLevel) -> SizeRule {
    match kind {
        SealKind::LegalName | SealKind::Business => legal_name_rule(owner),
        SealKind::Finance => round_within([38.0, 38.0], None, CUSTOM),
        SealKind::Invoice => oval(40.0, 30.0, INVOICE),
        SealKind::Contract => round_within([38.0, 58.0], None, CUSTOM),
        SealKind::LegalRepresentative | SealKind::Personal => NAME_SEAL,
    }
}

fn legal_name_rule(owner: OwnerLevel) -> SizeRule {
    match owner {
        OwnerLevel::StateCouncil => round(60.0, Centre::Emblem, COUNCIL),
        OwnerLevel::ProvinceOrMinistry | OwnerLevel::DirectBody => {
            round(50.0, Centre::Emblem, COUNCIL)
        }
        OwnerLevel::DirectBodyDeputy | OwnerLevel::NationalBureau | OwnerLevel::CityOrCounty => {
            round(45.0, Centre::Emblem, COUNCIL)
        }
        OwnerLevel::CoordinatingBody => round(50.0, Centre::Star, COUNCIL),
        OwnerLevel::RegionalOffice => round(45.0, Centre::Star, COUNCIL),
        OwnerLevel::Town => round(42.0, Centre::Star, COUNCIL),
        OwnerLevel::ForeignAffairs => round(42.0, Centre::Emblem, COUNCIL),
        OwnerLevel::Department | OwnerLevel::Organisation => {
            round_within([super::DIAMETER_MM_MIN, 45.0], Some(Centre::Star), COUNCIL)
        }
        OwnerLevel::Company => round(40.0, Centre::Star, COMPANY),
        OwnerLevel::ForeignInvested => oval(45.0, 30.0, CUSTOM),
        OwnerLevel::VillageCommittee => round(42.0, Centre::Star, VILLAGE),
    }
}

/// Checks outline, size and centre; `centre` is `None` for a seal that has no middle.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn check(
    kind: SealKind,
    owner: OwnerLevel,
    shape: Shape,
    [width_mm, height_mm]: [f64; 2],
    centre: Option<Centre>,
) -> Result<(), RuleError> {
    let rule = size_rule(kind, owner);
    if shape != rule.shape {
        return Err(RuleError::Shape { kind, shape, rule });
    }
    // A hundredth of a millimetre is less than any cutter keeps; not a number is never within.
    let within = |value: f64, [min, max]: [f64; 2]| value >= min - 0.01 && value <= max + 0.01;
    if !within(width_mm, rule.width_mm) || !within(height_mm, rule.height_mm) {
        return Err(RuleError::Size {
            kind,
            owner,
            width_mm,
            height_mm,
            rule,
        });
    }
    match (centre, rule.centre) {
        (Some(centre), Some(wanted)) if centre != wanted => Err(RuleError::Centre {
            kind,
            owner,
            centre,
            rule,
        }),
        _ => Ok(()),
    }
}
