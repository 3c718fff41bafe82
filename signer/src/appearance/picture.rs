//! Uploaded pictures of seals: what may be refused, and SVG reduced to plain filled paths.

use usvg::tiny_skia_path::PathSegment;
use usvg::{Node, Paint as SvgPaint, PaintOrder, Transform, Tree, roxmltree};

use super::POINTS_PER_MM;
use super::drawing::{Layer, Paint, RED, SealDrawing, WHITE};
use super::path::{Matrix, Path, Segment};

/// A scan at 600 dpi of the largest seal has 1417 × 1417 pixels and takes well under 1 MB.
pub(super) const FILE_BYTES_MAX: usize = 4 << 20;

/// The sides may differ from the declared proportion by so much.
const ASPECT_TOLERANCE: f64 = 0.01;

/// The State Council's seal is 60 mm; a name seal 18.
const SIDE_MM: [f64; 2] = [5.0, 60.0];

/// Elements of the uploaded SVG. A seal of 36 letters drawn here has 3.
const ELEMENTS_MAX: u32 = 5_000;

/// Path segments of the picture. A seal of 36 letters drawn here has about 4,000.
const SEGMENTS_MAX: usize = 100_000;

/// How far out, in longer sides of the picture, a point may lie: a drawing program leaves some outside,
/// and what is further off can only be meant to break a reader.
const SIDES_OUT_MAX: f64 = 10.0;

/// How deep elements may nest: what turns them into paths goes down by recursion, after this check.
const DEPTH_MAX: usize = 32;

/// Why an uploaded picture is refused.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PictureError {
    /// The declared size is no seal's.
    #[error("{width_mm} × {height_mm} mm: each side of a seal has {min} to {max} mm")]
    DeclaredSize {
        /// The declared width.
        width_mm: f64,
        /// The declared height.
        height_mm: f64,
        /// The smallest side.
        min: f64,
        /// The largest side.
        max: f64,
    },
    /// More of something than a seal can need.
    #[error("{value} {limit}; at most {max} are accepted")]
    LimitExceeded {
        /// `bytes`, `pixels on a side`, `elements`, `levels of nesting`, `path segments`.
        limit: &'static str,
        /// How many there are, or the first number over the limit.
        value: usize,
        /// The limit.
        max: usize,
    },
    /// The file is damaged, or of another kind.
    #[error("the picture cannot be read: {cause}")]
    Unreadable {
        /// What the reader said.
        cause: String,
    },
    /// The PNG has no transparent ground: it would hide the text under the seal.
    #[error("the picture has no transparency")]
    NoAlpha,
    /// Width and height are not in the declared proportion.
    #[error("the picture's sides are as {found} to 1, the declared size as {declared} to 1")]
    Aspect {
        /// The picture's width over its height.
        found: f64,
        /// The declared width over the declared height.
        declared: f64,
    },
    /// Too few dots for the declared size.
    #[error("{found:.0} dots per inch at the declared size; at least {min} are needed")]
    DotsPerInch {
        /// What the picture has.
        found: f64,
        /// What it needs.
        min: f64,
    },
    /// An SVG element or attribute that is no plain shape.
    #[error("«{what}» has no place in the picture of a seal")]
    Forbidden {
        /// The element, attribute or feature.
        what: String,
    },
    /// The SVG draws nothing.
    #[error("the picture is empty")]
    Empty,
}

/// An SVG of a seal or an emblem, reduced to filled paths; nothing of the file itself is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct VectorPicture {
    size_mm: [f64; 2],
    /// In points, origin at the lower left.
    layers: Vec<Layer>,
}

impl VectorPicture {
    /// Reads an SVG that is meant to be `width_mm` by `height_mm` large.
    ///
    /// Only shapes in plain colours are taken, strokes as their outlines. What SVG can do beyond
    /// that is refused, not dropped, so that no seal comes out other than it was drawn: scripts,
    /// links and references out of the file, style sheets, entities, text, images, foreign
    /// objects, gradients, transparency, clips, masks and filters.
    ///
    /// # Errors
    /// As said, or too large, empty, or of another proportion.
    pub fn read_svg(bytes: &[u8], width_mm: f64, height_mm: f64) -> Result<Self, PictureError> {
        check_declared([width_mm, height_mm])?;
        Self::read(bytes, Some([width_mm, height_mm]))
    }

    /// Reads an SVG that is scaled to its place later: only its proportion counts.
    pub(super) fn read_emblem(bytes: &[u8]) -> Result<Self, PictureError> {
        Self::read(bytes, None)
    }

