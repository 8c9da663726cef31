from __future__ import annotations

from specgl.errors.catalogue.code import Code

_FILE: dict[str, Code] = {
    "E000": Code(
        "the spec's file cannot be read",
        "The file does not exist, is a folder, or may not be read by you. Check the path as it is "
        "written in the message; paths on the command line are relative to the current folder.",
    ),
    "E001": Code(
        "the text is no YAML, or no JSON",
        "The file breaks off where the message points, or just before. Frequent causes: a tab in the "
        "indentation (YAML wants spaces), a quotation mark or bracket that is not closed, and text that "
        "must be quoted because it begins with one of { [ ` @ % & * ! | > or holds ': '. Templates such "
        'as "{participant_id}.nii.gz" and hypotheses inside braces are best always quoted. JSON files '
        "know neither NaN nor Infinity.",
    ),
    "E002": Code(
        "a key stands twice",
        "Each key may stand once in its mapping; of two, most tools silently keep the last. Keep one, "
        "or rename one of them.",
    ),
    "E003": Code(
        "a construct of YAML that the language does not have",
        "Tags (!!int, !anything), merge keys (<<), keys that are lists or mappings, and several "
        "documents in one file are refused: they can hide what is asked, or construct things. Write the "
        "values out. Anchors and aliases (&name, *name) are allowed.",
    ),
    "E004": Code(
        "the file passes a bound",
        "A spec has at most 1 MB, 50,000 values (counted after aliases are opened) and 40 levels of "
        "nesting, and no alias that contains itself; of more than 1,000 findings the first are told. Larger "
        "files are mistakes or attacks; what is large belongs into the table.",
    ),
    "E005": Code(
        "a number that cannot be kept exactly",
        "Numbers are doubles, as in JSON: whole numbers up to 2^53 and no overflow. A longer row of "
        "digits is usually a name, and names are quoted.",
    ),
    "E006": Code(
        "the file holds no spec",
        "A spec is a mapping whose first key is usually `specgl: 1`. The file is empty, holds only "
        "comments, or holds a list or a single value. `specgl new` writes a first spec.",
    ),
    "E007": Code(
        "a character that has no place in a spec",
        "The file is UTF-8 text without control characters. Save it as UTF-8 (not UTF-16, not Latin-1), "
        "and remove what was pasted along invisibly.",
    ),
}

