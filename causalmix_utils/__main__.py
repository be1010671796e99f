"""``python -m causalmix_utils`` is ``causalmix``."""

import sys

from causalmix_utils.cli import main

if __name__ == "__main__":
    sys.exit(main())
