"""RunAmlPipeline: submit a pipeline, follow it to its end, hand on what it produced."""
