"""Templates are compiled for the first viewer; the others get what came of it, as long as the source is the same."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jinja2 import DictLoader, Environment

from apps.templates import Compiled, PageExporter


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is compiled during the test."""
    done: list[str] = []
    compile_ = Environment.compile

    def noted(self: Environment, source: Any, *given: Any, **more: Any) -> Any:
        done.append(str(source))
        return compile_(self, source, *given, **more)

    monkeypatch.setattr(Environment, "compile", noted)
    monkeypatch.setattr(PageExporter, "compiled", Compiled())
    yield done


def shown(source: str) -> str:
    """What a viewer's own exporter makes of a template."""
    environment = PageExporter(contents_manager=None).environment
    environment.loader = DictLoader({"page": source})
    return str(environment.get_template("page").render(viewer="ann"))


def test_the_second_viewer_finds_templates_compiled(compiled: list[str]) -> None:
    source = "{% do [].append(1) %}For {{ viewer }}"
    assert [shown(source), shown(source)] == ["For ann", "For ann"]
    assert compiled == [source]


def test_a_template_that_has_changed_is_compiled_again(compiled: list[str]) -> None:
    assert [shown("For {{ viewer }}"), shown("By {{ viewer }}")] == ["For ann", "By ann"]
    assert len(compiled) == 2
