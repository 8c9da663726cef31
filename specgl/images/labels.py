"""Label images: images whose values are numbers of regions, and the tables that name them."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from specgl.errors import Finding, ImageError, raise_errors
from specgl.images.bids import parse_name
from specgl.images.grid import Float, Grid
from specgl.images.headers import Header, read_header
from specgl.images.masks import InputFile
from specgl.images.paths import ImageRef, Roots, Where, locate_file
from specgl.images.space import Space
from specgl.images.stream import VolumeReader
from specgl.images.transforms import decode

WHOLE = 1e-4
"""So far from a whole number a label may lie: a slope in the header is kept in float32 only."""

HAIR = 1e-4
"""Share of a voxel that rounding in an affine may take: headers hold it in float32."""

MOST_LABEL = 2**53
"""Whole numbers up to this are held exactly by every reader."""

MOST_TABLE = 2**24
"""Bytes of a label table that are read; the largest atlases have some thousand regions."""

_COLUMNS = ("index", "name")
_TABLE_HELP = "a label table is a TSV or CSV with the columns `index` and `name`, as BIDS has it for dseg.tsv"


@dataclass(frozen=True)
class LabelImage:
    """A label image that was found.

    Attributes
    ----------
    image
        The image.
    labels
        The table of its regions' names; None where the spec names none.
    where
        Keys of the spec that lead to it.
    """

    image: ImageRef
    labels: ImageRef | None = None
    where: Where = ()


class Labels(NamedTuple):
    """Regions of locations.

    Attributes
    ----------
    codes
        Region of each location, ``(n_loc,)`` int64; 0 for none.
    names
        Name of every region of the table, and of every other that a location has.
    inputs
        The files that were read.
    """

    codes: npt.NDArray[np.int64]
    names: dict[int, str]
    inputs: tuple[InputFile, ...]


def locate_labels(
    image: str, labels: str | None, *, roots: Roots, where: Where, grid: Grid | None = None
) -> tuple[LabelImage | None, tuple[Finding, ...]]:
    """Find a label image and its table, and look at the image's header.

    Parameters
    ----------
    image, labels
        The image and its table as written in the spec, relative to its folder.
    roots
        Folders that the paths may not leave.
    where
        Keys of the spec for findings.
    grid
        The grid of the analysis, when known, for its template.

    Returns
    -------
    label_image : LabelImage or None
        None where a file is missing or the image cannot be read.
    findings : tuple of Finding
        E302, E303, E309 to E316 (the files), W300, W301, or W303 where the image is of another template.
    """
    found = locate_file(image, roots=roots, where=(*where, "image"))
    table = None if labels is None else locate_file(labels, roots=roots, where=(*where, "labels"))
    findings = (*found.findings, *(table.findings if table is not None else ()))
    if found.ref is None:
        return None, findings
    try:
        header = _checked(found.ref, (*where, "image"))
    except ImageError as error:
        return None, (*findings, *error.findings)
    findings = (*findings, *header.findings, *other_space(header, grid))
    if table is not None and table.ref is None:
        return None, findings
    return LabelImage(found.ref, None if table is None else table.ref, where), findings


def read_labels(label_image: LabelImage, space: Space) -> Labels:
    """Read in which region each location lies.

    The image may have any grid: a location has the value of the voxel whose centre is nearest to it in mm,
    and lies in no region where it is outside the image. A voxel without a value (NaN) is in no region.

    Parameters
    ----------
    label_image
        What was found.
    space
        The locations.

    Returns
    -------
    Labels
        A region without a name in the table is called ``region 12``.

    Raises
    ------
    ImageError
        E309 to E316 (the image), E323 (values that number no regions), E324 (the table) or E325 (no location
        lies in any region).
    """
    header = _checked(label_image.image, (*label_image.where, "image"))
    reader = VolumeReader(header)
    values = np.zeros(0)
    for _, stored in reader.volumes(frozenset({0})):
        values = decode(stored, header, np.dtype(np.float64))
    numbers = _whole(values, header)
    inputs = [InputFile(header.path, header.size, reader.sha256, "label image", header.name)]
    names: dict[int, str] = {}
    if label_image.labels is not None:
        names, file = _read_table(label_image.labels, (*label_image.where, "labels"))
        inputs.append(file)
    codes = _at(space.coordinates, numbers, header.grid)
    if not codes.any():
        message = f"none of the {space.n_locations} analysed locations lies in a region of '{header.name}'"
        notes = (f"analysis: {space.grid.describe()}", f"label image: {header.grid.describe()}")
        raise ImageError(Finding("E325", message, header.where, notes=notes))
    unnamed = {int(code): f"region {code}" for code in np.unique(codes) if code and int(code) not in names}
    return Labels(codes, names | unnamed, tuple(inputs))


def _checked(ref: ImageRef, where: Where) -> Header:
    header = read_header(ref, where=where)
    if header.n_volumes > 1:
        message = f"'{header.name}' has {header.n_volumes} volumes; a label image has one"
        hint = "of an atlas of probabilities take the most probable region of each voxel"
        raise ImageError(Finding("E312", message, where, help=hint))
    return header


def other_space(header: Header, grid: Grid | None) -> Iterator[Finding]:
    """W303 where an image is of another template than the analysis."""
    mine = None if grid is None else grid.space
    # An atlas that belongs to a template names it as its own entity.
    its = header.grid.space or (parse_name(header.path.name) or {}).get("tpl")
    if mine is None or its is None or mine == its:
        return
    yield Finding(
        "W303",
        f"'{header.name}' is of the space {its}, and the analysis of {mine}",
        header.where,
        help="take it in the space of the images: templates differ by several mm",
    )


def _whole(values: Float, header: Header) -> npt.NDArray[np.int64]:
    """Values as numbers of regions, NaN as 0; E323 where they are none."""
    values[np.isnan(values)] = 0.0
    numbers = np.rint(values)
    wrong = ~np.isfinite(values) | (values < -WHOLE) | (values > MOST_LABEL)
    with np.errstate(invalid="ignore"):
        wrong |= np.abs(values - numbers) > WHOLE
    if wrong.any():
        seen = ", ".join(f"{value:.6g}" for value in np.unique(values[wrong])[:3])
        raise ImageError(
            Finding(
                "E323",
                f"{np.count_nonzero(wrong)} voxels of '{header.name}' do not number a region: {seen}",
                header.where,
                help="a label image holds whole numbers, 0 outside all regions; "
                "one that was resampled is made anew by the nearest neighbour",
            )
        )
    return numbers.astype(np.int64)


def _at(coordinates: Float, numbers: npt.NDArray[np.int64], grid: Grid) -> npt.NDArray[np.int64]:
    """Values of the voxels nearest to places in mm ``(n_loc, 3)``, 0 outside the grid."""
    inverse = np.linalg.inv(grid.affine)
    # Halfway between two voxels the lower one is taken, whatever rounding in an affine makes of the half.
    halfway = 0.5 + HAIR
    voxels = np.ceil(coordinates @ inverse[:3, :3].T + inverse[:3, 3] - halfway).astype(np.int64)
    inside = ((voxels >= 0) & (voxels < grid.shape)).all(axis=1)
    codes = np.zeros(len(coordinates), dtype=np.int64)
    codes[inside] = numbers[np.ravel_multi_index(tuple(voxels[inside].T), grid.shape, order="F")]
    return codes


def _read_table(ref: ImageRef, where: Where) -> tuple[dict[int, str], InputFile]:
    """Names of regions by their number; E324 at the line of each fault."""
    try:
        with ref.path.open("rb") as file:
            content = file.read(MOST_TABLE + 1)
    except OSError as error:
        raise ImageError(
            Finding("E309", f"'{ref.shown}' cannot be opened: {error.strerror}", where)
        ) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = None
    if text is None or "\0" in text or len(content) > MOST_TABLE:
        raise ImageError(Finding("E324", f"'{ref.shown}' is no table of labels", where, help=_TABLE_HELP))
    names: dict[int, str] = {}
    raise_errors(list(_rows(text, ref.path, ref.shown, names)), ImageError)
    file_read = InputFile(ref.path, len(content), sha256(content).hexdigest(), "label table", ref.shown)
    return names, file_read


def _rows(text: str, path: Path, shown: str, names: dict[int, str]) -> Iterator[Finding]:
    """Put the rows of a table into `names`; a finding for each that cannot be."""

    def fault(line: int, what: str) -> Finding:
        return Finding("E324", f"{what} in '{shown}'", file=str(path), line=line, column=1, help=_TABLE_HELP)

    header, _, _ = text.partition("\n")
    reader = csv.reader(StringIO(text, newline=""), delimiter="\t" if "\t" in header else ",", strict=True)
    try:
        columns = [cell.strip().casefold() for cell in next(reader, [])]
        lacking = [name for name in _COLUMNS if name not in columns]
        if lacking:
            yield fault(1, f"there is no column `{'` and no column `'.join(lacking)}`")
            return
        at_index, at_name = (columns.index(name) for name in _COLUMNS)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) <= max(at_index, at_name):
                yield fault(reader.line_num, "the row is too short")
                continue
            number, name = row[at_index].strip(), row[at_name].strip()
            what = _put(number, name, names)
            if what is not None:
                yield fault(reader.line_num, what)
    except csv.Error as error:
        yield fault(reader.line_num, f"the row cannot be read ({error})")


def _put(number: str, name: str, names: dict[int, str]) -> str | None:
    """Enter a region's name; what is wrong with it, where something is."""
    if not number.isdecimal() or int(number) > MOST_LABEL:
        return f"the index '{number}' is no whole number of 0 or more"
    if not name or name == "n/a":
        return f"region {number} has no name"
    if names.setdefault(int(number), name) != name:
        return f"region {number} has two names, '{names[int(number)]}' and '{name}'"
    return None
