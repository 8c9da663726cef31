"""True discoveries without a shortcut, from definitions alone; nothing here knows the package."""
