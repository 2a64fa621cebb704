"""Reads the file: pipelines and classic definitions, their templates, parameters and triggers."""
