"""Bytes that no client should send: each is answered in words, and nothing breaks."""

import base64
import json
import os
from itertools import islice

import pytest

from tests.fuzz import raw
from tests.integration.gateway.conftest import Gateway, Stores
from tests.integration.gateway.uploads.test_uploads import send

CLIP = b"\0\0\0\x18ftypmp42" + bytes(5000)
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; '
FORM = b"Content-Type: multipart/form-data; boundary=b"
JSON = b"Content-Type: application/json"


def ask(gateway: Gateway, method: str, path: str, *lines: bytes, body: bytes = b"") -> tuple[int, str, bytes]:
    """Return status, headers and body of the answer."""
    token = gateway.auth.token("me@example.com").encode()
    head = [f"{method} {path} HTTP/1.1".encode(), b"Host: x", b"Connection: close"]
    lines = (*lines, b"Authorization: Bearer " + token, b"Content-Length: %d" % len(body))
    answer = send(gateway, b"\r\n".join([*head, *lines, b"", b""]), body)
    head_of_it, _, content = answer.partition(b"\r\n\r\n")
    return int(head_of_it.split()[1]), head_of_it.decode("latin-1"), content


@pytest.mark.parametrize(
    "value",
    [
        "sha-256=:é:".encode("latin-1"), "sha-256=:é:".encode(), b"sha-256=:x:", b"sha-256=::", b"sha-256=",
        b"sha-256=:" + b"A" * 5000 + b":", b"sha-256=\xff",
    ],
)  # fmt: skip
def test_a_digest_that_is_none_is_refused(gateway: Gateway, stores: Stores, value: bytes) -> None:
    status, _, content = ask(gateway, "POST", "/v1/jobs", b"Content-Digest: " + value, body=CLIP)

    assert (status, json.loads(content)["code"]) == (400, "malformed_digest")
    assert stores.documents() == 0


def test_a_digest_of_another_algorithm_is_not_looked_at(gateway: Gateway, stores: Stores) -> None:
    digest = b"Content-Digest: sha-256*=UTF-8''%ff, md5=:\xff:, sha-512=:x:"

    assert ask(gateway, "POST", "/v1/jobs", digest, body=CLIP)[0] == 202
    assert stores.documents() == 1


@pytest.mark.parametrize("body", [b"[" * 8000, b'{"a":' * 2500, b'{"track": 1' + b"0" * 5000 + b"}"])
@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/jobs/{}/retry"), ("POST", "/session")])
def test_json_that_is_deep_or_large_is_refused(
    gateway: Gateway, stores: Stores, method: str, path: str, body: bytes
) -> None:
    job = stores.failed(stores.queued())

    status, _, content = ask(
        gateway, method, path.format(job.id), JSON, b"Sec-Fetch-Site: same-origin", body=body
    )

    assert 400 <= status < 500, content


@pytest.mark.parametrize("track", ["0" * 8 + "1" + "9" * 3000, "1" * 4000, "²", "-1", "1e9"])
def test_a_track_that_is_no_number_is_refused_whatever_its_length(
    gateway: Gateway, stores: Stores, track: str
) -> None:
    job = stores.failed(stores.queued())

    status, _, content = ask(
        gateway,
        "POST",
        f"/v1/jobs/{job.id}/retry",
        b"Content-Type: application/x-www-form-urlencoded",
        body=f"track={track}".encode(),
    )

    assert (status, json.loads(content)["code"]) == (422, "invalid_option")


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (b'filename="caf\xe9.mp4"', "café.mp4"),
        ('filename="café.mp4"'.encode(), "café.mp4"),
        (b'filename="\x93quoted\x94.mp4"', "“quoted”.mp4"),
        (b'filename="C:\\Users\\me\\talk.mp4"', "talk.mp4"),
        (b'filename="C:\\\\Users\\\\me\\\\talk.mp4"', "talk.mp4"),
        (b'filename="\\\\server\\share\\talk.mp4"', "talk.mp4"),
        (b'filename="d:\\talk.mp4"', "talk.mp4"),
        (b'filename="C:talk.mp4"', "C:talk.mp4"),
        (b'filename="a \\"b\\".mp4"', 'a "b".mp4'),
        (b"filename*=UTF-8''caf%C3%A9.mp4", "café.mp4"),
    ],
)
def test_a_name_is_understood_as_old_programs_send_it(
    gateway: Gateway, stores: Stores, given: bytes, name: str
) -> None:
    body = FILE + given + b"\r\n\r\n" + CLIP + b"\r\n--b--\r\n"

    status, _, content = ask(gateway, "POST", "/v1/jobs", FORM, body=body)

    assert (status, json.loads(content)["jobs"][0]["source"]["filename"]) == (202, name)
    assert stores.documents() == 1


