"""The visible seal of a signature: its field on the page, how it looks, and its place among the tags."""

from functools import cache
from pathlib import Path

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name as name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

FIELD = "Seal"
MM = 72 / 25.4
SIDE = 44 * MM
# In points from the lower left corner of the sheet; certificate.typ leaves this square free.
BOX = (219 * MM, 111 * MM, 219 * MM + SIDE, 111 * MM + SIDE)
DRAWING = Path(__file__).parent / "print" / "seal.content"  # outlines only, so it needs no font


@cache
def _drawing() -> bytes:
    return DRAWING.read_bytes()


def put_seal(writer: IncrementalPdfFileWriter, field: generic.IndirectObject, firm: str) -> None:
    """Give a new signature field its looks, a name for readers that speak, and its place in the order of reading."""
    widget = field.get_object()
    look = generic.StreamObject(
        {
            name("/Type"): name("/XObject"),
            name("/Subtype"): name("/Form"),
            name("/BBox"): generic.ArrayObject([generic.FloatObject(side) for side in (0, 0, SIDE, SIDE)]),
            name("/Resources"): generic.DictionaryObject(),
        },
        stream_data=_drawing(),
    )
    look.compress()
    widget[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(look)})
    widget[name("/TU")] = widget[name("/Contents")] = generic.pdf_string(f"Electronic seal of {firm}")
    _tag(writer, field, widget)


def _tag(writer: IncrementalPdfFileWriter, field: generic.IndirectObject, widget: generic.DictionaryObject) -> None:
    """Hang the field into the structure tree, as the last element of the document."""
    tree = writer.root["/StructTreeRoot"]
    number = tree["/ParentTreeNextKey"]
    document = tree["/K"][0] if isinstance(tree["/K"], generic.ArrayObject) else tree["/K"]
    above, page = document.container_ref, widget.raw_get("/P")
    child = generic.DictionaryObject({name("/Type"): name("/OBJR"), name("/Obj"): field, name("/Pg"): page})
    element = writer.add_object(
        generic.DictionaryObject(
            {
                name("/Type"): name("/StructElem"),
                name("/S"): name("/Form"),
                name("/P"): generic.IndirectObject(above.idnum, above.generation, writer),
                name("/Pg"): page,
                name("/K"): child,
            }
        )
    )
    widget[name("/StructParent")] = generic.NumberObject(number)
    document["/K"].append(element)
    tree["/ParentTree"]["/Nums"].extend([generic.NumberObject(number), element])
    tree[name("/ParentTreeNextKey")] = generic.NumberObject(number + 1)
    for changed in (document, tree["/ParentTree"], tree):
        writer.update_container(changed)
