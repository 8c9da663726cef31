"""Statistics of one contrast at all locations, ready to be shuffled.

Everything above this room knows one interface, `ShuffledStatistic` in `protocol`: the observed statistic,
`scan` (maxima and counts, no map), `fill` (maps) and `values` (a few locations, in float64). Four classes
have it; `specgl.models.shuffled` chooses among them. They import numba, and what this door gives does not.

====================  =======================================================================================
``pooled``            t and F with one variance on complete data, under every way of shuffling
``available``         t and F where locations lack observations: Draper and Stoneman's, pattern by pattern
``separate``          v and G with variance groups, with or without missing values
``local``             t and F whose weights, regressors or standard errors are a location's own: first-level
                      variances, voxelwise covariates, HC-studentised statistics
====================  =======================================================================================

What they are made of, from the design to a number:

====================  =======================================================================================
``partition``         a design seen from one contrast: what is tested, and the nuisance
``reduced``           the same as coefficients, for columns that differ among locations
``methods``           each way of shuffling with nuisance variables, as a recipe: what moves, what stays
``weights``           rows of a recipe as shuffles move them
``tiles``             the data without their nuisance, in tiles that fit a processor's cache
``exact``             a statistic of one shuffle at one location in float64; when one value reaches another
``survey``            what float32 can settle of a tile, and which candidates it leaves to ``exact``
``zscale``            from statistics to z by tables whose error is known
``mirrors``           shuffles whose statistic is another's negative
====================  =======================================================================================

``NAME_kernels``, ``NAME_tiles``, ``NAME_parts``, ``NAME_scan``, ``NAME_shuffles`` and ``NAME_tables`` are
rooms of the class ``NAME`` alone. The order of summation is fixed in all of them: a shuffle's numbers do not
depend on which others are computed with it.

To add a statistic
    Another weighting of residuals: its number and its formula in ``local_kernels``, its word in ``local``.
    Another kind of statistic: a class beside these that keeps `ShuffledStatistic`, its letter in `Kind`, one
    branch in ``specgl.models.shuffled``, and the statistic without shuffles in ``specgl.models``. Another way
    of shuffling: a function and its row in ``methods``. In each case the tests compare with brute force
    (``tests/reference/permutation``), and inference, engines and bundles are left as they are.
"""

from __future__ import annotations

from specgl.kernels.statistics.methods import METHODS, Nuisance, make_recipe, split_nuisance
from specgl.kernels.statistics.partition import Partition, partition, unit_dummies
from specgl.kernels.statistics.protocol import BLOCK, NOUGHT, TIE, Kind, Scale, Scan, ShuffledStatistic
from specgl.kernels.statistics.reduced import reduced_columns

__all__ = [
    "BLOCK",
    "METHODS",
    "NOUGHT",
    "TIE",
    "Kind",
    "Nuisance",
    "Partition",
    "Scale",
    "Scan",
    "ShuffledStatistic",
    "make_recipe",
    "partition",
    "reduced_columns",
    "split_nuisance",
    "unit_dummies",
]