_SCHEMA: dict[str, Code] = {
    "E010": Code(
        "unknown key",
        "The language does not know this key here. Unknown keys are errors because a misspelt one would "
        "silently leave a default in force. The message proposes the closest key, or lists those that "
        "may stand here.",
    ),
    "E011": Code(
        "missing key",
        "A key that has no default is not there. A spec needs `specgl` and `name`, and either `data` "
        "and `model` (and `contrasts`, where there are images) or `maps`. Inference by permutation has a "
        "`statistic`, and the section `permutation` with a `seed`; inference by random fields and by "
        "simulation has a `statistic` too, and simulation a `seed` of its own. Mixed and fixed effects weigh "
        "observations by the variances of their first level, which `data.variances` names.",
    ),
    "E012": Code(
        "a value that is none of those allowed",
        "Only the words and kinds of value in the message may stand here. Case matters.",
    ),
    "E013": Code(
        "a name that is no BIDS label",
        "The names of the analysis, of contrasts, maps and inferences become parts of BIDS file names "
        "and consist of letters and digits only. The message proposes one.",
    ),
    "E014": Code(
        "keys that do not go together",
        "Each form of a mapping has keys of its own: a contrast has one of `hypothesis`, `weights` and "
        "`term`; an F test (several rows) has no `alternative`, since it has no direction; `maps` "
        "stands instead of `data`, `variables`, `model`, `contrasts` and `permutation`, since ready-made "
        "maps cannot be shuffled; each statistic of a permutation has its own keys, and clusters and TFCE "
        "know `correction: fwe` only. A bound on true discoveries is told about clusters of given heights, "
        "about regions, or about the largest clusters; resels are counted by the residuals' own smoothness "
        "at each voxel, and not by a given one. Keep one of the forms. Estimators and errors have limits "
        "too, which the message gives with their reason: errors of unequal variance or in clusters belong to "
        "least squares; variance groups have a meaning there and with mixed effects; blocks are taken out "
        "for least squares alone; variances cannot be smoothed; robust fits, and errors in clusters, are not "
        "shuffled.",
    ),
    "E015": Code(
        "in the language, but not in this release",
        "The key or value is reserved and its meaning is settled, but this release does not do it. It "
        "is refused rather than ignored, so that nobody takes results for what they are not. `specgl "
        "--version` tells the release; the changelog tells when it comes.",
    ),
    "E016": Code(
        "a value of the wrong kind",
        "Text, numbers, lists and mappings are not taken for each other: '3' in quotes is text, 3 is a "
        'number, `01` and `.5` are text, and values of the table such as levels are always text: ["1", '
        '"2"]. Numbers are written as in JSON: 0.5, 1e-3.',
    ),
    "E017": Code(
        "a template that cannot be filled",
        'A template names columns of the table in braces, as in "sub/{participant_id}_effect.nii.gz". '
        "Braces hold a column's name and nothing else (no formats), each has its partner, and at least "
        "one is needed, or all observations would have one image.",
    ),
    "E018": Code(
        "a path that leaves the spec's folder",
        "Files of a spec lie under its folder, so that a spec from somebody else cannot reach other "
        "files and an analysis can be moved as a whole. Move the spec to a folder above the data, or "
        "allow absolute paths and '..' with --allow-outside. A spec that is itself a link out of its folder "
        "is not read either. Addresses on the network are never read.",
    ),
    "E019": Code(
        "said twice",
        "Two names differ only by case, so that their files would be one on many disks; or a value "
        "stands twice in a list whose members must differ (levels, id columns, maps to write, columns of "
        "blocks). Rename or remove one.",
    ),
    "E020": Code(
        "a number out of range",
        "The message says the bounds. An alpha lies between 0 and 1, a smoothing width and a scale are "
        "above 0, a cluster has at least one location, and is formed at a p below 0.5; a share of true "
        "discoveries is at most 1. To have none of it, leave the key out.",
    ),
    "E021": Code(
        "a variable's name that is taken",
        "`mean` and `Intercept` are words of hypotheses, and `poly bs cr center scale log exp sqrt abs "
        "I C` are functions of formulas. A variable of that name would be read as these. Rename the "
        "table's column. The name of a covariate in `data.voxelwise` is free to choose: letters, digits and "
        "_, and neither one of these words, nor a column of `variables`, nor that of `model.block`.",
    ),
    "E022": Code(
        "empty, too short or too long",
        "A text or a list is empty where something must stand, or has another number of members than "
        "wanted. A factor has two levels at least; `dof` of an F map is [q, nu]; a smoothness is one number, "
        "or one for each of the three axes.",
    ),
}

_FORMULA: dict[str, Code] = {
    "E100": Code(
        "the formula cannot be read",
        "A formula is the right side of Wilkinson's notation, such as `group + age`, with + - * : / ** "
        "( ), 0 and 1. Something is missing or left over where the message points, such as an operator "
        "at the end or a parenthesis without its partner.",
    ),
    "E101": Code(
        "the formula has a left side",
        "The response is always the image, so that a formula has no '~' and nothing before it. Write "
        "the right side alone: `group + age`.",
    ),
    "E102": Code(
        "a function that is not allowed",
        "Formulas know poly, bs, cr, center, scale, log, exp, sqrt, abs, I and C, and nothing else is "
        "evaluated. Compute other things beforehand and put them into a column of the table.",
    ),
    "E103": Code(
        "an operator or character that is not allowed",
        "Formulas know + - * : / ** ( ) and nothing else. `^` is no power (write I(age**2) or poly(age, "
        "2)), `|` no random effect (for repeated measures there is `model.block`); a name with odd "
        "characters stands in backticks.",
    ),
    "E104": Code(
        "the formula passes a bound",
        "At most 2000 characters, `**` up to 3 and on a sum in parentheses only, poly up to degree 6, "
        "splines up to 20 degrees of freedom, numbers up to 1e6. Beyond that a model is a mistake, or "
        "costs minutes to expand.",
    ),
    "E105": Code(
        "an argument that a function does not take",
        "The function does not have this argument, or not with this value. Arguments are variables, "
        "numbers, and the names that the message lists.",
    ),
    "E106": Code(
        "a covariate that differs from voxel to voxel, inside a function",
        "The images of `data.voxelwise` are not read when the formula is: they multiply columns of the "
        "design at each voxel, and stand in it by themselves (`gm`) or in products (`group:gm`). Powers, "
        "logarithms, splines and the like are made beforehand, as images of their own.",
    ),
}

