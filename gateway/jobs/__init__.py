"""A job on its way out: what its owner is told, sees and downloads."""
