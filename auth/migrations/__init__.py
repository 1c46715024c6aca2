"""The schema's history, one module a step; `python -m auth.migrate` applies it."""
