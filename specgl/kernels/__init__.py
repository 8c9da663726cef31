"""Numbers: arrays in, small frozen records out.

Import from the modules (``from specgl.kernels.ols import factorise``): this door imports none of them, so
that a command that needs one does not wait for the others.
"""
