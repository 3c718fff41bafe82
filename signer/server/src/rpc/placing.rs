//! Placements, plans and certifications as they come over the wire.

use yinxin_pdf::{Certification, FieldTarget, Placement as PdfPlacement};
use yinxin_proto::v1;
use yinxin_proto::v1::keyword_placement::Occurrence as WireOccurrence;
use yinxin_proto::v1::page_selection::Pages as WirePages;
use yinxin_proto::v1::placement::Position;
use yinxin_proto::v1::seam_placement::Edge as WireEdge;
use yinxin_signer::places::{
    Edge, Keyword, Occurrence, PLACES_MAX, Pages, Place, SHEETS_PER_SEAL_DEFAULT, Seam,
};
use yinxin_signer::plan::{LaterSigner, SigningPlan};
use yinxin_signer::profile::SealProfile;
use yinxin_signer::road::Wishes;
use yinxin_signer::seal::Seal;

use crate::fields;
use crate::pipeline::Site;
use crate::status::Refusal;

/// The sides of a seal in millimetres: none official is larger, and none smaller can be read.
const SIDE_MM: [f64; 2] = [5.0, 60.0];

fn refuse<T>(field: &'static str, rule: &str) -> Result<T, Refusal> {
    Err(Refusal::Field {
        field,
        rule: rule.to_owned(),
    })
}

/// Where the first seal of a request goes, and what else it asks of the document.
pub(super) fn first(
    header: &v1::SealDocumentHeader,
    seal: &Seal,
    profile: SealProfile,
) -> Result<Site, Refusal> {
    let mut site = site(
        header.placement.as_ref(),
        &header.reason,
        &header.location,
        seal,
    )?;
    let certification = certification(header.certification)?;
    if certification.is_none() && header.plan.is_none() {
        return Ok(site);
    }
    if profile.signatures().len() != 1 {
        return refuse(
            "profile",
            "a certification or a plan takes one signature of each signer; DUAL makes two",
        );
    }
    if !header.further_seals.is_empty() {
        return refuse("further_seals", "not with a certification or a plan");
    }
    if matches!(site.field, FieldTarget::Existing { .. }) {
        return refuse(
            "placement",
            "a certification or a plan needs a new field for the first signature",
        );
    }
    site.wishes.certification = certification;
    if let Some(plan) = &header.plan {
        if certification == Some(Certification::NoChanges) {
            return refuse("certification", "with a plan only FILLING_AND_SIGNING");
        }
        site.wishes.plan = Some(signing_plan(plan, seal, certification.is_some())?);
    }
    Ok(site)
}

/// Where one seal goes.
pub(super) fn site(
    placement: Option<&v1::Placement>,
    reason: &str,
    location: &str,
    seal: &Seal,
) -> Result<Site, Refusal> {
    fields::text("reason", reason, 0, 200)?;
    fields::text("location", location, 0, 200)?;
    let Some(placement) = placement else {
        return refuse("placement", "must be given");
    };
    let (field, place) = place(placement, seal)?;
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Site {
        field,
        place,
        wishes: Wishes {
            may_overlap: placement.may_overlap,
            may_leave_page: placement.may_leave_page,
            ..Wishes::default()
        },
        reason: given(reason),
        location: given(location),
    })
}

fn place(placement: &v1::Placement, seal: &Seal) -> Result<(FieldTarget, Place), Refusal> {
    let at = |page_index, x_mm, y_mm| {
        Place::At(PdfPlacement::Visible {
            page_index,
            x_mm,
            y_mm,
            width_mm: seal.width_mm,
            height_mm: seal.height_mm,
        })
    };
    let Some(position) = &placement.position else {
        return refuse("placement", "must have a position");
    };
    Ok(match position {
        Position::Visible(visible) => (
            new_field(&visible.field_name)?,
            at(
                page_index(visible.page_number)?,
                fields::millimetres("placement.visible.x_mm", visible.x_mm)?,
                fields::millimetres("placement.visible.y_mm", visible.y_mm)?,
            ),
        ),
        Position::Invisible(invisible) => (
            new_field(&invisible.field_name)?,
            Place::At(PdfPlacement::Invisible {
                page_index: page_index(invisible.page_number.max(1))?,
            }),
        ),
        Position::ExistingField(existing) => {
            fields::text("placement.existing_field.name", &existing.name, 1, 200)?;
            let name = existing.name.clone();
            (FieldTarget::Existing { name }, at(0, 0.0, 0.0))
        }
        Position::Pages(asked) => (
            new_field(&asked.field_name)?,
            Place::Pages {
                pages: match &asked.pages {
                    Some(selection) => pages(selection)?,
                    None => return refuse("placement.pages.pages", "must be given"),
                },
                x_mm: fields::millimetres("placement.pages.x_mm", asked.x_mm)?,
                y_mm: fields::millimetres("placement.pages.y_mm", asked.y_mm)?,
            },
        ),
        Position::Keyword(asked) => (
            new_field(&asked.field_name)?,
            Place::Keyword(keyword(asked)?),
        ),
        Position::IssuerAndDate(asked) => {
            fields::text("placement.issuer_and_date.issuer", &asked.issuer, 0, 64)?;
            let issuer = if asked.issuer.is_empty() {
                seal.owner_name.clone()
            } else {
                asked.issuer.clone()
            };
            (
                new_field(&asked.field_name)?,
                Place::IssuerAndDate { issuer },
            )
        }
        Position::Seam(asked) => (new_field(&asked.field_name)?, Place::Seam(seam(asked)?)),
    })
}

