"""A package is entered by its front door, and nothing in the library knows what stands on it."""

from __future__ import annotations

from pathlib import Path

from .conftest import Source, imported

#: Packages inside a package that have a front door of their own: what the hub and its pages agree on, backtests, and
#: margins, whose loops are compiled into those of others.
INNER_DOORS = {
    "bifrost_lib.backtest.signals",
    "bifrost_lib.strategies.margins",
    "bifrost_lib.views.backtests",
    "bifrost_lib.workflows.backtests",
    "bifrost_lib.workflows.benchmarks",
    "bifrost_lib.workflows.hub",
    "bifrost_lib.workflows.studies",
    "bifrost_lib.workflows.sweeps",
}
ABOVE = {"apps", "collectors", "gpu_cluster", "hub_config", "notebooks", "tests"}


def deep(module: str, package: str) -> bool:
    """Whether `module` lies inside a package of the library that is neither `package` nor core."""
    if module in INNER_DOORS:
        return False
    parts = module.split(".")
    return parts[0] == "bifrost_lib" and len(parts) > 2 and parts[1] not in {package, "core"}


def test_deep_and_front() -> None:
    assert deep("bifrost_lib.pricing.european", "store")
    assert not deep("bifrost_lib.pricing.european", "pricing")
    assert not deep("bifrost_lib.core.errors", "store")
    assert not deep("bifrost_lib.pricing", "store")


def test_packages_talk_through_front_doors(library: list[Source]) -> None:
    wrong = [f"{s.at(n)} {name}" for s in library for n, name in imported(s) if deep(name, s.package)]
    assert wrong == []


def test_what_stands_on_the_library_uses_front_doors_too(
    python_files: list[Source], notebook_sources: list[Source]
) -> None:
    """Tests may look inside the package that they mirror; what is about all of them may look everywhere."""
    about_all = {Path("tests"), Path("tests/architecture")}
    standing = [s for s in python_files if s.path.parts[0] in ABOVE and s.path.parent not in about_all]
    wrong = []
    for source in standing + notebook_sources:
        mirrored = source.path.parts[1] if source.path.parts[0] == "tests" else ""
        wrong += [f"{source.at(node)} {name}" for node, name in imported(source) if deep(name, mirrored)]
    assert wrong == []


def test_the_library_knows_nothing_of_what_stands_on_it(library: list[Source]) -> None:
    wrong = [f"{s.at(n)} {name}" for s in library for n, name in imported(s) if name.split(".")[0] in ABOVE]
    assert wrong == []