_NAMES: dict[str, Code] = {
    "E110": Code(
        "a variable of the formula that is not declared",
        "Every column in the formula stands in `variables` with its type, since the same numbers can be "
        "a factor or a covariate: `age: {type: continuous}`, `group: {type: categorical}`.",
    ),
    "E111": Code(
        "the hypothesis cannot be read",
        'A hypothesis is a linear expression of means, slopes and regressors, such as "group[patient] - '
        'group[control]" or "age", made of numbers, + - * /, parentheses and an optional = 0. A '
        "regressor's own name stands in backticks.",
    ),
    "E112": Code(
        "the hypothesis is not linear",
        "Quantities of the model may be added, subtracted, and multiplied or divided by numbers; not by "
        "each other.",
    ),
    "E113": Code(
        "the hypothesis holds a constant",
        "Hypotheses are tested against 0: a bare number, or a right side other than 0, has no place in "
        "them. To test against another value, subtract it from the data or centre the covariate there.",
    ),
    "E114": Code(
        "a name in a hypothesis that the model does not have",
        "A hypothesis speaks of `mean`, `Intercept` (where the formula has one), and variables of the "
        "formula. Add the variable to the formula, mend its spelling, or quote a regressor's own name "
        "in backticks.",
    ),
    "E115": Code(
        "a level that is not declared",
        "`factor[level]` names one of the factor's `levels`, spelt as there.",
    ),
    "E116": Code(
        "a continuous variable with a level",
        "Only categorical variables have levels. The slope of a continuous variable is its bare name; "
        "if its numbers are codes, declare it as categorical.",
    ),
    "E117": Code(
        "a categorical variable without a level",
        'A factor has no slope. Name the levels to be compared, as in "group[patient] - '
        'group[control]", or test the whole factor with {term: group}.',
    ),
    "E118": Code(
        "a term that the formula does not have",
        "`term` names one of the formula's terms, such as `group` or `age:sex`, and tests all its "
        "regressors at once.",
    ),
    "E119": Code(
        "the block is in the formula too",
        "`model.block` takes the means of its blocks out of the data and the model; regressors for the "
        "same blocks would be 0 then. Leave the column out of the formula.",
    ),
}

_SHUFFLES: dict[str, Code] = {
    "E030": Code(
        "an alpha that shuffles or simulations cannot reach",
        "The unshuffled data count among the shuffles, so that no counted p-value is below 1/n. An alpha "
        "below that can never be met, whatever the data. Take more shuffles; where the design has no more "
        "distinct ones, a larger alpha, more observations, wider blocks, or `tail: gpd`, which extrapolates. "
        "E271 says the same once the design is known, and with it how many shuffles there are. The analysed "
        "map counts among simulated maps too: no p-value of n of them is below 1/(n + 1), and contrasts that "
        "make one family share alpha.",
    ),
    "E031": Code(
        "Kennedy's method is refused",
        "Kennedy's method shuffles the residuals of the data on the nuisance variables and regresses them on "
        "the residuals of the tested ones, as if neither had been estimated: variance and degrees of freedom "
        "are wrong and the error rate is above its level. Freedman-Lane shuffles the same residuals and fits "
        "the whole model again; Huh-Jhun mends Kennedy's by turning the data into the space that the "
        "nuisance variables leave.",
    ),
    "E032": Code(
        "a nuisance method that does not fit the analysis",
        "Huh-Jhun shuffles mixtures of observations, so that there are no blocks and no variance groups to "
        "keep. Where locations lack observations, shuffled data would carry their gaps along, so that with "
        "`missing: {voxel: {available: ...}}` the tested regressors are shuffled and the data stay "
        "(`draper_stoneman`). Observations of unequal weight, and designs that differ between voxels, are "
        "shuffled by `freedman_lane` or `draper_stoneman`; errors of unequal variance (such as `hc3`) by "
        "`freedman_lane` alone, and so not where observations are lacking. Leave `nuisance` out, or take a "
        "method that fits.",
    ),
    "E033": Code(
        "variance groups from blocks, and no blocks",
        "`variance_groups: {from: blocks}` gives one variance to observations that may change places, and "
        "others to those that may not. That needs blocks, in `permutation.blocks` or `model.block`. A column "
        "says the groups directly: `variance_groups: group`.",
    ),
    "E034": Code(
        "ready-made maps whose smoothness is not given",
        "Random field theory, and simulations of noise, must know how smooth the noise is. It is estimated "
        "from the residuals of a model, and a ready-made map has none: its own smoothness would be that of "
        "noise and effects together. Give the full width at half maximum in mm that the analysis behind the "
        "map reports for its residuals: `smoothness: {fwhm: [9.1, 9.4, 8.7]}`, or one number for all axes. "
        "The width of the smoothing kernel is less than that.",
    ),
    "E035": Code(
        "a conjunction that is none",
        "`{conjunction: [a, b]}` asks where several t contrasts of the same spec hold at once. Its members "
        "are two or more contrasts with one row each, every one named once. An F test has no direction and "
        "cannot be one; instead of another conjunction its members are named. The conjunction's own "
        "`alternative` counts, and not those of its members.",
    ),
    "E036": Code(
        "heights that do not ascend",
        "Several cluster-forming heights stand in ascending order, each once, such as `[2.5, 3.1, 3.5]`. "
        "Clusters at all of them are in one table, the lowest height first, and a location's value in the "
        "map is that of its cluster at the highest.",
    ),
    "E038": Code(
        "a map that the model does not have",
        "Effect sizes of the residual standard deviation (`cohen_d`, `hedges_g`), shares of variance (`r2`, "
        "`partial_r2`) and the Bayes factor (`bf10`) are defined for least squares with errors of one "
        "variance; `sigma` for least squares and robust fits; `weights` where observations weigh "
        "differently; `q` and `i2` where there are first-level variances; `tau2` for mixed effects. Of the "
        "maps that are written when nothing is said, those that a model does not have are left out.",
    ),
}

