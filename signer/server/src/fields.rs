//! Checks on the plain fields of requests: the error names the field and the rule.

use yinxin_proto::v1::{Operator, SealProfile as WireProfile};
use yinxin_signer::profile::SealProfile;

use crate::status::Refusal;

fn refuse<T>(field: &'static str, rule: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::Field {
        field,
        rule: rule.into(),
    })
}

/// 1 to 64 visible ASCII characters.
pub(crate) fn request_id(value: &str) -> Result<(), Refusal> {
    let good = (1..=64).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_graphic());
    if good {
        Ok(())
    } else {
        refuse("request_id", "must be 1 to 64 visible ASCII characters")
    }
}

/// Between `min` and `max` characters, none of them a control character.
pub(crate) fn text(
    field: &'static str,
    value: &str,
    min: usize,
    max: usize,
) -> Result<(), Refusal> {
    let count = value.chars().count();
    if !(min..=max).contains(&count) {
        return refuse(
            field,
            format!("must have {min} to {max} characters, has {count}"),
        );
    }
    if value.chars().any(char::is_control) {
        return refuse(field, "must not hold control characters");
    }
    Ok(())
}

/// Operator and case number, which every call gives.
pub(crate) fn who(operator: Option<&Operator>, case_number: &str) -> Result<(), Refusal> {
    let Some(operator) = operator else {
        return refuse("operator", "must be given");
    };
    text("operator.account", &operator.account, 1, 64)?;
    text("operator.name", &operator.name, 0, 64)?;
    text("case_number", case_number, 1, 64)
}

/// The profile of its number on the wire.
pub(crate) fn profile(value: i32) -> Result<SealProfile, Refusal> {
    match WireProfile::try_from(value) {
        Ok(WireProfile::PadesBB) => Ok(SealProfile::PadesBB),
        Ok(WireProfile::GmSeal) => Ok(SealProfile::GmSeal),
        Ok(WireProfile::GmCms) => Ok(SealProfile::GmCms),
        Ok(WireProfile::Dual) => Ok(SealProfile::Dual),
        Ok(WireProfile::Unspecified) | Err(_) => {
            refuse("profile", "must be PADES_B_B, GM_SEAL, GM_CMS or DUAL")
        }
    }
}

/// A finite number of millimetres.
pub(crate) fn millimetres(field: &'static str, value: f64) -> Result<f64, Refusal> {
    if value.is_finite() {
        Ok(value)
    } else {
        refuse(field, "must be a number of millimetres")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_id_outside_the_rule_is_refused() {
        let long = "x".repeat(65);
        for bad in ["", "a b", "中", long.as_str(), "a\n"] {
            assert!(request_id(bad).is_err(), "{bad:?}");
        }
        for good in ["1", "550e8400-e29b-41d4-a716-446655440000"] {
            assert!(request_id(good).is_ok(), "{good:?}");
        }
    }
}
