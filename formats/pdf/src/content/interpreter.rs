//! Runs the text operators of a page's content (ISO 32000-2, 8.4, 9.3, 9.4) and notes where each
//! glyph stands.

use std::collections::HashMap;
use std::rc::Rc;

use super::font::{Font, Glyph, Text};
use super::operands::{Operand, Operators};
use crate::document::Document;
use crate::error::PdfError;
use crate::limits::check;
use crate::object::{Dictionary, Object, ObjectId, Value};
use crate::page::Page;

/// Forms inside forms; honest ones have two or three levels.
const FORM_LEVELS_MAX: u64 = 16;

/// Forms shown on one page, each as often as it is; maps have some thousand symbols.
const FORMS_MAX: u64 = 20_000;

/// Saved graphics states; ISO 32000-1, annex C had 28.
const STATES_MAX: u64 = 512;

/// Glyphs on one page; a page of print has some thousand.
const GLYPHS_MAX: u64 = 500_000;

/// Characters on one page: a glyph may stand for several, honest ones for three or four.
const CHARACTERS_MAX: u64 = 2_000_000;

/// The ideographic em box below and above the baseline, in em.
const BELOW: f64 = -0.12;
const ABOVE: f64 = 0.88;

/// `[a b c d e f]` (8.3.3).
pub(super) type Matrix = [f64; 6];

const IDENTITY: Matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 0.0];

/// First `one`, then `other`.
fn then(one: Matrix, other: Matrix) -> Matrix {
    let [a, b, c, d, e, f] = one;
    let [g, h, i, j, k, l] = other;
    [
        a * g + b * i,
        a * h + b * j,
        c * g + d * i,
        c * h + d * j,
        e * g + f * i + k,
        e * h + f * j + l,
    ]
}

fn apply([a, b, c, d, e, f]: Matrix, [x, y]: [f64; 2]) -> [f64; 2] {
    [a * x + c * y + e, b * x + d * y + f]
}

/// Where a glyph stands, in default user space.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// The glyph's origin on the baseline; in vertical writing the middle of its upper edge.
    pub(super) start: [f64; 2],
    /// Where the next one would stand without spacing.
    pub(super) end: [f64; 2],
    /// Corners of its em box.
    pub(super) corners: [[f64; 2]; 4],
    /// The size of an em across the line.
    pub(super) em: f64,
}

/// What a page says, in the order of its content.
#[derive(Debug, Default)]
pub(super) struct PageText {
    /// Each character with the glyph that shows it; several for a ligature.
    pub(super) characters: Vec<(char, usize)>,
    pub(super) places: Vec<Place>,
    /// Glyphs whose characters nobody can tell.
    pub(super) unknown: usize,
    /// Pictures shown.
    pub(super) images: usize,
    /// Forms shown.
    forms: u64,
}

/// Reads page after page; fonts are read once.
pub(super) struct Reader<'d, 'a> {
    document: &'d Document<'a>,
    fonts: HashMap<ObjectId, Rc<Font>>,
}

/// The graphics state as far as text depends on it (table 51, table 103).
#[derive(Clone)]
struct State {
    to_page: Matrix,
    font: Option<Rc<Font>>,
    size: f64,
    character_spacing: f64,
    word_spacing: f64,
    scale: f64,
    leading: f64,
    rise: f64,
}

/// Named resources of a page or form (7.8.3).
struct Resources {
    fonts: Option<Value>,
    objects: Option<Value>,
    /// By name, so that a direct font dictionary is read once.
    known: HashMap<Vec<u8>, Rc<Font>>,
}

impl<'d, 'a> Reader<'d, 'a> {
    pub(super) fn new(document: &'d Document<'a>) -> Self {
        Self {
            document,
            fonts: HashMap::new(),
        }
    }

