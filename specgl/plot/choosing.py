"""What of a bundle, or of an array, is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import xarray as xr

from specgl.errors import UsageError
from specgl.grammar import did_you_mean

if TYPE_CHECKING:
    from specgl.bundle import Bundle

_UNSIGNED = frozenset(
    {
        *("variance", "standard_error", "p", "dof", "n", "rpv", "r2", "partial_r2", "sigma", "tost", "bf10"),
        *("tau2", "i2", "q", "weights", "leverage", "normality"),
    }
)
"""Maps of which 0 is no middle."""

_UNITS = {"1": "", "data": "units of the data", "data squared": "squared units of the data"}
"""Units of the vocabulary, as colour bars say them."""

_WORDS = {
    "effect": "effect",
    "variance": "variance of the effect",
    "p": "p",
    "z": "z",
    "dof": "degrees of freedom",
    "n": "observations",
    "rpv": "resels per voxel",
    "cohen_d": "Cohen's d",
    "hedges_g": "Hedges' g",
    "r2": "R²",
    "partial_r2": "partial R²",
    "standard_error": "standard error",
    "ci_lower": "lower confidence limit",
    "ci_upper": "upper confidence limit",
    "tost": "p of equivalence",
    "bf10": "Bayes factor",
    "tau2": "τ²",
    "i2": "I²",
    "q": "Cochran's Q",
    "normality": "p of normality",
    "sigma": "residual standard deviation",
    "logp": "−log₁₀ corrected p",
    "uncorrectedlogp": "−log₁₀ uncorrected p",
    "tfce": "TFCE",
    "tdp": "share of true discoveries",
}
"""Names of maps, before the name of the inference, as colour bars say them."""


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A map to show.

    Attributes
    ----------
    array
        ``(i, j, k)``.
    mask
        Where it was analysed, ``(i, j, k)``; None where nobody said.
    label
        What the colour bar says.
    signed
        Whether 0 is its middle.
    """

    array: xr.DataArray
    mask: xr.DataArray | None
    label: str
    signed: bool


def choose(
    source: xr.DataArray | Bundle,
    contrast: str | None,
    inference: str | None,
    variable: str,
    mask: xr.DataArray | None,
    label: str | None,
) -> Chosen:
    """The map that is meant.

    Parameters
    ----------
    source
        A bundle, or the map itself, of which only the contrast may still be open.
    contrast, inference, variable
        Names. Of a bundle, `variable` as the inference left it is `<variable>_<inference>`.
    mask, label
        Taken before what the source says.

    Raises
    ------
    UsageError
        When there is no such map; it tells which there are.
    """
    if isinstance(source, xr.DataArray):
        array = _of_contrast(source, contrast)
    else:
        mask = source.mask if mask is None and "space" in source.manifest else mask
        array = _of_contrast(map_named(source, variable, inference), contrast)
    if array.dtype.kind in "bu":
        array = array.astype("int32")
    words, signed = _said(array)
    return Chosen(array, mask, words if label is None else label, signed)


def map_named(bundle: Bundle, variable: str, inference: str | None) -> xr.DataArray:
    """A map of a bundle, of all contrasts.

    Raises
    ------
    UsageError
        When there is no such map; it tells which there are.
    """
    name = variable if inference is None else f"{variable}_{inference}"
    maps = bundle.maps
    if name not in maps:
        raise UsageError(missing("map", name, [str(one) for one in maps.data_vars]))
    return maps[name]


def contrast_named(contrasts: Iterable[str], contrast: str | None) -> str:
    """The contrast that is meant: the one of that name, or the only one.

    Raises
    ------
    UsageError
        When there is none, or several and no name; it tells which there are.
    """
    names = [str(name) for name in contrasts]
    if contrast is None and len(names) == 1:
        return names[0]
    if contrast is None:
        known = ", ".join(f"'{name}'" for name in names)
        raise UsageError(f"which contrast is meant? There is {known or 'none'}; say `contrast=...`")
    if contrast not in names:
        raise UsageError(missing("contrast", contrast, names))
    return contrast


def pair_named(
    held: Mapping[tuple[str, str], Any], contrast: str | None, inference: str | None, what: str
) -> tuple[str, str]:
    """The contrast and inference that are meant, among those of which there is something.

    Raises
    ------
    UsageError
        When there is none, or several would fit.
    """
    fitting = [pair for pair in held if contrast in (None, pair[0]) and inference in (None, pair[1])]
    if len(fitting) == 1:
        return fitting[0]
    known = ", ".join(f"contrast='{one}', inference='{other}'" for one, other in (fitting or held))
    asked = " under ".join(f"'{name}'" for name in (contrast, inference) if name is not None)
    if not fitting:
        raise UsageError(f"there is no {what} of {asked or 'this bundle'}; there is {known or 'none'}")
    raise UsageError(f"which {what} is meant? There is {known}")


def missing(what: str, name: str, names: list[str]) -> str:
    """Words for something that is not there: which there are, and which may have been meant."""
    hint = did_you_mean(name, names)
    known = ", ".join(f"'{one}'" for one in names) or "none"
    return f"there is no {what} '{name}'; there is {known}" + (f" ({hint})" if hint else "")


def _of_contrast(array: xr.DataArray, contrast: str | None) -> xr.DataArray:
    if "contrast" not in array.dims:
        return array
    names = [str(name) for name in array.coords["contrast"].values] if "contrast" in array.coords else []
    return array.isel(contrast=names.index(contrast_named(names, contrast)))


def _said(array: xr.DataArray) -> tuple[str, bool]:
    """What a map's colour bar says, and whether 0 is its middle."""
    name = str(array.name or "")
    stem = name.partition("_")[0] if name not in _WORDS else name
    unit = str(array.attrs.get("units", ""))
    unit = _UNITS.get(unit, unit)
    kind = str(array.coords["kind"].values) if "kind" in array.coords else ""
    words = kind if stem == "stat" and kind else _WORDS.get(stem, name)
    shown = f" ({unit})" if unit and unit not in words else ""
    return words + shown, stem not in _UNSIGNED
