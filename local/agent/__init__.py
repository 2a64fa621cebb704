"""A local Azure Pipelines agent: runs azure-pipelines.yml with tasks out of a .vsix.

Facts about the real agent come from microsoft/azure-pipelines-agent at commit 42bde98
(2026-08-21), below called "the agent"; its paths are given where a fact is used.
"""