    /// The text of a page.
    ///
    /// # Errors
    /// Content that is not PDF syntax, a filter that is not known, a passed limit.
    pub(super) fn page(&mut self, page: &Page<'_>) -> Result<PageText, PdfError> {
        let mut text = PageText::default();
        let content = self.content(page)?;
        let resources = match &page.resources {
            Some(value) => Some(self.document.resolve(value)?),
            None => None,
        };
        let resources = resources.as_ref().and_then(Value::as_dictionary);
        let mut resources = self.resources(resources)?;
        let state = State {
            to_page: IDENTITY,
            font: None,
            size: 0.0,
            character_spacing: 0.0,
            word_spacing: 0.0,
            scale: 1.0,
            leading: 0.0,
            rise: 0.0,
        };
        self.run(&content, state, &mut resources, 0, &mut text)?;
        Ok(text)
    }

    /// `/Contents`: one stream, or several that are one (7.8.2).
    fn content(&self, page: &Page<'_>) -> Result<Vec<u8>, PdfError> {
        let document = self.document;
        let value = page
            .dictionary
            .dictionary()
            .and_then(|page| page.get(b"Contents"));
        let Some(value) = value else {
            return Ok(Vec::new());
        };
        let resolved = document.resolve(value)?;
        let parts = match resolved.as_array() {
            Some(parts) => parts.to_vec(),
            None => vec![value.clone()],
        };
        let mut content = Vec::new();
        for part in parts.iter().filter_map(Value::as_reference) {
            if let Some(stream) = document.follow(part, document.newest_index())? {
                content.extend_from_slice(&document.stream_data(&stream)?);
                content.push(b'\n');
            }
        }
        Ok(content)
    }

    fn resources(&self, dictionary: Option<&Dictionary>) -> Result<Resources, PdfError> {
        let part = |key: &[u8]| match dictionary {
            Some(dictionary) => self.document.lookup(dictionary, key),
            None => Ok(None),
        };
        Ok(Resources {
            fonts: part(b"Font")?,
            objects: part(b"XObject")?,
            known: HashMap::new(),
        })
    }

    fn font(
        &mut self,
        resources: &mut Resources,
        name: &[u8],
    ) -> Result<Option<Rc<Font>>, PdfError> {
        if let Some(font) = resources.known.get(name) {
            return Ok(Some(Rc::clone(font)));
        }
        let value = resources.fonts.as_ref().and_then(Value::as_dictionary);
        let Some(value) = value.and_then(|fonts| fonts.get(name)) else {
            return Ok(None);
        };
        let id = value.as_reference();
        let font = match id.and_then(|id| self.fonts.get(&id)) {
            Some(font) => Rc::clone(font),
            None => {
                let dictionary = self.document.resolve(value)?;
                let Some(dictionary) = dictionary.as_dictionary() else {
                    return Ok(None);
                };
                let font = Rc::new(Font::read(self.document, dictionary)?);
                if let Some(id) = id {
                    self.fonts.insert(id, Rc::clone(&font));
                }
                font
            }
        };
        resources.known.insert(name.to_vec(), Rc::clone(&font));
        Ok(Some(font))
    }

    fn run(
        &mut self,
        content: &[u8],
        state: State,
        resources: &mut Resources,
        level: u64,
        text: &mut PageText,
    ) -> Result<(), PdfError> {
        check("form_levels", level, FORM_LEVELS_MAX)?;
        let mut run = Run {
            state,
            saved: Vec::new(),
            text_matrix: IDENTITY,
            line_matrix: IDENTITY,
        };
        let mut operators = Operators::new(content);
        while let Some((operator, operands)) = operators.next()? {
            match operator {
                b"q" => {
                    check("graphics_states", run.saved.len() as u64 + 1, STATES_MAX)?;
                    run.saved.push(run.state.clone());
                }
                // More Q than q occur; there is nothing to go back to.
                b"Q" => {
                    if let Some(state) = run.saved.pop() {
                        run.state = state;
                    }
                }
                b"cm" => {
                    if let Some(matrix) = matrix(operands) {
                        run.state.to_page = then(matrix, run.state.to_page);
                    }
                }
                b"Tf" => {
                    if let [Operand::Name(name), size] = operands {
                        run.state.font = self.font(resources, name)?;
                        run.state.size = size.number().unwrap_or(0.0);
                    }
                }
                b"Do" => {
                    if let [Operand::Name(name)] = operands {
                        self.object(name, &run.state, resources, level, text)?;
                    }
                }
                _ => run.text_operator(operator, operands, text)?,
            }
        }
        Ok(())
    }

