"""The bench measures what is made: each way gives as many readable one-page files as it was asked for."""

import io

import pytest
from pypdf import PdfReader

from portal.demo import rivals


@pytest.mark.parametrize("way", rivals.WAYS, ids=lambda way: way.name)
def test_each_way_makes_a_page_with_the_serial_for_each_certificate(way):
    some = rivals.samples(2)
    made = list(way.make(some))
    assert len(made) == 2
    for sample, pdf in zip(some, made, strict=True):
        [page] = PdfReader(io.BytesIO(pdf)).pages
        assert sample.serial in page.extract_text().replace(" ", "")


def test_no_two_samples_are_alike():
    assert len({sample.facts["name_en"] for sample in rivals.samples(300)}) == 300
