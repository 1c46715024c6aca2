"""What the owner of a resumable upload is told of it."""

from typing import Any

from flask import url_for

from pipeline.upload_store import Upload


def describe(upload: Upload) -> dict[str, Any]:
    """Return an upload as the API tells it."""
    return {
        "id": upload.id,
        "filename": upload.filename,
        "content_type": upload.content_type,
        "length": upload.length,
        "offset": upload.offset,
        "options": upload.options,
        "metadata": upload.metadata,
        "created_at": upload.created_at.isoformat(),
        "updated_at": upload.updated_at.isoformat(),
        "expires_at": upload.expires_at.isoformat(),
        "links": {
            "self": url_for("uploads.append", upload_id=upload.id),
            "job": url_for("jobs.show", job_id=upload.id),
        },
    }
