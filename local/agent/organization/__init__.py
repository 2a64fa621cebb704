"""Sends runs to an organisation of Azure DevOps, as builds and releases."""
