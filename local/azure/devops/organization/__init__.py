"""The organisation: projects, access, service connections, extensions, permissions."""
