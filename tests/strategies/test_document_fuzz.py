"""Ten thousand documents with a mistake in each: a clear error every time, none accepted, none that crashes."""

from __future__ import annotations

import copy
import json
import random
import re

import pytest
import yaml

from bifrost_lib.core.errors import DocumentError, FileFormatError
from bifrost_lib.strategies import CATALOG, read_document, read_file, write_document

pytestmark = pytest.mark.slow

SEED, COUNT, AS_YAML = 20261121, 10_000, 400
NUMBERS = {"qty", "target", "low", "high", "furthest", "nearest", "within", "ratio", "share", "dte", "commission"}
ODD_TEXTS = [
    "",
    " ",
    "\x00",
    "\x1b[2J",
    "é" * 500,
    "\u202eabc",
    "\ud800",
    "../../etc/passwd",
    "a" * 5000,
]


def places(value, path=()):
    """All paths of a document, with what is there."""
    yield path, value
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def put(content, path, value):
    """The document with another value at a path."""
    changed = copy.deepcopy(content)
    here = changed
    for key in path[:-1]:
        here = here[key]
    here[path[-1]] = value
    return changed


def drop(content, path):
    """The document without what is at a path."""
    changed = copy.deepcopy(content)
    here = changed
    for key in path[:-1]:
        here = here[key]
    del here[path[-1]]
    return changed


INSTEAD = {
    int: ["text!", True, [], {"x": 1}, "1"],
    float: ["text!", True, [], {"x": 1}, "0.5"],
    str: [7, True, [], {"x": 1}],
    bool: [7, 1, 0, "yes", []],
    dict: [7, "text!", [1], True],
    list: [7, "text!", {"x": 1}, [[]], [None]],
    type(None): [{"x": 1}],
}


def wrong_type(draw, content):
    """A value of another type; never null, which stands for what is left out."""
    path, value = draw.choice([(path, value) for path, value in places(content) if path])
    return put(content, path, draw.choice(INSTEAD[type(value)]))


def unknown_key(draw, content):
    """A key that no part has, often a slip of one that it has."""
    path, value = draw.choice([(path, value) for path, value in places(content) if isinstance(value, dict)])
    known = draw.choice(sorted(value)) if value else "x"
    slip = known + draw.choice(["s", "_", "1", " ", "é", "\ud800"])
    return put(content, (*path, draw.choice([slip, known[1:] + "q", known.upper() + "X"])), draw.choice([1, "a", {}]))


def missing(draw, content):
    """What has no default is left out."""
    needed = [("name",), ("view",), ("legs",)]
    for position, leg in enumerate(content["legs"]):
        needed += [("legs", position, key) for key in ("name", "right", "qty")]
        if leg.get("rule") is not None:
            needed += [("legs", position, "rule", "by"), ("legs", position, "rule")]
            needed += [("legs", position, "rule", key) for key in ("of", "around", "furthest") if key in leg["rule"]]
    return drop(content, draw.choice(needed))


def bad_reference(draw, content):
    """A rule that refers to no leg, to itself, or to a later one; a name that two legs have."""
    legs = content["legs"]
    rules = [
        ("legs", position, "rule", key)
        for position, leg in enumerate(legs)
        for key in ("of", "around")
        if leg.get("rule") and key in leg["rule"]
    ]
    if not rules or draw.random() < 0.2:
        changed = copy.deepcopy(content)
        changed["legs"].append(copy.deepcopy(draw.choice(legs)))
        return changed
    path = draw.choice(rules)
    wrong = [legs[path[1]]["name"], *(leg["name"] for leg in legs[path[1] + 1 :]), "nobody", "", "short_putt"]
    return put(content, path, draw.choice(wrong))


def out_of_range(draw, content):
    """A number that no field of its name may have."""
    numbers = [
        path
        for path, value in places(content)
        if path and isinstance(value, int | float) and not isinstance(value, bool) and path[-1] in NUMBERS
    ]
    return put(content, draw.choice(numbers), draw.choice([1e300, -1e300, 10**30, float("nan"), float("inf"), 10**400]))


def odd_text(draw, content):
    """A text that is no name, no word of a list and no plain line."""
    texts = [
        path for path, value in places(content) if path and isinstance(value, str) and path[-1] not in ("view", "risk")
    ]
    return put(content, draw.choice(texts), draw.choice(ODD_TEXTS))


