"""Small bundles of every kind that a page has to show, each made once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import specgl
from specgl.bundle import open_bundle
from specgl.reporting import Page, render

SHAPE = (7, 6, 5)
AFFINE = np.diag([3.0, 3.0, 3.0, 1.0])
N = 10

HOSTILE = (
    "<script>alert(1)</script> \"'> <img src=x onerror=alert(2)> "
    "$x^2$ {{ 7*7 }} {% raw %} `q` &amp;\u202e\u2028"
)
"""A text that is dangerous wherever it is not taken for text."""

LEVEL = "<b onclick='x'>p&q</b> {{ 1 }}"
COLUMN = 'a"ge <i>'
IDS = ["<u>", "{{0}}", *[f"sub-{number:02d}" for number in range(3, N + 1)]]

SPEC = """\
specgl: 1
name: groups
data:
  table: participants.tsv
  images: "maps/{participant_id}.nii.gz"
mask: mask.nii.gz
variables:
  group: {type: categorical, levels: [control, patient]}
  age: {type: continuous, unit: year}
model:
  formula: group + age
contrasts:
  patientGtControl: "group[patient] - group[control]"
  ageSlope: {hypothesis: age, alternative: greater}
  any: {hypothesis: [age, "group[patient] - group[control]"]}
inference:
  fdr: {method: parametric, correction: fdr_bh}
  clusters: {method: parametric, correction: none, alpha: 0.05, min_cluster_size: 2}
