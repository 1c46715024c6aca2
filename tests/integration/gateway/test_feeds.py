"""The feed, as foreign readers and a client that downloads see it."""

import hashlib
import io
import json
import xml.etree.ElementTree as ET
from datetime import timedelta
from uuid import UUID

import feedparser
import httpx
import podcastparser
import pytest

from gateway.description import schemas
from gateway.sharing.feed import ITUNES, MAX_IMAGE, PODCAST
from pipeline.job import Job
from pipeline.mongodb import now
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores

ME, OTHER, MP3 = "me@example.com", "other@example.com", bytes(range(256)) * 64
CHAPTERS = [
    {"start": 0.0, "end": 60.0, "title": "Begrüßung"},
    {"start": 60.0, "end": 3600.5, "title": "<Teil> & Rest"},
    {"start": 3600.5, "end": 4000.0, "title": None},
]


def make(me: httpx.Client, **wish: object) -> dict[str, str]:
    answer = me.post("/v1/me/feeds", json=wish)
    assert answer.status_code == 201, answer.text
    schemas.NewFeed.model_validate_json(answer.content)
    made: dict[str, str] = answer.json()
    return made


def lecture(stores: Stores, filename: str = "Vorlesung <1> & mehr.mp4", owner: str = ME) -> Job:
    job = stores.done(owner, MP3, filename)
    values = {"media": {"duration": 4000.0, "chapters": CHAPTERS}, "result.duration": 3999.6}
    stores.client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": values})
    return job


def test_foreign_readers_have_no_complaint(me: httpx.Client, stores: Stores) -> None:
    jobs = [lecture(stores) for _ in range(3)]
    made = make(me, title="Meine Vorlesungen & mehr")
    text = httpx.get(made["url"]).content

    parsed = feedparser.parse(text)
    gpodder = podcastparser.parse(made["url"], io.BytesIO(text))

    assert not parsed.bozo
    assert parsed.feed.title == gpodder["title"] == "Meine Vorlesungen & mehr"
    assert [entry.id for entry in parsed.entries] == [job.id for job in reversed(jobs)]
    entry, episode = parsed.entries[0], gpodder["episodes"][0]
    assert entry.title == episode["title"] == "Vorlesung <1> & mehr"
    assert entry.itunes_duration == "4000"
    assert episode["total_time"] == 4000
    assert entry.enclosures[0].length == str(len(MP3))
    assert episode["enclosures"][0]["file_size"] == len(MP3)
    assert episode["enclosures"][0]["mime_type"] == "audio/mpeg"
    assert episode["guid"] == jobs[-1].id
    assert entry.published_parsed is not None


def test_the_feed_says_that_it_is_private_and_whose_it_is(me: httpx.Client, stores: Stores) -> None:
    lecture(stores)
    made = make(me)
    answer = httpx.get(made["url"])

    channel = ET.fromstring(answer.content)[0]  # noqa: S314 - our own

    def said(tag: str) -> str | None:
        return channel.findtext(tag)

    assert said(f"{{{ITUNES}}}block") == "Yes"
    assert said(f"{{{PODCAST}}}block") == said(f"{{{PODCAST}}}locked") == "yes"
    assert UUID(said(f"{{{PODCAST}}}guid")).version == 5
    assert answer.headers["Content-Type"] == "application/rss+xml; charset=utf-8"
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "private" in answer.headers["Cache-Control"]


