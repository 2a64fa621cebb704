"""Azure DevOps Services for one organisation: the REST that pipelines, tasks and set-up need."""
