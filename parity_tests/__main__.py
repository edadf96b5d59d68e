"""Entry point of ``python -m parity_tests``."""

import sys

try:
    from parity_tests.cli import main
except ModuleNotFoundError as error:  # Python looks into the folder where it is called first
    if (error.name or "").partition(".")[0] not in ("manual", "torch_ref"):
        raise
    taken = str(error.name).partition(".")[0]
    place = getattr(sys.modules.get(taken), "__file__", None)
    sys.exit(
        f"python -m parity_tests: another module named {taken} was found at {place}: "
        f"expected this project's; run in another folder, or the command derivation-parity"
    )

if __name__ == "__main__":
    sys.exit(main())
