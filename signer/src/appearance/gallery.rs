//! Twelve seals for a person to look at, in target/gallery, and what every drawn seal must keep.

use std::path::Path as FilePath;

use resvg::tiny_skia::{Color, Pixmap, Transform};

use super::tests::chinese_font;
use super::*;

/// A made-up emblem, a gear around a house: the national one is not ours to carry along.
const EMBLEM: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" width="40mm" height="40mm"
viewBox="0 0 100 100"><circle cx="50" cy="50" r="42" fill="none" stroke="#c00" stroke-width="7"
/><g fill="#c00"><path d="M50 14 86 46H76V74H24V46H14Z"/><rect x="44" y="0" width="12" height="8"
/><rect x="44" y="92" width="12" height="8"/><rect y="44" x="0" width="8" height="12"/><rect y="44"
x="92" width="8" height="12"/></g><path fill="#fff" d="M44 74V56h12v18z"/></svg>"##;

fn emblem() -> Emblem {
    Emblem::Svg(EMBLEM.to_owned())
}

/// The same as pixels.
fn emblem_of_pixels(side: u32) -> Emblem {
    let tree = usvg::Tree::from_str(EMBLEM, &usvg::Options::default()).unwrap();
    let scale = side as f32 / tree.size().width();
    let mut pixmap = Pixmap::new(side, side).unwrap();
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    Emblem::Png(PictureFile(png(&pixmap, png::ColorType::Rgba, true)))
}

/// The design with this picture in the middle.
fn with_emblem(mut design: SealDesign, picture: Option<Emblem>) -> SealDesign {
    if let SealForm::Round { emblem, .. } = &mut design.form {
        *emblem = picture;
    }
    design
}

/// Twelve designs as a registry would keep them.
const DESIGNS: &str = r#"[
 {"kind":"legal_name","owner":"village_committee","form":{"shape":"round",
  "name":"示例县示例镇示例村村民委员会","diameter_mm":42,"centre":"star"}},
 {"kind":"legal_name","owner":"company","form":{"shape":"round","name":"示例信息技术有限公司",
  "code":"3301000012345","diameter_mm":40,"centre":"star"}},
 {"kind":"business","owner":"town","form":{"shape":"round","name":"示例县示例镇人民政府",
  "lower_text":"电子证照专用章","code":"3301000012346","diameter_mm":42,"centre":"star"}},
 {"kind":"legal_name","owner":"city_or_county","form":{"shape":"round","name":"示例市人民政府",
  "diameter_mm":45,"centre":"emblem"}},
 {"kind":"finance","owner":"company","form":{"shape":"round","name":"示例信息技术有限公司",
  "lower_text":"财务专用章","diameter_mm":38,"centre":"star"}},
 {"kind":"contract","owner":"company","form":{"shape":"round","name":"示例建设集团有限责任公司",
  "lower_text":"合同专用章","code":"3301000012347","diameter_mm":42,"centre":"none"}},
 {"kind":"invoice","owner":"company","form":{"shape":"oval","name":"示例信息技术有限公司",
  "middle_text":"91330100MA2EXAMP1X","lower_text":"发票专用章","width_mm":40,"height_mm":30}},
 {"kind":"legal_name","owner":"foreign_invested","form":{"shape":"oval",
  "name":"示例国际贸易（上海）有限公司","code":"3101000012348","width_mm":45,"height_mm":30}},
 {"kind":"legal_name","owner":"organisation","form":{"shape":"round",
  "name":"示例省示例市示例新技术产业开发区社会事业发展服务中心管理委员会",
  "diameter_mm":42,"centre":"star"}},
 {"kind":"business","owner":"department","form":{"shape":"round",
  "name":"示例省示例自治州示例县自然资源规划和城乡建设综合行政执法管理局",
  "lower_text":"行政审批专用章","diameter_mm":45,"centre":"star"}},
 {"kind":"legal_representative","owner":"company","form":{"shape":"square","text":"李明之印",
  "side_mm":20,"relief":"raised"}},
 {"kind":"personal","owner":"organisation","form":{"shape":"square","text":"欧阳示例印",
  "side_mm":18,"relief":"sunken"}}
]"#;

fn designs() -> Vec<SealDesign> {
    let designs: Vec<SealDesign> = serde_json::from_str(DESIGNS).unwrap();
    let holds = |form: &SealForm| {
        matches!(
            form,
            SealForm::Round {
                centre: Centre::Emblem,
                ..
            }
        )
    };
    designs
        .into_iter()
        .map(|design| {
            let picture = holds(&design.form).then(emblem);
            with_emblem(design, picture)
        })
        .collect()
}

