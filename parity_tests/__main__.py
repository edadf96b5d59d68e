"""Entry point of ``python -m parity_tests``."""

import sys

from parity_tests.cli import main

if __name__ == "__main__":
    sys.exit(main())
