"""The addresses of answers: kept and shared, refused in a sentence, and what is said of a fault."""

from __future__ import annotations

import asyncio
import csv
import gzip
import io
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from pages import PAGES
from tests.reading import header_of
from tests.test_assets import DIGEST, Answer, ask, asked
from ui.page import Page
from ui.panels import PANELS
from ui.server import answers
from ui.server.bounded import Bound

TIME = 20.0  # s, for what takes no time at all
CSV = "/lab/step_by_step.csv"
LARGE = [(page.key, panel.key) for page in PAGES.values() for panel in page if panel.large]
ADDRESSES = [*PAGES, *(f"{page}/{panel}" for page, panel in LARGE)]


def address(of: str, digest: str = DIGEST, kind: str = "answer") -> str:
    return f"/lab/{digest}/{kind}/{of}"


@pytest.fixture
def bound(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a bound with nothing kept in the place of the app's."""

    def bound(**options: int) -> None:
        for name in ("QUICK", "SLOW", "FILES"):
            monkeypatch.setattr(answers, name, Bound(**options))

    return bound


@pytest.mark.parametrize("of", ADDRESSES)
def test_an_answer_depends_on_its_address_alone_and_may_be_kept(
    of: str, bound: Callable[..., None]
) -> None:
    query = "surface=saddle&steps=12"
    bound()
    status, headers, body = ask(address(of), query=query)
    assert (status, headers["content-type"]) == (200, "application/octet-stream")
    # Compressed where it was computed, or Streamlit would do it at each request, for all to wait.
    assert (headers["content-encoding"], headers["vary"]) == ("gzip", "Accept-Encoding")
    plain = ask(address(of), query=query, accept_encoding="identity")
    assert (plain[0], plain[2]) == (200, gzip.decompress(body))
    assert headers["cache-control"] == "public, max-age=3600"
    assert "set-cookie" not in headers
    bound()  # as another process, which has kept nothing
    again = ask(address(of), query=query)
    assert (again[2], again[1]["etag"]) == (body, headers["etag"])
    for known in (headers["etag"], f'"x", {headers["etag"]}'):
        status, sent, rest = ask(address(of), query=query, if_none_match=known)
        assert (status, sent["etag"], rest) == (304, headers["etag"], b"")
    assert ask(address(of), query=query, if_none_match='"x"')[0] == 200
    other = ask(address(of), query="surface=plane&steps=12")
    assert (other[0], other[1]["etag"] == headers["etag"]) == (200, False)
    assert ask(address(of), "POST", query)[0] == 405


def test_what_is_kept_of_one_answer_is_not_taken_for_another(bound: Callable[..., None]) -> None:
    bound()
    for of in [*ADDRESSES, *ADDRESSES]:
        page, _, panel = of.partition("/")
        found = PAGES[page].large(panel, "x=1") if panel else PAGES[page].message("x=1")
        assert gzip.decompress(ask(address(of), query="x=1")[2]) == found, of


@pytest.mark.parametrize(
    "path",
    [
        address("compare", "0" * 16),  # another version: its page is told to reload
        address("compare/surface", "0" * 16),
        address("learning_rate/map", "0" * 16, "job"),
        address("nosuch"),
        address("compare/map"),
        address("learning_rate/four"),  # it is a part of the page's message
        address("compare/../../../app.py"),
        address("schedules/map", kind="job"),
    ],
)
def test_what_is_not_there_is_not_found(path: str) -> None:
    status, headers, body = ask(path)
    assert (status, headers["cache-control"]) == (404, "no-store")
    assert len(body) < 40


@pytest.mark.parametrize(
    "path",
    [
        address("compare"),
        address("learning_rate/map"),
        address("learning_rate/map", kind="job"),
        CSV,
    ],
)
@pytest.mark.parametrize(
    ("site", "refused"),
    [("cross-site", True), ("same-site", False), ("same-origin", False), ("none", False)],
)
def test_pages_of_other_sites_are_refused(path: str, site: str, refused: bool) -> None:
    """The values are those of Fetch Metadata, which every browser sends."""
    query = "_cells=2&_steps=1&_who=a&_leave=1" if "/job/" in path else "steps=3"
    status, headers, _ = ask(path, query=query, sec_fetch_site=site)
    assert status == (403 if refused else 200)
    assert headers.get("cache-control") == "no-store" or not refused


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError("at /srv/secret/path.py")


@pytest.mark.parametrize("of", ADDRESSES)
def test_a_fault_is_told_in_a_sentence_and_logged(
    of: str,
    bound: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    large = of.partition("/")[2]
    panel = PANELS[large or "paths"]
    bound()
    with monkeypatch.context() as patch, caplog.at_level(logging.ERROR):
        patch.setitem(vars(panel), "large" if large else "part", broken)
        status, headers, body = ask(address(of), query="surface=beale")
    assert (status, body.decode()) == (500, answers.FAILED)
    assert headers["cache-control"] == "no-store"
    # The cause is nobody's business but the log's, which also says what was asked for.
    for said in ("at /srv/secret/path.py", "Traceback", of, "surface=beale"):
        assert said in caplog.text
    assert ask(address(of), query="surface=beale")[0] == 200


def test_too_many_are_asked_to_come_again(bound: Callable[..., None]) -> None:
    bound(threads=1, waiting=-1)
    for path in (*map(address, ADDRESSES), CSV):
        status, headers, body = ask(path)
        assert status == 503
        assert int(headers["retry-after"]) > 0
        assert headers["cache-control"] == "no-store"
        assert body.endswith(b"Try again in some seconds.")


class Held:
    """A page's messages, computed once they are let, and what they were asked for."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go = threading.Event()

    def message(self, query: str) -> bytes:
        self.begun.append(query)
        assert self.go.wait(TIME)
        return b"message of " + query.encode()


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Held:
    held = Held()
    monkeypatch.setattr(Page, "message", lambda _, query: held.message(query))
    return held


async def under_way(held: Held) -> None:
    async with asyncio.timeout(TIME):
        while not held.begun:
            await asyncio.sleep(0.002)


def test_a_link_opened_by_200_at_once_is_computed_once(
    held: Held, bound: Callable[..., None]
) -> None:
    bound(threads=2)

    async def crowd() -> list[Answer]:
        tasks = [asyncio.create_task(asked(address("compare"), query="x=1")) for _ in range(200)]
        await under_way(held)
        held.go.set()
        return await asyncio.gather(*tasks)

    found = {(status, gzip.decompress(body)) for status, _, body in asyncio.run(crowd())}
    assert found == {(200, b"message of x=1")}
    assert ask(address("compare"), query="x=1")[0] == 200
    assert held.begun == ["x=1"]


def test_what_a_newer_question_has_overtaken_is_not_begun(
    held: Held, bound: Callable[..., None]
) -> None:
    bound(threads=1)

    async def drag() -> list[Answer]:
        aborted = asyncio.Event()
        tasks = [asyncio.create_task(asked(address("compare"), query="x=0"))]
        await under_way(held)
        for i in range(1, 5):
            one = asked(address("compare"), query=f"x={i}", left=None if i == 4 else aborted)
            tasks.append(asyncio.create_task(one))
        await asyncio.sleep(0.01)
        aborted.set()
        await asyncio.wait(tasks[1:4], timeout=TIME)
        held.go.set()
        return await asyncio.gather(*tasks)

    assert [status for status, _, _ in asyncio.run(drag())] == [200, 499, 499, 499, 200]
    assert held.begun == ["x=0", "x=4"]


def test_the_file_has_an_address() -> None:
    status, headers, body = ask(CSV, query="of=adam&steps=5", accept_encoding="identity")
    assert status == 200
    assert headers["content-type"].startswith("text/csv")
    assert headers["content-disposition"] == 'attachment; filename="step_by_step.csv"'
    # A part of a file may be refused if that is said (RFC 9110, section 14.3).
    assert headers["accept-ranges"] == "none"
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert [row["step"] for row in rows] == ["0", "1", "2", "3", "4"]
    assert ask(CSV, query="of=adam&steps=5", range="bytes=0-1")[0] == 200
    assert ask(CSV, query="of=adam&steps=5", if_none_match=headers["etag"])[0] == 304
    zipped = ask(CSV, query="of=adam&steps=5")
    assert (zipped[1]["content-encoding"], zipped[1]["vary"]) == ("gzip", "Accept-Encoding")
    status, headers, body = ask(CSV, query="of=sgd&steps=x")
    assert (status, headers["cache-control"]) == (400, "no-store")
    for said in ("of must be one of", "steps"):
        assert said in body.decode()
    assert ask(CSV, "POST")[0] == 405


def test_a_mistake_in_a_link_is_no_fault_of_the_answer() -> None:
    status, _, body = ask(address("compare"), query="surface=plane&steps=soon&gd.lr=0.5")
    said = header_of(gzip.decompress(body))
    assert (status, said["clean"]) == (200, "surface=plane&gd.lr=0.5")
    (note,) = said["notes"]
    assert "steps" in note
