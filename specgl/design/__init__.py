"""Table and formula to a design: the only door to formulaic."""

from __future__ import annotations

from specgl.design.build import build
from specgl.design.columns import typed_columns
from specgl.design.describe import describe_design, design_table, variable_table
from specgl.design.exchange import BlockLevel, Exchange, exchange_tree
from specgl.design.groups import read_clusters
from specgl.design.lints import inflation, leverages, lint
from specgl.design.rank import within_blocks
from specgl.design.records import (
    Alternative,
    Block,
    Categorical,
    CategoricalColumn,
    Coding,
    Conjunction,
    Continuous,
    ContinuousColumn,
    Contrast,
    ContrastRequest,
    Design,
    Dropped,
    Kind,
    Regressor,
    Rows,
    Table,
    TypedColumn,
    Variable,
)
from specgl.design.repeats import repeated_rows
from specgl.design.rows import drop_rows, observation_table, select_rows
from specgl.design.table import read_table

__all__ = [
    "Alternative",
    "Block",
    "BlockLevel",
    "Categorical",
    "CategoricalColumn",
    "Coding",
    "Conjunction",
    "Continuous",
    "ContinuousColumn",
    "Contrast",
    "ContrastRequest",
    "Design",
    "Dropped",
    "Exchange",
    "Kind",
    "Regressor",
    "Rows",
    "Table",
    "TypedColumn",
    "Variable",
    "build",
    "describe_design",
    "design_table",
    "drop_rows",
    "exchange_tree",
    "inflation",
    "leverages",
    "lint",
    "observation_table",
    "read_clusters",
    "read_table",
    "repeated_rows",
    "select_rows",
    "typed_columns",
    "variable_table",
    "within_blocks",
]
