"""The subcommands of ``python -m manual``: each module has ``configure(parser)``, which sets ``run``."""
