"""The files of the page."""

import gzip
import re
from pathlib import Path

from gateway.page import assets


def folder(path: Path) -> Path:
    (path / "vendor" / "lit-html").mkdir(parents=True)
    (path / "vendor" / "lit-html" / "lit-html.js").write_text("export const html = 1;")
    (path / "vendor" / "lit-html" / "LICENSE").write_text("BSD")
    (path / "app.js").write_text("import './vendor/lit-html/lit-html.js';")
    return path


def test_where_nothing_was_fetched_there_is_no_page(tmp_path: Path) -> None:
    (tmp_path / "app.js").touch()

    assert assets.read(tmp_path) == {}


def test_scripts_and_styles_are_sent_and_nothing_else(tmp_path: Path) -> None:
    assert set(assets.read(folder(tmp_path))) == {"app.js", "vendor/lit-html/lit-html.js"}


def test_what_is_compressed_is_the_same(tmp_path: Path) -> None:
    asset = assets.read(folder(tmp_path))["app.js"]

    assert gzip.decompress(asset.compressed) == asset.content
    assert asset.media_type == "text/javascript"


def test_what_a_visitor_may_never_need_is_not_fetched_first(tmp_path: Path) -> None:
    found = assets.read(folder(tmp_path))
    (tmp_path / "sound.js").touch()
    assets.read.cache_clear()

    assert assets.needed_first(found) == ["app.js", "vendor/lit-html/lit-html.js"]
    assert "sound.js" not in assets.needed_first(assets.read(tmp_path))


def test_the_page_has_every_style_sheet_once() -> None:
    page = (assets.FOLDER.parent / "templates" / "page.html").read_text()

    linked = re.findall(r'<link rel="stylesheet" href="page/(\S+)">', page)

    assert sorted(linked) == sorted(sheet.name for sheet in assets.FOLDER.glob("*.css"))