@pytest.mark.parametrize(("kind", "other"), [("jpg", "png"), ("png", "jpg")])
def test_an_episode_has_the_picture_in_its_mp3(
    me: httpx.Client, stores: Stores, kind: str, other: str
) -> None:
    job, plain = lecture(stores), lecture(stores)
    type_, picture = {"jpg": "image/jpeg", "png": "image/png"}[kind], MP3[300:4000]
    cover = {"type": type_, "place": 300, "size": len(picture), "sha256": hashlib.sha256(picture).hexdigest()}
    stores.client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": {"result.cover": cover}})
    url = make(me)["url"]
    text = httpx.get(url).content

    named = {entry.id: entry.get("image") for entry in feedparser.parse(text).entries}
    answer = httpx.get(named[job.id].href)
    part = httpx.get(named[job.id].href, headers={"Range": "bytes=10-19"})
    known = httpx.get(named[job.id].href, headers={"If-None-Match": answer.headers["ETag"]})

    assert named[plain.id] is None
    assert named[job.id].href.endswith(f"/{job.id}.{kind}")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, type_)
    assert answer.content == picture
    assert (part.status_code, part.content) == (206, picture[10:20])
    assert known.status_code == 304
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for absent in (f"{job.id}.{other}", f"{plain.id}.{kind}", f"{job.id}.gif", f"{'0' * 32}.{kind}"):
        assert httpx.get(f"{url.removesuffix('.xml')}/{absent}").status_code == 404
    assert "place" not in me.get(f"/v1/jobs/{job.id}").json()["result"]["cover"]


def test_a_picture_that_is_too_large_for_apps_is_not_named(me: httpx.Client, stores: Stores) -> None:
    job = lecture(stores)
    cover = {"type": "image/jpeg", "place": 300, "size": MAX_IMAGE + 1, "sha256": "0" * 64}
    stores.client["jobs"]["jobs"].update_one({"_id": job.id}, {"$set": {"result.cover": cover}})

    assert "itunes:image" not in httpx.get(make(me)["url"]).text


def test_a_client_downloads_and_resumes_what_the_feed_names(me: httpx.Client, stores: Stores) -> None:
    lecture(stores)
    [entry] = feedparser.parse(httpx.get(make(me)["url"]).content).entries
    url = entry.enclosures[0].href

    head, first = httpx.head(url), httpx.get(url, headers={"Range": "bytes=0-999"})
    rest = httpx.get(url, headers={"Range": "bytes=1000-", "If-Range": first.headers["ETag"]})

    assert (head.status_code, head.headers["Content-Length"]) == (200, entry.enclosures[0].length)
    assert head.headers["Accept-Ranges"] == "bytes"
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.content + rest.content == MP3
    assert url.endswith(".mp3")


def test_chapters_are_those_of_the_video_at_the_times_of_the_mp3(me: httpx.Client, stores: Stores) -> None:
    whole, part = lecture(stores), lecture(stores)
    values = {"options.start": 30.0, "options.end": 90.0, "result.duration": 60.0}
    stores.client["jobs"]["jobs"].update_one({"_id": part.id}, {"$set": values})
    text = httpx.get(make(me)["url"]).content
    items = ET.fromstring(text).findall("./channel/item")  # noqa: S314 - our own

    found = {}
    for item in items:
        chapters = item.find(f"{{{PODCAST}}}chapters")
        assert chapters is not None
        answer = httpx.get(chapters.attrib["url"])
        assert answer.headers["Content-Type"] == chapters.attrib["type"] == "application/json+chapters"
        found[item.findtext("guid")] = json.loads(answer.content)

    assert found[whole.id] == {
        "version": "1.2.0",
        "chapters": [
            {"startTime": 0.0, "endTime": 60.0, "title": "Begrüßung"},
            {"startTime": 60.0, "endTime": 3600.5, "title": "<Teil> & Rest"},
            {"startTime": 3600.5, "endTime": 3999.6, "title": "Chapter 3"},
        ],
    }
    assert [one["startTime"] for one in found[part.id]["chapters"]] == [0.0, 30.0]
    assert found[part.id]["chapters"][-1]["endTime"] == 60.0


def test_an_unchanged_feed_is_not_sent_again(me: httpx.Client, stores: Stores) -> None:
    lecture(stores)
    url = make(me)["url"]
    first = httpx.get(url)
    known = {"If-None-Match": first.headers["ETag"]}

    unchanged, head = httpx.get(url, headers=known), httpx.head(url)
    lecture(stores)
    changed = httpx.get(url, headers=known)

    assert (unchanged.status_code, unchanged.content) == (304, b"")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == first.headers["ETag"]
    assert (changed.status_code, changed.content.count(b"<item>")) == (200, 2)


