//! The layout for every length of name, and the drawing with whatever Chinese font is at hand.

use std::path::{Path as FilePath, PathBuf};

use super::font::Glyph;
use super::path::Path;
use super::*;

/// Letters without ink: the layout asks only for their share.
fn letters(count: usize, share: f64) -> Vec<Glyph> {
    vec![
        Glyph {
            outline: Path::default(),
            centre: 500.0,
            share,
        };
        count
    ]
}

/// Two convex boxes are apart if some edge of one of them separates all corners.
fn apart(first: &[[f64; 2]; 4], second: &[[f64; 2]; 4]) -> bool {
    [(first, second), (second, first)]
        .iter()
        .any(|(one, other)| {
            (0..4).any(|corner| {
                let [fx, fy] = one[corner];
                let [tx, ty] = one[(corner + 1) % 4];
                let (nx, ny) = (ty - fy, fx - tx);
                let side = |[x, y]: [f64; 2]| (x - fx) * nx + (y - fy) * ny;
                other.iter().all(|point| side(*point) > 0.0)
            })
        })
}

#[test]
fn letters_never_overlap_nor_touch_ring_or_star_whatever_the_length() {
    for diameter_mm in [20.0, 38.0, 42.0, 45.0, 60.0] {
        let radius = diameter_mm * POINTS_PER_MM / 2.0;
        let ring = ring_width_mm(diameter_mm) * POINTS_PER_MM;
        for upper in 1..=UPPER_CHARACTERS_MAX {
            for lower in 0..=LOWER_CHARACTERS_MAX {
                // Digits take two thirds of a Han letter; every second seal has a code.
                let code = letters(13 * ((upper + lower) % 2), 0.68);
                let name = format!("{upper} over {lower} at {diameter_mm} mm");
                let places = layout::places(
                    radius,
                    ring,
                    &letters(upper, 1.0),
                    &letters(lower, 1.0),
                    &code,
                );
                assert_eq!(places.len(), upper + lower + code.len(), "{name}");
                let boxes: Vec<_> = places.iter().map(layout::Place::corners).collect();
                for (index, one) in boxes.iter().enumerate() {
                    for [x, y] in one {
                        let reach = x.hypot(*y);
                        assert!(reach < radius - ring, "{name}: letter {index} in the ring");
                        assert!(reach > radius / 3.0, "{name}: letter {index} in the star");
                    }
                    for (other_index, other) in boxes.iter().enumerate().skip(index + 1) {
                        assert!(
                            apart(one, other),
                            "{name}: {index} and {other_index} overlap"
                        );
                    }
                }
                let ratio = places[0].ratio();
                assert!((0.459..=0.741).contains(&ratio), "{name}: {ratio} wide");
            }
        }
    }
}

#[test]
fn narrow_letters_between_wide_ones_keep_their_distance() {
    let mut name = letters(20, 1.0);
    for index in [3, 8, 9, 15] {
        name[index].share = 0.4;
    }
    let places = layout::places(59.5, 3.4, &name, &[], &[]);
    let boxes: Vec<_> = places.iter().map(layout::Place::corners).collect();
    for (index, pair) in boxes.windows(2).enumerate() {
        assert!(
            apart(&pair[0], &pair[1]),
            "letters {index} and {}",
            index + 1
        );
    }
}

#[test]
fn the_name_runs_from_left_to_right_symmetric_about_the_top() {
    let places = layout::places(59.5, 3.4, &letters(9, 1.0), &[], &[]);
    let middles: Vec<[f64; 2]> = places
        .iter()
        .map(|place| {
            let corners = place.corners();
            [0, 1].map(|axis| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0)
        })
        .collect();
    assert!(middles[0][0] < 0.0 && middles[8][0] > 0.0);
    assert!(middles[4][0].abs() < 1e-9 && middles[4][1] > 40.0);
    for index in 0..4 {
        let (left, right) = (middles[index], middles[8 - index]);
        assert!((left[0] + right[0]).abs() < 1e-9 && (left[1] - right[1]).abs() < 1e-9);
    }
}