_WARNINGS: dict[str, Code] = {
    "W201": Code(
        "a declared variable that is not used",
        "The variable stands in `variables`, or in `data.voxelwise`, but not in the formula: it changes "
        "nothing. Perhaps it was forgotten in the formula; otherwise remove it.",
    ),
    "W202": Code(
        "false discoveries over many contrasts, one at a time",
        "The false discovery rate is controlled within each contrast. Over several contrasts read "
        "together it may be larger. `across: contrasts` makes the locations of all contrasts one "
        "family.",
    ),
    "W203": Code(
        "a note that silences nothing",
        "A warning that was looked at and answered is silenced by a comment on a line of its own, anywhere "
        "in the spec: `# specgl: ignore W231 groups were matched on purpose`. The code and the reason are "
        "both needed, and only warnings can be silenced. The note goes into the bundle with the spec.",
    ),
    "W204": Code(
        "shuffles that nothing uses",
        "The section `permutation` says how data are shuffled, and no inference has `method: permutation`. "
        "Add one, or take the section out.",
    ),
    "W205": Code(
        "few shuffles or simulations for this alpha",
        "A p-value is a share of the shuffles: of 200, ten decide at alpha 0.05, and another seed would give "
        "other results. With 20/alpha shuffles or more, a p-value near alpha is certain within about a "
        "quarter of itself (one standard error). A tail distribution (`tail: gpd`) needs fewer, but some "
        "hundred. Where a design has fewer than `n` distinct shuffles each is taken once, and none of this "
        "holds: `n: all` says so. The same goes for simulated maps, of which there is no end.",
    ),
    "W206": Code(
        "blocks that are taken for alike and for unlike",
        "Blocks that change places as wholes are taken to come from one distribution, while "
        "`variance_groups` gives each of them a variance of its own. The test holds its level, but its "
        "statistic loses power for nothing. `{from: blocks}` makes groups of the members that may change "
        "places.",
    ),
    "W207": Code(
        "clusters are formed too leniently for the theory",
        "How large clusters of smooth Gaussian noise are is known well at high thresholds. At a "
        "cluster-forming p above 0.001 the noise of real images, whose smoothness differs from place to "
        "place and whose correlations reach farther than Gaussian ones, makes larger clusters, and too "
        "many are found: at 0.01 several times as many as alpha says (Eklund 2016, "
        "doi:10.1073/pnas.1602413113). Take 0.001 or below. `method: permutation` holds at any threshold.",
    ),
    "W208": Code(
        "said, and nothing uses it",
        "First-level variances are used by mixed and fixed effects alone; `output.level` by the confidence "
        "intervals of `ci`; the `margin` of a contrast by `tost`, which exists where there is one. What is "
        "told here changes no number. Perhaps its partner was forgotten; otherwise leave it out.",
    ),
    "W210": Code(
        "`**` on a variable is no power",
        "In Wilkinson's notation `**` crosses terms, and a variable crossed with itself is itself. For "
        "a square write I(age**2), or poly(age, 2) for both orders.",
    ),
}

LANGUAGE: dict[str, Code] = {**_FILE, **_SCHEMA, **_SHUFFLES, **_FORMULA, **_NAMES, **_WARNINGS}