/// Renders an SVG at so many dots per inch on white.
fn render(svg: &str, dots_per_inch: f32) -> Pixmap {
    let tree = usvg::Tree::from_str(svg, &usvg::Options::default()).unwrap();
    let scale = dots_per_inch / 96.0;
    let side = |length: f32| (length * scale).round() as u32;
    let mut pixmap = Pixmap::new(side(tree.size().width()), side(tree.size().height())).unwrap();
    pixmap.fill(Color::WHITE);
    resvg::render(
        &tree,
        Transform::from_scale(scale, scale),
        &mut pixmap.as_mut(),
    );
    pixmap
}

pub(super) fn png(pixmap: &Pixmap, colour: png::ColorType, compact: bool) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, pixmap.width(), pixmap.height());
    encoder.set_color(colour);
    encoder.set_depth(png::BitDepth::Eight);
    if compact {
        encoder.set_compression(png::Compression::High);
    }
    let samples = if colour == png::ColorType::Rgba { 4 } else { 3 };
    let data: Vec<u8> = pixmap
        .data()
        .chunks_exact(4)
        .flat_map(|pixel| pixel[..samples].to_vec())
        .collect();
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&data).unwrap();
    writer.finish().unwrap();
    bytes
}

#[test]
fn a_gallery_of_twelve_seals_is_drawn_at_true_size() {
    let Some(font) = chinese_font() else { return };
    let folder = FilePath::new(env!("CARGO_MANIFEST_DIR")).join("../target/gallery");
    std::fs::create_dir_all(&folder).unwrap();
    let (column, row) = (260, 260);
    let mut sheet = Pixmap::new(4 * column, 3 * row).unwrap();
    sheet.fill(Color::WHITE);
    let designs = designs();
    assert_eq!(designs.len(), 12);
    for (design, index) in designs.iter().zip(0u32..) {
        let drawing = draw_seal(design, &font).unwrap();
        let svg = drawing.svg();
        let pixmap = render(&svg, 300.0);
        let dots = |mm: f64| (mm * 300.0 / 25.4).round();
        assert!((f64::from(pixmap.width()) - dots(drawing.width_mm())).abs() <= 1.0);
        assert!((f64::from(pixmap.height()) - dots(drawing.height_mm())).abs() <= 1.0);
        // The ink reaches all four edges: the seal has the size it says.
        let red = |x: u32, y: u32| pixmap.pixel(x, y).unwrap().green() < 160;
        let (width, height) = (pixmap.width(), pixmap.height());
        assert!((0..height).any(|y| red(1, y)) && (0..height).any(|y| red(width - 2, y)));
        assert!((0..width).any(|x| red(x, 1)) && (0..width).any(|x| red(x, height - 2)));
        let name = format!("{:02}", index + 1);
        std::fs::write(
            folder.join(format!("{name}.png")),
            png(&pixmap, png::ColorType::Rgb, false),
        )
        .unwrap();
        std::fs::write(folder.join(format!("{name}.svg")), &svg).unwrap();

        let small = render(&svg, 130.0);
        let at = |cell: u32, side: u32, of: u32| (cell * of + (of - side) / 2) as i32;
        sheet.draw_pixmap(
            at(index % 4, small.width(), column),
            at(index / 4, small.height(), row),
            small.as_ref(),
            &resvg::tiny_skia::PixmapPaint::default(),
            Transform::identity(),
            None,
        );
    }
    let sheet = png(&sheet, png::ColorType::Rgb, true);
    assert!(sheet.len() < 300_000, "{} bytes", sheet.len());
    std::fs::write(folder.join("seals.png"), sheet).unwrap();
}

