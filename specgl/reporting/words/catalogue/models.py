"""Papers on models, hypotheses and corrections of p-values."""

from __future__ import annotations

from specgl.reporting.words.catalogue.paper import BIOMETRIKA, HBM, NEUROIMAGE, paper

MODELS = (
    paper(
        "friston1994glm",
        1994,
        "Friston, K. J.; Holmes, A. P.; Worsley, K. J.; Poline, J.-P.; Frith, C. D.; Frackowiak, R. S. J.",
        "Statistical parametric maps in functional imaging: A general linear approach",
        HBM,
        "2(4):189–210",
        "10.1002/hbm.460020402",
        named=2,
    ),
    paper(
        "searle1980",
        1980,
        "Searle, S. R.; Speed, F. M.; Milliken, G. A.",
        "Population marginal means in the linear model: An alternative to least squares means",
        "The American Statistician",
        "34(4):216–221",
        "10.1080/00031305.1980.10483031",
    ),
    paper(
        "welch1947",
        1947,
        "Welch, B. L.",
        "The generalization of ‘Student's’ problem when several different population variances are involved",
        BIOMETRIKA,
        "34(1–2):28–35",
        "10.1093/biomet/34.1-2.28",
    ),
    paper(
        "satterthwaite1946",
        1946,
        "Satterthwaite, F. E.",
        "An approximate distribution of estimates of variance components",
        "Biometrics Bulletin",
        "2(6):110–114",
        "10.2307/3002019",
    ),
    paper(
        "nichols2005",
        2005,
        "Nichols, T.; Brett, M.; Andersson, J.; Wager, T.; Poline, J.-B.",
        "Valid conjunction inference with the minimum statistic",
        NEUROIMAGE,
        "25(3):653–660",
        "10.1016/j.neuroimage.2004.12.005",
    ),
)

CORRECTIONS = (
    paper(
        "holm1979",
        1979,
        "Holm, S.",
        "A simple sequentially rejective multiple test procedure",
        "Scandinavian Journal of Statistics",
        "6(2):65–70",
    ),
    paper(
        "hochberg1988",
        1988,
        "Hochberg, Y.",
        "A sharper Bonferroni procedure for multiple tests of significance",
        BIOMETRIKA,
        "75(4):800–802",
        "10.1093/biomet/75.4.800",
    ),
    paper(
        "hommel1988",
        1988,
        "Hommel, G.",
        "A stagewise rejective multiple test procedure based on a modified Bonferroni test",
        BIOMETRIKA,
        "75(2):383–386",
        "10.1093/biomet/75.2.383",
    ),
    paper(
        "benjamini1995",
        1995,
        "Benjamini, Y.; Hochberg, Y.",
        "Controlling the false discovery rate: A practical and powerful approach to multiple testing",
        "Journal of the Royal Statistical Society: Series B",
        "57(1):289–300",
        "10.1111/j.2517-6161.1995.tb02031.x",
    ),
    paper(
        "benjamini2001",
        2001,
        "Benjamini, Y.; Yekutieli, D.",
        "The control of the false discovery rate in multiple testing under dependency",
        "The Annals of Statistics",
        "29(4):1165–1188",
        "10.1214/aos/1013699998",
    ),
    paper(
        "benjamini2006",
        2006,
        "Benjamini, Y.; Krieger, A. M.; Yekutieli, D.",
        "Adaptive linear step-up procedures that control the false discovery rate",
        BIOMETRIKA,
        "93(3):491–507",
        "10.1093/biomet/93.3.491",
    ),
)
