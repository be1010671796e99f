"""Slides from chapters: the rule that chooses what is shown, and the template. `tools/slides.py` builds them."""
