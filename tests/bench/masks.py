"""Masked pulls against the same pulls without masks, and a million values that differ.

    .venv/bin/python tests/bench/masks.py --data=large --rounds=5
    .venv/bin/python tests/bench/masks.py --data=many --scale=0.06 --rounds=5
    .venv/bin/python tests/bench/masks.py --distinct=1000000

`large`: users masked (four columns) and the keys of each order's address dropped, or
made up; `many`: a column of each table masked, 300 tables at 0.06. From disk (rate 0)
and over a line. `--distinct`: unique columns of so many rows masked on two servers.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path[:0] = [str(TESTS), str(TESTS / "support")]

from bench.contestants import Contestant, Failed, Took, pull, restore_here
from bench.races import Races
from bench.track import APP, Track, Wanted, track
from databases import FOLDERS
from projects import Project
from targets import Watched, watched

KEEP: Mapping[str, Any] = {"*": "keep"}
"""Else a pull with masks stops at the columns that nobody has decided about."""
USERS = {
    "users.email": "email", "users.name": "name", "users.bio": "text",
    "users.password": "password",
}  # fmt: skip
DROPPED = {"json": {"drop": ["street", "city", "zip"]}}
FAKED = {"json": {"fake": {"street": "street", "city": "city", "zip": "postcode"}}}
MASKS: Mapping[str, Mapping[str, Mapping[str, Any]]] = {
    "large": {
        "dbpull": {},
        "masked": {**KEEP, **USERS, "orders.address": DROPPED},
        "fakes": {**KEEP, **USERS, "orders.address": FAKED},
    },
    "many": {"dbpull": {}, "masked": {**KEEP, "*.name": "token"}},
}
"""The rules of each contestant; the first is what the others are divided by."""
AIMS = "aims: masked ÷ dbpull ≤ 1.10, fakes ≤ 1.20; 300 masked tables ≤ 0.5 s more"
_SALT = "the bench's"
DISTINCT = """
CREATE EXTENSION citext;
CREATE TABLE people (id int PRIMARY KEY, email citext UNIQUE, username varchar(30)
  UNIQUE, token char(32) UNIQUE, key uuid UNIQUE, site text UNIQUE, note text);
INSERT INTO people SELECT g, 'u' || g || '@real.example', 'user' || g, md5(g::text),
  md5('k' || g)::uuid, 'https://real.example/' || g,
  CASE g % 3 WHEN 0 THEN NULL WHEN 1 THEN '' ELSE 'note ' || g END
FROM generate_series(1, {rows}) g;
CREATE TABLE letters (sender text);
INSERT INTO letters SELECT username FROM people WHERE id % 10 = 0;
"""
DISTINCT_MASK = {
    "people.email": "email", "people.username": "username", "people.token": "token",
    "people.key": "uuid", "people.site": "url", "people.note": "text",
    "letters.sender": "username",
}  # fmt: skip
LOOKS = {
    "rows": "count(*)", "e-mails": "count(DISTINCT email)",
    "user names": "count(DISTINCT username)", "tokens": "count(DISTINCT token)",
    "keys": "count(DISTINCT key)", "URLs": "count(DISTINCT site)",
    "NULL": "count(*) - count(note)", "''": "count(*) FILTER (WHERE note = '')",
    "joined": "min((SELECT count(*) FROM letters JOIN people p ON username = sender))",
}  # fmt: skip
SAME = """SELECT md5(string_agg(concat_ws(' ', email, username, token, key, site), ','
  ORDER BY id)) FROM people"""


def contestants(data: str, *, local: bool) -> dict[str, Contestant]:
    """A pull or a restore for each set of rules."""
    run = restore_here if local else pull
    return {
        name: Contestant(f"{len(mask)} rules", partial(_masked, mask=mask, run=run))
        for name, mask in MASKS[data].items()
    }


def _masked(course: Track, *, mask: Mapping[str, Any], run: Any) -> Took:
    """A run with rules; its part `CPU` is that of the server and of all clients."""
    settings = {"apps": {"staging": APP}, "connections": 1, "mask": dict(mask)}
    course.project.configure(json.dumps({"db": settings}))
    began = _cpu(course)
    took: Took = run(course)
    if not course.filled():
        raise Failed("the target is not filled")
    return replace(took, parts={"CPU": _cpu(course) - began})


def _cpu(course: Track) -> float:
    """The CPU seconds of sessions that have ended, and of programs that we ran."""
    pid = (course.postgres.server.data / "postmaster.pid").read_text().split()[0]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ours = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (int(fields[13]) + int(fields[14])) / 100 + ours.ru_utime + ours.ru_stime


def distinct(rows: int) -> Iterator[str]:
    """Mask unique columns on each server; a line for each look, and the verdict."""
    found = []
    with tempfile.TemporaryDirectory(prefix="masks-") as folder:
        Path(folder).chmod(0o755)
        for name in dict.fromkeys([*FOLDERS][:1] + [*FOLDERS][-1:]):
            with watched(FOLDERS[name]) as server:
                yield f"PostgreSQL {server.major}"
                found.append(_distinct(server, Path(folder) / name, rows))
                yield from found[-1]
    yield "equal on all servers" if len(set(map(str, found))) == 1 else "DIFFERENT"


def _distinct(server: Watched, folder: Path, rows: int) -> list[str]:
    source = server.database(DISTINCT.format(rows=rows))
    folder.mkdir(parents=True)
    dump = server.dump(source, folder / "people.dump", "-Fc", "-Z1")
    target = server.database()
    project = Project.at(folder / "project", DATABASE_URL=server.url(target))
    settings = {"mask": {**KEEP, **DISTINCT_MASK}, "mask_salt": _SALT}
    project.configure(json.dumps({"db": settings}))
    project.invoke("db.restore", f"--dump={dump}").succeeds()
    told = []
    for label, look in LOOKS.items():
        sql = f"SELECT {look} FROM people"
        before, after = server.sql(source, sql), server.sql(target, sql)
        verdict = "as before" if before == after else f"BEFORE: {before}"
        told.append(f"  {label}: {after}, {verdict}")
    differ = server.sql(source, SAME) != server.sql(target, SAME)
    told.append(f"  made up: {'yes' if differ else 'NO'}")
    return [*told, f"  digest: {server.sql(target, SAME)}"]


def main() -> None:
    """Read the options, run, report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data", choices=[*MASKS], default="large")
    add("--scale", type=float, default=0.1, help="of the data: 1.4 GB at 1")
    add("--rates", type=lambda t: [*map(float, t.split(","))], default=[0, 10],
        help="MB/s; 0: from disk")  # fmt: skip
    add("--rounds", type=int, default=5)
    add("--jobs", type=int, default=2)
    add("--postgres", choices=["15", "18"], default="18")
    add("--cache", type=Path, help="folder that keeps the databases")
    add("--distinct", type=int, help="so many rows of values that differ; no races")
    given = parser.parse_args()
    if given.distinct:
        for line in distinct(given.distinct):
            print(line, flush=True)
        return
    wanted = Wanted(
        given.data, given.scale, given.postgres, given.jobs, 1, given.cache, fsync=True
    )
    with track(wanted) as course:
        for rate in given.rates:
            races = Races(course, contestants(given.data, local=not rate))
            races.run([(rate, 0.0)], given.rounds)
            print(f"\n{races.report(given.rounds)}- {AIMS}\n")


if __name__ == "__main__":
    main()
