"""A browser's session: its cookie, when that counts, and that no other site can make use of it."""

import itertools
import re
from dataclasses import dataclass

import httpx
import pytest
from flask import Flask

from gateway import routes
from tests.integration.gateway.conftest import Gateway, StartGateway, Stores, wait_until
from tests.watched import NO_TLS

ME = {"username": "me@example.com", "password": "right"}
BOSS = {"username": "boss@example.com", "password": "right"}
WRONG = {"username": "me@example.com", "password": "wrong"}
SAME = {"Sec-Fetch-Site": "same-origin"}
UNSAFE = ("POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Browser:
    """Logged in; shows its cookie with whatever headers a test gives it."""

    gateway: Gateway
    cookie: str

    def ask(self, method: str, path: str, *, content: bytes | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        headers = {"Cookie": self.cookie, **named}
        asked = {"headers": headers, "content": content, "verify": NO_TLS}
        with httpx.stream(method, self.gateway.url + path, **asked) as answer:
            if answer.headers.get("Content-Type", "").startswith("text/event-stream"):
                return answer  # it does not end by itself
            answer.read()
        return answer

    @property
    def origin(self) -> str:
        return self.gateway.url


def log_in(gateway: Gateway, **who: str) -> httpx.Response:
    return httpx.post(f"{gateway.url}/session", json=who or ME, headers=SAME, verify=NO_TLS)


def cookie(answer: httpx.Response) -> str:
    return answer.headers["Set-Cookie"].split(";")[0]


@pytest.fixture
def browser(gateway: Gateway, stores: Stores) -> Browser:
    del stores
    return Browser(gateway, cookie(log_in(gateway)))


@pytest.fixture
def boss(gateway: Gateway, stores: Stores) -> Browser:
    del stores
    return Browser(gateway, cookie(log_in(gateway, **BOSS)))


def test_a_login_is_answered_with_who_it_is_and_a_cookie_that_scripts_cannot_read(gateway: Gateway) -> None:
    answer = log_in(gateway)

    assert answer.json()["username"] == "me@example.com"
    assert answer.json()["scopes"] == ["jobs:read", "jobs:write"]
    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name == "session"
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=2592000"} <= set(attributes.split("; "))
    assert "Secure" not in attributes


def test_over_https_the_cookie_is_bound_to_the_host_and_the_plain_one_counts_no_more(
    start_gateway: StartGateway,
) -> None:
    gateway, https = start_gateway(TRUSTED_PROXIES="1"), {"X-Forwarded-Proto": "https"}

    answer = httpx.post(f"{gateway.url}/session", json=ME, headers={**SAME, **https})

    name, _, attributes = answer.headers["Set-Cookie"].partition("=")
    assert name == "__Host-session"
    assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes.split("; "))
    assert "Domain" not in attributes
    secret = cookie(answer).partition("=")[2]
    shown = [("__Host-session", https), ("session", https), ("session", {}), ("__Host-session", {})]
    statuses = [
        httpx.get(f"{gateway.url}/v1/me", headers={"Cookie": f"{name}={secret}", **headers}).status_code
        for name, headers in shown
    ]
    assert statuses == [200, 401, 200, 401]


@pytest.mark.parametrize(
    ("form", "location"),
    [
        (ME, "/"), (WRONG, "/?refused=invalid_credentials"), ({}, "/?refused=malformed_login"),
        ({"username": "x" * 300, "password": "y"}, "/?refused=invalid_credentials"),
    ],
)  # fmt: skip
def test_a_form_leads_to_the_page_with_or_without_a_session(
    gateway: Gateway, form: dict[str, str], location: str
) -> None:
    answer = httpx.post(f"{gateway.url}/session", data=form or None, headers={"Origin": gateway.url})

    assert (answer.status_code, answer.headers["Location"]) == (303, location)
    assert ("Set-Cookie" in answer.headers) == (form == ME)


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [
        (b"", 400, "malformed_login"), (b"[]", 400, "malformed_login"), (b"\xff", 400, "malformed_login"),
        (b'{"username": "me@example.com"}', 400, "malformed_login"),
        (b'{"username": {}, "password": []}', 400, "malformed_login"),
        (b'{"username": "me@example.com", "password": "wrong"}', 401, "invalid_credentials"),
        (b'{"username": "\\u0000\\ud800", "password": "\\u0000"}', 401, "invalid_credentials"),
        (b"{" + b" " * 20_000 + b"}", 413, "too_large"),
    ],
)  # fmt: skip
def test_what_is_no_login_is_told_in_json(gateway: Gateway, content: bytes, status: int, code: str) -> None:
    headers = {**SAME, "Content-Type": "application/json", "Accept": "application/json"}
    answer = httpx.post(f"{gateway.url}/session", content=content, headers=headers)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "Set-Cookie" not in answer.headers
    assert "basic" not in answer.headers.get("WWW-Authenticate", "").lower()  # no window of the browser's own


