"""db.mask: what is decided about each column, and what is proposed, for a real shop."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from databases import AS_HEROKU
from faulty_stand_in import StandIn
from projects import Project
from targets import Target
from worlds import World

PERSONAL = {
    "customers.email", "customers.name", "addresses.street", "addresses.postcode",
    "addresses.town", "orders.note", "payments.answer", "reviews.body",
    "Gift Cards.cardNo", "Gift Cards.order", "django_session.session_key",
    "django_session.session_data",
    "audit_events.actor", "audit_events.details",
}  # fmt: skip
"""What a shop must not tell of its people, by its rows."""


@pytest.fixture
def project(
    make_project: Callable[..., Project], target: Target, heroku: StandIn
) -> Project:
    return make_project(DATABASE_URL=target.url, **heroku.environment)


def test_init_proposes_what_is_personal_and_a_pull_takes_it(
    world: World, project: Project, target: Target, tmp_path: Path
) -> None:
    dump = f"--dump={world.modern.dump('shop', tmp_path / 'x.dump', *AS_HEROKU)}"
    kept = project.folder / "kept-columns.txt"
    untold = project.invoke("db.mask", dump).succeeds()
    assert "No rule is in db.mask" in untold.err

    ended = project.invoke("db.mask", "--init", dump).succeeds()

    proposed = yaml.safe_load(ended.out)["db"]["mask"]
    assert set(proposed) >= PERSONAL
    asked = {line for line in kept.read_text().splitlines() if line[0] == "?"}
    others = len(asked) + len(proposed) - len(PERSONAL)
    assert len(set(proposed) - PERSONAL) <= 0.15 * others
    assert "150 of 150 values" in ended.out
    assert "@" not in ended.out + ended.err

    for task in (["db.mask", dump], ["db.restore", dump, "--dry-run"]):
        project.invoke(*task).refuses("No rule .* although there is kept", "or remove")
    project.configure(json.dumps({"db": {"mask": proposed}}))
    project.invoke("db.mask", dump).refuses(
        f"A pull would stop at {len(asked)} columns: addresses.country",
        "a line without",
    )
    kept.write_text(kept.read_text().replace("? ", "") + "? public.gone.nick  text\n")
    ended = project.invoke("db.mask", dump).succeeds()
    assert f"{len(proposed)} columns masked, {len(asked)} kept" in ended.err
    assert "public.customers.email\tcitext\temail" in ended.out.splitlines()

    project.invoke("db.restore", dump).succeeds()
    target.sql("ALTER TABLE customers ADD nickname text")
    project.invoke("db.mask").refuses(
        r"stop at 1 column: customers\.nickname \(text, like a first name\)", ""
    )
    assert not list(project.folder.rglob("definitions.dump"))
    ended = project.invoke("db.mask", "--init").succeeds()
    assert yaml.safe_load(ended.out) == {
        "db": {"mask": {"customers.nickname": "first_name"}}
    }
    assert "No dump is here, so this is about" in ended.err
    assert "public.gone" not in kept.read_text()
    project.invoke("db.mask", "--show=customers").refuses("--show prints rows", "term")