NOT_FORMS = {
    "nothing": (b"", "its body is empty"),
    "another boundary": (b"--c\r\n\r\nx\r\n--c--\r\n", "its body does not contain the boundary"),
    "a part without disposition": (b"--b\r\nX: y\r\n\r\nx\r\n--b--\r\n", "no Content-Disposition header"),
    "no end": (FILE + b"filename=a.mp4\r\n\r\nx", "it ends before its last boundary"),
    "half a header": (FILE, "it ends before its last boundary"),
    "a long header": (
        FILE + b"filename=" + b"a" * 20_000 + b"\r\n\r\nx\r\n--b--\r\n",
        "a part's header is too long",
    ),
}


@pytest.mark.parametrize("case", NOT_FORMS)
def test_a_form_that_is_none_is_refused_in_words(gateway: Gateway, stores: Stores, case: str) -> None:
    body, words = NOT_FORMS[case]

    status, _, content = ask(gateway, "POST", "/v1/jobs", FORM, body=body)
    problem = json.loads(content)

    assert (status, problem["code"]) == (400, "malformed_upload")
    assert words in problem["detail"]
    assert "State" not in problem["detail"]
    assert "codec" not in problem["detail"]
    assert stores.documents() == 0


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/v1/jobs"), ("POST", "/upload"), ("PUT", "/v1/convert/a.mp4"), ("POST", "/login")],
)
def test_a_compressed_body_is_refused_in_words(
    gateway: Gateway, stores: Stores, method: str, path: str
) -> None:
    body = b"\x1f\x8b\x08" + os.urandom(100)

    status, head, content = ask(gateway, method, path, FORM, b"Content-Encoding: gzip", body=body)

    assert status == 415
    assert b"Content-Encoding: gzip, which is not supported" in content
    assert "Accept-Encoding: identity" in head
    assert stores.documents() == 0


@pytest.mark.parametrize("kind", [b"video/" + b"a" * 7000, b"video/\xe9\xff", b"video", b"a/b/c", b""])
@pytest.mark.parametrize("as_form", [True, False])
def test_a_media_type_that_is_none_is_not_kept(
    gateway: Gateway, stores: Stores, kind: bytes, *, as_form: bool
) -> None:
    of_part = FILE + b"filename=a.mp4\r\nContent-Type: " + kind + b"\r\n\r\n" + CLIP + b"\r\n--b--\r\n"
    line, body = (FORM, of_part) if as_form else (b"Content-Type: " + kind, CLIP)

    status, _, _ = ask(gateway, "POST", "/v1/jobs", line, body=body)

    [stored] = stores.client["videos"]["fs.files"].find()
    [job] = stores.client["jobs"]["jobs"].find()
    assert status == 202
    assert stored["metadata"]["content_type"] == "application/octet-stream"
    assert "aaaa" not in str(job)


def test_nothing_that_a_stranger_names_is_kept_longer_than_it_may_be(
    gateway: Gateway, stores: Stores
) -> None:
    long = b"n" * 3900
    form = FILE + b"filename=" + long + b".mp4\r\n\r\n" + CLIP + b"\r\n--b--\r\n"

    ask(gateway, "POST", "/v1/jobs", FORM, b"User-Agent: " + long, b"X-Request-Id: " + long, body=form)
    ask(gateway, "PUT", f"/v1/convert/{long.decode()[:3000]}.mp4?wait=0", body=CLIP)

    jobs, files = stores.client["jobs"]["jobs"].find(), stores.client["videos"]["fs.files"].find()
    assert [len(str(job)) < 2000 for job in jobs] == [True, True]
    assert [len(str(file)) < 2500 for file in files] == [True, True]


@pytest.mark.parametrize("host", [[], [b"Host: a b"], [b"Host: \xff"], [b"Host:"], [b"Host: " + b"a" * 300]])
def test_a_request_that_names_no_host_is_refused(gateway: Gateway, host: list[bytes]) -> None:
    head = [b"GET /v1/limits HTTP/1.1", b"Connection: close", *host, b"", b""]

    answer = send(gateway, b"\r\n".join(head))

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"it must have one Host header" in answer


@pytest.mark.parametrize("host", [b"localhost", b"[::1]:8080", b"mp3.example.com:80", b"a_b"])
def test_a_host_may_be_any_name_or_address(gateway: Gateway, host: bytes) -> None:
    assert send(
        gateway, b"GET /v1/limits HTTP/1.1\r\nConnection: close\r\nHost: " + host + b"\r\n\r\n"
    ).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "codings",
    [[b"gzip, chunked"], [b"gzip", b"chunked"], [b"identity, chunked"], [b"chunked, chunked"], [b"gzip"]],
)
def test_no_transfer_coding_but_chunked_is_taken(
    gateway: Gateway, stores: Stores, codings: list[bytes]
) -> None:
    token = gateway.auth.token("me@example.com").encode()
    head = [b"PUT /v1/convert/a.mp4 HTTP/1.1", b"Host: x", b"Authorization: Bearer " + token]
    lines = [*head, *(b"Transfer-Encoding: " + coding for coding in codings), b"", b""]

    answer = send(gateway, b"\r\n".join(lines), b"%x\r\n%s\r\n0\r\n\r\n" % (len(CLIP), CLIP))

    assert answer.split()[1] in (b"400", b"501"), answer[:300]
    assert stores.documents() == 0


