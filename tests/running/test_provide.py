"""What inference needs beside the statistics."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from specgl import images
from specgl.images import ImageRef, LabelImage
from specgl.images.labels import Labels
from specgl.running.journey import Journey
from specgl.running.provide import LabelReader


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[LabelImage]:
    """Label images that were read, one a reading."""
    asked: list[LabelImage] = []

    def read_labels(label_image: LabelImage, space: object) -> Labels:
        asked.append(label_image)
        file = SimpleNamespace(name=label_image.image.shown)
        return Labels(np.array([0, len(asked)]), {1: "one", 2: "two"}, (file,))

    monkeypatch.setattr(images, "read_labels", read_labels)
    return asked


def test_a_label_image_is_read_once_whoever_asks(read: list[LabelImage]) -> None:
    journey = Journey(None, threads=1)
    reader = LabelReader(SimpleNamespace(), journey)
    image, table = (ImageRef(Path(name), name=name) for name in ("atlas.nii.gz", "atlas.tsv"))
    atlas = reader.regions(LabelImage(image, table, ("output", "atlas")))
    again = reader.regions(LabelImage(image, table, ("inference", "a", "regions")))
    without = reader.regions(LabelImage(image, None, ("inference", "b", "regions")))
    assert again is atlas
    assert len(read) == 2  # other names make other regions
    assert without.codes.tolist() == [0, 2]
    assert [file.name for file in journey.inputs] == ["atlas.nii.gz"]
