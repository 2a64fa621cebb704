"""Tells others: the build or release in an organisation of Azure DevOps."""
