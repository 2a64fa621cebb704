"""Azure Resource Manager: the workspace, compute targets, regions and quota."""