#[test]
fn decimals_are_short_and_never_negative_zero() {
    for (number, text) in [
        (0.0, "0"),
        (-0.001, "0"),
        (1.5, "1.5"),
        (-12.345, "-12.35"),
        (100.0, "100"),
        (0.999, "1"),
    ] {
        assert_eq!(path::decimal(number, 2), text);
    }
    assert_eq!(path::decimal(120.0, 0), "120");
}

fn seal(upper: &str, lower: Option<&str>) -> RoundSeal {
    RoundSeal {
        upper_text: upper.to_owned(),
        lower_text: lower.map(str::to_owned),
        diameter_mm: 42.0,
        centre: Centre::Star,
    }
}

#[test]
fn a_seal_uses_path_operators_and_device_rgb_only() {
    let Some(font) = chinese_font() else { return };
    let drawn = draw_round_seal(
        &seal("示例市示例镇示例村村民委员会", Some("证明专用章")),
        &font,
    )
    .unwrap();
    let text = String::from_utf8(drawn.content.plain().to_vec()).unwrap();
    for token in text.split_ascii_whitespace() {
        let operator = matches!(
            token,
            "q" | "Q" | "cm" | "rg" | "RG" | "w" | "j" | "m" | "l" | "c" | "h" | "f*" | "B"
        );
        let number = token.parse::<f64>().is_ok()
            && token
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'-'))
            && token
                .split('.')
                .nth(1)
                .is_none_or(|digits| digits.len() <= 4);
        assert!(operator || number, "{token}");
    }
    assert!((drawn.bbox[2] - 119.055).abs() < 0.001, "{:?}", drawn.bbox);
    assert_eq!(
        drawn.alternate_text,
        "电子印章 (electronic seal): 示例市示例镇示例村村民委员会 证明专用章"
    );
}

#[test]
fn all_ink_lies_within_the_bounding_box_and_the_svg_has_the_same_figures() {
    let Some(font) = chinese_font() else { return };
    let seal = seal("示例市（示例）有限公司第12分公司", None);
    let drawn = draw_round_seal(&seal, &font).unwrap();
    let text = String::from_utf8(drawn.content.plain().to_vec()).unwrap();
    assert!(text.starts_with("q 0.02 0 0 0.02 0 0 cm\n"), "{text:.60}");
    let mut figures = 0;
    for line in text.lines() {
        let Some(("m" | "l" | "c", numbers)) = line.rsplit_once(' ').map(|(rest, op)| (op, rest))
        else {
            figures += usize::from(line == "h");
            continue;
        };
        for number in numbers.split(' ') {
            let number: f64 = number.parse().unwrap();
            let points = number / path::UNITS_PER_POINT;
            assert!((0.0..=drawn.bbox[2] + 0.01).contains(&points), "{line}");
        }
    }
    let svg = round_seal_svg(&seal, &font).unwrap();
    assert_eq!(svg.matches('z').count(), figures);
    assert!(
        svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"42mm\""),
        "{svg:.80}"
    );
    assert_eq!(
        svg,
        round_seal_svg(&seal, &font).unwrap(),
        "the same bytes again"
    );
}

