"""Find what is read beside the images: first-level variances, and covariates that differ by location."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from specgl import images
from specgl.design import Rows
from specgl.errors import Finding
from specgl.images import Companions, ImageRef, Located, Roots
from specgl.planning import translate
from specgl.spec import Data, Model

_Where = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """One image an observation that the model needs beside the effect's.

    Attributes
    ----------
    what
        What messages call it.
    where
        Keys of the spec that name it.
    source
        How each row's image is found.
    """

    what: str
    where: _Where
    source: images.Source


@dataclass(frozen=True, eq=False)
class Beside:
    """The images that were looked for.

    Attributes
    ----------
    wanted
        By the covariate's name, None for the variances, which come first.
    located
        Where the images of the rows lie, likewise.
    """

    wanted: Mapping[str | None, Wanted] = field(default_factory=dict)
    located: Mapping[str | None, Located] = field(default_factory=dict)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is wrong beside images that are missing."""
        return tuple(finding for located in self.located.values() for finding in located.findings)

    def missing(self) -> Iterator[tuple[Wanted, Mapping[str, str]]]:
        """Observations that lack an image, and why, for each kind of which any is missing."""
        for name, located in self.located.items():
            if located.missing:
                yield self.wanted[name], located.missing

    def of(self, rows: Rows) -> Companions:
        """The images of the analysed rows that have one."""
        kept = {
            name: {who: located.refs[who] for who in rows.kept if who in located.refs}
            for name, located in self.located.items()
        }
        variances: Mapping[str, ImageRef] | None = kept.pop(None, None)
        return Companions(variances, {str(name): refs for name, refs in kept.items()})


def wanted(data: Data, model: Model) -> dict[str | None, Wanted]:
    """The images that the model needs beside the effects.

    Variances only where the estimator uses them, and the covariates that the formula names: no file is read
    that cannot change a number.

    Parameters
    ----------
    data, model
        What is asked.
    """
    found: dict[str | None, Wanted] = {}
    if data.variances is not None and translate.uses_variances(model):
        source = translate.image_source(data.variances, data.id)
        found[None] = Wanted("variance", ("data", "variances"), source)
    for name in translate.voxelwise(data, model):
        source = translate.image_source(data.voxelwise[name], data.id)
        found[name] = Wanted(f"image of the covariate '{name}'", ("data", "voxelwise", name), source)
    return found


def find_beside(data: Data, model: Model, rows: Rows, roots: Roots) -> Beside:
    """Find the images of each kept row; none where the spec names no images of effects.

    Parameters
    ----------
    data, model
        What is asked.
    rows
        The analysed rows.
    roots
        Folders that files are found from.
    """
    if data.images is None:
        return Beside()
    frame = rows.table.frame.loc[list(rows.kept)]
    asked = wanted(data, model)
    located = {
        name: images.locate_images(one.source, frame, roots=roots, where=one.where)
        for name, one in asked.items()
    }
    return Beside(asked, located)


def files_of(companions: Companions) -> list[Path]:
    """Every file, once for each observation that it is read for."""
    stacks = [
        *([] if companions.variances is None else [companions.variances]),
        *companions.voxelwise.values(),
    ]
    return [ref.path for refs in stacks for ref in refs.values()]