    fn read(bytes: &[u8], declared_mm: Option<[f64; 2]>) -> Result<Self, PictureError> {
        check_limit("bytes", bytes.len(), FILE_BYTES_MAX)?;
        let text = std::str::from_utf8(bytes).map_err(|cause| unreadable(&cause))?;
        let options = roxmltree::ParsingOptions {
            allow_dtd: false,
            nodes_limit: 4 * ELEMENTS_MAX,
            ..Default::default()
        };
        let document = roxmltree::Document::parse_with_options(text, options)
            .map_err(|cause| unreadable(&cause))?;
        check_elements(&document)?;
        let tree = Tree::from_xmltree(&document, &usvg::Options::default())
            .map_err(|cause| unreadable(&cause))?;
        let [width, height] = [tree.size().width(), tree.size().height()].map(f64::from);
        // The user unit of SVG is 1/96 inch.
        let [width_mm, height_mm] =
            declared_mm.unwrap_or([width, height].map(|side| side * 25.4 / 96.0));
        check_aspect(width / height, width_mm / height_mm)?;
        let to_page = Matrix::new([
            width_mm * POINTS_PER_MM / width,
            0.0,
            0.0,
            -height_mm * POINTS_PER_MM / height,
            0.0,
            height_mm * POINTS_PER_MM,
        ]);
        let mut layers = Vec::new();
        let mut segments = 0;
        collect(tree.root(), to_page, &mut layers, &mut segments)?;
        if layers.is_empty() {
            return Err(PictureError::Empty);
        }
        check_reach(&layers, width_mm.max(height_mm) * POINTS_PER_MM)?;
        Ok(Self {
            size_mm: [width_mm, height_mm],
            layers,
        })
    }

    /// The picture as a seal of its own, in its own colours.
    #[must_use]
    pub fn drawing(&self, description: &str) -> SealDrawing {
        SealDrawing::new(self.size_mm, self.layers.clone(), description)
    }

    /// The picture in seal red and paper white, within a circle of `reach` around the origin of
    /// `to_page`.
    pub(super) fn layers_within(&self, reach: f64, to_page: Matrix) -> Vec<Layer> {
        let [width, height] = self.size_mm.map(|side| side * POINTS_PER_MM);
        let scale = 2.0 * reach / width.hypot(height);
        let matrix = Matrix::translate(-width / 2.0, -height / 2.0)
            .then(Matrix::scale(scale, scale))
            .then(to_page);
        self.layers
            .iter()
            .map(|layer| Layer {
                path: layer.path.transformed(matrix),
                colour: if is_light(layer.colour) { WHITE } else { RED },
                paint: layer.paint,
            })
            .collect()
    }
}

/// White and yellow are paper, red and black are ink.
pub(super) fn is_light(colour: [u8; 3]) -> bool {
    let [red, green, blue] = colour.map(u32::from);
    // The luma of ITU-R BT.601 in thousandths.
    299 * red + 587 * green + 114 * blue > 128_000
}

pub(super) fn check_declared([width_mm, height_mm]: [f64; 2]) -> Result<(), PictureError> {
    let [min, max] = SIDE_MM;
    if [width_mm, height_mm]
        .iter()
        .all(|side| (min..=max).contains(side))
    {
        return Ok(());
    }
    Err(PictureError::DeclaredSize {
        width_mm,
        height_mm,
        min,
        max,
    })
}

pub(super) fn check_limit(
    limit: &'static str,
    value: usize,
    max: usize,
) -> Result<(), PictureError> {
    if value > max {
        return Err(PictureError::LimitExceeded { limit, value, max });
    }
    Ok(())
}

pub(super) fn check_aspect(found: f64, declared: f64) -> Result<(), PictureError> {
    if (found / declared - 1.0).abs() <= ASPECT_TOLERANCE {
        return Ok(());
    }
    Err(PictureError::Aspect { found, declared })
}

pub(super) fn unreadable(cause: &dyn std::fmt::Display) -> PictureError {
    PictureError::Unreadable {
        cause: cause.to_string(),
    }
}

fn forbidden(what: &str) -> PictureError {
    PictureError::Forbidden {
        what: what.to_owned(),
    }
}

/// Lets through shapes and groups only, each with attributes that stay inside the file.
fn check_elements(document: &roxmltree::Document<'_>) -> Result<(), PictureError> {
    let mut elements = 0;
    for node in document.descendants() {
        if node.is_pi() {
            return Err(forbidden("processing instruction"));
        }
        if !node.is_element() {
            continue;
        }
        elements += 1;
        check_limit("elements", elements, ELEMENTS_MAX as usize)?;
        check_limit("levels of nesting", node.ancestors().count(), DEPTH_MAX)?;
        let name = node.tag_name();
        let known = matches!(
            name.name(),
            "svg"
                | "g"
                | "path"
                | "rect"
                | "circle"
                | "ellipse"
                | "line"
                | "polyline"
                | "polygon"
                | "title"
                | "desc"
        );
        if !known || name.namespace() != Some("http://www.w3.org/2000/svg") {
            return Err(forbidden(name.name()));
        }
        for attribute in node.attributes() {
            let value = attribute.value().to_ascii_lowercase();
            // No element let through needs a reference, not even within the file.
            let outward = ["url(", "@import", "javascript:", "data:", "://"]
                .iter()
                .any(|mark| value.contains(mark));
            let key = attribute.name();
            if outward || key.starts_with("on") || key == "href" || key == "base" {
                return Err(forbidden(key));
            }
        }
    }
    Ok(())
}

