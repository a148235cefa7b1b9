"""A Django project, copied from `django_shop`, and the Pythons to run it with."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from projects import Ended, Project, Run
from targets import Target

HERE = Path(__file__).parent
ALIASES = "db:\n  apps: {staging: shop-eu}\n  jobs: 2\n"
PYTHONS = {"ours": sys.executable}
"""By what it is told from: ours has the oldest supported Django, or what is newest for
it; the other one, made for this, the newest."""
SET_UP = """
import os, django
os.environ["DJANGO_SETTINGS_MODULE"] = "shop.settings"
django.setup()
"""
if other := os.environ.get("DBPULL_DJANGO_PYTHON"):
    PYTHONS["newest"] = other


class DjangoProject:
    """A shop with a manage.py, an invoke.yaml, and databases."""

    def __init__(
        self, project: Project, python: str, databases: dict[str, dict[str, Any]]
    ) -> None:
        self.project, self.python = project, python
        shutil.copytree(HERE / "django_shop", project.folder, dirs_exist_ok=True)
        for name in ("tasks.py", "fabfile.py"):
            (project.folder / name).unlink()
        project.configure(ALIASES)
        self.use(databases)

    def use(self, databases: dict[str, dict[str, Any]]) -> None:
        """Have other DATABASES."""
        self.project.environment["SHOP_DATABASES"] = json.dumps(databases)

    def start(self, *words: str, **more: str) -> Run:
        """Start `./manage.py` with these words."""
        return self.project.begin([self.python, "manage.py", *words], None, more)

    def manage(self, *words: str, **more: str) -> Ended:
        """Run it to its end."""
        return self.start(*words, **more).end()

    def run(self, script: str) -> Ended:
        """Run Python that has Django set up, as a program of the project's."""
        argv = [self.python, "-c", f"{SET_UP}\n{script}"]
        return self.project.begin(argv, None, {}).end()


MakeDjango = Callable[..., DjangoProject]


def database_of(target: Target) -> dict[str, Any]:
    """A target as an entry of DATABASES."""
    at = target.postgres.connection(target.name)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": target.name,
        "USER": "postgres",
        "PASSWORD": target.postgres.password,
        "HOST": at.host,
        "PORT": at.port,
    }