def test_nobody_is_logged_in_by_another_sites_form(gateway: Gateway) -> None:
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = httpx.post(f"{gateway.url}/session", data=ME, headers=headers)

        assert (answer.status_code, "Set-Cookie" in answer.headers) == (403, False)


def test_who_is_logged_in_is_told_without_an_error(gateway: Gateway, browser: Browser) -> None:
    nobody = httpx.get(f"{gateway.url}/session")
    made_up = httpx.get(f"{gateway.url}/session", headers={"Cookie": f"session={'x' * 43}"})
    me = browser.ask("GET", "/session")

    assert (nobody.status_code, made_up.status_code) == (204, 204)
    assert me.json() == browser.ask("GET", "/v1/me").json()
    assert re.fullmatch("[0-9a-f]{32}", me.json()["session"])


def test_a_token_tells_who_has_it_and_no_session(me: httpx.Client) -> None:
    assert me.get("/v1/me").json() == {
        "username": "me@example.com", "scopes": ["jobs:read", "jobs:write"], "session": None,
    }  # fmt: skip


def test_a_page_of_ours_may_all_that_a_token_may(browser: Browser, stores: Stores) -> None:
    over_https = browser.ask("POST", "/v1/jobs?name=a", content=b"\0video", Sec_Fetch_Site="same-origin")
    over_http = browser.ask("POST", "/v1/jobs?name=b", content=b"\0video", Origin=browser.origin)

    assert (over_https.status_code, over_http.status_code) == (202, 202)
    assert (
        len(browser.ask("GET", "/v1/jobs", Sec_Fetch_Site="none").json()["jobs"]) == stores.documents() == 2
    )


def test_authorization_is_judged_alone(gateway: Gateway, browser: Browser, me: httpx.Client) -> None:
    cross = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example", "Cookie": browser.cookie}

    with_a_token = me.post("/v1/jobs?name=a", content=b"\0video", headers=cross)
    with_a_bad_one = browser.ask("GET", "/v1/jobs", Authorization="Bearer x", Sec_Fetch_Site="same-origin")
    with_none = httpx.get(f"{gateway.url}/download?fid=x")

    assert with_a_token.status_code == 202
    assert with_a_bad_one.status_code == 401
    assert (with_none.status_code, with_none.text) == (401, "not authorized")


def places() -> dict[str, set[str]]:
    """Every path with its methods."""
    app, found = Flask("x", static_folder=None), dict[str, set[str]]()
    routes.register(app)
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.rule, set()).update((rule.methods or set()) - {"OPTIONS"})
    return found


def filled(place: str, job_id: str) -> str:
    known = {
        "<job_id>": job_id,
        "<queue>": "video",
        "<username>": "you@example.com",
        "<path:name>": "talk.mp4",
    }
    for name, value in known.items():
        place = place.replace(name, value)
    return re.sub("<[^>]*>", "x", place) + ("?fid=" + job_id) * (place == "/download")


def everything(stores: Stores) -> object:
    """All that is stored, but what counts requests."""
    found = {}
    for database in ("jobs", "videos", "mp3s"):
        for name in sorted(stores.client[database].list_collection_names()):
            if name != "counters":
                documents = stores.client[database][name].find({}, {"data": 0}).sort("_id")
                found[f"{database}.{name}"] = [str(document) for document in documents]
    return found


