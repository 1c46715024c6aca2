"""Who may come in, and how HTTP is spoken; it knows no job."""
