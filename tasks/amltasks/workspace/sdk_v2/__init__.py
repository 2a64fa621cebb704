"""The port on Azure ML's REST API (v2), and on azure-ai-ml where a pipeline is to be submitted.

``import azure.ai.ml`` takes seconds, so only :mod:`submission` does it; everything else asks
Resource Manager and the workspace's data plane directly, as that SDK does.
"""