def is_endless(answer: httpx.Response) -> bool:
    """Whether it is a stream of events, which is not to be read to its end."""
    return answer.headers.get("Content-Type", "").startswith("text/event-stream")


CROSS_SITE = {
    "another site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "another site's form": {
        "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Origin": "https://evil.example",
    },
    "a frame in another site": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Dest": "iframe"},
    "a sibling's page": {"Sec-Fetch-Site": "same-site", "Origin": "https://sibling.example.com"},
    "an old browser": {"Origin": "https://evil.example"},
    "a sandboxed frame": {"Origin": "null"},
    "another port": {"Origin": "http://127.0.0.1:1"},
    "who says nothing": {},
    "who types an address": {"Sec-Fetch-Site": "none"},
    "who lies about one of two": {"Sec-Fetch-Site": "cross-site", "Origin": "<ours>"},
}  # fmt: skip


@pytest.mark.parametrize("place", sorted(places()))
def test_no_other_site_changes_or_learns_anything_with_a_live_cookie(
    boss: Browser, stores: Stores, place: str
) -> None:
    job = stores.failed(stores.queued("boss@example.com"))
    path, before = filled(place, job.id), everything(stores)
    asked = len(boss.gateway.auth.asked)

    with httpx.Client(base_url=boss.origin, headers={"Cookie": boss.cookie}) as client:
        for (case, given), method in itertools.product(CROSS_SITE.items(), places()[place]):
            headers = {name: value.replace("<ours>", boss.origin) for name, value in given.items()}
            body = b"x" if method in UNSAFE else None
            with client.stream(method, path, headers=headers, content=body) as answer:
                text = "" if is_endless(answer) else answer.read().decode("utf-8", "replace")
            told = (case, method, path, answer.status_code, text[:100])
            if method in UNSAFE:
                assert answer.status_code in (401, 403, 405) or path in BY_PASSWORD, told
            elif case not in ("who says nothing", "who types an address"):
                assert job.id not in text.replace(path, ""), told
                assert "boss@example.com" not in text, told
                assert not is_endless(answer), told

    assert everything(stores) == before
    changes = [
        asked
        for asked in boss.gateway.auth.asked[asked:]
        if asked["path"] not in READS_OF_AUTH and asked["method"] not in ("GET", "HEAD")
    ]
    assert changes == []


BY_PASSWORD = ("/login", "/v1/me/password")
"""Auth itself looks at these, at nothing but `Authorization`; the small auth here takes anything."""
READS_OF_AUTH = {"/sessions/token", "/users", "/sessions", "/login", "/password"}
"""What auth is asked without anything changing; the last two without a good password here."""


@pytest.mark.parametrize("place", sorted(places()))
def test_a_read_changes_nothing(boss: Browser, stores: Stores, place: str) -> None:
    job = stores.failed(stores.queued("boss@example.com"))
    before = everything(stores)

    for method in ("GET", "HEAD"):
        url, headers = boss.origin + filled(place, job.id), {"Cookie": boss.cookie, **SAME}
        with httpx.stream(method, url, headers=headers) as answer:
            assert answer.status_code < 500 or "dead-letters" in place

    assert everything(stores) == before


@pytest.mark.parametrize(("method", "path"), [("DELETE", "/session"), ("POST", "/session/end")])
def test_a_browser_that_is_logged_out_stays_so_at_once_and_may_say_it_twice(
    browser: Browser, method: str, path: str
) -> None:
    first = browser.ask(method, path, Sec_Fetch_Site="same-origin")
    second = browser.ask(method, path, Sec_Fetch_Site="same-origin")

    assert first.status_code == second.status_code == (204 if method == "DELETE" else 303)
    assert "Max-Age=0" in first.headers["Set-Cookie"]
    assert browser.ask("GET", "/v1/me").status_code == 401
    assert browser.ask("GET", "/session").status_code == 204


def test_a_session_that_was_ended_elsewhere_is_refused_soon(browser: Browser) -> None:
    session_id = browser.ask("GET", "/session").json()["session"]
    browser.gateway.auth.ended.add(session_id)

    wait_until(lambda: browser.ask("GET", "/v1/me").status_code == 401, 30)


