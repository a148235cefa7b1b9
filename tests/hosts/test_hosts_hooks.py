"""Rows that come along, and commands around the swap, on a host."""

from __future__ import annotations

import json
from pathlib import Path

from machines import Machine, introduce, start_fab
from projects import Project
from targets import Target


def test_rows_come_along_and_commands_run_on_the_host(
    project: Project, target: Target, devbox: Machine, tmp_path: Path
) -> None:
    introduce(Path(project.environment["HOME"]), devbox)
    target.sql(
        "CREATE TABLE customers (id int PRIMARY KEY, email text, name text);"
        "INSERT INTO customers VALUES (100001, E'it''s \\\\.\\n@shop', 'é')"
    )
    (project.folder / "dev.sql").write_text("CREATE TABLE made AS SELECT 'é' AS it;")
    seen = tmp_path / "seen"
    wait = f"until [ -e {seen} ]; do sleep 0.5; done"
    settings = {
        "app": "shop-eu",
        "keep_rows": {"customers": "email ~ '^it''s ..!?\n@shop'"},
        "before_swap": ["dev.sql", "psql -Xc \"UPDATE made SET it = 'é$PGDATABASE!'\""],
        "after_swap": f"psql -XAtc 'TABLE made'; pwd; {wait}; [ $DATABASE_URL = 1 ]",
    }
    project.configure(json.dumps({"db": settings}))

    with devbox.watch_processes([]) as watch:
        run = start_fab(project, "devbox", "db.pull")
        run.until(lambda: "sleep 0.5" in watch.seen)
        seen.touch()
        ended = run.end()

    ended.refuses("after_swap: .* ended with exit code 1", "is in place")
    kept = "SELECT name FROM customers WHERE email = E'it''s \\\\.\\n@shop'"
    assert target.sql(kept) == "é"
    assert f"  é{target.name}__dbpull_new!\n" in ended.err
    assert f"  {devbox.home}\n" in ended.err
    hidden = target.postgres.password, "it''s", "UPDATE made SET it = 'é$"
    assert not [c for c in watch.seen if any(text in c for text in hidden)]
