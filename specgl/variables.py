"""The vocabulary: every array's name, dimensions, type, unit and meaning, said once.

Functions check against it, bundles copy it into the sidecar of each map, and the reference pages are made
from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Dims = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """What one named array is.

    Attributes
    ----------
    name
        Its name in data sets, in ``output.maps`` and, unless `stat` says otherwise, in file names.
    dims
        Names of its dimensions, in order.
    dtype
        Type in which it is computed; maps are written in float32 unless that loses what matters.
    unit
        Unit of a value; ``data`` stands for the unit of the subjects' maps.
    meaning
        One sentence for a reader who has only the file.
    by_contrast
        Whether there is one such map for each contrast (of `dof`: only with variance groups).
    default
        Whether it is written when ``output.maps`` is not said.
    """

    name: str
    dims: Dims
    dtype: Literal["float32", "float64", "int32"]
    unit: str
    meaning: str
    by_contrast: bool = True
    default: bool = False


WEIGHT = "observation weight"
"""What weights of observations at peaks are called: no name of a covariate, which has no blank."""

RPV = "rpv"
"""Name of the map of smoothness."""

_ALL = (
    Variable(
        "effect",
        ("contrast", "location"),
        "float64",
        "data",
        "Estimate of the contrast: weights times regression coefficients.",
        default=True,
    ),
    Variable(
        "variance",
        ("contrast", "location"),
        "float64",
        "data squared",
        "Variance of the estimate of the contrast (its squared standard error).",
        default=True,
    ),
    Variable(
        "stat",
        ("contrast", "location"),
        "float64",
        "1",
        "Test statistic of the contrast: t, or F for several rows; with variance groups v (Welch's t) or G; "
        "of fixed effects z or chi-square.",
        default=True,
    ),
    Variable(
        "z",
        ("contrast", "location"),
        "float64",
        "1",
        "The statistic as a standard normal deviate: signed for t and v, the upper tail's for F and G.",
        default=True,
    ),
    Variable(
        "p",
        ("contrast", "location"),
        "float64",
        "1",
        "Uncorrected p-value, following the contrast's alternative.",
        default=True,
    ),
    Variable(
        "dof",
        ("location",),
        "float64",
        "1",
        "Residual degrees of freedom where they vary: observations with a value minus the rank they leave; "
        "with variance groups those of Welch and Satterthwaite, with clusters those of Bell and McCaffrey, a "
        "map for each contrast.",
        by_contrast=False,
        default=True,
    ),
    Variable(
        "n",
        ("location",),
        "int32",
        "observations",
        "Number of observations that have a value, where it varies.",
        by_contrast=False,
        default=True,
    ),
    Variable(
        RPV,
        ("location",),
        "float64",
        "resels per voxel",
        "Resels per voxel, the inverse of the volume of a resolution element in voxels, estimated from the "
        "residuals where an inference needs their smoothness, and averaged over twice the FWHM.",
        by_contrast=False,
        default=True,
    ),
    Variable(
        "standard_error",
        ("contrast", "location"),
        "float64",
        "data",
        "Standard error of the estimate of the contrast.",
    ),
    Variable(
        "ci_lower",
        ("contrast", "location"),
        "float64",
        "data",
        "Lower confidence limit of the effect, two-sided, at `output.level`.",
    ),
    Variable(
        "ci_upper",
        ("contrast", "location"),
        "float64",
        "data",
        "Upper confidence limit of the effect, two-sided, at `output.level`.",
    ),
    Variable(
        "cohen_d",
        ("contrast", "location"),
        "float64",
        "1",
        "Effect divided by the residual standard deviation (for a slope: for one unit of its regressor); "
        "none with variance groups, which have no common one.",
    ),
    Variable(
        "cohen_d_lower",
        ("contrast", "location"),
        "float64",
        "1",
        "Lower confidence limit of Cohen's d, from the noncentral t, at `output.level`.",
    ),
    Variable(
        "cohen_d_upper",
        ("contrast", "location"),
        "float64",
        "1",
        "Upper confidence limit of Cohen's d, from the noncentral t, at `output.level`.",
    ),
    Variable(
        "hedges_g",
        ("contrast", "location"),
        "float64",
        "1",
        "Cohen's d without its bias in small samples (times Hedges' factor J of the degrees of freedom).",
    ),
    Variable(
        "hedges_g_lower",
        ("contrast", "location"),
        "float64",
        "1",
        "Lower confidence limit of Hedges' g, at `output.level`.",
    ),
    Variable(
        "hedges_g_upper",
        ("contrast", "location"),
        "float64",
        "1",
        "Upper confidence limit of Hedges' g, at `output.level`.",
    ),
    Variable(
        "partial_r2",
        ("contrast", "location"),
        "float64",
        "1",
        "Share of the variance that the contrast explains of what the rest of the model leaves.",
    ),
    Variable(
        "tost",
        ("contrast", "location"),
        "float64",
        "1",
        "Uncorrected p-value of the equivalence test, the larger of two one-sided p-values: small where the "
        "effect lies within the contrast's margin.",
        default=True,
    ),
    Variable(
        "bf10",
        ("contrast", "location"),
        "float64",
        "1",
        "Bayes factor of an effect against none, two-sided, with a Cauchy prior of scale 0.707 on the "
        "standardised effect (JZS): above 1 for an effect, below 1 for none.",
    ),
    Variable(
        "tau2",
        ("group", "location"),
        "float64",
        "data squared",
        "Variance of the true effects between observations, beyond their first-level variances; with "
        "variance groups one volume a group, in the order of design.json.",
        by_contrast=False,
        default=True,
    ),
    Variable(
        "i2",
        ("location",),
        "float64",
        "1",
        "Share of the variance between observations that is not first-level variance, from 0 to 1.",
        by_contrast=False,
        default=True,
    ),
    Variable(
        "q",
        ("location",),
        "float64",
        "1",
        "Cochran's Q: squared residuals of the fixed-effects fit over first-level variances; chi-square with "
        "n minus rank degrees of freedom where true effects do not differ.",
        by_contrast=False,
    ),
    Variable(
        "r2",
        ("location",),
        "float64",
        "1",
        "Share of the variance explained by the model, about the mean where the model has one, about the "
        "blocks' means where these are taken out, else about zero.",
        by_contrast=False,
    ),
    Variable(
        "sigma",
        ("location",),
        "float64",
        "data",
        "Residual standard deviation.",
        by_contrast=False,
    ),
    Variable(
        "residuals",
        ("observation", "location"),
        "float64",
        "data",
        "Data minus fitted values, one volume an observation in the order of design.tsv.",
        by_contrast=False,
    ),
    Variable(
        "weights",
        ("observation", "location"),
        "float64",
        "1",
        "Weight of each observation, one volume an observation in the order of design.tsv: of a robust fit "
        "between 0 and 1, of one by variances shares that add up to 1.",
        by_contrast=False,
    ),
    Variable(
        "leverage",
        ("observation", "location"),
        "float64",
        "1",
        "Leverage of each observation, between 0 and 1, one volume an observation in the order of "
        "design.tsv.",
        by_contrast=False,
    ),
    Variable(
        "normality",
        ("location",),
        "float64",
        "1",
        "Uncorrected p-value of the omnibus test (D'Agostino and Pearson) that the studentised residuals are "
        "normal.",
        by_contrast=False,
    ),
)

VARIABLES: dict[str, Variable] = {variable.name: variable for variable in _ALL}
"""Every array that can be asked for in ``output.maps``, by name."""

DEFAULT_MAPS: tuple[str, ...] = tuple(v.name for v in _ALL if v.default)
