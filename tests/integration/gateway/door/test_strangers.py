"""What strangers try: made-up tokens, every route with every method, malformed everything."""

import base64
import json
import random
import re
import socket
import string
import time

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from gateway import openapi, routes
from gateway.description import schemas
from tests.integration.gateway.conftest import Gateway, Stores, some
from tests.integration.gateway.uploads.tus import PART, begin, video
from tests.watched import NO_TLS

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPEN = {
    "/", "/login", "/session", "/session/end",
    "/v1/limits", "/v1/me/password", "/openapi.json", "/docs", "/docs/style.css",
}  # fmt: skip
UNKNOWN = "0" * 32
ME, OTHER = "me@example.com", "other@example.com"


def paths() -> list[str]:
    app = Flask("x", static_folder=None)
    routes.register(app)
    return sorted({re.sub(r"<\w+:", "<", rule.rule) for rule in app.url_map.iter_rules()})


def encoded(part: object) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def signed(key: ec.EllipticCurvePrivateKey, header: object, claims: object) -> str:
    """Return a token as it is, without the checks of a library that issues them."""
    content = f"{encoded(header)}.{encoded(claims)}"
    signature = jwt.algorithms.ECAlgorithm(jwt.algorithms.ECAlgorithm.SHA256).sign(content.encode(), key)
    return f"{content}.{encoded(signature)}"


def forgeries(gateway: Gateway) -> list[str]:
    """Tokens that are nearly right, each in another way."""
    key, now = gateway.auth.key, int(time.time())
    good = gateway.auth.token("me@example.com")
    header, claims, signature = good.split(".")
    right, right_header = jwt.decode(good, options={"verify_signature": False}), {"alg": "ES256", "kid": "k1"}
    changes: list[dict[str, object]] = [
        {"iss": "you"}, {"iss": None}, {"aud": "you"}, {"aud": []}, {"aud": {}}, {"exp": "x"},
        {"exp": now - 3600}, {"exp": None}, {"exp": -1}, {"exp": []}, {"iat": now + 3600}, {"iat": "x"},
        {"iat": None}, {"nbf": now + 3600}, {"sub": 7}, {"admin": "yes"}, {"admin": 1}, {"scope": None},
        {"scope": ["admin"]},
        {"username": ""}, {"username": None}, {"username": {"$ne": ""}}, {"username": ["me@example.com"]},
    ]  # fmt: skip
    headers: list[object] = [
        [], 7, "x", None, {}, {"alg": 7}, {"alg": "ES256"}, {"alg": "ES256", "kid": 7},
        {"alg": "ES384", "kid": "k1"},
        {"alg": "ES256", "kid": "k1", "crit": ["exp"]}, {"alg": "ES256", "kid": ["k1"]},
        {"alg": "ES256", "kid": "k2"},
        {"alg": "ES256", "kid": "../k1"}, {"alg": "ES256", "kid": ""}, {"alg": "none", "kid": "k1"},
    ]  # fmt: skip
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    content = f"{encoded({'alg': 'HS256', 'kid': 'k1'})}.{claims}"
    return [
        *(signed(key, right_header, {**right, **change}) for change in changes),
        *(signed(key, right_header, {k: v for k, v in right.items() if k != name}) for name in right),
        *(signed(key, right_header, claims) for claims in ({}, [], 7, "x", None, b"\xff")),
        *(signed(key, other, right) for other in headers),
        signed(ec.generate_private_key(ec.SECP256R1()), right_header, right),
        f"{content}.{encoded(hmac.sign(content.encode(), public))}",
        f"{encoded({'alg': 'none'})}.{claims}.",
        *(good[:cut] for cut in range(0, len(good), 7)),
        *(
            f"{good[:at]}{'B' if good[at] == 'A' else 'A'}{good[at + 1 :]}"
            for at in range(0, len(good) - 2, 5)
        ),
        f"{header}.{claims}.{signature}.{signature}",
        "x" * 5000,
        "." * 3000,
        encoded(b"\xff" * 300),
    ]


