"""Classic releases: definitions, releases and what they attach."""
