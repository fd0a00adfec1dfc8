"""pyproject.toml, requirements.lock and environment.yml agree, and the lock is complete and pinned by hash."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec

import pytest
import yaml
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from .conftest import REPOSITORY

PYPROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
LOCK_TEXT = (REPOSITORY / "requirements.lock").read_text()
ENVIRONMENT = yaml.safe_load((REPOSITORY / "environment.yml").read_text())
PYTHONS = ("3.11.2", "3.12.5", "3.13.0")
WRITE_AGAIN = "write the lock again with the command at the head of pyproject.toml"


@dataclass(frozen=True)
class Pin:
    """One entry of the lock; a package may have several, for different Pythons."""

    requirement: Requirement
    hashes: tuple[str, ...]

    @property
    def name(self) -> str:
        return canonicalize_name(self.requirement.name)

    @property
    def version(self) -> Version:
        (only,) = self.requirement.specifier
        assert only.operator == "=="
        return Version(only.version)

    def holds(self, python: str) -> bool:
        """Whether the entry is installed on Linux with this Python."""
        marker = self.requirement.marker
        machine = {"python_full_version": python, "python_version": python.rsplit(".", 1)[0], "sys_platform": "linux"}
        return marker is None or marker.evaluate(machine)


def read_lock(text: str) -> Iterator[Pin]:
    for entry in text.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            words = entry.split(" --hash=")
            yield Pin(Requirement(words[0].strip()), tuple(word.strip() for word in words[1:]))


LOCK = list(read_lock(LOCK_TEXT))
DECLARED = {
    "core": [Requirement(text) for text in PYPROJECT["project"]["dependencies"]],
    **{
        extra: [Requirement(text) for text in texts]
        for extra, texts in PYPROJECT["project"]["optional-dependencies"].items()
    },
}
#: What replaces a requirement of whatever package asks for it.
OVERRIDES = {
    canonicalize_name(Requirement(text).name): Requirement(text)
    for text in PYPROJECT["tool"]["uv"]["override-dependencies"]
}
CONDA = {
    name: specifier
    for text in ENVIRONMENT["dependencies"]
    if isinstance(text, str)
    for name, specifier in re.findall(r"^([\w-]+)(.*)$", text)
}


def locked(name: str, python: str = PYTHONS[0]) -> Version | None:
    versions = [pin.version for pin in LOCK if pin.name == canonicalize_name(name) and pin.holds(python)]
    assert len(versions) <= 1, f"{name} is locked twice for Python {python}"
    return versions[0] if versions else None


def test_every_entry_is_pinned_by_version_and_hash() -> None:
    assert len(LOCK) > 100
    for pin in LOCK:
        assert pin.version
        assert pin.hashes, pin.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in pin.hashes), pin.name


def test_the_lock_names_no_address() -> None:
    assert "://" not in LOCK_TEXT
    assert not re.search(r"^\s*--?(i|f|index-url|extra-index-url|find-links|trusted-host)\b", LOCK_TEXT, re.MULTILINE)
    assert not [pin.name for pin in LOCK if pin.requirement.url]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("part", DECLARED)
def test_the_lock_satisfies_what_is_declared(part: str, python: str) -> None:
    for requirement in DECLARED[part]:
        version = locked(requirement.name, python)
        assert version is not None, f"{requirement.name} is not in the lock; {WRITE_AGAIN}"
        assert version in requirement.specifier, f"{requirement} but {version} is locked; {WRITE_AGAIN}"


def test_the_lock_is_closed() -> None:
    """Whatever an installed package of the lock requires is in the lock too, in a version that it accepts."""
    python = default_environment()["python_full_version"]
    asked = {canonicalize_name(r.name): set(r.extras) for requirements in DECLARED.values() for r in requirements}
    seen: set[tuple[str, frozenset[str]]] = set()
    while pending := [(n, frozenset(e)) for n, e in asked.items() if (n, frozenset(e)) not in seen]:
        for name, extras in pending:
            seen.add((name, extras))
            for requirement in _requires(name, extras):
                version = locked(requirement.name, python)
                assert version is not None, f"{name} requires {requirement}; {WRITE_AGAIN}"
                assert requirement.specifier.contains(version, prereleases=True), f"{name}: {requirement}, {version}"
                asked.setdefault(canonicalize_name(requirement.name), set()).update(requirement.extras)
    unneeded = {pin.name for pin in LOCK if pin.holds(python)} - set(asked)
    assert not unneeded, f"nothing requires {unneeded}; {WRITE_AGAIN}"


def _requires(name: str, extras: frozenset[str]) -> Iterator[Requirement]:
    for text in metadata.requires(name) or []:
        requirement = Requirement(text)
        markers = [requirement.marker.evaluate({"extra": e}) for e in ("", *extras)] if requirement.marker else [True]
        override = OVERRIDES.get(canonicalize_name(requirement.name))
        if any(markers) and (override is None or override.marker is None or override.marker.evaluate()):
            yield requirement


def test_what_is_installed_is_what_is_locked() -> None:
    python = default_environment()["python_full_version"]
    differing = {
        pin.name: (str(pin.version), metadata.version(pin.name))
        for pin in LOCK
        if pin.holds(python) and Version(metadata.version(pin.name)) != pin.version
    }
    assert differing == {}


def test_what_is_overridden_is_not_there() -> None:
    """A grammar for addresses that nobody asks for would cost each process of Jupyter's two seconds."""
    found = [name for name in OVERRIDES if find_spec(name.replace("-", "_")) is not None]
    assert not found, f"{found} installed: ./bifrost installs the lock again"