#[test]
fn an_svg_path_goes_back_to_the_points_it_was_made_of() {
    let mut path = Path::default();
    path.star(17.3);
    path.append(&path.clone(), Matrix::translate(40.01, 33.333));
    path.circle(11.0);
    let data = path.svg_data();
    // Read back as SVG 1.1 has it: all relative, and a closed figure ends where it began.
    let (mut pen, mut start) = ([0_i64; 2], [0_i64; 2]);
    let mut rest = data.as_str();
    for segment in path.segments() {
        let letter = rest.chars().next().unwrap();
        rest = &rest[1..];
        let end = rest.find(['m', 'l', 'c', 'z']).unwrap_or(rest.len());
        let numbers: Vec<i64> = rest[..end]
            .replace('-', " -")
            .split_whitespace()
            .map(|number| number.parse().unwrap())
            .collect();
        rest = &rest[end..];
        let found: Vec<[i64; 2]> = numbers
            .as_chunks::<2>()
            .0
            .iter()
            .map(|[x, y]| [pen[0] + x, pen[1] + y])
            .collect();
        let expected: Vec<[i64; 2]> = segment
            .points()
            .map(|point| point.map(|number| (number * path::UNITS_PER_POINT).round() as i64))
            .collect();
        assert_eq!(found, expected, "{letter}");
        pen = found.last().copied().unwrap_or(start);
        if letter == 'm' {
            start = pen;
        }
    }
    assert_eq!(rest, "");
}

#[test]
fn what_cannot_be_drawn_is_named() {
    let Some(font) = chinese_font() else { return };
    let cases: [(&str, RoundSeal, AppearanceError); 7] = [
        (
            "a character outside the font",
            seal("示例村\u{E123}委员会", None),
            AppearanceError::MissingGlyph {
                character: '\u{E123}',
            },
        ),
        (
            "a character outside the font, below the star",
            seal("示例村委员会", Some("\u{10FFFD}章")),
            AppearanceError::MissingGlyph {
                character: '\u{10FFFD}',
            },
        ),
        (
            "a space",
            seal("示例村 委员会", None),
            AppearanceError::CharacterWithoutMark { character: ' ' },
        ),
        (
            "a zero-width joiner",
            seal("示例村\u{200D}委员会", None),
            AppearanceError::CharacterWithoutMark {
                character: '\u{200D}',
            },
        ),
        (
            "no name",
            seal("", None),
            AppearanceError::TextLength {
                text: "upper_text",
                characters: 0,
                max: UPPER_CHARACTERS_MAX,
            },
        ),
        (
            "too long a line",
            seal("示例村委员会", Some(&"章".repeat(15))),
            AppearanceError::TextLength {
                text: "lower_text",
                characters: 15,
                max: LOWER_CHARACTERS_MAX,
            },
        ),
        (
            "too small a seal",
            RoundSeal {
                diameter_mm: 12.0,
                ..seal("示例村委员会", None)
            },
            AppearanceError::Diameter {
                diameter_mm: 12.0,
                min: DIAMETER_MM_MIN,
                max: DIAMETER_MM_MAX,
            },
        ),
    ];
    for (name, seal, expected) in cases {
        assert_eq!(
            draw_round_seal(&seal, &font).err(),
            Some(expected),
            "{name}"
        );
    }
    for diameter_mm in [f64::NAN, f64::INFINITY, -42.0] {
        let seal = RoundSeal {
            diameter_mm,
            ..seal("示例村委员会", None)
        };
        assert!(matches!(
            draw_round_seal(&seal, &font),
            Err(AppearanceError::Diameter { .. })
        ));
    }
}

#[test]
fn bytes_that_are_no_font_are_refused() {
    for (bytes, index) in [
        (Vec::new(), 0),
        (b"ttcf\0\x01\0\0".to_vec(), 0),
        (vec![0xFF; 4096], 3),
    ] {
        assert!(matches!(
            SealFont::from_bytes(bytes, index),
            Err(AppearanceError::UnreadableFont { .. })
        ));
    }
}

