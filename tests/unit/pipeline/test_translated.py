"""What asks MongoDB says in our own words what its driver raises."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ASKS_AT_ONCE = {
    *("aggregate", "bulk_write", "command", "count_documents", "create_index", "delete_many", "delete_one"),
    *("distinct", "find_one", "find_one_and_update", "insert_many", "insert_one", "list_collection_names"),
    *("replace_one", "update_many", "update_one"),
}
"""Methods of a collection that go to the server when they are called; `find` goes when it is read."""
MODULES = sorted(Path(__file__).parents[3].joinpath("pipeline").glob("*.py"))


def untranslated(node: ast.AST, *, inside: bool = False) -> Iterator[int]:
    """Yield the lines of a module that ask outside a `with translated()`."""
    if isinstance(node, ast.With):
        inside |= any("translated" in ast.unparse(item.context_expr) for item in node.items)
    asks = (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKS_AT_ONCE
    )
    if asks and not inside:
        yield node.lineno  # type: ignore[attr-defined]
    for child in ast.iter_child_nodes(node):
        yield from untranslated(child, inside=inside)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.stem)
def test_whatever_asks_the_store_says_what_its_driver_raises_in_our_words(module: Path) -> None:
    assert list(untranslated(ast.parse(module.read_text()))) == []
