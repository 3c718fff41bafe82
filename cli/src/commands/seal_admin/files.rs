//! Applications and rules as a person writes them: TOML, with paths relative to the file.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use yinxin_proto::{Timestamp, v1};
use yinxin_signer::appearance::{Emblem, PictureFile};

use super::super::read;
use crate::failure::Failure;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Application {
    code: String,
    name: String,
    owner_name: String,
    owner_code: String,
    kind: String,
    #[serde(default)]
    division_code: String,
    keeper: String,
    terms: Terms,
}

/// A renewal: [terms] alone; an application will do, too.
#[derive(Debug, Deserialize)]
struct Renewal {
    terms: Terms,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Terms {
    face: Face,
    #[serde(default)]
    cert_list_type: u32,
    #[serde(default)]
    layout: u32,
    valid_from: String,
    valid_until: String,
    gm: Option<Binding>,
    pades: Option<Binding>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Face {
    /// Handed on as it is, but for the file of an emblem: the service knows the rules.
    Design(toml::Table),
    Svg {
        file: PathBuf,
        width_mm: f64,
        height_mm: f64,
    },
    Png {
        file: PathBuf,
        width_mm: f64,
        height_mm: f64,
    },
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Binding {
    key: String,
    certificates: PathBuf,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    id: String,
    seals: Vec<String>,
    departments: Vec<String>,
    operations: Vec<String>,
    #[serde(default)]
    units: Vec<String>,
    #[serde(default)]
    items: Vec<String>,
    #[serde(default)]
    channels: Vec<String>,
    /// Such as `08:30-17:30`, Beijing time.
    hours: Option<String>,
    valid_from: Option<String>,
    valid_until: Option<String>,
    quota_per_day: Option<u32>,
    #[serde(default)]
    approvals: u32,
}

pub(super) fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(read(path)?.to_vec()).map_err(|error| Failure::file(path, &error))
}

fn parse<T: for<'a> Deserialize<'a>>(path: &Path) -> Result<T, Failure> {
    toml::from_str(&text(path)?).map_err(|error| Failure::file(path, &error.message()))
}

/// A passphrase; one line end at its end is not part of it.
pub(super) fn passphrase(path: &Path) -> Result<Vec<u8>, Failure> {
    let bytes = read(path)?;
    let line = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

pub(super) fn application(path: &Path) -> Result<v1::ApplySealRequest, Failure> {
    let application: Application = parse(path)?;
    Ok(v1::ApplySealRequest {
        code: application.code,
        name: application.name,
        owner_name: application.owner_name,
        owner_code: application.owner_code,
        kind: application.kind,
        division_code: application.division_code,
        keeper: application.keeper,
        terms: Some(wire_terms(path, application.terms)?),
    })
}

pub(super) fn terms(path: &Path) -> Result<v1::SealTerms, Failure> {
    let renewal: Renewal = parse(path)?;
    wire_terms(path, renewal.terms)
}

fn wire_terms(path: &Path, terms: Terms) -> Result<v1::SealTerms, Failure> {
    let beside = |file: &Path| path.parent().unwrap_or(Path::new(".")).join(file);
    let face = match terms.face {
        Face::Design(mut design) => {
            take_emblem(&mut design, &beside)?;
            serde_json::json!({ "design": design })
        }
        Face::Svg {
            file,
            width_mm,
            height_mm,
        } => serde_json::json!({ "svg": {
            "svg": text(&beside(&file))?,
            "width_mm": width_mm,
            "height_mm": height_mm,
        }}),
        Face::Png {
            file,
            width_mm,
            height_mm,
        } => serde_json::json!({ "png": {
            "png": PictureFile(read(&beside(&file))?.to_vec()),
            "width_mm": width_mm,
            "height_mm": height_mm,
        }}),
    };
    let binding = |binding: Binding| -> Result<v1::KeyBinding, Failure> {
        Ok(v1::KeyBinding {
            key: binding.key,
            certificates_pem: text(&beside(&binding.certificates))?,
        })
    };
    Ok(v1::SealTerms {
        face_json: face.to_string(),
        cert_list_type: terms.cert_list_type,
        layout: terms.layout,
        valid_from: Some(moment(&terms.valid_from)?),
        valid_until: Some(moment(&terms.valid_until)?),
        gm: terms.gm.map(binding).transpose()?,
        pades: terms.pades.map(binding).transpose()?,
    })
}

/// Puts the picture in the place of its name: `emblem = { file = "emblem.svg" }`, an SVG or a PNG.
fn take_emblem(design: &mut toml::Table, beside: &dyn Fn(&Path) -> PathBuf) -> Result<(), Failure> {
    let form = design.get_mut("form").and_then(toml::Value::as_table_mut);
    let Some(emblem) = form.and_then(|form| form.get_mut("emblem")) else {
        return Ok(());
    };
    let Some(file) = emblem.get("file").and_then(toml::Value::as_str) else {
        return Ok(());
    };
    let path = beside(Path::new(file));
    let bytes = read(&path)?.to_vec();
    let picture = if bytes.starts_with(b"\x89PNG") {
        Emblem::Png(PictureFile(bytes))
    } else {
        let svg = String::from_utf8(bytes).map_err(|error| Failure::file(&path, &error))?;
        Emblem::Svg(svg)
    };
    *emblem = toml::Value::try_from(picture).map_err(|error| Failure::file(&path, &error))?;
    Ok(())
}

pub(super) fn rule(path: &Path) -> Result<v1::UseRule, Failure> {
    let rule: Rule = parse(path)?;
    let hours = rule.hours.as_deref().map(hours).transpose()?;
    let channels = rule
        .channels
        .iter()
        .map(|name| {
            v1::UseChannel::from_str_name(&format!("USE_CHANNEL_{}", name.to_ascii_uppercase()))
                .map(i32::from)
                .ok_or_else(|| {
                    Failure::new(
                        format!("没有渠道 {name}"),
                        format!("there is no channel {name}"),
                    )
                })
        })
        .collect::<Result<_, _>>()?;
    Ok(v1::UseRule {
        id: rule.id,
        seals: rule.seals,
        callers: rule.departments,
        operations: rule.operations,
        units: rule.units,
        items: rule.items,
        channels,
        from_minute: hours.map(|(from, _)| from),
        until_minute: hours.map(|(_, until)| until),
        valid_from: rule.valid_from.as_deref().map(moment).transpose()?,
        valid_until: rule.valid_until.as_deref().map(moment).transpose()?,
        quota_per_day: rule.quota_per_day,
        approvals: rule.approvals,
    })
}

/// `08:30-17:30` as minutes of the day.
fn hours(text: &str) -> Result<(u32, u32), Failure> {
    let minute = |text: &str| -> Option<u32> {
        let (hour, minute) = text.trim().split_once(':')?;
        let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
        (hour <= 24 && minute < 60).then_some(hour * 60 + minute)
    };
    text.split_once('-')
        .and_then(|(from, until)| Some((minute(from)?, minute(until)?)))
        .ok_or_else(|| {
            Failure::new(
                format!("时段应如 08:30-17:30，不是 {text}"),
                format!("hours look like 08:30-17:30, not {text}"),
            )
        })
}

/// `2026-11-22T08:00:00Z`.
pub(super) fn moment(text: &str) -> Result<Timestamp, Failure> {
    text.parse().map_err(|_| {
        Failure::new(
            format!("时刻应如 2026-11-22T08:00:00Z，不是 {text}"),
            format!("a moment looks like 2026-11-22T08:00:00Z, not {text}"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_and_moments_are_read_or_refused() {
        assert_eq!(hours("08:30-17:30").unwrap(), (510, 1050));
        assert_eq!(hours("00:00-24:00").unwrap(), (0, 1440));
        for bad in ["8", "08:30", "08:60-09:00", "a:b-c:d", "25:00-26:00"] {
            assert!(hours(bad).is_err(), "{bad}");
        }
        assert_eq!(moment("1970-01-02T00:00:00Z").unwrap().seconds, 86_400);
        assert!(moment("yesterday").is_err());
    }

    #[test]
    fn an_application_is_read_with_what_lies_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("c.pem"), "PEM").unwrap();
        let file = folder.path().join("seal.toml");
        std::fs::write(
            &file,
            r#"
            code = "1"
            name = "n"
            owner_name = "o"
            owner_code = "c"
            kind = "legal_name"
            keeper = "li"
            [terms]
            valid_from = "2026-01-01T00:00:00Z"
            valid_until = "2028-01-01T00:00:00Z"
            [terms.face.design]
            kind = "legal_name"
            owner = "village_committee"
            [terms.face.design.form]
            shape = "round"
            name = "n"
            diameter_mm = 42.0
            centre = "star"
            [terms.gm]
            key = "k"
            certificates = "c.pem"
            "#,
        )
        .unwrap();
        let request = application(&file).unwrap();
        let terms = request.terms.unwrap();
        assert_eq!(terms.gm.unwrap().certificates_pem, "PEM");
        let face: serde_json::Value = serde_json::from_str(&terms.face_json).unwrap();
        assert_eq!(face["design"]["form"]["diameter_mm"], 42.0);
        assert_eq!(
            super::terms(&file).unwrap().valid_until.unwrap().seconds,
            1_830_297_600
        );
    }

    #[test]
    fn pictures_are_read_from_the_files_beside_an_application() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("seal.toml");
        std::fs::write(folder.path().join("a.svg"), "<svg/>").unwrap();
        std::fs::write(folder.path().join("a.png"), b"\x89PNG\xff").unwrap();
        let emblem = |name: &str| {
            format!("[terms.face.design.form]\nshape = \"round\"\nemblem = {{ file = \"{name}\" }}")
        };
        let png = r#"[terms.face.png]
            file = "a.png"
            width_mm = 42.0
            height_mm = 42.0"#;
        for (face, pointer, expected) in [
            (emblem("a.svg"), "/design/form/emblem/svg", "<svg/>"),
            (emblem("a.png"), "/design/form/emblem/png", "iVBOR/8="),
            (png.to_owned(), "/png/png", "iVBOR/8="),
        ] {
            let dates = r#"[terms]
                valid_from = "2026-01-01T00:00:00Z"
                valid_until = "2028-01-01T00:00:00Z""#;
            std::fs::write(&file, format!("{dates}\n{face}")).unwrap();
            let face: serde_json::Value =
                serde_json::from_str(&terms(&file).unwrap().face_json).unwrap();
            let found = face.pointer(pointer).and_then(serde_json::Value::as_str);
            assert_eq!(found, Some(expected), "{face}");
        }
    }
}
