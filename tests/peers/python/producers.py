"""Makes one PDF with a Python library.

    producers.py KIND OUT [IN]

KIND is one of: reportlab, form, cairo, typst (all from nothing); hybrid, page-boxes,
empty-field (from IN).
"""

import io
import sys

PARAGRAPH = "The committee states what the parties declared before it. " * 6


def reportlab(out, _):
    from reportlab.lib.styles import getSampleStyleSheet
    from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate

    styles = getSampleStyleSheet()
    story = []
    for number in range(1, 5):
        story += [Paragraph(f"Page {number}", styles["Title"])]
        story += [Paragraph(PARAGRAPH, styles["Normal"]), PageBreak()]
    SimpleDocTemplate(out, title="Four pages").build(story)


def form(out, _):
    """An AcroForm with widgets in direct and indirect places, none of them a signature."""
    from reportlab.pdfgen import canvas

    page = canvas.Canvas(out)
    page.drawString(72, 780, "Application")
    page.acroForm.textfield(name="applicant", x=72, y=730, width=200, height=20, value="Chen")
    page.acroForm.checkbox(name="consent", x=72, y=690, checked=True)
    page.acroForm.choice(name="office", x=72, y=650, options=["North", "South"], value="North")
    page.showPage()
    page.drawString(72, 780, "Second page")
    page.showPage()
    page.save()


def cairo(out, _):
    import cairocffi

    surface = cairocffi.PDFSurface(out, 595, 842)
    context = cairocffi.Context(surface)
    for number in (1, 2):
        context.set_source_rgb(0.1, 0.1, 0.1)
        context.select_font_face("sans-serif")
        context.set_font_size(24)
        context.move_to(72, 120)
        context.show_text(f"cairo, page {number}")
        context.rectangle(72, 200, 200, 100)
        context.set_source_rgba(0, 0.3, 0.8, 0.4)
        context.fill()
        surface.show_page()
    surface.finish()


def typst(out, _):
    import typst as engine

    source = b"""
#set document(title: "Proof", date: datetime(year: 2026, month: 11, day: 22))
#set text(lang: "en")
= Proof
#lorem(60)
#table(columns: 3, ..range(9).map(n => [#n]))
#pagebreak()
#lorem(60)
"""
    with open(out, "wb") as handle:
        handle.write(engine.compile(source, format="pdf", pdf_standards=["a-2b"]))


def page_boxes(out, source):
    """A CropBox away from the origin, a UserUnit, an inherited MediaBox and rotation."""
    import pikepdf

    with pikepdf.open(source) as pdf:
        first, second, third, fourth = pdf.pages[:4]
        first.CropBox = pikepdf.Array([50, 60, 500, 700])
        second.UserUnit = 2
        second.MediaBox = pikepdf.Array([-100, -100, 400, 600])
        third.Rotate = 90
        third.CropBox = pikepdf.Array([10, 20, 400, 800])
        # The fourth inherits both from the root of the page tree.
        del fourth.MediaBox
        pdf.Root.Pages.MediaBox = pikepdf.Array([0, 0, 595, 842])
        pdf.Root.Pages.Rotate = 270
        for page in (first, second):
            page.Rotate = 0
        pdf.save(out, min_version="1.7")


def empty_field(out, source):
    """An empty signature field with a place on the page, as a form's author leaves it."""
    from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
    from pyhanko.sign.fields import SigFieldSpec, append_signature_field

    with open(source, "rb") as handle:
        writer = IncrementalPdfFileWriter(handle)
        append_signature_field(
            writer, SigFieldSpec("Approval", on_page=0, box=(300, 80, 420, 200))
        )
        buffer = io.BytesIO()
        writer.write(buffer)
    with open(out, "wb") as handle:
        handle.write(buffer.getvalue())


if __name__ == "__main__":
    kind, out = sys.argv[1:3]
    source = sys.argv[3] if len(sys.argv) > 3 else None
    globals()[kind.replace("-", "_")](out, source)
