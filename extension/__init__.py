"""What the gallery shows, and the making of the .vsix: icons, documentation, lint, packaging."""
