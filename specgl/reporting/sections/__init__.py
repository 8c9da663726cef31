"""One module for each section of the page: a bundle in, a small record for the template out."""
