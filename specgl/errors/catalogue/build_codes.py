from __future__ import annotations

from specgl.errors.catalogue.code import Code
from specgl.errors.tree import Exit

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
    "E255": Code(
        "a conjunction of what is no t contrast",
        """A conjunction joins two or more t contrasts of the same design, each named once. F tests have no
direction, and what is joined already is named member by member. A spec is told of it as E035; this
is for contrasts that were asked for in Python.""",
    ),
    "E256": Code(
        "a voxelwise covariate where the formula cannot have it",
        """A covariate of `data.voxelwise` has a value for each observation and location. The formula names it
by itself or in products (`gm`, `group*gm`, `gm1:gm2`), never in a function (`log(gm)`, `poly(gm, 2)`,
`C(gm)`): make images of what the function gives, and name those. Nor can a declared variable have its
name.""",
    ),
    "E260": Code(
        "blocks that change places are not built alike",
        """Blocks can change places as wholes only with blocks of the same build: as many rows, and, where
there are levels inside, as many blocks of the same sizes. Families of two and of three children are the
usual case. Give a level before this one, by a column that holds each block's size, with `shuffle: within`,
so that blocks of one size change places among themselves; or leave out the rows that are too many.""",
        Exit.DATA,
    ),
    "E261": Code(
        "a row has no place in the order of its block",
        """Members of blocks that change places as wholes are matched by the column that `order` names: the
first with the first, the second with the second. Every analysed row needs a value there. Fill in the
table, leave the rows out, or leave `order` out: members are then matched by their sorted ids.""",
        Exit.DATA,
    ),
    "E262": Code(
        "two rows of a block have one place in its order",
        """Members of blocks that change places as wholes are matched by the column that `order` names, so
that no two rows of a block may have the same value. Where blocks hold several rows of each session, say, a
column with a number for each row of a block is needed, or no `order`: sorted ids then match them.""",
        Exit.DATA,
    ),
    "E263": Code(
        "blocks that do not lie in one another",
        """Several levels of blocks make a tree: each block of an inner level lies in one block of the outer,
as a subject lies in a family. Labels that stand in several outer blocks (`1` and `2` in every family) are
refused, since nobody can tell whether they mean one block or many. Write a column that names each inner
block apart.""",
        Exit.DATA,
    ),
    "E264": Code(
        "nothing can change places",
        """With these blocks no shuffle differs from the data as they are: rows change places inside blocks of
one row, or blocks change places where there is one only. Often a column that names the rows was taken for
the one that names their blocks, or `within` for `whole`. Sign flips (`exchange: flip`) need no
second row.""",
    ),
    "E270": Code(
        "no shuffle changes a contrast's statistic",
        """\
The statistic is the same under every admissible shuffle, so that nothing could be compared with the observed
one. What is tested is the same for all observations that may change places (a mean that is permuted instead
of flipped, a difference between blocks while rows change places inside blocks only), or all their design
rows are equal. Let `permutation.exchange` or `permutation.blocks` move what is tested, or take
`method: parametric`. The design alone shows this, before any image is read; what the data show is E430.""",
    ),
    "E271": Code(
        "no data can reach alpha",
        """A p-value by permutation is a share of the labellings, the observed one among them, so that it is
at least 1 over their number (2 over it where labellings have mirrors, which a two-sided test counts too).
Here that is more than `alpha`: nothing could survive, whatever the data. (E030 says so of the number in the
spec, before the design is known.) Analyse more observations, use more shuffles where they exist
(`permutation.n`), or take `method: parametric`.""",
    ),
    "E273": Code(
        "a set of shuffles that is too large to hold",
        """Shuffles are held as numbers of rows, one for each observation: 200 million at most. `n: all`
enumerates every labelling, and their number explodes with the observations. Ask for a number: 10,000 random
labellings give a valid test, and a p-value of 0.05 to within 0.0044.""",
    ),
    "E274": Code(
        "Huh and Jhun's method with blocks",
        """`nuisance: huh_jhun` writes the data on fewer observations, each a mixture of the original ones,
and shuffles those. A mixture belongs to no block. Use `freedman_lane`, or leave the blocks out where all
observations may change places.""",
    ),
    "E275": Code(
        "Huh and Jhun's method with unlike contrasts",
        """`nuisance: huh_jhun` leaves as many mixed observations as there are observations beyond the rank of
the nuisance. Contrasts that share a set of shuffles must leave the same number; a t and an F over several
rows do not. Analyse them apart, or use `freedman_lane`.""",
    ),
    "E276": Code(
        "Huh and Jhun's method with variance groups",
        """`nuisance: huh_jhun` shuffles mixtures of observations, which belong to no variance group. Use
`freedman_lane`, or leave `model.variance_groups` out.""",
    ),
    "E280": Code(
        "a variance group has no residual degree of freedom",
        """With `variance_groups` each group's variance is estimated from its own residuals. The model fits
the observations of this group exactly (a regressor for each of them, say), so that their residuals are 0
whatever the data. Merge groups, simplify the formula, or leave `variance_groups` out: all observations then
share one variance.""",
    ),
    "E281": Code(
        "a variance group of one observation",
        """One observation has no variance. Merge its group with another one, leave the row out
(`data.exclude`), or leave `variance_groups` out. Groups made from blocks (`{from: blocks}`) hold the
observations that may change places: where members keep their places, as with blocks of one row, each is a
group of its own.""",
    ),
    "E282": Code(
        "a row has no variance group",
        """Every analysed row needs a value in the column that `model.variance_groups` names. Fill in the
table, or leave the rows out (`data.exclude`).""",
        Exit.DATA,
    ),
    "E283": Code(
        "a row has no cluster",
        """Every analysed row needs a value in the column that `model.errors.by` names. Fill in the table,
or leave the rows out (`data.exclude`).""",
        Exit.DATA,
    ),
    "E284": Code(
        "one cluster of all observations",
        """Cluster-robust standard errors come from how much clusters differ. With one cluster nothing is
known of that. Name a column that tells clusters apart.""",
        Exit.DATA,
    ),
    "W235": Code(
        "the intercept is not the grand mean",
        """`Intercept` in a hypothesis is that regressor's own coefficient. With treatment coding it is the
mean at the reference levels, and with covariates that are not centred the value where they are
0. Write `mean` for the grand mean (factors averaged with equal weights, covariates at their
means): it is the same under every coding.""",
    ),
    "W260": Code(
        "a level with one block",
        """All analysed rows lie in one block, so that the level restricts nothing. Leave it out, or look at
which column tells the blocks apart, and at what `include` and `exclude` leave.""",
    ),
    "W236": Code(
        "a term is lost with the blocks' means",
        """With `block` every block's mean is taken out, and with it whatever is the same for a whole block:
the main effect of `group` where the blocks are subjects. That is no fault where only differences
within blocks and their interactions are tested; a contrast that asks for what is lost is refused
(E245).""",
    ),
    "W271": Code(
        "variance groups of unequal size change places",
        """\
Permuting takes observations for exchangeable, and observations of unequal variance are not. The statistic v
(or G) makes up for it in large groups only: in simulations of 8 against 16 whose standard deviations are as 2
to 1, the family-wise error rate was 0.11 where 0.05 was asked for.
`permutation: {exchange: flip}` leaves each observation its own variance and holds its level where errors are
symmetric. With groups of equal size the fault is small.""",
    ),
    "W270": Code(
        "few labellings exist",
        """All labellings that exist are used, and there are so few that the smallest p-value is near `alpha`.
The test is valid; but few labellings can lie above the observed one before significance is lost, and p-values
come in coarse steps. A parametric test, or a fitted tail, resolves more, by assuming more.""",
    ),
    "W283": Code(
        "fewer than five clusters",
        """Cluster-robust standard errors come from how much clusters differ, of which few clusters tell
little: degrees of freedom are then hardly more than one, and tests find next to nothing, or what they
find cannot be relied upon. With few clusters model them: take the column into the formula, or take
the clusters' means out (`model.block`).""",
    ),
    "W280": Code(
        "all observations are one variance group",
        """With one group v and G are t and F, to the last bit, and that is what is computed. Perhaps
`include` left one group only, or the column is not the one that was meant.""",
    ),
    "W282": Code(
        "a variance group has no residuals at some locations",
        """With `data.missing.voxel: {available: ...}` each location is fitted to the observations that have a
value there. At these locations the model fits those of some variance group exactly, so that the group's
variance cannot be estimated; they get no statistic (NaN) and are counted. Raise the share in `available`, or
merge groups.""",
    ),
}
