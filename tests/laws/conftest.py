"""Groups made in a folder or in memory, and what the public verbs make of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import xarray as xr

import specgl
from specgl.design import ContrastRequest, Design, Rows, Variable, build, read_table, select_rows
from specgl.engines import Threads
from specgl.models import contrast_maps, fit

AFFINE = np.array([[-3.0, 0, 0, 30], [0, 3.0, 0, -20], [0, 0, 4.0, -10], [0, 0, 0, 1]])

Columns = Mapping[str, Sequence[object]]


def write_table(path: Path, columns: Columns) -> None:
    """A table of text."""
    rows = [list(columns), *zip(*columns.values(), strict=True)]
    path.write_text("".join("\t".join(map(str, row)) + "\n" for row in rows), encoding="utf-8")


@dataclass(frozen=True)
class Laboratory:
    """A folder in which every study gets a folder of its own."""

    folder: Path
    number: itertools.count[int]

    def study(self, columns: Columns, volumes: np.ndarray, **sections: Any) -> Path:
        """Write maps `(n_obs, i, j, k)` under the ids of the column `id`, a table and a spec; give the spec.

        Maps keep their type. `sections` are those of a spec, and go before the ones that suit most studies.
        """
        folder = self.folder / f"study{next(self.number)}"
        (folder / "maps").mkdir(parents=True)
        for name, volume in zip(columns["id"], volumes, strict=True):
            nib.save(nib.Nifti1Image(volume, AFFINE), folder / "maps" / f"{name}.nii")
        write_table(folder / "table.tsv", columns)
        data = {"table": "table.tsv", "id": "id", "images": "maps/{id}.nii", **sections.pop("data", {})}
        said = {"specgl": 1, "name": "law", "data": data, **sections}
        path = folder / "analysis.json"
        path.write_text(json.dumps(said), encoding="utf-8")
        return path

    def run(self, columns: Columns, volumes: np.ndarray, **sections: Any) -> specgl.Bundle:
        """Write a study and run it."""
        return specgl.run(specgl.read(self.study(columns, volumes, **sections)), threads=1)

    def rows(self, columns: Columns, variables: Mapping[str, Variable], block: str | None = None) -> Rows:
        """The rows of a table, all of them kept."""
        path = self.folder / f"table{next(self.number)}.tsv"
        write_table(path, columns)
        table = read_table(path, id_columns=["id"])
        return select_rows(
            table, include={}, exclude={}, variables=variables, block=block, missing_covariate="error"
        )

    def design(
        self,
        columns: Columns,
        formula: str,
        contrasts: Sequence[ContrastRequest],
        *,
        block: str | None = None,
        **variables: Variable,
    ) -> Design:
        """The design of a formula on a table."""
        rows = self.rows(columns, variables, block)
        return build(rows, variables=variables, formula=formula, block=block, contrasts=contrasts)


@pytest.fixture(scope="session")
def laboratory(tmp_path_factory: pytest.TempPathFactory) -> Laboratory:
    """Where studies are made."""
    return Laboratory(tmp_path_factory.mktemp("laws"), itertools.count())


@pytest.fixture(scope="session")
def fitted() -> Callable[[np.ndarray, Design], xr.Dataset]:
    """Function from values `(n_obs, n_loc)` and a design to its contrasts' maps."""

    def maps(values: np.ndarray, design: Design) -> xr.Dataset:
        data = xr.Dataset(
            {"effect": (("observation", "location"), values)},
            coords={"observation": list(design.observations)},
        )
        return contrast_maps(fit(data, design, engine=Threads(1)), design)

    return maps


@pytest.fixture(scope="session")
def asked() -> Callable[..., ContrastRequest]:
    """Function from a name and hypotheses, or a term, to a contrast as it is asked for."""

    def request(name: str, *texts: str, term: str | None = None) -> ContrastRequest:
        is_f = term is not None or len(texts) > 1
        return ContrastRequest(name, ("contrasts", name), hypotheses=texts, term=term, is_f=is_f)

    return request