#[test]
fn an_emblem_stays_clear_of_the_name_and_of_the_line_below() {
    for diameter_mm in [38.0, 42.0, 45.0, 50.0, 60.0] {
        let radius = diameter_mm * POINTS_PER_MM / 2.0;
        let ring = ring_width_mm(diameter_mm) * POINTS_PER_MM;
        // The widest emblem is a square: its corners reach out, its sides do not.
        let side = EMBLEM_REACH * radius / 2.0_f64.sqrt();
        let emblem = [[-side, -side], [side, -side], [side, side], [-side, side]];
        for upper in 1..=UPPER_CHARACTERS_MAX {
            for lower in 0..=LOWER_CHARACTERS_MAX {
                let code = letters(13 * (upper % 2), 0.68);
                let (upper, lower) = (letters(upper, 1.0), letters(lower, 1.0));
                for place in layout::places(radius, ring, &upper, &lower, &code) {
                    assert!(
                        apart(&emblem, &place.corners()),
                        "{} over {} at {diameter_mm} mm",
                        upper.len(),
                        lower.len()
                    );
                }
            }
        }
    }
}

/// The inside of a box stays inside an ellipse when its corners do.
fn reach_in_oval([x, y]: [f64; 2], [a, b]: [f64; 2]) -> f64 {
    (x / a).hypot(y / b)
}

