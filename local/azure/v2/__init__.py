"""The v2 plane: what azure-ai-ml and the management SDK ask Resource Manager for."""
