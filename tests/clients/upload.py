"""Upload one file by a client for Python: `upload.py '{"client", "endpoint", "file", "token", …}'`.

Prints the upload's address.
"""

import asyncio
import json
import sys

import aiotus
from aiotus.retry import RetryConfiguration
from tusclient.client import TusClient

given = json.loads(sys.argv[1])
headers = {"Authorization": f"Bearer {given['token']}"}


def by_tuspy() -> str:
    """Use the official client."""
    uploader = TusClient(given["endpoint"], headers=headers).uploader(
        given["file"],
        chunk_size=given.get("chunkSize", 10**9),
        metadata={"filename": "talk.mp4"},
        retries=5,
        retry_delay=1,
        upload_checksum=given.get("checked", False),
    )
    uploader.upload()
    return str(uploader.url)


def by_aiotus() -> str:
    """Use the one on asyncio."""
    with open(given["file"], "rb") as stream:  # noqa: PTH123 - as its documentation does
        upload = aiotus.upload(
            given["endpoint"],
            stream,
            {"filename": b"talk.mp4"},
            config=RetryConfiguration(max_retry_period_seconds=0.5),
            headers=headers,
            chunksize=given.get("chunkSize", 10**9),
        )
        return str(asyncio.run(upload))


print({"tuspy": by_tuspy, "aiotus": by_aiotus}[given["client"]]())  # noqa: T201 - the result