#[test]
fn letters_of_an_oval_seal_never_overlap_nor_touch_its_ring() {
    for [width_mm, height_mm] in [[40.0, 30.0], [45.0, 30.0]] {
        let half = [width_mm, height_mm].map(|side| side * POINTS_PER_MM / 2.0);
        let inside = half.map(|side| side - POINTS_PER_MM);
        for name in 1..=30 {
            for middle in [0, 15, 18, 20] {
                for lower in [0, 5, 8] {
                    for code in [0, 13] {
                        let what = format!("{name} + {middle} + {lower} + {code} in {width_mm} mm");
                        let texts = [
                            letters(name, 1.0),
                            letters(middle, 0.75),
                            letters(lower, 1.0),
                            letters(code, 0.68),
                        ];
                        let [one, two, three, four] = &texts;
                        let texts = oval::Texts {
                            name: one,
                            middle: two,
                            lower: three,
                            code: four,
                        };
                        let places = oval::oval(half, POINTS_PER_MM, &texts);
                        let boxes: Vec<_> = places.iter().map(layout::Place::corners).collect();
                        assert_eq!(boxes.len(), name + middle + lower + code, "{what}");
                        for (index, first) in boxes.iter().enumerate() {
                            let reach = first
                                .iter()
                                .map(|corner| reach_in_oval(*corner, inside))
                                .fold(0.0, f64::max);
                            assert!(reach < 1.0, "{what}: letter {index} in the ring");
                            for (other, second) in boxes.iter().enumerate().skip(index + 1) {
                                assert!(apart(first, second), "{what}: {index} over {other}");
                            }
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn a_name_seal_is_read_from_right_to_left_in_columns() {
    let middle = |place: &layout::Place| {
        let corners = place.corners();
        [0, 1].map(|axis| corners.iter().map(|corner| corner[axis]).sum::<f64>() / 4.0)
    };
    for count in 1..=6 {
        let places = oval::columns(10.0, 1.6, &letters(count, 1.0));
        assert_eq!(places.len(), count);
        for (index, place) in places.iter().enumerate() {
            for [x, y] in place.corners() {
                assert!(x.abs() < 8.5 && y.abs() < 8.5, "{count}: {x} {y}");
            }
            for other in &places[index + 1..] {
                assert!(apart(&place.corners(), &other.corners()), "{count}");
                let ([x0, y0], [x1, y1]) = (middle(place), middle(other));
                assert!(x1 < x0 || (x1 == x0 && y1 < y0), "{count}: the order");
            }
        }
    }
}

#[test]
fn a_long_name_ends_under_the_star() {
    for (name, upper, tail) in [
        ("示例镇示例村村民委员会", "示例镇示例村村民委员会", None),
        (
            "示例省示例市示例高新技术产业开发区第二管理委员会",
            "示例省示例市示例高新技术产业开发区第二",
            Some("管理委员会"),
        ),
        (
            "一二三四五六七八九十一二三四五六七八九十一二三四",
            "一二三四五六七八九十一二三四五六",
            Some("七八九十一二三四"),
        ),
    ] {
        assert_eq!(design::split_name(name), (upper, tail), "{name}");
    }
    for length in 21..=36 {
        let name = "示".repeat(length);
        let (upper, tail) = design::split_name(&name);
        let tail = tail.unwrap();
        assert!(tail.chars().count() <= LOWER_CHARACTERS_MAX, "{length}");
        assert_eq!(format!("{upper}{tail}"), name);
    }
}

#[test]
fn a_size_or_form_against_the_rule_names_the_rule() {
    use rules::check;
    let star = Some(Centre::Star);
    let source = |result: Result<(), RuleError>| match result.unwrap_err() {
        RuleError::Shape { rule, .. }
        | RuleError::Size { rule, .. }
        | RuleError::Centre { rule, .. } => rule.source,
        RuleError::PurposeMissing { .. } => "purpose",
    };
    let (legal, village) = (SealKind::LegalName, OwnerLevel::VillageCommittee);
    assert_eq!(check(legal, village, Shape::Round, [42.0; 2], star), Ok(()));
    for (name, result, expected) in [
        (
            "a village with 45 mm",
            check(legal, village, Shape::Round, [45.0; 2], star),
            "国办发〔2001〕52号",
        ),
        (
            "a city with the town's 42 mm",
            check(
                legal,
                OwnerLevel::CityOrCounty,
                Shape::Round,
                [42.0; 2],
                Some(Centre::Emblem),
            ),
            "国发〔1999〕25号",
        ),
        (
            "a town with an emblem",
            check(
                legal,
                OwnerLevel::Town,
                Shape::Round,
                [42.0; 2],
                Some(Centre::Emblem),
            ),
            "国发〔1999〕25号",
        ),
        (
            "a round invoice seal",
            check(
                SealKind::Invoice,
                OwnerLevel::Company,
                Shape::Round,
                [40.0; 2],
                star,
            ),
            "国家税务总局公告2011年第7号",
        ),
        (
            "no number",
            check(
                legal,
                OwnerLevel::Organisation,
                Shape::Round,
                [f64::NAN; 2],
                star,
            ),
            "国发〔1999〕25号",
        ),
    ] {
        assert_eq!(source(result), expected, "{name}");
    }
    let error = check(legal, village, Shape::Round, [45.0; 2], star).unwrap_err();
    assert!(error.to_string().contains("width 42 to 42 mm"), "{error}");
}

/// A Chinese font from `YINXIN_FONT_DIR`, the system, or what the set-up unpacked under target/.
pub(super) fn chinese_font() -> Option<SealFont> {
    let beside = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../target/fonts");
    let folders = std::env::var_os("YINXIN_FONT_DIR")
        .map(PathBuf::from)
        .into_iter()
        .chain([beside, PathBuf::from("/usr/share/fonts")]);
    let font = folders
        .flat_map(|folder| font_files(&folder, 6))
        .filter_map(|file| SealFont::simplified_chinese(std::fs::read(file).ok()?).ok())
        .find(|font| {
            "示例村委员会章"
                .chars()
                .all(|character| font.glyph(character).is_ok())
        });
    if font.is_none() {
        eprintln!("SKIPPED: no Chinese font in YINXIN_FONT_DIR, target/fonts or the system folder");
    }
    font
}

/// Font files, regular serif faces first.
fn font_files(folder: &FilePath, depth: usize) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return files;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && depth > 0 {
            files.extend(font_files(&path, depth - 1));
        } else if path.extension().is_some_and(|extension| {
            ["otf", "ttf", "ttc"]
                .iter()
                .any(|known| extension.eq_ignore_ascii_case(known))
        }) {
            files.push(path);
        }
    }
    files.sort_by_key(|path| {
        let name = path.to_string_lossy();
        (
            !name.contains("Serif"),
            !name.contains("Regular"),
            path.clone(),
        )
    });
    files
}
