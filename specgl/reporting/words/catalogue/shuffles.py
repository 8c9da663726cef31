"""Papers on permutation."""

from __future__ import annotations

from specgl.reporting.words.catalogue.paper import HBM, NEUROIMAGE, paper
from specgl.reporting.words.reference import Reference

PERMUTATION = (
    paper(
        "nichols2002",
        2002,
        "Nichols, T. E.; Holmes, A. P.",
        "Nonparametric permutation tests for functional neuroimaging: A primer with examples",
        HBM,
        "15(1):1–25",
        "10.1002/hbm.1058",
    ),
    paper(
        "winkler2014",
        2014,
        "Winkler, A. M.; Ridgway, G. R.; Webster, M. A.; Smith, S. M.; Nichols, T. E.",
        "Permutation inference for the general linear model",
        NEUROIMAGE,
        "92:381–397",
        "10.1016/j.neuroimage.2014.01.060",
    ),
    paper(
        "winkler2015",
        2015,
        "Winkler, A. M.; Webster, M. A.; Vidaurre, D.; Nichols, T. E.; Smith, S. M.",
        "Multi-level block permutation",
        NEUROIMAGE,
        "123:253–268",
        "10.1016/j.neuroimage.2015.05.092",
    ),
    paper(
        "winkler2016",
        2016,
        "Winkler, A. M.; Ridgway, G. R.; Douaud, G.; Nichols, T. E.; Smith, S. M.",
        "Faster permutation inference in brain imaging",
        NEUROIMAGE,
        "141:502–516",
        "10.1016/j.neuroimage.2016.05.068",
    ),
    paper(
        "phipson2010",
        2010,
        "Phipson, B.; Smyth, G. K.",
        "Permutation P-values should never be zero: Calculating exact P-values when permutations are "
        "randomly drawn",
        "Statistical Applications in Genetics and Molecular Biology",
        "9(1):Article 39",
        "10.2202/1544-6115.1585",
    ),
    paper(
        "knijnenburg2009",
        2009,
        "Knijnenburg, T. A.; Wessels, L. F. A.; Reinders, M. J. T.; Shmulevich, I.",
        "Fewer permutations, more accurate P-values",
        "Bioinformatics",
        "25(12):i161–i168",
        "10.1093/bioinformatics/btp211",
    ),
    paper(
        "bullmore1999",
        1999,
        "Bullmore, E. T.; Suckling, J.; Overmeyer, S.; Rabe-Hesketh, S.; Taylor, E.; Brammer, M. J.",
        "Global, voxel, and cluster tests, by theory and permutation, for a difference between two groups of "
        "structural MR images of the brain",
        "IEEE Transactions on Medical Imaging",
        "18(1):32–42",
        "10.1109/42.750253",
    ),
    paper(
        "smith2009",
        2009,
        "Smith, S. M.; Nichols, T. E.",
        "Threshold-free cluster enhancement: Addressing problems of smoothing, threshold dependence and "
        "localisation in cluster inference",
        NEUROIMAGE,
        "44(1):83–98",
        "10.1016/j.neuroimage.2008.03.061",
    ),
)

NUISANCE = (
    paper(
        "freedman1983",
        1983,
        "Freedman, D.; Lane, D.",
        "A nonstochastic interpretation of reported significance levels",
        "Journal of Business & Economic Statistics",
        "1(4):292–298",
        "10.1080/07350015.1983.10509354",
    ),
    paper(
        "dekker2007",
        2007,
        "Dekker, D.; Krackhardt, D.; Snijders, T. A. B.",
        "Sensitivity of MRQAP tests to collinearity and autocorrelation conditions",
        "Psychometrika",
        "72(4):563–581",
        "10.1007/s11336-007-9016-1",
    ),
    paper(
        "draper1966",
        1966,
        "Draper, N. R.; Stoneman, D. M.",
        "Testing for the inclusion of variables in linear regression by a randomisation technique",
        "Technometrics",
        "8(4):695–699",
    ),
    paper(
        "still1981",
        1981,
        "Still, A. W.; White, A. P.",
        "The approximate randomization test as an alternative to the F test in analysis of variance",
        "British Journal of Mathematical and Statistical Psychology",
        "34(2):243–252",
    ),
    Reference(
        key="terbraak1992",
        kind="incollection",
        year=1992,
        authors=("ter Braak, C. J. F.",),
        title="Permutation versus bootstrap significance tests in multiple regression and ANOVA",
        within="Bootstrapping and Related Techniques",
        editors=("Jöckel, K.-H.", "Rothe, G.", "Sendler, W."),
        publisher="Springer",
        doi="10.1007/978-3-642-48850-4_10",
    ),
    paper(
        "manly1986",
        1986,
        "Manly, B. F. J.",
        "Randomization and regression methods for testing for associations with geographical, environmental "
        "and biological distances between populations",
        "Researches on Population Ecology",
        "28(2):201–218",
        "10.1007/BF02515450",
    ),
    paper(
        "huh2001",
        2001,
        "Huh, M.-H.; Jhun, M.",
        "Random permutation testing in multiple linear regression",
        "Communications in Statistics – Theory and Methods",
        "30(10):2023–2032",
    ),
)