def too_much(draw, content):
    """Too deep, too long, too many."""
    kind = draw.randrange(4)
    if kind == 0:
        deep = []
        for _ in range(draw.choice([13, 40, 200])):
            deep = [deep]
        return put(content, ("risk",), deep)
    if kind == 1:
        return put(content, ("aliases",), [f"alias_{n}" for n in range(draw.choice([21, 300]))])
    if kind == 2:
        return put(content, ("legs",), content["legs"] * draw.choice([2, 13]))
    return put(content, ("view",), "long " * draw.choice([100, 20_000]))


MUTATIONS = [wrong_type, unknown_key, missing, bad_reference, out_of_range, odd_text, too_much]


def refused(text):
    """The error that a text gives, checked for clarity."""
    with pytest.raises(DocumentError) as caught:
        read_document(text)
    message = str(caught.value)
    assert message.startswith(f"{caught.value.name}: got ") and ", expected " in message
    assert len(message) < 600 and "\n" not in message and "validation error" not in message
    message.encode("utf-8")
    return caught.value


def changed_fields(before, after):
    """The fields of a document that differ: what a mistake is named by begins with one of them."""
    texts = [{key: json.dumps(value) for key, value in content.items()} for content in (before, after)]  # 1 == True
    return {key for key in {*before, *after} if texts[0].get(key) != texts[1].get(key)}


def test_ten_thousand_mistakes_are_told_one_by_one():
    draw = random.Random(SEED)
    originals = [json.loads(write_document(one, form="json", full=True)) for one in CATALOG.values()]
    for _ in range(COUNT):
        mutate, original = draw.choice(MUTATIONS), draw.choice(originals)
        content = mutate(draw, original)
        text = json.dumps(content)
        try:
            named = refused(text).name.removeprefix("document.")
            assert named == "document" or re.split(r"[.[]", named)[0] in changed_fields(original, content), named
        except BaseException as error:
            raise AssertionError(f"{mutate.__name__}: {text[:3000]}") from error


#: What YAML makes of plain words, and what it has beyond JSON: none of it is a value of any field.
TRICKS = [
    "on", "off", "yes", "No", "2026-09-18", "2026-09-18T16:00:00Z", ".nan", ".inf", "-.Inf", "1e999", "0x1F", "0o17",
    "1_000", "045", "12:30", "!!python/object/apply:os.system ['true']", "!!binary aGk=", "!!set {a, b}",
    "!!omap [a: 1]", "!own {a: 1}", "&a [*a]", "*nobody", "<<", "? [a]", "{<<: {a: 1}}", "[[[]]]", "|\n  text\n  more",
    "~ ~", "9" * 4000,
]  # fmt: skip


def test_tricks_of_yaml_are_no_values_of_any_field():
    draw = random.Random(SEED)
    originals = [json.loads(write_document(one, form="json", full=True)) for one in CATALOG.values()]
    for trick in TRICKS:
        for _ in range(6):
            content = draw.choice(originals)
            numbers = [path for path, value in places(content) if type(value) in (int, float)]
            text = yaml.safe_dump(put(content, draw.choice(numbers), "HERE"), width=10**6)
            refused(text.replace("HERE", trick))


def test_what_is_no_text_of_a_document_is_told(tmp_path):
    for data in (b"", b"\n\n", b"# nothing\n", b"---\n...\n", b"null", b"[]", b"42", b"name", b"{}", b"--- a\n--- b\n"):
        refused(data.decode())
    for data in (b"\xff\xfe\x00", bytes(range(256)), b"\x1f\x8b" + bytes(60), b"name: caf\xe9"):
        file = tmp_path / "odd.yaml"
        file.write_bytes(data)
        with pytest.raises((FileFormatError, DocumentError)) as caught:
            read_file(file)
        assert "\n" not in str(caught.value)


def test_broken_yaml_is_told_too():
    draw = random.Random(SEED)
    texts = [write_document(one) for one in CATALOG.values()]
    accepted = 0
    for _ in range(AS_YAML):
        text = draw.choice(texts)
        at = draw.randrange(len(text))
        broken = draw.choice(
            [
                text[:at] + draw.choice("[]{}:&*!|>\"'%@`\t\x00\x1b\ud800#-?,") + text[at:],
                text[:at] + text[at + draw.randrange(1, 40) :],
                text + text[:at],
                text[:at] + "&a [*a, *a]" + text[at:],
                "a: &a [x]\n" + "".join(f"a{n}: &a{n} [{'*a, ' * 9}]\n" for n in range(9)) + text,
            ]
        )
        try:
            found = read_document(broken)
        except DocumentError:
            refused(broken)
        else:  # a cut in a text may leave a document; it must read again as itself
            accepted += 1
            assert read_document(write_document(found)) == found
    assert accepted < AS_YAML / 3