def test_the_pythons_agree() -> None:
    supported = SpecifierSet(PYPROJECT["project"]["requires-python"])
    assert all(python in supported for python in PYTHONS)
    assert not {"3.10.13", "3.14.0"} & set(supported.filter(["3.10.13", "3.14.0"]))
    assert any(Version(python) in SpecifierSet(f"=={CONDA['python'].strip('=')}.*") for python in PYTHONS)
    launcher = (REPOSITORY / "bifrost").read_text()
    assert "3.11.* | 3.12.* | 3.13.*)" in launcher


@pytest.mark.parametrize("name", ["dask", "distributed", "pandas", "numpy", "bokeh", "pyarrow"])
def test_both_environments_have_the_same(name: str) -> None:
    """A scheduler and its workers exchange pickles of these, so both sides hold the same release."""
    version = locked(name, "3.12.5")
    assert version is not None
    assert version in conda_specifier(name), f"environment.yml has {name}{CONDA[name]}, the lock {version}"


@pytest.mark.parametrize("name", ["dask", "numba", "numpy", "pandas", "pyarrow", "scipy"])
def test_the_gpu_environment_can_hold_the_core(name: str) -> None:
    (declared,) = [requirement for requirement in DECLARED["core"] if requirement.name == name]
    floor = Version(re.sub(r"^[=><]+", "", CONDA[name].split(",")[0]))
    top = Version(f"{floor}.99") if CONDA[name].startswith("=") and len(floor.release) == 2 else floor
    assert top in declared.specifier


def test_the_gpu_environment_is_that_of_rapids() -> None:
    assert ENVIRONMENT["channels"][:2] == ["rapidsai", "conda-forge"]
    assert CONDA["cudf"] == CONDA["dask-cudf"] == CONDA["dask-cuda"] == "=26.10"
    assert Version("0.65") not in conda_specifier("numba")
    assert ENVIRONMENT["dependencies"][-1] == {"pip": ["--editable ."]}


def conda_specifier(name: str) -> SpecifierSet:
    """What conda's ``=1.2`` (1.2 or any 1.2.x) and ``>=1,<2`` mean, in Python's words."""
    text = CONDA[name]
    return SpecifierSet(f"=={text[1:]}.*" if re.fullmatch(r"=[\d.]+", text) else text)
