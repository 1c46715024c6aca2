"""Every figure in the documents, as a command: `python -m benchmarks.<name>`."""
