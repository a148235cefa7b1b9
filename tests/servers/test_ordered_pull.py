"""A second pull fetches what has much work first; killed, it goes on where it was."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from databases import AS_HEROKU
from dbpull.download.worker import NOTED
from dbpull.dumps.former import LEAST, SMALL_CHUNK
from faulty_stand_in import (
    AppConfig,
    BackupConfig,
    Config,
    DatabaseConfig,
    StandIn,
    faults,
)
from projects import Project
from targets import Target
from worlds import World

TABLES = """
create table a_log (id int, data text);
create table z_orders (id int primary key, data text);
create index on z_orders (length(data));
create index on z_orders (substr(data, 1, 20));
alter table a_log alter data set storage external;
alter table z_orders alter data set storage external;
"""
# About 0.1 MB a row, so that all takes 18 MB.
ROWS = """
insert into {0} select g, string_agg(md5(g || '-' || i), '')
  from generate_series({1}, {2}) g, generate_series(1, 3000) i group by g;
"""
HANGING = 5_000_000
"""A byte in the rows of a_log, which stand first in the dump."""


@pytest.fixture
def dumps(world: World, tmp_path: Path) -> Iterator[list[Path]]:
    """A database's dump, and its next one: it has grown by three per cent."""
    both = ("a_log", "z_orders")
    world.modern.database(TABLES, name="growing")
    found = []
    for number, rows in enumerate([(1, 95), (96, 98)]):
        for table in both:
            world.modern.sql("growing", ROWS.format(table, *rows))
        path = tmp_path / f"{number}.dump"
        found.append(world.modern.dump("growing", path, *AS_HEROKU, "-Z0"))
    yield found
    world.modern.drop_like("growing")


@pytest.fixture
def heroku(world: World, dumps: list[Path]) -> Iterator[StandIn]:
    database = DatabaseConfig("postgresql-growing", world.modern.url("growing"))
    backups = [
        BackupConfig(number=number, age=9000 / number, dump=str(dump))
        for number, dump in enumerate(dumps, 1)
    ]
    app = AppConfig("growing", databases=(database,), backups=tuple(backups))
    pg_dump = world.modern.program("pg_dump")
    with StandIn.start(Config((app,), pg_dump=pg_dump, dump_at_start=False)) as heroku:
        yield heroku


def test_a_killed_pull_in_another_order_is_resumed(
    world: World,
    make_project: Callable[..., Project],
    target: Target,
    heroku: StandIn,
    dumps: list[Path],
) -> None:
    size = dumps[1].stat().st_size
    assert size > LEAST
    project = make_project(
        DATABASE_URL=target.url, HEROKU_APP="growing", **heroku.environment
    )
    project.invoke("db.fetch", "--backup=b001").succeeds()
    [first] = project.local.glob("*.dump")
    first.unlink()
    [before, _] = heroku.misbehave(
        faults.hang(at=SMALL_CHUNK, times=None), faults.hang(at=HANGING, times=None)
    )
    run = project.start("db.pull", "--connections=1")
    run.until(lambda: "z_orders" in _tables(target))  # the order is known by then
    heroku.behave(before)
    # Front first, no byte from the one where it hangs would come.
    run.until(lambda: _noted(project) >= size - HANGING)
    run.signal(signal.SIGKILL)
    run.end()
    heroku.behave()
    heroku.forget_requests()
    noted = _noted(project)

    ended = project.invoke("db.pull", "--connections=4").succeeds()

    assert "of it were here from an earlier run." in ended.err
    sent = heroku.total("download").sent
    assert size - noted - NOTED <= sent <= size - noted + NOTED
    assert world.modern.picture(target.name) == world.modern.picture("growing")
    assert [name for name in project.dumps() if "part" in name] == []


def _tables(target: Target) -> str:
    aside = f"{target.name}__dbpull_new"
    if aside not in target.postgres.databases():
        return ""
    sql = "select string_agg(relname, ' ') from pg_class where relkind = 'r';"
    return target.postgres.sql(aside, sql)


def _noted(project: Project) -> int:
    """How many bytes the part file's journal knows of."""
    count: dict[int, int] = {}
    for journal in project.local.glob("*.journal"):
        for line in map(json.loads, journal.read_text().split("\n")[:-1]):
            if "index" in line:
                count[line["index"]] = int(line.get("arrived", SMALL_CHUNK))
    return sum(count.values())