output: {directory: results}
"""


@dataclass
class Study:
    """Files of a study, to be changed before its analysis."""

    folder: Path
    data: np.ndarray
    affine: np.ndarray = field(default_factory=lambda: AFFINE)
    ids: list[str] = field(default_factory=lambda: [f"sub-{n:02d}" for n in range(1, N + 1)])
    spec: str = SPEC

    def save(self, name: str, values: np.ndarray) -> None:
        """Write an image beside the spec."""
        nib.save(nib.Nifti1Image(values, self.affine), self.folder / name)

    def edit(self, before: str, after: str) -> None:
        """Change the spec in one place."""
        assert before in self.spec
        self.spec = self.spec.replace(before, after)

    def run(self) -> specgl.Bundle:
        """Write it all and analyse it."""
        (self.folder / "maps").mkdir(exist_ok=True)
        rows = ["participant_id\tgroup\tage"]
        for number, volume in enumerate(self.data):
            self.save(f"maps/{number}.nii.gz", volume.astype(np.float32))
            group = "control" if number < N // 2 else "patient"
            rows.append(f"{self.ids[number]}\t{group}\t{20 + (number * 7) % 23}")
        if not (self.folder / "participants.tsv").exists():
            (self.folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
        if "index: " not in self.spec:
            for number, name in enumerate(self.ids):
                shutil.copy(self.folder / f"maps/{number}.nii.gz", self.folder / f"maps/{name}.nii.gz")
        if not (self.folder / "mask.nii.gz").exists():
            mask = np.zeros(self.data.shape[1:], dtype=np.uint8)
            mask[1:, 1:] = 1
            self.save("mask.nii.gz", mask)
        (self.folder / "analysis.yaml").write_text(self.spec, encoding="utf-8")
        return specgl.run(specgl.read(self.folder / "analysis.yaml"), report=False)


def plain(study: Study) -> None:
    """Two groups, a covariate and an F."""


def several(study: Study) -> None:
    """Shuffles, true discoveries, simulations, a conjunction and dropped rows."""
    study.edit(
        '  any: {hypothesis: [age, "group[patient] - group[control]"]}\n',
        '  patients: "group[patient]"\n  both: {conjunction: [patients, ageSlope], alternative: greater}\n',
    )
    study.edit(
        "  clusters:",
        "  maxT: {method: permutation, statistic: voxel}\n"
        "  mass: {method: permutation, statistic: cluster_mass, cluster_forming_p: 0.05}\n"
        "  tdp: {method: all_resolutions, cluster_forming_z: [1.5, 2]}\n"
        "  clusters:",
    )
    study.edit("output:", "permutation: {n: 100, seed: 7}\noutput:")
    study.edit("  images:", "  exclude: {age: ['20']}\n  images:")


def hostile(study: Study) -> None:
    """Strangers' words in every place that takes them."""
    rows = [f"participant_id\t{COLUMN}\tgroup\tmap\twhy"]
    for number, name in enumerate(IDS):
        level = "control" if number < N // 2 else LEVEL
        rows.append(f"{name}\t{20 + (number * 7) % 23}\t{level}\tmaps/{number}.nii.gz\t{HOSTILE[:40]}")
    rows.append(f"<a href=x>gone</a>\t\tcontrol\tmaps/0.nii.gz\t{HOSTILE[:40]}")
    (study.folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    regions = np.ones(SHAPE, dtype=np.int16)
    regions[3:] = 2
    study.save("atlas.nii.gz", regions)
    names = f"index\tname\n1\t<script>alert(3)</script>\n2\t{HOSTILE.replace(chr(0x2028), '')}\n"
    (study.folder / "atlas.tsv").write_text(names, encoding="utf-8")
    quoted = json.dumps(COLUMN)
    study.ids = IDS
    study.spec = f"""\
specgl: 1
name: hostile
description: {json.dumps(HOSTILE)}
data:
  table: participants.tsv
  images: {{column: map}}
  missing: {{covariate: drop}}
mask: mask.nii.gz
variables:
  group: {{type: categorical, levels: [control, {json.dumps(LEVEL)}]}}
  {quoted}: {{type: continuous, unit: {json.dumps(HOSTILE)}}}
model:
  formula: {json.dumps(f"group + `{COLUMN}`")}
contrasts:
  difference: {json.dumps(f"group[{LEVEL}] - group[control]")}
  slope: {json.dumps(f"`{COLUMN}`")}
inference:
  fdr: {{method: parametric, correction: fdr_bh, alpha: 0.5}}
output: {{directory: results, atlas: {{image: atlas.nii.gz, labels: atlas.tsv}}}}
"""


def nothing(study: Study) -> None:
    """No voxel survives."""
    study.data = np.random.default_rng(3).standard_normal(study.data.shape)
    study.edit("fdr_bh}", "bonferroni, alpha: 0.0001}")
    study.edit("alpha: 0.05, min_cluster_size: 2", "alpha: 0.000001")


def one_cluster(study: Study) -> None:
    """Exactly one cluster, which other reports lose."""
    study.edit("alpha: 0.05, min_cluster_size: 2", "alpha: 0.001, min_cluster_size: 5")


def one_voxel(study: Study) -> None:
    """A mask of one voxel."""
    mask = np.zeros(SHAPE, dtype=np.uint8)
    mask[3, 3, 2] = 1
    study.save("mask.nii.gz", mask)


def gaps(study: Study) -> None:
    """Places without values in some observations and in all."""
    study.data[2:4, 4, 4, 3] = np.nan
    study.data[:, 5, 5, 4] = np.nan
    study.edit("mask: mask", "  missing: {voxel: {available: 0.7}}\nmask: mask")


def f_only(study: Study) -> None:
    """A contrast of several rows alone, which has no effect."""
    study.edit('  patientGtControl: "group[patient] - group[control]"\n', "")
    study.edit("  ageSlope: {hypothesis: age, alternative: greater}\n", "")


def ready(study: Study) -> None:
    """Ready-made maps: no observations, no design."""
    z = np.random.default_rng(3).standard_normal(SHAPE).astype(np.float32)
    t = z * 1.5
    t[0] = np.nan
    study.save("z.nii.gz", z)
    study.save("t.nii.gz", t)
    study.spec = """\
specgl: 1
name: ready
maps:
  motor: {image: z.nii.gz, statistic: z}
  faces: {image: t.nii.gz, statistic: t, dof: 12}
inference:
  uncorrected: {method: parametric, correction: none, alpha: 0.05}
output: {directory: results}
"""


def no_inference(study: Study) -> None:
    """Maps without a threshold."""
    first, last = study.spec.index("inference:"), study.spec.index("output:")
    study.spec = study.spec[:first] + study.spec[last:]


def few_maps(study: Study) -> None:
    """`output.maps` leaves out all that figures show."""
    study.edit("results}", "results, maps: [n]}")


def one_slice(study: Study) -> None:
    """A grid of a single plane."""
    study.data = study.data[..., 2:3]


def mixed(study: Study) -> None:
    """First-level variances: mixed effects."""
    _beside(study, "var", np.random.default_rng(4).gamma(2, 0.2, study.data.shape))
    study.edit("mask: mask", '  variances: "maps/{participant_id}_var.nii.gz"\nmask: mask')
    study.edit("group + age", "group + age\n  estimator: {method: mixed_effects, adjustment: knapp_hartung}")
    study.edit("results}", "results, maps: [effect, stat, z, p, tau2, i2, normality]}")


def fixed(study: Study) -> None:
    """First-level variances: fixed effects, whose statistics have no degrees of freedom."""
    mixed(study)
    study.edit("{method: mixed_effects, adjustment: knapp_hartung}", "{method: fixed_effects}")
    study.edit("tau2, ", "")


def clustered(study: Study) -> None:
    """Errors that go together within clusters, so that each contrast has its own degrees of freedom."""
    rows = ["participant_id\tgroup\tage\tsite"]
    for number, name in enumerate(study.ids):
        group = "control" if number < N // 2 else "patient"
        rows.append(f"{name}\t{group}\t{20 + (number * 7) % 23}\t{'abcde'[number % 5]}")
    (study.folder / "participants.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    study.edit("group + age", "group + age\n  errors: {type: cluster, by: site}")


def voxelwise(study: Study) -> None:
    """A covariate with a value of its own at each voxel."""
    _beside(study, "gm", np.random.default_rng(4).uniform(0.3, 0.9, study.data.shape))
    study.edit("mask: mask", '  voxelwise: {gm: "maps/{participant_id}_gm.nii.gz"}\nmask: mask')
    study.edit("group + age", "group * gm + age")


def _beside(study: Study, what: str, values: np.ndarray) -> None:
    """Further images of each observation."""
    (study.folder / "maps").mkdir(exist_ok=True)
    for name, volume in zip(study.ids, values, strict=True):
        study.save(f"maps/{name}_{what}.nii.gz", volume.astype(np.float32))


KINDS: dict[str, Callable[[Study], None]] = {
    make.__name__: make
    for make in (
        plain,
        several,
        hostile,
        nothing,
        one_cluster,
        one_voxel,
        gaps,
        f_only,
        ready,
        no_inference,
        few_maps,
        one_slice,
        mixed,
        fixed,
        clustered,
        voxelwise,
    )
}


def _study(folder: Path) -> Study:
    data = np.random.default_rng(7).standard_normal((N, *SHAPE))
    data[N // 2 :, 2:5, 2:4, 1:4] += 3
    return Study(folder, data)


def _failed(folder: Path) -> specgl.Bundle:
    study = _study(folder)
    study.edit("name: groups", f"name: groups\ndescription: {json.dumps(HOSTILE)}")
    study.data[:] = np.nan
    with pytest.raises(specgl.SpecglError):
        study.run()
    return open_bundle(folder / "results")


@pytest.fixture(scope="session")
def bundle_of(tmp_path_factory) -> Callable[[str], specgl.Bundle]:
    """Function from the name of a kind to its bundle, made when it is first asked for."""
    made: dict[str, specgl.Bundle] = {}

    def of(kind: str) -> specgl.Bundle:
        if kind not in made:
            folder = tmp_path_factory.mktemp(kind)
            if kind == "failed":
                made[kind] = _failed(folder)
            else:
                study = _study(folder)
                KINDS[kind](study)
                made[kind] = study.run()
        return made[kind]

    return of


@pytest.fixture(scope="session")
def page_of(bundle_of) -> Callable[[str], Page]:
    """Function from the name of a kind to its page."""
    made: dict[str, Page] = {}

    def of(kind: str) -> Page:
        if kind not in made:
            made[kind] = render(bundle_of(kind))
        return made[kind]

    return of


@dataclass
class Element:
    """An element with what is in it."""

    tag: str
    attributes: dict[str, str | None]
    parent: Element | None
    children: list[Element] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, with single blanks."""
        return " ".join("".join(self.pieces).split())


class Tree(HTMLParser):
    """A page read as a browser would read one that is well formed."""

    VOID = frozenset({"meta", "img", "input", "br", "hr", "link"})

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.root = Element("", {}, None)
        self.every: list[Element] = []
        self._open = [self.root]
        self.feed(html)
        self.close()
        assert len(self._open) == 1, f"{self._open[-1].tag} is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs), self._open[-1])
        assert len(attrs) == len(element.attributes)
        self._open[-1].children.append(element)
        self.every.append(element)
        if tag not in self.VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open[-1].tag == tag, f"</{tag}> closes <{self._open[-1].tag}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.pieces.append(data)

    def find(self, tag: str, **attributes: Any) -> list[Element]:
        """Elements of a name with these attributes."""
        return [
            e
            for e in self.every
            if e.tag == tag and all(e.attributes.get(k.rstrip("_")) == v for k, v in attributes.items())
        ]


@pytest.fixture(scope="session")
def tree_of(page_of) -> Callable[[str], Tree]:
    """Function from the name of a kind to its page, parsed."""
    made: dict[str, Tree] = {}

    def of(kind: str) -> Tree:
        if kind not in made:
            made[kind] = Tree(page_of(kind).html)
        return made[kind]

    return of