def test_a_feed_has_its_owners_finished_mp3s_and_nothing_else(me: httpx.Client, stores: Stores) -> None:
    own, others = lecture(stores), lecture(stores, owner=OTHER)
    queued, failed = stores.queued(), stores.failed(stores.queued())
    url = make(me)["url"]

    text = httpx.get(url).text
    base = url.removesuffix(".xml")
    answers = {
        job.id: httpx.get(f"{base}/{job.id}.{kind}").status_code
        for job in (own, others, queued, failed)
        for kind in ("mp3", "json")
    }

    assert text.count("<item>") == 1
    assert own.id in text
    assert answers == {own.id: 200, others.id: 404, queued.id: 404, failed.id: 404}


def test_a_revoked_or_guessed_feed_and_its_files_are_gone(
    me: httpx.Client, other: httpx.Client, stores: Stores, gateway: Gateway
) -> None:
    job, made = lecture(stores), make(me)
    base = made["url"].removesuffix(".xml")

    assert other.delete(f"/v1/me/feeds/{made['id']}").status_code == 404
    assert httpx.get(made["url"]).status_code == 200
    assert me.delete(f"/v1/me/feeds/{made['id']}").status_code == 204

    guesses = [f"{gateway.url}/feeds/{guess}" for guess in ("x", "x" * 32, made["id"], "%00", "..")]
    for place in (base, *guesses):
        for path in (f"{place}.xml", *(f"{place}/{job.id}.{kind}" for kind in ("mp3", "json", "jpg"))):
            assert httpx.get(path).status_code == 404, path
    assert me.get("/v1/me/feeds").json() == {"feeds": []}


def test_the_address_is_told_once_and_stored_as_a_hash(me: httpx.Client, stores: Stores) -> None:
    made = make(me)
    token = made["url"].rpartition("/")[2].removesuffix(".xml")

    listed = me.get("/v1/me/feeds")

    schemas.Feeds.model_validate_json(listed.content)
    assert token not in listed.text
    assert token not in repr(list(stores.client["jobs"]["feeds"].find()))


def test_every_address_is_that_of_a_trusted_proxy(start_gateway: StartGateway, stores: Stores) -> None:
    gateway = start_gateway(TRUSTED_PROXIES="1")
    lecture(stores)
    headers = {"X-Forwarded-Proto": "https", "Host": "mp3.example", "X-Forwarded-For": "1.2.3.4"}

    with gateway.client() as client:
        url = client.post("/v1/me/feeds", headers=headers).json()["url"]
        text = client.get(httpx.URL(url).path, headers=headers).text

    assert url.startswith("https://mp3.example/feeds/")
    assert f'url="{url.removesuffix(".xml")}/' in text
    assert gateway.url not in text


def test_strange_letters_in_names_break_no_feed(me: httpx.Client, stores: Stores) -> None:
    for name in ("\x0b\x1f\ufffe.mp4", "]]>.mp4", "🎧" * 50 + ".mp4", "<![CDATA[x.mp4", "&amp;.mp4"):
        lecture(stores, name)

    parsed = feedparser.parse(httpx.get(make(me)["url"]).content)

    assert not parsed.bozo
    assert len(parsed.entries) == 5


def test_a_feed_without_anything_is_one_too(me: httpx.Client) -> None:
    parsed = feedparser.parse(httpx.get(make(me)["url"]).content)

    assert not parsed.bozo
    assert parsed.entries == []


def test_a_user_has_only_so_many_feeds(me: httpx.Client) -> None:
    answers = [me.post("/v1/me/feeds").status_code for _ in range(21)]

    assert answers == [201] * 20 + [409]


@pytest.mark.parametrize("wish", [{"title": ""}, {"title": "x" * 101}, {"more": 1}])
def test_a_wish_that_is_none_is_refused(me: httpx.Client, wish: object) -> None:
    assert me.post("/v1/me/feeds", json=wish).status_code == 422


def test_an_expired_job_is_no_episode_any_more(me: httpx.Client, stores: Stores) -> None:
    job = lecture(stores)
    assert stores.jobs.expire(stores.jobs.get(job.id) or job) is not None

    assert "<item>" not in httpx.get(make(me)["url"]).text
    assert now() - job.created_at < timedelta(hours=1)
