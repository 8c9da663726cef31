"""Write cases.json, the inputs of which make_frozen.R freezes the answers.

    python tests/reference/models/make_cases.py
    Rscript tests/reference/models/make_frozen.R

Numbers have few decimals, so that R and Python read the very same doubles.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent
SPREADS = ("mild", "extreme")
TAUS = {"zero": None, "equal": 0.1, "large": 10.0}


def rounded(values: np.ndarray) -> np.ndarray:
    """Six significant digits."""
    return np.array([float(f"{value:.6g}") for value in np.ravel(values)]).reshape(np.shape(values))


def designs() -> dict[str, np.ndarray]:
    """Design matrices by name; the number is that of their rows."""
    rng = np.random.default_rng(1)

    def groups(n: int) -> np.ndarray:
        return np.repeat([0.0, 1.0], [n // 2, n - n // 2])

    def covariate(n: int) -> np.ndarray:
        return np.column_stack([np.ones(n), groups(n), rounded(rng.standard_normal(n) * 10)])

    years = np.column_stack([np.ones(20), groups(20), 1e4 + rounded(rng.standard_normal(20) * 50)])
    return {
        "mean_6": np.ones((6, 1)),
        "mean_21": np.ones((21, 1)),
        "groups_8": np.column_stack([np.ones(8), groups(8)]),
        "groups_16": np.column_stack([np.ones(16), groups(16)]),
        "covariate_12": covariate(12),
        "covariate_30": covariate(30),
        "ill_scaled_20": years,
    }


def variances(rng: np.random.Generator, n: int, spread: str) -> np.ndarray:
    """First-level variances: all of one size, or over six orders of magnitude."""
    if spread == "mild":
        return rounded(rng.uniform(0.05, 0.2, n))
    return rounded(10 ** rng.uniform(-4, 2, n))


def effects(rng: np.random.Generator, matrix: np.ndarray, v: np.ndarray, tau: str) -> np.ndarray:
    """Effects of a model whose tau2 is below zero (too little spread), of the size of v, or large."""
    centred = matrix - np.where(np.arange(matrix.shape[1]) == 0, 0, matrix.mean(axis=0))
    mean = centred @ (rng.standard_normal(matrix.shape[1]) / (1 + np.abs(centred).max(axis=0)))
    noise = rng.standard_normal(len(v))
    if TAUS[tau] is None:
        return rounded(mean + 0.3 * np.sqrt(v) * noise)
    return rounded(mean + np.sqrt(v + TAUS[tau]) * noise)


def meta(rng: np.random.Generator, matrix: np.ndarray) -> dict[str, list]:
    """One location for each kind of variances and of tau2."""
    kinds = [f"{spread}_{tau}" for spread in SPREADS for tau in TAUS]
    v = np.column_stack([variances(rng, len(matrix), kind.split("_")[0]) for kind in kinds])
    columns = [effects(rng, matrix, v[:, j], kind.split("_")[1]) for j, kind in enumerate(kinds)]
    return {"kinds": kinds, "y": np.column_stack(columns).T.tolist(), "v": v.T.tolist()}


def grouped(rng: np.random.Generator) -> dict[str, dict]:
    """Two tau2 at once: groups that share no regressor, and groups that share a covariate."""
    groups = np.repeat([0, 1], [9, 12])
    means = np.eye(2)[groups]
    shared = np.column_stack([means, rounded(rng.standard_normal(21))])
    cases = {}
    for name, matrix in {"separable": means, "shared_covariate": shared}.items():
        v = rounded(rng.uniform(0.05, 0.4, (3, 21)))
        tau2 = np.array([[0.2, 2.0], [5.0, 0.3], [1.0, 1.0]])[:, groups]
        y = rounded(rng.standard_normal((3, 21)) * np.sqrt(v + tau2) + matrix.sum(axis=1))
        cases[name] = {
            "matrix": matrix.tolist(),
            "groups": groups.tolist(),
            "y": y.tolist(),
            "v": v.tolist(),
        }
    return cases


def clustered(rng: np.random.Generator) -> dict[str, dict]:
    """Clusters of equal and unequal sizes; a level that is one cluster alone (I - H_gg singular)."""
    unequal = np.repeat(np.arange(7), [1, 2, 2, 3, 4, 5, 6])
    paired = np.repeat(np.arange(8), 2)
    between = np.array([0.0, 1, 0, 1, 0, 1, 0])[unequal]
    own_level = np.column_stack([np.ones(23), unequal == 6, rounded(rng.standard_normal(23))]).astype(float)
    within = np.tile([0.0, 1.0], 8)
    cases = {
        "mean": (np.ones((23, 1)), unequal),
        "between": (np.column_stack([np.ones(23), between]), unequal),
        "between_and_covariate": (
            np.column_stack([np.ones(23), between, rounded(rng.standard_normal(23) * 5)]),
            unequal,
        ),
        "paired": (np.column_stack([np.ones(16), within, rounded(rng.standard_normal(16))]), paired),
        "shuffled_rows": (None, None),
        "cluster_with_a_level": (own_level, unequal),
    }
    order = rng.permutation(23)
    cases["shuffled_rows"] = tuple(part[order] for part in cases["between_and_covariate"])
    made = {}
    for name, (matrix, codes) in cases.items():
        shift = rng.standard_normal((3, codes.max() + 1))[:, codes]
        y = rounded(2 + shift + rng.standard_normal((3, len(codes))) * (0.5 + codes / 4))
        made[name] = {"matrix": matrix.tolist(), "codes": codes.tolist(), "y": y.tolist()}
    return made


def robust(rng: np.random.Generator, matrix: np.ndarray) -> list[list[float]]:
    """No outlier, one, two far ones, heavy tails."""
    n = len(matrix)
    y = rng.standard_normal((4, n)) + matrix @ np.linspace(0.5, 1, matrix.shape[1])
    y[1, 0] += 8
    y[2, [1, n // 2]] += [30, -25]
    y[3] = rng.standard_t(2, n)
    return rounded(y).tolist()


def blocks(rng: np.random.Generator) -> dict[str, dict]:
    """Each subject once in each condition, with subjects far apart."""
    made = {}
    for name, (n_subjects, n_conditions) in {"paired": (12, 2), "three": (10, 3), "four": (7, 4)}.items():
        subject = np.repeat(np.arange(n_subjects), n_conditions)
        condition = np.tile(np.arange(n_conditions), n_subjects)
        y = 3 * rng.standard_normal((3, n_subjects))[:, subject] + 0.4 * condition
        y = rounded(y + rng.standard_normal(y.shape))
        made[name] = {"subject": subject.tolist(), "condition": condition.tolist(), "y": y.tolist()}
    return made


def write(cases: dict) -> None:
    """One line for each case."""
    sections = []
    for name, section in cases.items():
        lines = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in section.items()]
        sections.append(f"{json.dumps(name)}: {{\n" + ",\n".join(lines) + "\n}")
    (FOLDER / "cases.json").write_text("{\n" + ",\n".join(sections) + "\n}\n", encoding="utf-8")


def main() -> None:
    """Draw every case."""
    rng = np.random.default_rng(2)
    matrices = designs()
    least = {name: matrix for name, matrix in matrices.items() if name != "ill_scaled_20"}
    ts = [(t, n) for n in (5, 12, 30, 200) for t in (0.0, 0.5, -1.5, 2.5, 6.0)]
    two = [(t, a, b) for a, b in ((5, 7), (20, 15), (100, 60)) for t in (0.0, 1.0, -2.5, 5.0)]
    write(
        {
            "designs": {name: matrix.tolist() for name, matrix in matrices.items()},
            "meta": {name: meta(rng, matrix) for name, matrix in matrices.items()},
            "grouped": grouped(rng),
            "linear": {
                name: rounded(rng.standard_normal((3, len(x))) * (1 + np.arange(len(x)) / 5)).tolist()
                for name, x in matrices.items()
            },
            "clustered": clustered(rng),
            "robust": {name: robust(rng, matrix) for name, matrix in least.items()},
            "block": blocks(rng),
            "bayes": {"one_sample": ts, "two_samples": two},
            "intervals": {"one_sample": ts, "two_samples": two, "level": [0.9, 0.95, 0.99]},
        }
    )


if __name__ == "__main__":
    main()