def test_no_made_up_token_comes_in_and_none_breaks_anything(gateway: Gateway, stores: Stores) -> None:
    chance = random.Random(6)  # noqa: S311 - the same tokens in every run
    made_up = [
        "".join(chance.choices(string.printable.strip() + "éß", k=chance.randrange(200))) for _ in range(300)
    ]
    tokens = [*forgeries(gateway), *made_up]
    kinds = ("Bearer ", "bearer ", "Basic ", "BEARER  ", "", "Digest ", "Bearer\t")

    answers = {}
    with httpx.Client(base_url=gateway.url) as client:
        for number, token in enumerate(tokens):
            given = (kinds[0] if number < len(tokens) - 200 else chance.choice(kinds)) + token
            given = given.strip()
            answers[given] = client.get(
                "/v1/jobs", headers={"Authorization": given.encode("latin-1")}
            ).status_code

    assert len(answers) >= 500
    assert {given: status for given, status in answers.items() if status not in (400, 401)} == {}
    assert stores.documents() == 0


@pytest.mark.parametrize("path", paths())
def test_without_a_token_nothing_but_the_open_routes_answers(gateway: Gateway, path: str) -> None:
    for method in METHODS:
        place = path.replace("<", "").replace(">", "").replace("path:", "")
        answer = httpx.request(method, gateway.url + place, verify=NO_TLS)
        allowed = {401, 405, 404} if path not in OPEN else {200, 204, 303, 400, 401, 403, 405, 415, 422}
        assert answer.status_code in allowed or method == "OPTIONS", (method, path, answer.status_code)
        assert answer.status_code < 500


def routes_of_jobs() -> list[str]:
    """The places of every operation that names a job, in its path or its query: none can be forgotten."""
    places = set()
    for path, operations in json.loads(openapi.text())["paths"].items():
        for operation in operations.values():
            names = {parameter["name"] for parameter in operation["parameters"]}
            if asked := names & {"fid", "ids"}:
                places.add(f"{path}?{asked.pop()}=<job>")
            elif "job_id" in names:
                places.add(path.replace("{job_id}", "<job>").replace("{number}", "1"))
    return sorted(places)


IN_EVERY_ANSWER = {"date", "ratelimit-remaining", "ratelimit-reset"}
"""Headers that tell the time, and how much was asked before."""


def told(answer: httpx.Response) -> tuple[int, bytes, dict[str, str]]:
    """Return all that an answer tells of what was asked for."""
    headers = {name: value for name, value in answer.headers.items() if name not in IN_EVERY_ANSWER}
    return answer.status_code, answer.content, headers


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("place", routes_of_jobs())
def test_anothers_job_is_as_good_as_unknown(
    me: httpx.Client, other: httpx.Client, stores: Stores, place: str, method: str
) -> None:
    for asker, name, others_name in ((me, ME, OTHER), (other, OTHER, ME)):
        own, others = stores.done(name, b"mp3"), stores.done(others_name, b"another mp3")

        foreign, unknown, malformed = (
            asker.request(method, place.replace("<job>", job_id), headers={"X-Request-Id": "r"})
            for job_id in (others.id, UNKNOWN, "x" * 500)
        )
        assert told(foreign) == told(unknown) == told(malformed)
        assert foreign.status_code in (403, 404, 405) or method == "OPTIONS"
        assert others.id not in foreign.text
        assert some(stores.jobs.get(others.id)).version == others.version

        answer = asker.request(method, place.replace("<job>", own.id))

        not_split = "/parts/" in place
        assert answer.status_code != 404 or (not_split and "no_such_part" in answer.text) or method == "HEAD"
        if foreign.status_code == 404 and not not_split:
            assert answer.status_code in (200, 201, 202, 204, 409)


UPLOAD = "/v1/uploads/<upload>"


