//! A picture of a page, by the renderer that comes with the typesetter.

use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::Pdf;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{RenderCache, RenderSettings, render};

/// Two pixels a point: 144 dots an inch.
const SCALE: f32 = 2.0;

/// A page as PNG, or why not.
pub(super) fn page_png(pdf: &[u8], page_index: usize) -> Result<Vec<u8>, String> {
    let pdf = Pdf::new(pdf.to_vec()).map_err(|error| format!("{error:?}"))?;
    let page = pdf.pages().get(page_index).ok_or("there is no such page")?;
    let settings = RenderSettings {
        x_scale: SCALE,
        y_scale: SCALE,
        bg_color: WHITE,
        ..RenderSettings::default()
    };
    let cache = RenderCache::new();
    render(page, &cache, &InterpreterSettings::default(), &settings)
        .into_png()
        .map_err(|error| error.to_string())
}
