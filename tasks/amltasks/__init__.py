"""The Azure Machine Learning tasks for Azure Pipelines; the launcher starts one a process."""
