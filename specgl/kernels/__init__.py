"""Numbers: arrays in, small frozen records out.

Estimates stand in `ols` and `welch`, tails of known distributions in `tails` and of fitted ones in
`tail_models`, corrections in `multiplicity`. For permutation inference `shuffles` says which labellings there
are, `statistics` what each of them gives, `extremes` and `tfce` what is greatest in a map.

Import from the modules (``from specgl.kernels.ols import factorise``): this door imports none of them, so
that a command that needs one does not wait for the others.
"""