#[test]
fn a_design_against_a_rule_is_not_drawn() {
    let Some(font) = chinese_font() else { return };
    let round =
        r#""form":{"shape":"round","name":"示例市人民政府","diameter_mm":45,"centre":"emblem"}"#;
    let design = |text: String| serde_json::from_str::<SealDesign>(&text);
    let city = design(format!(
        r#"{{"kind":"legal_name","owner":"city_or_county",{round}}}"#
    ))
    .unwrap();
    assert_eq!(draw_seal(&city, &font), Err(AppearanceError::EmblemMissing));
    let business = design(format!(
        r#"{{"kind":"business","owner":"city_or_county",{round}}}"#
    ))
    .unwrap();
    assert_eq!(
        draw_seal(&with_emblem(business, Some(emblem())), &font),
        Err(AppearanceError::Rule(RuleError::PurposeMissing {
            kind: SealKind::Business
        }))
    );
    let town = design(format!(r#"{{"kind":"legal_name","owner":"town",{round}}}"#)).unwrap();
    assert!(matches!(
        draw_seal(&with_emblem(town, Some(emblem())), &font),
        Err(AppearanceError::Rule(RuleError::Size { .. }))
    ));
    for code in ["330100001234", "33010000123456", "330100001234X"] {
        let numbered = round.replace("\"centre\"", &format!("\"code\":\"{code}\",\"centre\""));
        let numbered = design(format!(
            r#"{{"kind":"legal_name","owner":"city_or_county",{numbered}}}"#
        ))
        .unwrap();
        assert_eq!(
            draw_seal(&with_emblem(numbered, Some(emblem())), &font),
            Err(AppearanceError::Code { digits: 13 }),
            "{code}"
        );
    }
    assert!(
        design(format!(
            r#"{{"kind":"legal_name","owner":"town","colour":"blue",{round}}}"#
        ))
        .is_err()
    );
}

#[test]
fn an_uploaded_svg_comes_back_as_plain_paths_and_its_own_drawing_is_accepted() {
    let drawn = VectorPicture::read_svg(EMBLEM.as_bytes(), 40.0, 40.0)
        .unwrap()
        .drawing("示例");
    let svg = drawn.svg();
    assert!(!svg.contains("circle") && !svg.contains("rect"), "{svg}");
    let again = VectorPicture::read_svg(svg.as_bytes(), 40.0, 40.0).unwrap();
    assert_eq!(again.drawing("示例").svg().len(), svg.len());
    assert_eq!(drawn.appearance().bbox[2], 40.0 * POINTS_PER_MM);
}

#[test]
fn an_svg_that_is_more_than_plain_shapes_is_refused() {
    let nested = format!("{}{}", "<g>".repeat(40), "</g>".repeat(40));
    let many = "<path d=\"M0 0h1v1z\"/>".repeat(5_001);
    let cases: [(&str, &str, &str); 17] = [
        ("a script", "<script>alert(1)</script>", "script"),
        (
            "an event",
            "<path onclick=\"x()\" d=\"M0 0h9v9z\"/>",
            "onclick",
        ),
        ("a foreign object", "<foreignObject/>", "foreignObject"),
        (
            "a picture from afar",
            "<image href=\"http://h.invalid/a\"/>",
            "image",
        ),
        ("a reference", "<use href=\"#a\"/>", "use"),
        ("a style sheet", "<style>@import 'a'</style>", "style"),
        (
            "a paint from afar",
            "<path fill=\"url(http://h.invalid/a)\" d=\"M0 0h9v9z\"/>",
            "fill",
        ),
        ("a text", "<text>章</text>", "text"),
        ("a link", "<a href=\"x\"/>", "a"),
        (
            "a glass",
            "<path opacity=\"0.5\" d=\"M0 0h9v9z\"/>",
            "opacity",
        ),
        (
            "a dashed line",
            "<path stroke=\"red\" stroke-dasharray=\"2\" d=\"M0 0h9v9z\"/>",
            "stroke-dasharray",
        ),
        ("nothing", "<g/>", "empty"),
        (
            "a point too far out for whole numbers",
            "<path d=\"M1e30 0L-1e30 0 0 9z\"/>",
            "far outside",
        ),
        (
            "a point a mile out",
            "<path d=\"M0 0H1000000V9z\"/>",
            "far outside",
        ),
        (
            "a shape moved far out",
            "<path transform=\"translate(-9e9 0)\" d=\"M0 0h9v9z\"/>",
            "far outside",
        ),
        ("deep nesting", &nested, "levels of nesting"),
        ("many elements", &many, "elements"),
    ];
    for (name, inside, what) in cases {
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 10 10\">{inside}</svg>"
        );
        let error = VectorPicture::read_svg(svg.as_bytes(), 40.0, 40.0).unwrap_err();
        assert!(error.to_string().contains(what), "{name}: {error}");
    }
    for (name, svg) in [
        ("an entity", "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"),
        ("no svg", "seal"),
    ] {
        assert!(
            matches!(
                VectorPicture::read_svg(svg.as_bytes(), 40.0, 40.0),
                Err(PictureError::Unreadable { .. })
            ),
            "{name}"
        );
    }
    assert!(matches!(
        VectorPicture::read_svg(EMBLEM.as_bytes(), 40.0, 30.0),
        Err(PictureError::Aspect { .. })
    ));
}

#[test]
fn an_uploaded_png_must_be_clear_square_to_its_size_and_fine_enough() {
    let picture = |width, height, colour| {
        let mut pixmap = Pixmap::new(width, height).unwrap();
        if colour == png::ColorType::Rgb {
            pixmap.fill(Color::WHITE);
        }
        png(&pixmap, colour, true)
    };
    let good = picture(496, 496, png::ColorType::Rgba);
    let read = PngPicture::read(good.clone(), 42.0, 42.0).unwrap();
    assert_eq!((read.bytes(), read.pixels()), (good.as_slice(), [496, 496]));
    assert!(matches!(
        PngPicture::read(good.clone(), 45.0, 45.0),
        Err(PictureError::DotsPerInch { .. })
    ));
    assert!(matches!(
        PngPicture::read(good.clone(), 40.0, 30.0),
        Err(PictureError::Aspect { .. })
    ));
    assert!(matches!(
        PngPicture::read(good.clone(), f64::NAN, 42.0),
        Err(PictureError::DeclaredSize { .. })
    ));
    assert_eq!(
        PngPicture::read(picture(496, 496, png::ColorType::Rgb), 42.0, 42.0),
        Err(PictureError::NoAlpha)
    );
    assert!(matches!(
        PngPicture::read(picture(5000, 5, png::ColorType::Rgba), 42.0, 42.0),
        Err(PictureError::LimitExceeded { .. })
    ));
    for length in [0, 8, 30, good.len() / 2, good.len() - 20] {
        assert!(
            matches!(
                PngPicture::read(good[..length].to_vec(), 42.0, 42.0),
                Err(PictureError::Unreadable { .. })
            ),
            "{length} bytes"
        );
    }
}

#[test]
fn an_emblem_comes_as_shapes_or_as_pixels_and_only_where_the_middle_holds_one() {
    let Some(font) = chinese_font() else { return };
    let city = designs().swap_remove(3);
    let shapes = draw_seal(&city, &font).unwrap();
    assert_eq!(shapes.appearance().image, None);

    // Drawn in whatever units: only its proportion counts.
    let large = Emblem::Svg(EMBLEM.replace("40mm", "5000mm"));
    draw_seal(&with_emblem(city.clone(), Some(large)), &font).unwrap();

    // 45 mm: corners on a circle of half the radius, so 15.9 mm a side.
    let pixels = with_emblem(city.clone(), Some(emblem_of_pixels(200)));
    let json = serde_json::to_string(&pixels).unwrap();
    let pixels: SealDesign = serde_json::from_str(&json).unwrap();
    let drawing = draw_seal(&pixels, &font).unwrap();
    let svg = drawing.svg();
    assert!(
        svg.contains("xlink:href=\"data:image/png;base64,iVBOR"),
        "{}",
        &svg[..400]
    );
    let appearance = drawing.appearance();
    let content = String::from_utf8(appearance.content.plain().to_vec()).unwrap();
    assert!(
        content.starts_with(
            "q 0.02 0 0 0.02 0 0 cm\nq 2254.9 0 0 2254.9 2061.5 2061.5 cm /Im0 Do Q\n"
        ),
        "{}",
        &content[..80]
    );
    let image = appearance.image.unwrap();
    assert_eq!(
        (image.width, image.height, image.alpha.is_some()),
        (200, 200, true)
    );

    let cases: [(&str, SealDesign, &str); 5] = [
        (
            "too few dots",
            with_emblem(city.clone(), Some(emblem_of_pixels(150))),
            "dots per inch",
        ),
        (
            "no picture",
            with_emblem(
                city.clone(),
                Some(Emblem::Png(PictureFile(b"GIF89a".to_vec()))),
            ),
            "cannot be read",
        ),
        (
            "a script",
            with_emblem(
                city.clone(),
                Some(Emblem::Svg(EMBLEM.replace("<g ", "<script/><g "))),
            ),
            "script",
        ),
        ("none", with_emblem(city, None), "is needed"),
        (
            "one under a star",
            with_emblem(designs().swap_remove(0), Some(emblem())),
            "holds none",
        ),
    ];
    for (what, design, said) in cases {
        let error = draw_seal(&design, &font).unwrap_err().to_string();
        assert!(error.contains(said), "{what}: {error}");
    }
}
