"""Group-level neuroimaging statistics from one validated YAML spec."""

__version__ = "0.1.0"