@pytest.mark.parametrize("override", ["", "PATCH", "DELETE", "HEAD"])
@pytest.mark.parametrize("method", METHODS)
def test_anothers_upload_is_as_good_as_unknown(
    me: httpx.Client, other: httpx.Client, stores: Stores, method: str, override: str
) -> None:
    headers = {**PART, "Upload-Offset": "0", "X-Request-Id": "r", "X-HTTP-Method-Override": override}
    for asker, owner in ((me, other), (other, me)):
        place = begin(owner, 5000)
        before = stores.uploads.find(place[-32:], OTHER if owner is other else ME)

        foreign, unknown, malformed = (
            asker.request(method, UPLOAD.replace("<upload>", name), headers=headers, content=video(5000))
            for name in (place[-32:], UNKNOWN, "x" * 500)
        )

        assert told(foreign) == told(unknown) == told(malformed)
        assert foreign.status_code in (404, 405) or method == "OPTIONS"
        assert stores.uploads.find(place[-32:], OTHER if owner is other else ME) == before
        answer = owner.request(method, place, headers=headers, content=video(5000))
        if foreign.status_code == 404:
            assert answer.status_code in (200, 204)


def test_a_list_holds_only_ones_own_uploads(me: httpx.Client, other: httpx.Client, stores: Stores) -> None:
    mine, others = begin(me, 5000), begin(other, 5000)

    assert stores.documents() == 2
    for client, place in ((me, mine), (other, others)):
        assert [entry["links"]["self"] for entry in client.get("/v1/uploads").json()["uploads"]] == [place]


def test_every_route_that_takes_an_upload_is_looked_at() -> None:
    assert {path.replace("<upload_id>", "<upload>") for path in paths() if "<upload_id>" in path} == {UPLOAD}


def test_every_route_that_takes_a_job_is_looked_at() -> None:
    assert {"/download?fid=<job>", "/v1/jobs/<job>/mp3", "/v1/admin/jobs/<job>/fail"} <= set(routes_of_jobs())
    found = {path.replace("<job_id>", "<job>").replace("<number>", "1") for path in paths()}
    assert {path for path in found if "<job>" in path} <= set(routes_of_jobs())


RAW = {
    "no version": b"GET /\r\n\r\n",
    "a version of the future": b"GET / HTTP/9.9\r\n\r\n",
    "a method that is none": b"G@T / HTTP/1.1\r\n\r\n",
    "a header without name": b"GET / HTTP/1.1\r\n: x\r\n\r\n",
    "a header without colon": b"GET / HTTP/1.1\r\nHost\r\n\r\n",
    "a folded header": b"GET / HTTP/1.1\r\nHost: x\r\n y\r\n\r\n",
    "a null in a header": b"GET / HTTP/1.1\r\nHost: x\x00\r\n\r\n",
    "a giant header": b"GET / HTTP/1.1\r\nX: " + b"y" * 20_000 + b"\r\n\r\n",
    "many headers": b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    "a giant line": b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    "two lengths": b"POST /upload HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
    "a length and chunks": b"POST /upload HTTP/1.1\r\nContent-Length: 1\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a length below zero": b"POST /upload HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
    "a length that is no number": b"POST /upload HTTP/1.1\r\nContent-Length: 1e3\r\n\r\n",
    "a length beyond all": b"POST /upload HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
    "an expectation that nobody meets": b"POST /upload HTTP/1.1\r\nExpect: ok\r\nContent-Length: 1\r\n\r\nx",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n",
}


@pytest.mark.parametrize("case", RAW)
def test_what_is_no_request_is_refused(gateway: Gateway, case: str) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=60) as connection:
        connection.sendall(RAW[case])
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer == b"" or answer.split(b" ", 2)[1][:1] == b"4", answer[:200]
    if answer:
        head, _, body = answer.partition(b"\r\n\r\n")
        problem = schemas.Problem.model_validate_json(body)
        assert f"X-Request-Id: {problem.request_id}".encode() in head or b"/problem+json" in head
        assert problem.hint
