"""The subcommands of ``python -m torch_ref``, each imported only when it is called."""
