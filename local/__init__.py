"""The embedded default: a local Azure and a local Azure Pipelines agent, on loopback."""
