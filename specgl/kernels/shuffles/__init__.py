"""Which labellings of the observations are as likely as the observed one, and a set of them.

A tree of blocks says what may change places, the classes of equal design rows which changes can be told
apart. From both follow, exactly, how many labellings there are, all of them, or some drawn at random without
repetition.
"""

from specgl.kernels.shuffles.classes import classes_of
from specgl.kernels.shuffles.drawing import short_count
from specgl.kernels.shuffles.labellings import Count, Exchange, count
from specgl.kernels.shuffles.making import Shuffles, make_shuffles
from specgl.kernels.shuffles.orbits import automatic_variance_groups, invariance, orbits
from specgl.kernels.shuffles.tree import BlocksError, Level, Movement, Node, Tree, build_tree

__all__ = [
    "BlocksError",
    "Count",
    "Exchange",
    "Level",
    "Movement",
    "Node",
    "Shuffles",
    "Tree",
    "automatic_variance_groups",
    "build_tree",
    "classes_of",
    "count",
    "invariance",
    "make_shuffles",
    "orbits",
    "short_count",
]
