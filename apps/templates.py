"""The templates of notebook pages are compiled once, where Voilà compiles them again for each viewer."""

from __future__ import annotations

from typing import Any

from jinja2.bccache import Bucket, BytecodeCache
from voila import notebook_renderer
from voila.exporter import VoilaExporter


class Compiled(BytecodeCache):
    """What templates were compiled to, in this process; one whose source has changed is compiled again."""

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what is known."""
        if bucket.key in self._kept:
            bucket.bytecode_from_string(self._kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._kept[bucket.key] = bucket.bytecode_to_string()


class PageExporter(VoilaExporter):  # type: ignore[misc]  # Voilà has no types
    """Voilà's own, whose environments share what they compiled."""

    compiled = Compiled()

    def _create_environment(self) -> Any:
        environment = super()._create_environment()
        if self.enable_async:  # the same template compiles to something else without
            environment.bytecode_cache = self.compiled
        return environment


def compile_templates_once() -> None:
    """Let the pages of this process share compiled templates."""
    notebook_renderer.VoilaExporter = PageExporter