def test_auth_is_asked_about_a_session_once_and_about_nonsense_never(browser: Browser) -> None:
    auth = browser.gateway.auth
    asked = len(auth.asked)

    for _ in range(5):
        assert browser.ask("GET", "/v1/me").status_code == 200
    for nonsense in ("", "x", "y" * 44, '"' + "z" * 41 + '"', "../../users" + "x" * 32):
        made_up = Browser(browser.gateway, f"session={nonsense}")
        assert made_up.ask("GET", "/v1/me").status_code == 401

    assert len(auth.asked) - asked <= 1


def test_made_up_secrets_are_limited_by_address_and_good_ones_are_not(start_gateway: StartGateway) -> None:
    gateway = start_gateway(LOGINS_PER_MINUTE="10")
    secret = cookie(log_in(gateway))

    made_up = [
        httpx.get(f"{gateway.url}/v1/me", headers={"Cookie": f"session={n:043d}"}).status_code
        for n in range(40)  # a minute may end meanwhile, and they are counted by the minute
    ]

    assert made_up[0] == 401
    assert 429 in made_up
    assert httpx.get(f"{gateway.url}/v1/me", headers={"Cookie": secret}).status_code == 200


def test_my_sessions_are_auths_to_tell_and_to_end(browser: Browser) -> None:
    browser.ask("GET", "/v1/me/sessions")
    told = browser.gateway.auth.asked[-1]
    ended = browser.ask("DELETE", "/v1/me/sessions/" + "a" * 32, Sec_Fetch_Site="same-origin")

    last = browser.gateway.auth.asked[-1]
    assert (told["method"], told["path"]) == ("GET", "/sessions")
    assert told["headers"]["Authorization"].startswith("Bearer ey")
    assert ended.status_code == 204
    assert (last["method"], last["path"]) == ("DELETE", "/sessions/" + "a" * 32)


def test_while_auth_is_away_nobody_is_told_to_be_logged_out(start_gateway: StartGateway) -> None:
    gateway = start_gateway(AUTH_URL="http://127.0.0.1:9")
    headers = {"Cookie": f"session={'x' * 43}", **SAME}

    answers = [
        httpx.get(f"{gateway.url}/v1/me", headers=headers),
        httpx.get(f"{gateway.url}/session", headers=headers),
        httpx.delete(f"{gateway.url}/session", headers=headers),
        httpx.post(f"{gateway.url}/session", json=ME, headers=headers),
    ]

    assert [(answer.status_code, answer.headers["Retry-After"]) for answer in answers] == [(503, "5")] * 4


def test_under_a_path_of_a_trusted_proxy_every_link_begins_with_it(
    start_gateway: StartGateway, stores: Stores
) -> None:
    gateway, under = start_gateway(TRUSTED_PROXIES="1"), {"X-Forwarded-Prefix": "/mp3"}
    job = stores.queued()

    answer = httpx.post(f"{gateway.url}/session", data=ME, headers={**SAME, **under})
    with gateway.client() as client:
        links = client.get(f"/v1/jobs/{job.id}", headers=under).json()["links"]

    assert answer.headers["Location"] == "/mp3/"
    assert {link.startswith("/mp3/v1/jobs/") for link in links.values()} == {True}


def test_a_prefix_of_a_stranger_is_ignored(gateway: Gateway, stores: Stores) -> None:
    job = stores.queued()

    with gateway.client() as client:
        told = client.get(f"/v1/jobs/{job.id}", headers={"X-Forwarded-Prefix": "/evil"}).json()

    assert told["links"]["self"] == f"/v1/jobs/{job.id}"


def test_logins_are_written_down_without_their_secrets(gateway: Gateway) -> None:
    secret = cookie(log_in(gateway)).partition("=")[2]
    httpx.get(f"{gateway.url}/v1/me", headers={"Cookie": f"session={secret}"})

    log = gateway.running.log.read_text()

    assert '"session"' in log
    assert secret not in log
    assert "right" not in log
