from __future__ import annotations

from specgl.errors.catalogue.code import Code

LINTS: dict[str, Code] = {
    "W230": Code(
        "regressors are collinear",
        """A regressor that the others nearly predict has an uncertain coefficient: its variance is VIF
times what it would be alone (VIF = 1 / (1 - R²) of the regressor on the others, about the
mean). Above 5 this is said. For a term of several regressors it is the generalised VIF to the
power 1 / q (Fox and Monette 1992). Centre variables that interact or are squared; of two that
say the same, leave one out; or test them together by an F, which collinearity among them does
not harm. Nuisance regressors that are collinear only among themselves do no harm.""",
    ),
    "W231": Code(
        "a covariate differs between compared groups",
        """The groups that a contrast compares differ in a covariate by more than half a standard deviation
(difference of means over the root of the mean of both variances). The adjustment then
extrapolates along the fitted slope and is only as good as that line (Rubin 2001); and if the
group causes the difference, adjusting takes away part of the effect. Match the groups, restrict
the range by `include`, or say so with the result.""",
    ),
    "W232": Code(
        "observations have a high leverage",
        """Leverage is the weight of an observation's own value in its fitted value, by its position among
the covariates; its mean is p / n. Above 3 p / n (Velleman and Welsch 1981) an observation may
decide the result by itself. Look for a slip of the pen in its covariates, and see whether the
result stands without it.""",
    ),
    "W233": Code(
        "cells are tiny or unbalanced",
        """Cells are the combinations of levels of factors that stand together in a term. With fewer than 3
observations the mean of a cell hangs on one of them; with cells beyond 4 to 1, unequal
variances make tests too liberal or too conservative (Box 1954). Both figures are conventions.
Merge or leave out levels.""",
    ),
    "W234": Code(
        "a continuous variable has two values only",
        """A number of two values is usually a code for levels (0 and 1, 1 and 2). The fit is the same, but
as `type: categorical` the levels have names, `variable[level]` can be asked for, and centring
is no question.""",
    ),
    "W237": Code(
        "few degrees of freedom are left",
        """With fewer than 10 residual degrees of freedom the variance at each location is poorly known: a
two-sided p of 0.001 takes |t| = 4.8 at 9 degrees of freedom and 8.6 at 4, against 3.3 with
many, and power falls with it. Use fewer regressors or blocks, or more observations.""",
    ),
    "W238": Code(
        "an interaction has a covariate that is not centred",
        """In an interaction, the coefficient of one variable holds where the other is 0. If that is far
from the data (age 0), the coefficient answers a question nobody asked, and is collinear with
the interaction. Hypotheses are evaluated at the covariate's mean and do not change; `weights`,
regressors in backticks and F over a `term` do. Write `center: mean`, or a number that is meant
(Schielzeth 2010).""",
    ),
    "W239": Code(
        "several rows of one participant are taken for independent",
        """The observations are named by several columns (a participant and a session), one participant has
several of the analysed rows, and the model knows nothing of it. Rows of one participant resemble
each other: comparisons within participants then lose power, and those between participants are
too liberal. For comparisons within, write `model: {block: participant_id}`, which takes each
participant's mean out; for comparisons between, analyse one row of each (`data.include`), or
average before.""",
    ),
}
