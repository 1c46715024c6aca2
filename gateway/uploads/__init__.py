"""Bytes on their way in: from a request to queued jobs."""
