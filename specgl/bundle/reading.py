"""The verb: a folder on disk, as something to work with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import xarray as xr

from specgl.bundle import manifest as manifests
from specgl.bundle import names, received
from specgl.bundle.checking import verify
from specgl.bundle.datasets import maps_dataset, mask_array
from specgl.bundle.looking import GIVEN, OF_DATA, SOURCE, Quality, read_regions, volume
from specgl.bundle.manifest import FileEntry, Status
from specgl.bundle.names import Role
from specgl.bundle.printed import FORMS, About, choose, print_tables
from specgl.bundle.results import describe_findings, describe_results
from specgl.bundle.tables import ID, read_clusters, read_null, read_table
from specgl.errors import UsageError


@dataclass(frozen=True, eq=False, repr=False)
class Bundle:
    """A results bundle on disk; nothing but its manifest is read until it is asked for.

    Attributes
    ----------
    path
        Its folder.
    manifest
        Content of its manifest.
    """

    path: Path
    manifest: dict[str, Any]

    @property
    def name(self) -> str:
        """Name of the analysis."""
        return str(self.manifest["name"])

    @property
    def status(self) -> Status:
        """How the run ended."""
        return Status(self.manifest["status"])

    @cached_property
    def files(self) -> tuple[FileEntry, ...]:
        """Every file but the manifest."""
        return manifests.read_entries(self.manifest)

    @cached_property
    def maps(self) -> xr.Dataset:
        """All maps, read from disk when their values are used.

        The unthresholded maps bear the names of the vocabulary: `effect`, `variance`, `stat`, `z`, `p` ...
        with dims `(contrast, i, j, k)`, and `dof`, `n`, `r2`, `sigma` `(i, j, k)`, `residuals`
        `(observation, i, j, k)`; with variance groups `dof` is a contrast's own, as `stat` is, and `tau2`
        `(group, i, j, k)`. What an inference made is `stat_<inference>` (the statistic where it survives, 0
        elsewhere) and `logp_<inference>` (−log10 of the corrected p); by permutation also
        `uncorrectedlogp_<inference>`, `tfce_<inference>` and `extrapolated_<inference>`, where they exist.
        Where a contrast has no such map, it is NaN. Coordinates: `contrast`, `kind` and `alternative`
        `(contrast)`, `observation` and `group` where there are such, voxel indices `i`,
        `j`, `k`, and `x_mm`, `y_mm`, `z_mm` along the axes where the grid is aligned with them, so that
        `maps.sel(x_mm=0, method="nearest")` is a slice. Attributes: `affine` as
        rows (of each map too), `space`, `name`, `spec_digest`.
        """
        return maps_dataset(self.path, self.manifest, self.files)

    @property
    def mask(self) -> xr.DataArray:
        """The analysed mask `(i, j, k)`, bool."""
        return mask_array(self.path, self.manifest, self.files)

    @cached_property
    def design(self) -> pd.DataFrame | None:
        """The design, one row an observation, indexed by their ids; None for ready-made maps."""
        return self._about_observations(names.DESIGN_TABLE)

    @cached_property
    def observations(self) -> pd.DataFrame | None:
        """Every row of the participants' table, kept or dropped; None for ready-made maps."""
        return self._about_observations(names.OBSERVATIONS)

    @property
    def report(self) -> Path | None:
        """Its page; None where none was made."""
        return self.path / names.REPORT if self._has(names.REPORT) else None

    @cached_property
    def variables(self) -> pd.DataFrame | None:
        """What the model knows of each observation before coding, indexed by their ids.

        Levels as text, numbers in their own unit, blocks, variance groups and clusters; None for
        ready-made maps.
        """
        words = self.design_words or {}
        told = words.get("variables", {})
        numbers = {name for name, held in told.items() if held.get("type") == "continuous"}
        return self._about_observations(names.VARIABLES, numbers=numbers)

    @cached_property
    def design_words(self) -> dict[str, Any] | None:
        """What regressors, variables and contrasts mean; None for ready-made maps."""
        return self._json(names.DESIGN_WORDS)

    @cached_property
    def quality(self) -> Quality | None:
        """What is told of the data's quality; None for ready-made maps and where a run stopped."""
        return Quality(self.path) if self._has(names.QUALITY) else None

    @cached_property
    def underlay(self) -> xr.DataArray | None:
        """What figures are drawn on, `(i, j, k)` on its own grid, with the attribute `affine`.

        Its attribute `source` is ``underlay`` where one was given, and ``mean image`` where it is the mean of
        the observations. None where there is neither.
        """
        for name, source in ((names.UNDERLAY, GIVEN), (names.MEAN, OF_DATA)):
            if self._has(name):
                return volume(self.path, name).assign_attrs({SOURCE: source})
        return None

    @cached_property
    def regions(self) -> tuple[xr.DataArray, dict[int, str]] | None:
        """Regions of the atlas `(i, j, k)`, 0 outside all of them, and their names; None without an atlas."""
        return read_regions(self.path) if self._has(names.ATLAS) else None

    @cached_property
    def tables(self) -> Mapping[tuple[str, str], pd.DataFrame]:
        """Tables of clusters and peaks by (contrast, inference)."""
        return MappingProxyType(
            {
                (str(file.label.contrast), str(file.label.inference)): read_clusters(self.path, file.path)
                for file in self.files
                if file.role is Role.TABLE
            }
        )

    @cached_property
    def null(self) -> Mapping[tuple[str, str], pd.Series[float]]:
        """Null distributions by (contrast, inference): a value a shuffle, the observed labelling first."""
        return MappingProxyType(
            {
                (str(file.label.contrast), str(file.label.inference)): read_null(self.path, file.path)
                for file in self.files
                if file.role is Role.NULL
            }
        )

    @property
    def results(self) -> pd.DataFrame:
        """One row for each contrast and inference: n, dof, threshold, how many survive, smallest p, peak."""
        rows = [
            {**{key: value for key, value in row.items() if key != "peak"}, **_flat(row["peak"])}
            for row in self.manifest["results"]
        ]
        return pd.DataFrame(rows)

    def table_text(
        self, contrast: str | None = None, inference: str | None = None, form: str = "markdown"
    ) -> str:
        """Tables of clusters as they are printed.

        Parameters
        ----------
        contrast, inference
            Whose tables; all where a name is not given.
        form
            ``markdown``, ``latex`` (with the rules of booktabs) or ``text``, with the digits of a paper, and
            without columns in which nothing is said; ``tsv``, one table with all digits.

        Returns
        -------
        text
            Each table with a note that says contrast, inference, threshold, n, degrees of freedom and space.

        Raises
        ------
        UsageError
            When there is no such contrast, inference or form; it tells which there are.
        """
        if form not in FORMS:
            raise UsageError(f"there is no form '{form}'; there is {', '.join(FORMS)}")
        tables = self.tables
        order = [(row["contrast"], row["inference"]) for row in self.manifest["results"]]
        chosen = choose([pair for pair in order if pair in tables], contrast, inference)
        return print_tables([(tables[pair], self.about(*pair)) for pair in chosen], form)

    def about(self, contrast: str, inference: str) -> About:
        """What the table of a contrast under an inference tells of, for who prints it.

        Raises
        ------
        VerificationError
            E509: the manifest has no such result.
        """
        row = next(
            (r for r in self.manifest["results"] if (r["contrast"], r["inference"]) == (contrast, inference)),
            None,
        )
        if row is None:
            raise received.unreadable(names.MANIFEST, f"it has no result of '{contrast}' under '{inference}'")
        asked = (self.spec or {}).get("inference")
        settings = asked.get(inference) if isinstance(asked, dict) else None
        space = self.manifest.get("space")
        return About(
            row=row,
            settings=settings if isinstance(settings, dict) else {},
            space=None if space is None else space["label"],
        )

    @cached_property
    def spec(self) -> dict[str, Any] | None:
        """The resolved spec; None where a run stopped before it was understood."""
        return self._json(names.RESOLVED)

    @cached_property
    def inputs(self) -> dict[str, Any] | None:
        """Files that were read, and the environment they were read in."""
        return self._json(names.INPUTS)

    def verify(self) -> None:
        """Check every file against the manifest.

        Raises
        ------
        VerificationError
            With every difference.
        """
        verify(self.path)

    def summary(self) -> str:
        """What the bundle holds, in lines of text."""
        return "\n".join(self._lines())

    def __repr__(self) -> str:
        return f"<specgl.Bundle {self.name!r}, {self.status.value}, {len(self.files)} files>"

    def _lines(self) -> Iterator[str]:
        held = self.manifest
        yield f"{self.name}: {self.status.value}, specgl {held['specgl']}, started {held['started']}"
        if self.status is not Status.COMPLETE:
            yield f"  ended in the stage '{held.get('stage')}': {held.get('message')}"
        if (space := held.get("space")) is not None:
            shape = " × ".join(str(length) for length in space["shape"])
            label = f" in {space['label']}" if space["label"] else ""
            yield f"  {space['locations']:,} of {shape} voxels{label}"
        for contrast in held.get("contrasts", ()):
            if "members" in contrast:
                yield f"  `{contrast['name']}`: conjunction of {' and '.join(contrast['members'])}"
        for line in describe_results(held["results"]):
            yield f"  {line}"
        for line in describe_findings((*held["errors"], *held["warnings"])):
            yield f"  {line}"
        megabytes = sum(file.bytes for file in self.files) / 1e6
        maps = sum(file.role.is_image for file in self.files)
        yield f"  {len(self.files)} files, {maps} of them images, {megabytes:.1f} MB"

    def _has(self, name: str) -> bool:
        return any(file.path == name for file in self.files)

    def _about_observations(self, name: str, numbers: Collection[str] | None = None) -> pd.DataFrame | None:
        """A table with a row an observation; of its columns but `numbers`, where given, all are text."""
        if not self._has(name):
            return None
        # Ids and reasons may look like numbers, and are not.
        table = read_table(
            self.path, name, as_text=(ID, "status", "reason", "image", "variance"), numbers=numbers
        )
        if ID not in table.columns:
            raise received.unreadable(name, f"it has no column '{ID}'")
        return table.set_index(ID)

    def _json(self, name: str) -> dict[str, Any] | None:
        if not self._has(name):
            return None
        held = received.read_json(self.path, name)
        if not isinstance(held, dict):
            raise received.unreadable(name, "it is not a JSON object")
        return held


def open_bundle(path: str | Path) -> Bundle:
    """Open a bundle, of whatever status.

    Parameters
    ----------
    path
        Its folder.

    Raises
    ------
    VerificationError
        E500 to E504 when it has no manifest that can be understood. Its files are not compared with it: see
        `Bundle.verify`.
    """
    folder = Path(path)
    return Bundle(folder, received.read(folder))


def _flat(peak: Mapping[str, float] | None) -> dict[str, float | None]:
    keys = ("x", "y", "z", "statistic", "z_score", "p_corrected")
    return {f"peak_{key}": None if peak is None else peak[key] for key in keys}
