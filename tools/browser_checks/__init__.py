"""Checks of the built book in a real browser. `tools/check_browser.py` runs them."""
