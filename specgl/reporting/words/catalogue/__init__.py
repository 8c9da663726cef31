"""The papers and programs that methods cite, by key."""

from __future__ import annotations

from specgl.reporting.words.catalogue.estimators import EFFECTS, HETEROGENEITY, ROBUST, SANDWICHES
from specgl.reporting.words.catalogue.fields import DISCOVERIES, FIELDS
from specgl.reporting.words.catalogue.models import CORRECTIONS, MODELS
from specgl.reporting.words.catalogue.programs import REPORTING_AND_SOFTWARE
from specgl.reporting.words.catalogue.shuffles import NUISANCE, PERMUTATION

CATALOGUE = {
    reference.key: reference
    for several in (
        MODELS,
        HETEROGENEITY,
        ROBUST,
        SANDWICHES,
        EFFECTS,
        CORRECTIONS,
        PERMUTATION,
        NUISANCE,
        FIELDS,
        DISCOVERIES,
        REPORTING_AND_SOFTWARE,
    )
    for reference in several
}
"""Every reference by its key."""
