"""The project of the demo: a folder as a user of dbpull has it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dbpull.naming import DEFAULT, NAME

TASKS = '''\
"""What `invoke` loads."""

from pathlib import Path

from invoke.collection import Collection

from dbpull import db
from dbpull.project import PROJECT

PROJECT.load(Path(__file__).parent{name})

ns = Collection({ours})
'''
SETTINGS = """\
{section}:
  app: {production}
  apps:
    staging: {staging}
  skip_data: [django_session, audit_events]
  mask:
    customers.email: email
    customers.name: name
    addresses.street: street
    addresses.postcode: postcode
    addresses.town: city
    orders.note: text
    payments.answer: {{json: {{drop: [reference]}}}}
    reviews.body: text
    "Gift Cards.cardNo": token
    "Gift Cards.order": blank
"""
KEPT = """\
public.addresses.country  character
public.categories.name  text
public.customers.preferences  jsonb
public.payments.provider  text
public.products.attributes  jsonb
public.products.description  text
public.products.name  text
public.products.sku  character varying
public.products.tags  text[]
"""


def write(folder: Path, *, production: str, staging: str) -> None:
    """Write tasks.py and invoke.yaml, with the names of the user's own project.

    Masks are in invoke.yaml, and the other columns in kept-columns.txt.
    """
    (folder / "tasks.py").write_text(_tasks(), encoding="utf-8")
    settings = SETTINGS.format(
        section=NAME.section, production=production, staging=staging
    )
    (folder / "invoke.yaml").write_text(settings, encoding="utf-8")
    (folder / "kept-columns.txt").write_text(KEPT, encoding="utf-8")


def _tasks() -> str:
    if NAME.collection == DEFAULT:
        return TASKS.format(name="", ours="db")
    *outer, own = NAME.collection.split(".")
    ours = f'Collection.from_module(db, name="{own}")'
    for name in reversed(outer):
        ours = f'Collection("{name}", {ours})'
    return TASKS.format(name=f', name="{NAME.collection}"', ours=ours)


def write_environment(folder: Path, environment: Mapping[str, str]) -> None:
    """Write .env, readable by its owner alone: it holds a token."""
    path = folder / ".env"
    path.touch(mode=0o600)
    lines = [f"{name}={value}\n" for name, value in environment.items()]
    path.write_text("".join(lines), encoding="utf-8")
