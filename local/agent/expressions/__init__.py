"""The expression language of conditions, ``$[ ]`` and ``${{ }}``."""
