"""Codes of fitting and of contrasts: what only the voxels, or a design built by hand, can show."""

from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.tree import Exit

COMPUTING: dict[str, Code] = {
    "E400": Code(
        "no residual degrees of freedom are left",
        """\
A model with as many independent columns (and blocks) as observations fits any data without error, so nothing
is left from which to estimate the variance, and no statistic exists.
Use fewer regressors or blocks, or more observations. `specgl plan` prints both numbers before any image is
read. In a paired design the pairs' blocks already take half of the observations' degrees of freedom.""",
        exit=Exit.COMPUTATION,
    ),
    "E401": Code(
        "the data and the design are not about the same observations",
        """\
Rows of the design meet maps by the observation's id, never by position. Each row needs exactly one map of the
same id, and each map a row.
The message lists the ids that one side has and the other has not. Drop the rows without a map (or the maps
without a row) before fitting; `data.missing.image: drop` does it in a spec.""",
        exit=Exit.COMPUTATION,
    ),
    "E402": Code(
        "a contrast is not estimable in this design",
        """\
The contrast's weights are no combination of the design's rows: infinitely many coefficients fit the data
equally well, and they disagree about this contrast. Typical causes are a level's mean asked for while
`model.block` has taken the means out, a level that occurs in no observation, and one regressor of an aliased
pair.
Ask for a difference instead of a mean, or remove one of the aliased variables from the formula.""",
        exit=Exit.COMPUTATION,
    ),
    "E430": Code(
        "a statistic that no shuffle changes",
        """\
The contrast's statistic is the same under every shuffle, so that there is nothing to compare the observed one
with. That happens where what is tested is the same for all observations that may change places: a mean that
is permuted instead of flipped, a difference between blocks while rows change places inside blocks only.
Planning tells it as E270 wherever the design alone shows it; here the statistic itself was looked at.
Let `permutation.exchange` or `permutation.blocks` move what is tested, or take `method: parametric`.""",
        exit=Exit.COMPUTATION,
    ),
    "E431": Code(
        "one labelling only",
        """\
With this design, these blocks and this exchange, the observed labelling is the only one there is: every
shuffle moves rows of the design onto rows that are equal to them. Without a second labelling there is no null
distribution. Planning tells it as E270; this is for schemes that were made by hand. Let
`permutation.exchange` or `permutation.blocks` move what is tested, or take `method: parametric`.""",
        exit=Exit.COMPUTATION,
    ),
    "E432": Code(
        "a family of contrasts that are not shuffled alike",
        """\
`across: contrasts` takes the maximum over contrasts under one and the same shuffle. Here some contrasts are
tested by permuting observations and others by flipping signs, since `permutation.exchange` was left to be
decided for each. Say it for all of them, where one assumption (exchangeable or symmetric errors) holds for
all; or leave `across` out.""",
    ),
    "E433": Code(
        "the smoothness of the residuals cannot be estimated",
        """\
Random field theory, and simulation in its place, measure a map in resels: blocks as large as the noise is
smooth. The smoothness is estimated from the residuals of the fit, which takes more than two residual degrees
of freedom, and voxels with neighbours along each axis that the mask has. Where degrees of freedom are fewer,
or the mask is a handful of voxels that do not touch, nothing can be said.
Use more observations or a fuller mask, or give the smoothness: `smoothness: {fwhm: 8}`, in mm.""",
        exit=Exit.COMPUTATION,
    ),
    "E434": Code(
        "true discoveries of a conjunction, by permutation",
        """\
`correction: tdp` calibrates a bound on true discoveries by one contrast's own p-values under shuffles. A
conjunction has no null distribution of its own: where one of its members holds and another does not, shuffles
say nothing of the two together, so that there is nothing to calibrate by.
Ask for true discoveries of each member, or take `method: all_resolutions`, which needs no shuffles and bounds
the true discoveries of conjunctions too.""",
    ),
    "E435": Code(
        "a statistic that cannot be permuted where observations are missing",
        """\
Where locations lack observations and places are changed, labels move and data stay (Draper and Stoneman). A
covariate that differs from voxel to voxel cannot come along: at a location that lacks an observation, that
observation's covariate is not known. Nor can a statistic studentised by HC errors, which needs all residuals.
Analyse the locations where all observations have a value (`data.missing.voxel: complete`), or flip signs
(`permutation.exchange: flip`), if errors may be taken for symmetric.""",
        exit=Exit.COMPUTATION,
    ),
    "W400": Code(
        "some locations have no residual variance",
        """\
At these locations the model leaves nothing over: the values are the same in all observations, or the model
reproduces them to the last digit. A t of 1e16 there would be an artefact of rounding, so they get no
statistic (NaN) and are counted.
Often they lie outside the brain, where a tool wrote a constant: give a tighter `mask`.""",
    ),
    "W401": Code(
        "some locations have too few observations for the model",
        """\
With `data.missing.voxel: {available: ...}` each location is fitted to the observations that have a value
there. At these locations they are not more than the model's rank, so that no variance can be estimated; they
get no statistic (NaN) and are counted.
Raise the share in `available`, or simplify the model.""",
    ),
    "W402": Code(
        "a contrast is not estimable at some locations",
        """\
With `data.missing.voxel: {available: ...}` the observations that have a value at a location may lack a whole
level, or all variation of a covariate. The contrast then has no answer there; the location gets no statistic
for this contrast (NaN) and is counted, while other contrasts keep theirs.
Raise the share in `available` if the lost locations matter.""",
    ),
    "W403": Code(
        "a fit that did not converge",
        """\
Robust fits and variances between observations are found by iteration. Almost everywhere it ends after a few
steps; where it does not (the likelihood is flat, or most residuals are exactly 0, so that there is no scale),
the last step is no estimate. Such locations get no statistic (NaN) and are counted.
A few at the rim of the mask do no harm. Where they are many, look at the images, give a tighter `mask`, or
choose an estimator in closed form: `tau2: dl`.""",
    ),
    "W404": Code(
        "regressors that depend on each other at some locations",
        """\
A covariate that differs from voxel to voxel may be constant at some voxels, or equal to a combination of the
other regressors. The model has no single answer there; these locations get no statistic (NaN) and are
counted.
Often the covariate is empty there: give a mask that covers images and covariates.""",
    ),
    "W405": Code(
        "too few clusters at some locations",
        """\
With `errors: {type: cluster}` and `data.missing.voxel: {available: ...}`, the observations that have a value
at a location may all belong to one cluster. Nothing is then known of how clusters differ; the location gets
no statistic (NaN) and is counted.
Raise the share in `available`.""",
    ),
    "W406": Code(
        "a contrast without a Bayes factor",
        """\
The JZS Bayes factor compares an effect of 0 with effects around 0.7 standard deviations. That is said of a
mean, of a difference of levels, and of a slope for one standard deviation of its variable. A contrast that
mixes these, or tests a function of a variable or a covariate that differs from voxel to voxel, has no such
scale: its number would depend on the unit of a column. It gets no map.""",
    ),
    "W430": Code(
        "a cluster-forming threshold too low for random field theory",
        """\
The expected number of clusters above a threshold is approximated by the expected Euler characteristic, which
counts clusters where the threshold is high, but falls below zero where it is so low that the set above it is
one sponge full of holes and handles. Nothing can be said of clusters there, and all their p-values are 1.
Take a smaller `cluster_forming_p`, 0.001 or less, or inference by permutation.""",
    ),
    "W431": Code(
        "maps too rough for random field theory",
        """\
The theory is about fields that are smooth between voxels. With a full width at half maximum below about three
voxels the lattice shows: peaks are missed between voxels, so that the p-values of peaks are larger than they
need be, and those of clusters may be off in either direction.
Smooth the maps before the fit, or use `method: permutation`, which needs no smoothness.""",
    ),
    "W432": Code(
        "few degrees of freedom for random field theory",
        """\
With few residual degrees of freedom a field of t or F is rougher in its tails than the noise that it is made
of, its smoothness is estimated badly, and clusters are as large as those of a Gaussian field in the limit
only. P-values of clusters in particular are then not to be relied upon.
`method: permutation` is exact in small samples.""",
    ),
    "W433": Code(
        "a statistic that no Gaussian noise simulates",
        """\
`method: simulated` compares clusters of z with those of smooth Gaussian noise. The z of a t is much like that
unless its degrees of freedom are very few. The z of an F, a G or a chi-square map has the right p-value at
each location and yet is no Gaussian field, since it is made of several: its clusters differ in size and
number. P-values of such contrasts are approximate, more so the more rows the contrast has.
Take `method: permutation` where there are data to shuffle, or `random_field`, which knows fields of F.""",
    ),
}
"""Entries E400-E439 and W400-W439 of the catalogue."""