fn keyword(asked: &v1::KeywordPlacement) -> Result<Keyword, Refusal> {
    fields::text("placement.keyword.keyword", &asked.keyword, 1, 64)?;
    let occurrence = match asked.occurrence {
        None | Some(WireOccurrence::Last(true)) => Occurrence::Last,
        Some(WireOccurrence::All(true)) => Occurrence::All,
        Some(WireOccurrence::Number(number)) => Occurrence::Number(number),
        Some(WireOccurrence::Last(false) | WireOccurrence::All(false)) => {
            return refuse("placement.keyword.occurrence", "last and all are true");
        }
    };
    Ok(Keyword {
        text: asked.keyword.clone(),
        occurrence,
        pages: selection(asked.pages.as_ref())?,
        offset_x_mm: fields::millimetres("placement.keyword.offset_x_mm", asked.offset_x_mm)?,
        offset_y_mm: fields::millimetres("placement.keyword.offset_y_mm", asked.offset_y_mm)?,
    })
}

fn seam(asked: &v1::SeamPlacement) -> Result<Seam, Refusal> {
    let edge = match WireEdge::try_from(asked.edge) {
        Ok(WireEdge::Unspecified | WireEdge::Right) => Edge::Right,
        Ok(WireEdge::Left) => Edge::Left,
        Ok(WireEdge::Top) => Edge::Top,
        Ok(WireEdge::Bottom) => Edge::Bottom,
        Err(_) => return refuse("placement.seam.edge", "must be RIGHT, LEFT, TOP or BOTTOM"),
    };
    let along_mm = fields::millimetres("placement.seam.along_mm", asked.along_mm)?;
    Ok(Seam {
        edge,
        pages: selection(asked.pages.as_ref())?,
        sheets_per_seal_max: match asked.sheets_per_seal_max {
            0 => SHEETS_PER_SEAL_DEFAULT,
            asked => asked,
        },
        is_double_sided: asked.double_sided,
        along_mm: (along_mm != 0.0).then_some(along_mm),
    })
}

/// All pages if nothing else is said.
fn selection(asked: Option<&v1::PageSelection>) -> Result<Pages, Refusal> {
    asked.map_or(Ok(Pages::All), pages)
}

fn pages(asked: &v1::PageSelection) -> Result<Pages, Refusal> {
    match &asked.pages {
        Some(WirePages::All(true)) => Ok(Pages::All),
        Some(WirePages::First(true)) => Ok(Pages::First),
        Some(WirePages::Last(true)) => Ok(Pages::Last),
        Some(WirePages::Listed(list)) if list.page_numbers.len() <= PLACES_MAX => list
            .page_numbers
            .iter()
            .map(|number| page_index(*number))
            .collect::<Result<_, _>>()
            .map(Pages::Listed),
        Some(WirePages::Listed(_)) => refuse("placement.pages", "lists 2000 pages at most"),
        Some(WirePages::All(false) | WirePages::First(false) | WirePages::Last(false)) | None => {
            refuse("placement.pages", "must be all, first, last or listed")
        }
    }
}

fn page_index(page_number: u32) -> Result<usize, Refusal> {
    match page_number.checked_sub(1) {
        Some(index) => Ok(index as usize),
        None => refuse("placement.page_number", "pages count from 1"),
    }
}

fn new_field(name: &str) -> Result<FieldTarget, Refusal> {
    Ok(FieldTarget::New {
        name: (!name.is_empty())
            .then(|| partial_name("placement.field_name", name))
            .transpose()?,
    })
}

fn partial_name(field: &'static str, name: &str) -> Result<String, Refusal> {
    fields::text(field, name, 1, 64)?;
    if name.contains('.') {
        return refuse(field, "must not hold a full stop");
    }
    Ok(name.to_owned())
}

fn certification(value: i32) -> Result<Option<Certification>, Refusal> {
    match v1::Certification::try_from(value) {
        Ok(v1::Certification::Unspecified) => Ok(None),
        Ok(v1::Certification::NoChanges) => Ok(Some(Certification::NoChanges)),
        Ok(v1::Certification::FillingAndSigning) => Ok(Some(Certification::FillingAndSigning)),
        Err(_) => refuse("certification", "must be NO_CHANGES or FILLING_AND_SIGNING"),
    }
}

fn signing_plan(
    plan: &v1::SigningPlan,
    seal: &Seal,
    certifies: bool,
) -> Result<SigningPlan, Refusal> {
    let later = plan.later.iter().map(|signer| {
        let side = |value: f64, otherwise: f64| match value {
            0.0 => Ok(otherwise),
            value if (SIDE_MM[0]..=SIDE_MM[1]).contains(&value) => Ok(value),
            _ => refuse("plan.later", "the sides of a seal have 5 to 60 mm"),
        };
        let size_mm = [
            side(signer.width_mm, seal.width_mm)?,
            side(signer.height_mm, seal.height_mm)?,
        ];
        let Some(placement) = &signer.placement else {
            return refuse("plan.later.placement", "must be given");
        };
        // The place is worked out for the later signer's seal, not for this one.
        let mut theirs = seal.clone();
        [theirs.width_mm, theirs.height_mm] = size_mm;
        let (FieldTarget::New { name: None }, place) = place(placement, &theirs)? else {
            return refuse("plan.later.placement", "names no field");
        };
        Ok(LaterSigner {
            name: partial_name("plan.later.name", &signer.name)?,
            place,
            size_mm,
        })
    });
    Ok(SigningPlan {
        first: partial_name("plan.first_name", &plan.first_name)?,
        later: later.collect::<Result<_, _>>()?,
        certifies,
        last_locks: plan.last_locks,
    })
}
