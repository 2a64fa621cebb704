"""The port on Azure ML's REST API (v2), and on azure-ai-ml for submitting a pipeline.

``import azure.ai.ml`` takes seconds, so only :mod:`submission` does it. Everything else sends the
requests that this SDK sends, to Resource Manager and to the workspace's data plane.
"""
