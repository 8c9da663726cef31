"""Papers on random fields, simulated noise and true discoveries."""

from __future__ import annotations

from specgl.reporting.words.catalogue.paper import BIOMETRIKA, HBM, NEUROIMAGE, paper

FIELDS = (
    paper(
        "worsley1996",
        1996,
        "Worsley, K. J.; Marrett, S.; Neelin, P.; Vandal, A. C.; Friston, K. J.; Evans, A. C.",
        "A unified statistical approach for determining significant signals in images of cerebral activation",
        HBM,
        "4(1):58–73",
        "10.1002/(SICI)1097-0193(1996)4:1<58::AID-HBM4>3.0.CO;2-O",
    ),
    paper(
        "friston1994extent",
        1994,
        "Friston, K. J.; Worsley, K. J.; Frackowiak, R. S. J.; Mazziotta, J. C.; Evans, A. C.",
        "Assessing the significance of focal activations using their spatial extent",
        HBM,
        "1(3):210–220",
        "10.1002/hbm.460010306",
        named=2,
    ),
    paper(
        "kiebel1999",
        1999,
        "Kiebel, S. J.; Poline, J.-B.; Friston, K. J.; Holmes, A. P.; Worsley, K. J.",
        "Robust smoothness estimation in statistical parametric maps using standardized residuals from the "
        "general linear model",
        NEUROIMAGE,
        "10(6):756–766",
        "10.1006/nimg.1999.0508",
    ),
    paper(
        "hayasaka2004",
        2004,
        "Hayasaka, S.; Phan, K. L.; Liberzon, I.; Worsley, K. J.; Nichols, T. E.",
        "Nonstationary cluster-size inference with random field and permutation methods",
        NEUROIMAGE,
        "22(2):676–687",
        "10.1016/j.neuroimage.2004.01.041",
    ),
    paper(
        "forman1995",
        1995,
        "Forman, S. D.; Cohen, J. D.; Fitzgerald, M.; Eddy, W. F.; Mintun, M. A.; Noll, D. C.",
        "Improved assessment of significant activation in functional magnetic resonance imaging (fMRI): "
        "Use of a cluster-size threshold",
        "Magnetic Resonance in Medicine",
        "33(5):636–647",
        "10.1002/mrm.1910330508",
    ),
    paper(
        "cox2017",
        2017,
        "Cox, R. W.; Chen, G.; Glen, D. R.; Reynolds, R. C.; Taylor, P. A.",
        "FMRI clustering in AFNI: False-positive rates redux",
        "Brain Connectivity",
        "7(3):152–171",
        "10.1089/brain.2016.0475",
    ),
)

DISCOVERIES = (
    paper(
        "rosenblatt2018",
        2018,
        "Rosenblatt, J. D.; Finos, L.; Weeda, W. D.; Solari, A.; Goeman, J. J.",
        "All-Resolutions Inference for brain imaging",
        NEUROIMAGE,
        "181:786–796",
        "10.1016/j.neuroimage.2018.07.060",
    ),
    paper(
        "goeman2019",
        2019,
        "Goeman, J. J.; Meijer, R. J.; Krebs, T. J. P.; Solari, A.",
        "Simultaneous control of all false discovery proportions in large-scale multiple hypothesis testing",
        BIOMETRIKA,
        "106(4):841–856",
        "10.1093/biomet/asz041",
    ),
    paper(
        "meijer2019",
        2019,
        "Meijer, R. J.; Krebs, T. J. P.; Goeman, J. J.",
        "Hommel's procedure in linear time",
        "Biometrical Journal",
        "61(1):73–82",
        "10.1002/bimj.201700316",
    ),
    paper(
        "blanchard2020",
        2020,
        "Blanchard, G.; Neuvial, P.; Roquain, E.",
        "Post hoc confidence bounds on false positives using reference families",
        "The Annals of Statistics",
        "48(3):1281–1303",
        "10.1214/19-AOS1847",
    ),
)
