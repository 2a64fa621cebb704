"""The local Azure's own HTML page. `pages` answers a request, `templates/` says how it looks."""
