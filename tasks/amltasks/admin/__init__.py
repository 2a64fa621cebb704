"""``python -m amltasks.admin``: what an organisation of Azure DevOps needs before its first run."""
