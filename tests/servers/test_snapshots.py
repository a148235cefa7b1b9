"""`invoke db.snapshot`, `db.snapshots`, `db.reset`: copies of the target."""

from __future__ import annotations

import json
import os
import random
import signal
import time

from databases import Postgres
from dbpull.target.copies import Copy
from dbpull.target.leftovers import drop, leftovers
from dbpull.target.names import Names
from faulty_stand_in import StandIn
from killed import settled
from projects import PATIENCE, Project
from targets import Target

KILLS = int(os.environ.get("DBPULL_KILLS", "4"))
AWKWARD = 'CÔpie "und" it\'s \\ %&=://' + "ß" * 18
DRESSED = """
select datdba, datacl::text, array_agg((setrole, setconfig) order by setrole)
from pg_database d left join pg_db_role_setting on setdatabase = d.oid
where datname = :'name' group by 1, 2
"""
LEFT = """
select datname from pg_database where datname like '%\\_\\_dbpull\\_%'
  and coalesce(shobj_description(oid, 'pg_database'), 'unfinished') like '%unfinished%'
"""


def test_a_copy_has_rows_owner_privileges_and_settings(postgres: Postgres) -> None:
    owner, guest = postgres.role(), postgres.role()
    name = postgres.database("create table word as select 'x' as of", name=AWKWARD)
    snapshot, aside = Names(name).snapshot("x" * 30), Names(name).aside
    psql = postgres.psql(name)
    psql.run(
        f"""alter database :"name" owner to {owner};
        revoke all on database :"name" from public;
        grant connect on database :"name" to {guest};
        alter database :"name" set search_path = 'a b', public;
        alter role {guest} in database :"name" set work_mem = '7MB';""",
        doing="Preparing",
        name=name,
    )
    dressed = psql.run(DRESSED, doing="Looking", name=name)

    Copy(psql, name, snapshot).make(comment="kept", closed=True)
    oid, missed = Copy(psql, snapshot, aside).make(closed=False)

    assert missed == []
    assert psql.run(DRESSED, doing="Looking", name=snapshot) == dressed
    assert psql.run(DRESSED, doing="Looking", name=aside) == dressed
    assert postgres.sql(aside, "select of from public.word") == "x"
    assert postgres.family(name).members[aside].oid == oid
    Copy(psql, name, snapshot).discard()  # it is whole: it stays
    Copy(psql, snapshot, aside).discard()
    assert {snapshot, aside} & postgres.databases() == {snapshot}


def test_a_half_made_copy_is_found_and_dropped(postgres_18: Postgres) -> None:
    name = postgres_18.database("create table word (of text)")
    names, other = Names(name), Names(postgres_18.database())
    halves = (names.aside, names.snapshot("x"), other.snapshot("x"))
    for half in halves:
        postgres_18.database(name=half, options="allow_connections false")
    whole = postgres_18.database(name=names.snapshot("y"))
    psql, state = postgres_18.psql(name), postgres_18.state(name)

    found = leftovers(psql, state)

    assert [each.dbname for each in found] == [names.snapshot("x"), names.aside]
    for each in found:
        assert drop(psql, each)
    there = postgres_18.databases()
    assert {*halves, whole} & there == {other.snapshot("x"), whole}


