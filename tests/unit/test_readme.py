"""README.md says what the program says."""

from __future__ import annotations

import re

from invoke.vendor.yaml import safe_load

from dbpull.sources.named import kind_of
from dbpull.values import sources
from readme import README, ROOT


def test_it_has_exactly_two_one_line_set_ups() -> None:
    text = README.read_text(encoding="utf-8")

    commands = re.findall(r"^    (python3 -m venv .*)$", text, re.MULTILINE)

    assert [command.split()[-1] for command in commands] == [
        "db.demo",
        ".venv/bin/pytest",
    ]


def test_what_it_links_to_is_there() -> None:
    text = README.read_text(encoding="utf-8")

    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (ROOT / link).exists(), link


def test_its_links_lead_to_its_own_headings() -> None:
    text = README.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    anchors = {
        re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-")
        for heading in headings
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) - anchors == set()


def test_each_providers_line_is_a_source() -> None:
    text = README.read_text(encoding="utf-8").partition("<!-- providers -->")[2]
    rows = re.findall(r"^\| ([^|`]+) \| `(production: .*?)` \|", text, re.MULTILINE)

    assert len(rows) > 20
    assert text[: text.index("\n\n")].count("\n| ") == len(rows) + 1
    for provider, line in rows:
        read = safe_load(line.replace("\\|", "|"))  # type: ignore[no-untyped-call]
        (own,) = sources(read).values()
        assert kind_of(own["source"]), provider
        assert "{port}" in own.get("tunnel", "{port}"), provider
