"""Makes one PDF with a Python library.

    producers.py KIND OUT [IN]

KIND is one of: reportlab, form, cairo, typst, archive-1b and the like, chinese-typst, chinese-cid,
chinese-word-like, chinese-docx (all from nothing; the last makes a .docx); hybrid, page-boxes,
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


def archive(standard, output_intent=True):
    """Three pages of PDF/A or PDF/UA, tagged where the standard wants it."""

    def make(out, _):
        import pikepdf
        import typst as engine

        source = b"""
#set document(title: "Proof", date: datetime(year: 2026, month: 11, day: 22))
#set text(lang: "en")
= Proof
#lorem(60)
#pagebreak()
#lorem(60)
#pagebreak()
#lorem(60)
"""
        made = engine.compile(source, format="pdf", pdf_standards=[standard])
        if not output_intent:
            # Its colours are calibrated, so that it stays PDF/A without.
            with pikepdf.open(io.BytesIO(made)) as pdf:
                del pdf.Root.OutputIntents
                pdf.save(
                    out,
                    min_version=pdf.pdf_version,
                    object_stream_mode=pikepdf.ObjectStreamMode.disable,
                    fix_metadata_version=False,
                )
            return
        with open(out, "wb") as handle:
            handle.write(made)

    return make


archive_1b = archive("a-1b")
archive_1a = archive("a-1a")
archive_2b = archive("a-2b")
archive_2a = archive("a-2a")
archive_3b = archive("a-3b")
archive_ua1 = archive("ua-1")
archive_1b_no_intent = archive("a-1b", output_intent=False)
archive_2b_no_intent = archive("a-2b", output_intent=False)


def chinese_typst(out, _):
    import typst as engine

    source = """
#set document(title: "证明", date: datetime(year: 2026, month: 11, day: 22))
#set text(lang: "zh", font: "Noto Serif CJK SC", size: 12pt)
= 居住证明
兹证明下列人员居住在本村，情况属实。#lorem(30)
#table(columns: 2, [经办人（签字）], [承办单位：盖章处])
#align(right)[示例村民委员会 \\ 2026年11月22日]
#pagebreak()
第二页 page 2, *盖章处* and more.
"""
    with open(out, "wb") as handle:
        handle.write(engine.compile(source.encode(), format="pdf", pdf_standards=["a-2b"]))


def chinese_cid(out, _):
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.pdfgen import canvas

    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    page = canvas.Canvas(out)
    for place in ((100, 500, "承办单位：盖章处"), (150, 300, "第二页，盖章处等")):
        page.setFont("STSong-Light", 14)
        page.drawString(*place)
        page.drawString(72, 700, "兹证明下列人员居住在本村，情况属实。")
        page.showPage()
    page.save()


def chinese_word_like(out, _):
    """Objects as Word writes them; the font's program is left out, its codes and widths are not."""
    text = "承办单位：盖章处第二页等Date "
    glyphs = {c: 1000 + 7 * n for n, c in enumerate(dict.fromkeys(text))}
    latin = {"D": 722, "a": 444, "t": 278, "e": 444, " ": 250}
    widths = {g: latin.get(c, 1000) for c, g in glyphs.items()}

    def hexadecimal(string):
        return "".join(f"{glyphs[c]:04X}" for c in string)

    def run(x, y, *parts):
        array = "".join(f"<{hexadecimal(p)}>" if isinstance(p, str) else str(p) for p in parts)
        return (
            f"/P <</MCID 0>> BDC q\n0.000008871 0 595.32 841.92 re\nW* n\n"
            f"BT\n/F1 10.56 Tf\n1 0 0 1 {x} {y} Tm\n0 g\n0 G\n[{array}] TJ\nET\nQ\n EMC\n"
        )

    maps = "".join(f"<{g:04X}> <{ord(c):04X}>\n" for c, g in glyphs.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
        "1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n"
        f"{len(glyphs)} beginbfchar\n{maps}endbfchar\nendcmap\nend end"
    )
    pages = (
        run(90.1, 500.2, "承办单位：") + run(142.9, 500.2, "盖", 12, "章", -7, "处 "),
        run(90.1, 400.2, "Date 第二页", 50, "盖章", "处等"),
    )
    box = "[-1000 -1000 3000 3000]"
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        "<</Type/Pages/Kids[10 0 R 12 0 R]/Count 2>>",
        "<</Type/Font/Subtype/Type0/BaseFont/BCDEEE+Song/Encoding/Identity-H"
        "/DescendantFonts 4 0 R/ToUnicode 7 0 R>>",
        "[5 0 R]",
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/BCDEEE+Song/CIDSystemInfo 8 0 R/DW 1000"
        "/W 9 0 R/FontDescriptor 6 0 R>>",
        f"<</Type/FontDescriptor/FontName/BCDEEE+Song/Flags 32/FontBBox{box}/ItalicAngle 0"
        "/Ascent 880/Descent -120/CapHeight 700/StemV 80>>",
        cmap.encode(),
        "<</Ordering(Identity)/Registry(Adobe)/Supplement 0>>",
        "[" + " ".join(f"{g}[{w}]" for g, w in sorted(widths.items())) + "]",
    ]
    for number, content in zip((10, 12), pages):
        objects.append(
            f"<</Type/Page/Parent 2 0 R/Resources<</Font<</F1 3 0 R>>>>/MediaBox[0 0 595.32 841.92]"
            f"/Contents {number + 1} 0 R/Tabs/S>>"
        )
        objects.append(content.encode())
    body = b"%PDF-1.7\n%\xb5\xb5\xb5\xb5\n"
    offsets = []
    for number, value in enumerate(objects, 1):
        offsets.append(len(body))
        if isinstance(value, str):
            body += f"{number} 0 obj\n{value}\nendobj\n".encode()
            continue
        head = f"{number} 0 obj\n<</Length {len(value)}>>\nstream\n"
        body += head.encode() + value + b"\nendstream\nendobj\n"
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    tail = f"trailer\n<</Size {size}/Root 1 0 R>>\nstartxref\n{len(body)}\n%%EOF\n"
    with open(out, "wb") as handle:
        handle.write(body + f"xref\n0 {size}\n0000000000 65535 f \n{table}{tail}".encode())


def chinese_docx(out, _):
    """A Word document of the fewest parts that a word processor opens."""
    import zipfile

    def paragraph(text, before=""):
        fonts = '<w:rFonts w:eastAsia="Noto Serif CJK SC" w:ascii="Times New Roman"/>'
        run = f'<w:r><w:rPr>{fonts}</w:rPr>{before}<w:t xml:space="preserve">{text}</w:t></w:r>'
        return f"<w:p>{run}</w:p>"

    word = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    document = (
        f'<w:document xmlns:w="{word}"><w:body>'
        + paragraph("居住证明")
        + paragraph("兹证明下列人员居住在本村，情况属实。The person named below lives here.")
        + paragraph("承办单位：盖章处")
        + paragraph("第二页 page 2, 盖章处 and more.", '<w:br w:type="page"/>')
        + "</w:body></w:document>"
    )
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006"
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{package}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/word/document.xml" ContentType="{main}"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{package}/relationships"><Relationship Id="r1" '
        f'Type="{office}/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/document.xml": document,
    }
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + text)


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
