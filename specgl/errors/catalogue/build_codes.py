from __future__ import annotations

from specgl.errors.catalogue.code import Code

BUILD: dict[str, Code] = {
    "E240": Code(
        "the design is rank deficient",
        """Some regressors say the same: one of them is a sum of others, so that no data can tell their
effects apart, and every number would depend on how a program happens to choose. The message
names the combination, the note a fact behind it (all patients were scanned at one site). Leave
one of the variables out of the formula, merge levels, or, where the design made it so, accept
that this question has no answer in these data. With `coding: cell_means` write the formula
without an intercept: `0 + group`.""",
    ),
    "E241": Code(
        "no degree of freedom is left",
        """There are as many independent regressors (and blocks) as observations: the model fits any data
exactly, and nothing is left to tell signal from noise. Leave terms out of the formula, or
analyse more observations. With `block`, each block costs one degree of freedom, and a block of
one observation gives nothing back.""",
    ),
    "E242": Code(
        "nothing in the formula varies within blocks",
        """With `block` every block's mean is taken out. What is the same for all observations of a block
goes with it, and here that is everything in the formula. Add to the formula what differs within
blocks (a condition, a time point), or leave `block` out.""",
    ),
    "E243": Code(
        "the formula names a variable that is not declared",
        """Every column that the formula uses is declared in `variables`, so that its type, its reference
level and its centring are decisions and no guesses. Declare it, or mend the spelling. A name
with a space or a sign in it stands in backticks in the formula.""",
    ),
    "E244": Code(
        "a hypothesis names something that the model has not",
        """A hypothesis speaks of the model in the formula: of `factor[level]` for factors in it, of
covariates in it by name (their slopes), of `mean`, `Intercept`, and of any regressor in
backticks. The name, or the level, is not among them. A variable that was declared but is not in
the formula cannot be tested.""",
    ),
    "E245": Code(
        "a contrast is not estimable",
        """The design does not determine this quantity: other coefficients that explain the data equally
well give it another value. The notes say why. Where two effects cannot be told apart, only their
sum can be tested. With `block`, whatever is the same for a whole block is lost with its mean: a
level's mean and a between-block effect are not estimable, differences within blocks and their
interactions are.""",
    ),
    "E246": Code(
        "a contrast tests nothing",
        """The weights are all zero, so that the hypothesis holds whatever the data: its parts cancel
(`group[a] - group[a]`), or the formula does not tell the levels apart (`time[1]:sex[F] -
time[1]:sex[M]` without `sex` in the formula).""",
    ),
    "E247": Code(
        "weights are given to something that is no regressor",
        """`weights` goes by the regressors' own names, which `specgl plan` lists: `Intercept`,
`group[T.patient]`, `age`. They depend on the coding. A hypothesis on levels, `group[patient] -
group[control]`, does not, and needs no names of regressors.""",
    ),
    "E248": Code(
        "the formula has no such term",
        """`term` tests all regressors of one term of the formula together. Terms are what the formula opens
into: `a*b` gives `a`, `b` and `a:b`. The order in a term does not matter: `a:b` is `b:a`.""",
    ),
    "E249": Code(
        "a variable has no single slope",
        """The formula bends this variable (`poly`, `bs`, `log`, `I(x**2)`, ...), so that its slope differs
from place to place, and no one number is meant by its name. Test the whole term, `{term:
"poly(age, 2)"}`, or one regressor by its name in backticks, `` `poly(age, 2)[2]` ``.""",
    ),
    "E250": Code(
        "a function meets a variable of the wrong type",
        """`C()` is for categorical variables, all other functions of a formula are for continuous ones.
Which a variable is stands in `variables`: `type: categorical` or `type: continuous`. Levels,
their order and their coding are declared there too.""",
    ),
    "E251": Code(
        "an F test has no direction",
        """`alternative: greater` and `less` are for a single hypothesis, a t test. An F test asks whether
any of several rows differs from zero, in whatever direction. Leave `alternative` out, or test
the rows one by one.""",
    ),
    "E252": Code(
        "the formula makes too many regressors",
        """There are more regressors than observations, or more than specgl builds (2000). This happens
where a variable of many levels, such as a subject's id, is crossed with others. For repeated
measures take the subjects' means out with `model.block` instead.""",
    ),
    "E253": Code(
        "the formula has no value on these columns",
        """A function of the formula gives no finite number for some observations (the logarithm of a
negative number, a polynomial of higher degree than there are values), or cannot be built as
asked. Continuous variables are centred on their mean before the formula sees them, unless
declared otherwise: `log` and `sqrt` want `center: none`.""",
    ),
    "E254": Code(
        "a column's name has a meaning of its own",
        """In hypotheses `mean` is the model's grand mean and `Intercept` the intercept's coefficient. A
variable of that name in the formula could not be told from them. Give the column another name in
the table.""",
    ),
    "W235": Code(
        "the intercept is not the grand mean",
        """`Intercept` in a hypothesis is that regressor's own coefficient. With treatment coding it is the
mean at the reference levels, and with covariates that are not centred the value where they are
0. Write `mean` for the grand mean (factors averaged with equal weights, covariates at their
means): it is the same under every coding.""",
    ),
    "W236": Code(
        "a term is lost with the blocks' means",
        """With `block` every block's mean is taken out, and with it whatever is the same for a whole block:
the main effect of `group` where the blocks are subjects. That is no fault where only differences
within blocks and their interactions are tested; a contrast that asks for what is lost is refused
(E245).""",
    ),
}