    /// A picture is counted, a form is run with its own resources or those around it (8.10.1).
    fn object(
        &mut self,
        name: &[u8],
        state: &State,
        around: &mut Resources,
        level: u64,
        text: &mut PageText,
    ) -> Result<(), PdfError> {
        let objects = around.objects.as_ref().and_then(Value::as_dictionary);
        let id = objects
            .and_then(|objects| objects.get(name))
            .and_then(Value::as_reference);
        let Some(id) = id else { return Ok(()) };
        let Some(object) = self.document.follow(id, self.document.newest_index())? else {
            return Ok(());
        };
        let Some(dictionary) = object.dictionary() else {
            return Ok(());
        };
        if dictionary.has_name(b"Subtype", b"Image") {
            text.images += 1;
        }
        if !dictionary.has_name(b"Subtype", b"Form") {
            return Ok(());
        }
        text.forms += 1;
        check("page_forms", text.forms, FORMS_MAX)?;
        let state = State {
            to_page: then(self.form_matrix(&object)?, state.to_page),
            ..state.clone()
        };
        let content = self.document.stream_data(&object)?;
        match self.document.lookup(dictionary, b"Resources")? {
            Some(own) => {
                let mut own = self.resources(own.as_dictionary())?;
                self.run(&content, state, &mut own, level + 1, text)
            }
            None => self.run(&content, state, around, level + 1, text),
        }
    }

    fn form_matrix(&self, form: &Object<'_>) -> Result<Matrix, PdfError> {
        let matrix = match form.dictionary() {
            Some(dictionary) => self.document.lookup(dictionary, b"Matrix")?,
            None => None,
        };
        let numbers: Option<Vec<f64>> = matrix
            .as_ref()
            .and_then(Value::as_array)
            .and_then(|numbers| numbers.iter().map(Value::as_number).collect());
        let matrix = numbers.and_then(|numbers| numbers.try_into().ok());
        Ok(matrix.unwrap_or(IDENTITY))
    }
}

/// One content stream under way.
struct Run {
    state: State,
    saved: Vec<State>,
    text_matrix: Matrix,
    line_matrix: Matrix,
}

