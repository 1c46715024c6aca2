"""The feed of a user's finished MP3s: RSS 2.0 with the tags of iTunes and of the podcast namespace.

https://help.apple.com/itc/podcasts_connect/#/itcb54353390, https://podcasting2.org/docs
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC
from email.utils import format_datetime
from uuid import UUID, uuid5
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from gateway.jobs.downloads import KINDS
from gateway.sharing import chapters
from gateway.uploads import names
from pipeline.feeds import Feed
from pipeline.job import Job

ITEMS = 100
MAX_IMAGE = 2 * 1024 * 1024
"""Larger pictures are not named: an app fetches those of all episodes."""
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
PODCAST = "https://podcastindex.org/namespace/1.0"
ATOM = "http://www.w3.org/2005/Atom"
GUID_NAMESPACE = UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
"""The podcast namespace's, for `podcast:guid`."""

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Address = Callable[[str, str], str]
"""Returns where the file of a job is: its id, and `mp3`, `json`, or the kind of its picture."""


def write(feed: Feed, jobs: Sequence[Job], home: str, own: str, address: Address) -> bytes:
    """Return the feed's XML.

    Args:
        feed: whose.
        jobs: finished ones, the newest first.
        home: the address of the gateway.
        own: the address of the feed.
        address: tells those of its files.
    """
    for prefix, uri in (("itunes", ITUNES), ("podcast", PODCAST), ("atom", ATOM)):
        register_namespace(prefix, uri)
    rss = Element("rss", {"version": "2.0"})
    channel = SubElement(rss, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", home)
    _add(channel, "description", "MP3s made from your videos.")
    _add(channel, "language", "en")
    _add(channel, "generator", "video-to-mp3")
    SubElement(channel, f"{{{ATOM}}}link", {"href": own, "rel": "self", "type": "application/rss+xml"})
    _add(channel, f"{{{ITUNES}}}author", "video-to-mp3")
    _add(channel, f"{{{ITUNES}}}explicit", "false")
    _add(channel, f"{{{ITUNES}}}block", "Yes")  # no directory lists it
    _add(channel, f"{{{PODCAST}}}block", "yes")
    _add(channel, f"{{{PODCAST}}}locked", "yes")
    _add(channel, f"{{{PODCAST}}}medium", "podcast")
    _add(channel, f"{{{PODCAST}}}guid", str(uuid5(GUID_NAMESPACE, own.partition("://")[2])))
    for job in jobs:
        _add_item(channel, job, address)
    written: bytes = tostring(rss, encoding="utf-8")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + written


def title_of(job: Job) -> str:
    """Return what an MP3 is called."""
    return str(job.options.get("title") or names.of_mp3(job.source["filename"]).removesuffix(".mp3"))


def _add_item(channel: Element, job: Job, address: Address) -> None:
    result = job.result or {}
    item = SubElement(channel, "item")
    _add(item, "title", title_of(job))
    SubElement(item, "guid", {"isPermaLink": "false"}).text = job.id
    ended_at = job.ended_at or job.updated_at
    _add(item, "pubDate", format_datetime(ended_at.astimezone(UTC), usegmt=True))
    enclosure = {"url": address(job.id, "mp3"), "length": str(result["size"]), "type": "audio/mpeg"}
    SubElement(item, "enclosure", enclosure)
    _add(item, f"{{{ITUNES}}}duration", str(round(result["duration"])))
    _add(item, f"{{{ITUNES}}}explicit", "false")
    if job.cover is not None and job.cover["size"] <= MAX_IMAGE:
        SubElement(item, f"{{{ITUNES}}}image", {"href": address(job.id, KINDS[job.cover["type"]])})
    if chapters.of(job):
        where = {"url": address(job.id, "json"), "type": "application/json+chapters"}
        SubElement(item, f"{{{PODCAST}}}chapters", where)


def _add(parent: Element, tag: str, text: str) -> None:
    SubElement(parent, tag).text = _NOT_XML.sub("", text)
