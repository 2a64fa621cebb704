"""This machine: processes, files, interpreters, tasks on disk, variables and secrets."""
