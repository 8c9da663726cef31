"""Papers on estimators, errors, variance between observations, and sizes of effects."""

from __future__ import annotations

from specgl.reporting.words.catalogue.paper import paper
from specgl.reporting.words.reference import Reference

_STATISTICS = "Statistics in Medicine"
_ECONOMETRICS = "Journal of Econometrics"

HETEROGENEITY = (
    paper(
        "viechtbauer2005",
        2005,
        "Viechtbauer, W.",
        "Bias and efficiency of meta-analytic variance estimators in the random-effects model",
        "Journal of Educational and Behavioral Statistics",
        "30(3):261–293",
        "10.3102/10769986030003261",
    ),
    Reference(
        key="raudenbush2009",
        kind="incollection",
        year=2009,
        authors=("Raudenbush, S. W.",),
        title="Analyzing effect sizes: Random-effects models",
        within="The Handbook of Research Synthesis and Meta-Analysis",
        editors=("Cooper, H.", "Hedges, L. V.", "Valentine, J. C."),
        pages="295–315",
        publisher="Russell Sage Foundation",
    ),
    paper(
        "dersimonian1986",
        1986,
        "DerSimonian, R.; Laird, N.",
        "Meta-analysis in clinical trials",
        "Controlled Clinical Trials",
        "7(3):177–188",
        "10.1016/0197-2456(86)90046-2",
    ),
    paper(
        "paule1982",
        1982,
        "Paule, R. C.; Mandel, J.",
        "Consensus values and weighting factors",
        "Journal of Research of the National Bureau of Standards",
        "87(5):377–385",
        "10.6028/jres.087.022",
    ),
    Reference(
        key="hedges1985",
        kind="book",
        year=1985,
        authors=("Hedges, L. V.", "Olkin, I."),
        title="Statistical Methods for Meta-Analysis",
        publisher="Academic Press",
    ),
    paper(
        "knapp2003",
        2003,
        "Knapp, G.; Hartung, J.",
        "Improved tests for a random effects meta-regression with a single covariate",
        _STATISTICS,
        "22(17):2693–2710",
        "10.1002/sim.1482",
    ),
)

ROBUST = (
    Reference(
        key="huber1981",
        kind="book",
        year=1981,
        authors=("Huber, P. J.",),
        title="Robust Statistics",
        publisher="Wiley",
    ),
    paper(
        "beaton1974",
        1974,
        "Beaton, A. E.; Tukey, J. W.",
        "The fitting of power series, meaning polynomials, illustrated on band-spectroscopic data",
        "Technometrics",
        "16(2):147–185",
        "10.1080/00401706.1974.10489171",
    ),
)

SANDWICHES = (
    paper(
        "white1980",
        1980,
        "White, H.",
        "A heteroskedasticity-consistent covariance matrix estimator and a direct test for "
        "heteroskedasticity",
        "Econometrica",
        "48(4):817–838",
        "10.2307/1912934",
    ),
    paper(
        "mackinnon1985",
        1985,
        "MacKinnon, J. G.; White, H.",
        "Some heteroskedasticity-consistent covariance matrix estimators with improved finite sample "
        "properties",
        _ECONOMETRICS,
        "29(3):305–325",
        "10.1016/0304-4076(85)90158-7",
    ),
    paper(
        "cribari2004",
        2004,
        "Cribari-Neto, F.",
        "Asymptotic inference under heteroskedasticity of unknown form",
        "Computational Statistics & Data Analysis",
        "45(2):215–233",
        "10.1016/S0167-9473(02)00366-3",
    ),
    paper(
        "liang1986",
        1986,
        "Liang, K.-Y.; Zeger, S. L.",
        "Longitudinal data analysis using generalized linear models",
        "Biometrika",
        "73(1):13–22",
        "10.1093/biomet/73.1.13",
    ),
    paper(
        "bell2002",
        2002,
        "Bell, R. M.; McCaffrey, D. F.",
        "Bias reduction in standard errors for linear regression with multi-stage samples",
        "Survey Methodology",
        "28(2):169–181",
    ),
    paper(
        "pustejovsky2018",
        2018,
        "Pustejovsky, J. E.; Tipton, E.",
        "Small-sample methods for cluster-robust variance estimation and hypothesis testing in fixed effects "
        "models",
        "Journal of Business & Economic Statistics",
        "36(4):672–683",
        "10.1080/07350015.2016.1247004",
    ),
)

EFFECTS = (
    paper(
        "schuirmann1987",
        1987,
        "Schuirmann, D. J.",
        "A comparison of the two one-sided tests procedure and the power approach for assessing the "
        "equivalence of average bioavailability",
        "Journal of Pharmacokinetics and Biopharmaceutics",
        "15(6):657–680",
        "10.1007/BF01068419",
    ),
    paper(
        "rouder2009",
        2009,
        "Rouder, J. N.; Speckman, P. L.; Sun, D.; Morey, R. D.; Iverson, G.",
        "Bayesian t tests for accepting and rejecting the null hypothesis",
        "Psychonomic Bulletin & Review",
        "16(2):225–237",
        "10.3758/PBR.16.2.225",
    ),
)