impl Run {
    /// Tables 103, 105, 106 and 107. What has wrong operands has no effect.
    fn text_operator(
        &mut self,
        operator: &[u8],
        operands: &[Operand<'_>],
        text: &mut PageText,
    ) -> Result<(), PdfError> {
        let number = || operands.first().and_then(Operand::number);
        match operator {
            b"BT" => {
                self.text_matrix = IDENTITY;
                self.line_matrix = IDENTITY;
            }
            b"Tc" => self.state.character_spacing = number().unwrap_or(0.0),
            b"Tw" => self.state.word_spacing = number().unwrap_or(0.0),
            b"Tz" => self.state.scale = number().unwrap_or(100.0) / 100.0,
            b"TL" => self.state.leading = number().unwrap_or(0.0),
            b"Ts" => self.state.rise = number().unwrap_or(0.0),
            b"Td" | b"TD" => {
                if let [x, y] = operands
                    && let (Some(x), Some(y)) = (x.number(), y.number())
                {
                    if operator == b"TD" {
                        self.state.leading = -y;
                    }
                    self.next_line(x, y);
                }
            }
            b"Tm" => {
                if let Some(matrix) = matrix(operands) {
                    self.line_matrix = matrix;
                    self.text_matrix = matrix;
                }
            }
            b"T*" => self.next_line(0.0, -self.state.leading),
            b"Tj" => {
                if let [Operand::String(bytes)] = operands {
                    self.show(bytes, text)?;
                }
            }
            b"'" => {
                self.next_line(0.0, -self.state.leading);
                if let [Operand::String(bytes)] = operands {
                    self.show(bytes, text)?;
                }
            }
            b"\"" => {
                if let [word, character, Operand::String(bytes)] = operands {
                    self.state.word_spacing = word.number().unwrap_or(0.0);
                    self.state.character_spacing = character.number().unwrap_or(0.0);
                    self.next_line(0.0, -self.state.leading);
                    self.show(bytes, text)?;
                }
            }
            b"TJ" => {
                if let [Operand::Array(items)] = operands {
                    for item in items {
                        match item {
                            Operand::String(bytes) => self.show(bytes, text)?,
                            Operand::Number(thousandths) => {
                                self.advance(-thousandths / 1000.0 * self.state.size);
                            }
                            Operand::Name(_) | Operand::Array(_) | Operand::Other => {}
                        }
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn next_line(&mut self, x: f64, y: f64) {
        self.line_matrix = then([1.0, 0.0, 0.0, 1.0, x, y], self.line_matrix);
        self.text_matrix = self.line_matrix;
    }

    /// Moves along the line by so much unscaled text space (9.4.4).
    fn advance(&mut self, by: f64) {
        let is_vertical = self
            .state
            .font
            .as_ref()
            .is_some_and(|font| font.is_vertical());
        let move_by = if is_vertical {
            [1.0, 0.0, 0.0, 1.0, 0.0, by]
        } else {
            [1.0, 0.0, 0.0, 1.0, by * self.state.scale, 0.0]
        };
        self.text_matrix = then(move_by, self.text_matrix);
    }

    fn show(&mut self, bytes: &[u8], text: &mut PageText) -> Result<(), PdfError> {
        let Some(font) = self.state.font.clone() else {
            return Ok(());
        };
        let mut passed = Ok(());
        font.glyphs(bytes, &mut |glyph| {
            if passed.is_ok() {
                passed =
                    check("page_glyphs", text.places.len() as u64 + 1, GLYPHS_MAX).and_then(|()| {
                        let characters = text.characters.len() as u64;
                        check("page_characters", characters, CHARACTERS_MAX)
                    });
                self.place(glyph, text);
            }
        });
        passed
    }

    fn place(&mut self, glyph: Glyph, text: &mut PageText) {
        let State {
            size, scale, rise, ..
        } = self.state;
        let glyph_space = [size * scale, 0.0, 0.0, size, 0.0, rise];
        let to_page = then(then(glyph_space, self.text_matrix), self.state.to_page);
        let at = |x: f64, y: f64| apply(to_page, [x, y]);
        let advance = glyph.advance;
        let (end, corners) = match glyph.vertical {
            None => (
                at(advance, 0.0),
                [
                    (0.0, BELOW),
                    (advance, BELOW),
                    (advance, ABOVE),
                    (0.0, ABOVE),
                ],
            ),
            Some([half, _]) => (
                at(0.0, advance),
                [(-half, advance), (half, advance), (half, 0.0), (-half, 0.0)],
            ),
        };
        let start = at(0.0, 0.0);
        let across = match glyph.vertical {
            None => at(0.0, 1.0),
            Some(_) => at(1.0, 0.0),
        };
        let [x, y] = start;
        let [across_x, across_y] = across;
        let place = Place {
            start,
            end,
            corners: corners.map(|(x, y)| at(x, y)),
            em: (across_x - x).hypot(across_y - y),
        };
        let numbers = place
            .corners
            .iter()
            .chain([&place.start, &place.end])
            .flatten();
        if numbers.chain([&place.em]).all(|number| number.is_finite()) {
            let index = text.places.len();
            text.places.push(place);
            match glyph.text {
                Text::Unknown => text.unknown += 1,
                Text::Character(character) => text.characters.push((character, index)),
                Text::Characters(string) => text
                    .characters
                    .extend(string.chars().map(|character| (character, index))),
            }
        }
        let mut by = advance * size + self.state.character_spacing;
        if glyph.is_space {
            by += self.state.word_spacing;
        }
        self.advance(by);
    }
}

fn matrix(operands: &[Operand<'_>]) -> Option<Matrix> {
    let numbers: Option<Vec<f64>> = operands.iter().map(Operand::number).collect();
    numbers?.try_into().ok()
}
