"""Tell the owner of a job by mail how it ended."""