def test_a_snapshot_is_listed_comes_back_and_stays(
    project: Project, target: Target
) -> None:
    label, own = f"{target.name} on 127.0.0.1", target.oid
    taken = project.invoke("db.snapshot", "mine").succeeds()
    assert f"{label}" in taken.err
    assert "as the snapshot mine: `invoke db.reset --to=mine` brings it" in taken.err
    project.invoke("db.snapshot", "mine").refuses("mine of .* already", "--drop`")
    target.sql("update notes set note = 'spoilt'")

    with target.postgres.session(target.name, "select 1"):
        back = project.invoke("db.reset").succeeds()

    assert f"{target.name}__dbpull_original: `invoke db.undo --original`" in back.err
    assert f"{label}" in back.err.splitlines()[-2]
    assert target.notes == "(1,mine)"
    target.sql("update notes set note = 'spoilt again'")
    project.invoke("db.reset", "--to=original").succeeds()
    assert target.notes == "(1,spoilt)"
    project.invoke("db.undo").succeeds()
    assert target.notes == '(1,"spoilt again")'
    project.invoke("db.cleanup").succeeds()
    rows = project.invoke("db.snapshots").succeeds().out.splitlines()
    assert [row.split("\t")[0] for row in rows] == ["snapshot", "mine", "original"]
    assert rows[1].endswith("\trows that dbpull did not pull")
    project.invoke("db.snapshot", "mine", "--drop").succeeds()
    project.invoke("db.reset").refuses("no snapshot of", "copied: --to=original")
    assert target.family == {"target", "previous", "original"}
    assert target.postgres.oids()[f"{target.name}__dbpull_original"] == own


def test_a_pull_that_is_kept_is_a_reset_the_next_time(
    project: Project, heroku: StandIn, target: Target
) -> None:
    pull, plain = ("db.pull", "--app=small-eu", "--delete"), "db: {keep_pulled: true}"
    count = "select count(*) from orders;"
    (project.folder / "after.sql").write_text("create table after (n int);")
    project.configure("db: {keep_pulled: true, after_swap: [after.sql]}")
    first = project.invoke(*pull).succeeds()
    assert "It is kept as the snapshot pulled: `invoke db.reset" in first.err
    rows = target.sql(count)
    target.sql("truncate orders; drop table after")
    project.invoke("db.reset").succeeds()
    assert target.sql(f"select count(*) from after; {count}") == f"0\n{rows}"

    project.configure(plain)
    again = project.invoke(*pull).succeeds()
    assert "here as the snapshot" not in again.err, "commands would run anew"
    assert "It is kept as the snapshot pulled" in again.err, again.err
    target.sql("truncate orders")
    heroku.forget_requests()
    plan = project.invoke(*pull, "--dry-run").succeeds()
    ended = project.invoke(*pull, "--json").succeeds()
    assert json.loads(ended.out)["result"] == "reset", (plan.err, ended.err)

    assert f'TEMPLATE "{target.name}__dbpull_at_pulled"' in plan.err
    assert "here as the snapshot pulled: it is copied. To pull anew, `inv" in ended.err
    assert heroku.total("download").requests == 0
    assert (target.sql(count), project.dumps()) == (rows, [])


def test_a_killed_snapshot_or_reset_leaves_a_whole_target(
    project: Project, target: Target
) -> None:
    """DBPULL_KILLS is how many runs are killed."""
    began = time.monotonic()
    project.invoke("db.snapshot", "first").succeeds()
    duration = time.monotonic() - began
    target.sql("update notes set note = 'spoilt'")

    for number in range(KILLS):
        words = ["db.reset", "--to=first"] if number % 2 else ["db.snapshot", "second"]
        run = project.start(*words)
        time.sleep(duration * random.uniform(0.3, 1.1))
        run.signal(signal.SIGKILL)
        run.end()
        settled(run, target.postgres)

        _clean_up(project)
        assert target.postgres.sql("postgres", LEFT) == ""
        assert target.notes in {"(1,mine)", "(1,spoilt)"}
        if Names(target.name).snapshot("second") in target.postgres.databases():
            project.invoke("db.snapshot", "second", "--drop").succeeds()
        target.sql("update notes set note = 'spoilt'")

    project.invoke("db.reset", "--to=first").succeeds()
    assert target.notes == "(1,mine)"


def _clean_up(project: Project) -> None:
    """Run db.cleanup; what a killed run began there may go on for a moment."""
    deadline = time.monotonic() + PATIENCE
    while (ended := project.invoke("db.cleanup")).code:
        ended.refuses("replaced already, by ", "Wait until it has ended")
        assert time.monotonic() < deadline, ended.err