@pytest.mark.parametrize("path", ["/v1/convert?wait=0", "/v1/convert/?wait=0"])
def test_a_slash_at_the_end_may_be_left_out(gateway: Gateway, stores: Stores, path: str) -> None:
    assert ask(gateway, "PUT", path, body=CLIP)[0] == 202
    assert stores.documents() == 1


@pytest.mark.parametrize("path", ["/v1//limits", "/v1/limits/", "//evil.example/v1/convert"])
def test_no_address_is_answered_by_a_redirect(gateway: Gateway, path: str) -> None:
    status, head, content = ask(gateway, "GET", path)

    assert status == 404
    assert "Location" not in head
    assert b"<" not in content


def test_a_token_that_is_deep_is_no_token(gateway: Gateway) -> None:
    deep = base64.urlsafe_b64encode(b"[" * 2900).rstrip(b"=")

    for token in (deep + b".e30.AA", b"e30." + deep + b".AA"):
        answer = send(
            gateway,
            b"GET /v1/jobs HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer "
            + token
            + b"\r\n\r\n",
        )
        assert answer.startswith(b"HTTP/1.1 401 ")


def test_nothing_broken_breaks_the_gateway(gateway: Gateway, stores: Stores) -> None:
    token = gateway.auth.token("me@example.com")
    before = gateway.running.log.read_text().count("Traceback")

    found = raw.fuzz(gateway.port, islice(raw.Requests(6, [token]), 800))

    assert "\n".join(map(str, found)) == ""
    assert gateway.running.log.read_text().count("Traceback") == before
    assert stores.documents() >= 0


@pytest.mark.parametrize("end", [b"", b"\r\n"])
def test_a_head_is_refused_as_soon_as_it_is_too_long_whether_it_ends_or_not(
    gateway: Gateway, end: bytes
) -> None:
    lines = [b"GET /v1/limits HTTP/1.1", b"Host: x", *(b"X-%d: " % n + b"a" * 8000 for n in range(6)), b""]

    answer = send(gateway, b"\r\n".join(lines), end)

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b'"headers_too_large"' in answer
    assert b"32,768 bytes in all" in answer


def test_a_head_of_all_that_is_allowed_is_read_with_the_body_behind_it(
    gateway: Gateway, stores: Stores
) -> None:
    long = [b"X-%d: " % n + b"a" * 8000 for n in range(4)]

    assert ask(gateway, "POST", "/v1/jobs", *long, body=CLIP)[0] == 202
    assert stores.documents() == 1


def test_trailers_without_end_are_refused(gateway: Gateway) -> None:
    head = [b"POST /session HTTP/1.1", b"Host: x", b"Sec-Fetch-Site: same-origin", JSON]
    lines = [*head, b"Transfer-Encoding: chunked", b"", b"2", b"{}", b"0"]
    trailers = [b"X-%d: " % n + b"a" * 8000 for n in range(6)]

    answer = send(gateway, b"\r\n".join([*lines, *trailers, b""]))

    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize(
    ("chunks", "words"),
    [
        (b"zz\r\nab\r\n0\r\n\r\n", b"the size of a chunk is not a hexadecimal number"),
        (b"-1\r\nab\r\n0\r\n\r\n", b"the size of a chunk is not a hexadecimal number"),
        (b"\xff" * 9000, b"the size of a chunk is not a hexadecimal number"),
        (b"2;\xff\r\nab\r\n0\r\n\r\n", b"other than a chunk extension"),
        (b"2\r\nabcd\r\n0\r\n\r\n", b"does not end with CRLF"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/jobs", "/v1/convert/a.mp4", "/v1/me/password"])
def test_chunks_that_are_none_are_refused_in_words(
    gateway: Gateway, stores: Stores, path: str, chunks: bytes, words: bytes
) -> None:
    token = gateway.auth.token("me@example.com").encode()
    method = b"POST" if path == "/v1/jobs" else b"PUT"
    head = [method + b" " + path.encode() + b" HTTP/1.1", b"Host: x", b"Authorization: Bearer " + token]

    answer = send(gateway, b"\r\n".join([*head, b"Transfer-Encoding: chunked", b"", b""]), chunks)

    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"malformed_chunks"' in answer
    assert words in answer
    assert stores.documents() == 0