fn collect(
    group: &usvg::Group,
    to_page: Matrix,
    layers: &mut Vec<Layer>,
    segments: &mut usize,
) -> Result<(), PictureError> {
    if group.opacity().get() < 1.0 {
        return Err(forbidden("opacity"));
    }
    if group.mask().is_some() || !group.filters().is_empty() {
        return Err(forbidden("mask or filter"));
    }
    if group.clip_path().is_some() {
        return Err(forbidden("clip-path"));
    }
    for node in group.children() {
        match node {
            Node::Group(inner) => collect(inner, to_page, layers, segments)?,
            Node::Path(path) => collect_path(path, to_page, layers, segments)?,
            Node::Image(_) => return Err(forbidden("image")),
            Node::Text(_) => return Err(forbidden("text")),
        }
    }
    Ok(())
}

fn collect_path(
    path: &usvg::Path,
    to_page: Matrix,
    layers: &mut Vec<Layer>,
    segments: &mut usize,
) -> Result<(), PictureError> {
    if !path.is_visible() {
        return Ok(());
    }
    let mut painted = Vec::new();
    if let Some(fill) = path.fill() {
        let paint = match fill.rule() {
            usvg::FillRule::NonZero => Paint::NonZero,
            usvg::FillRule::EvenOdd => Paint::EvenOdd,
        };
        let colour = plain_colour(fill.paint(), fill.opacity())?;
        painted.push((convert(path.data(), path.abs_transform()), colour, paint));
    }
    if let Some(stroke) = path.stroke() {
        let colour = plain_colour(stroke.paint(), stroke.opacity())?;
        if stroke.dasharray().is_some() {
            return Err(forbidden("stroke-dasharray"));
        }
        // The outline is flattened for eight times the user unit, about 0.01 mm in a usual seal.
        let outline = path.data().stroke(&stroke.to_tiny_skia(), 8.0);
        if let Some(outline) = outline {
            let outline = convert(&outline, path.abs_transform());
            let at = match path.paint_order() {
                PaintOrder::FillAndStroke => painted.len(),
                PaintOrder::StrokeAndFill => 0,
            };
            painted.insert(at, (outline, colour, Paint::NonZero));
        }
    }
    for (shape, colour, paint) in painted {
        *segments += shape.segments().len();
        check_limit("path segments", *segments, SEGMENTS_MAX)?;
        layers.push(Layer {
            path: shape.transformed(to_page),
            colour,
            paint,
        });
    }
    Ok(())
}

/// Refuses points so far out that no picture needs them.
fn check_reach(layers: &[Layer], longer_side: f64) -> Result<(), PictureError> {
    let reach = SIDES_OUT_MAX * longer_side;
    let mut numbers = layers
        .iter()
        .flat_map(|layer| layer.path.segments())
        .flat_map(|segment| segment.points())
        .flatten();
    // What is not a number lies nowhere.
    if numbers.all(|number| (-reach..=reach).contains(&number)) {
        return Ok(());
    }
    Err(forbidden("a point far outside"))
}

fn plain_colour(paint: &SvgPaint, opacity: usvg::Opacity) -> Result<[u8; 3], PictureError> {
    if opacity.get() < 1.0 {
        return Err(forbidden("opacity"));
    }
    match paint {
        SvgPaint::Color(colour) => Ok([colour.red, colour.green, colour.blue]),
        SvgPaint::LinearGradient(_) | SvgPaint::RadialGradient(_) | SvgPaint::Pattern(_) => {
            Err(forbidden("gradient or pattern"))
        }
    }
}

fn convert(data: &usvg::tiny_skia_path::Path, transform: Transform) -> Path {
    let matrix = Matrix::new(
        [
            transform.sx,
            transform.ky,
            transform.kx,
            transform.sy,
            transform.tx,
            transform.ty,
        ]
        .map(f64::from),
    );
    let mut path = Path::default();
    let mut last = [0.0; 2];
    let point = |at: usvg::tiny_skia_path::Point| [f64::from(at.x), f64::from(at.y)];
    for segment in data.segments() {
        path.push(match segment {
            PathSegment::MoveTo(to) => {
                last = point(to);
                Segment::Move(last)
            }
            PathSegment::LineTo(to) => {
                last = point(to);
                Segment::Line(last)
            }
            PathSegment::QuadTo(control, to) => {
                let curve = Segment::quadratic(last, point(control), point(to));
                last = point(to);
                curve
            }
            PathSegment::CubicTo(first, second, to) => {
                last = point(to);
                Segment::Curve(point(first), point(second), last)
            }
            PathSegment::Close => Segment::Close,
        });
    }
    path.transformed(matrix)
}
