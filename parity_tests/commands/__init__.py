"""The subcommands of ``python -m parity_tests``: each module has ``configure(parser)``, which sets ``run``."""
