"""Azure Pipelines and Azure DevOps: what tasks are given by them, and what they say to them."""
