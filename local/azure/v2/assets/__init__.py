"""Named and versioned assets of v2: data, code, components, models, environments."""
