"""Frozen numbers of R's packages, and the formulas of the papers in plain numpy."""
