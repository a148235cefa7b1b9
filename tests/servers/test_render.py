"""Pulls from a database at Render, against a stand-in."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

import pytest

from killed import settled
from projects import Project
from render_stand_in import (
    AUTH,
    KEY,
    RenderPostgresMade,
    RenderStandIn,
)
from targets import Target
from worlds import World

EXPORT = "POST /postgres/dpg-0001-a/export"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def exports(
    world: World, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], bytes]:
    """What Render makes of a database: a directory dump in a `.tar.gz`."""

    @cache
    def exported(dbname: str) -> bytes:
        folder = tmp_path_factory.mktemp("render") / "2026-11-28T03:00Z" / "shop_x1y2"
        folder.parent.mkdir()
        argv = [world.modern.program("pg_dump"), "-Fd", "-f", str(folder), "--no-owner"]
        subprocess.run([*argv, world.modern.url(dbname)], check=True)
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as tar:
            tar.add(folder.parent, folder.parent.name)
        return packed.getvalue()

    return exported


@pytest.fixture
def dbname() -> str:
    """Of the database that is at Render; tests of much to send or read say `shop`."""
    return "small"


@pytest.fixture
def at_render(exports: Callable[[str], bytes], dbname: str) -> Iterator[RenderStandIn]:
    """Render, whose exports are that database's."""
    with RenderStandIn(exports(dbname)) as stand_in:
        yield stand_in


@pytest.fixture
def shop(at_render: RenderStandIn, world: World, dbname: str) -> RenderPostgresMade:
    """The database, which is called `shop` at Render, without an export."""
    return at_render.database(url=world.modern.url(dbname))


@pytest.fixture
def render_project(
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
    make_project: Callable[..., Project],
    target: Target,
) -> Project:
    """A project whose source is that database, called `production`."""
    project = make_project(DATABASE_URL=target.url, **at_render.environment)
    project.configure("db:\n  source: production\n  sources: {production: render:shop}")
    project.secrets = (*project.secrets, KEY, AUTH)
    return project


@pytest.mark.parametrize("dbname", ["shop"])
def test_a_young_export_is_pulled(
    render_project: Project,
    target: Target,
    world: World,
    dbname: str,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
) -> None:
    shop.export(DAY / 3)

    ended = render_project.invoke("db.pull", "--delete").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture(dbname)
    assert at_render.count(EXPORT) == 0
    assert "shop (production)" in ended.err
    assert "up to its table of contents …" in ended.err
    assert render_project.dumps() == []


def test_a_new_export_is_asked_for_where_the_newest_is_old(
    render_project: Project,
    target: Target,
    world: World,
    dbname: str,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
) -> None:
    shop.export(6 * DAY)

    ended = render_project.invoke("db.pull").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture(dbname)
    assert at_render.count(EXPORT) == 1
    assert re.search(r"A new backup is needed: the newest, e\d+, is", ended.err)
    assert re.search(r"Captured e\d+ of shop \(production\)", ended.err)
    asked = len(at_render.downloads.log)
    again = render_project.invoke("db.pull").succeeds()
    assert len(at_render.downloads.log) == asked
    assert "here" in again.err


@pytest.mark.parametrize("dbname", ["shop"])
def test_a_download_that_was_killed_goes_on(
    render_project: Project,
    target: Target,
    world: World,
    dbname: str,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
) -> None:
    shop.export(DAY / 3)
    at_render.downloads.piece, at_render.downloads.pace = 16384, 600.0
    run = render_project.start("db.pull", "--connections=1")
    run.until(lambda: at_render.downloads.sent)
    with target.untouched():
        run.signal(signal.SIGKILL)
        run.end()
        settled(run, world.modern)
    at_render.downloads.pace = 0.0

    render_project.invoke("db.pull").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture(dbname)


@pytest.mark.parametrize("dbname", ["shop"])
def test_a_cut_export_is_refused(
    render_project: Project,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
    target: Target,
) -> None:
    shop.export(DAY / 3)
    at_render.downloads.content = at_render.content[: len(at_render.content) // 2]

    with target.untouched():
        ended = render_project.invoke("db.pull")

    assert ended.code == 1
    assert render_project.dumps() == []


def test_an_expired_url_is_replaced_by_a_fresh_one(
    render_project: Project,
    target: Target,
    world: World,
    dbname: str,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
) -> None:
    shop.export(DAY / 3)
    expired: list[str] = []

    async def expire_once(request: object) -> None:
        if not expired:
            expired.append(str(request))
            at_render.lifetime = 3600.0

    at_render.lifetime = -1.0
    at_render.downloads.faults.insert(0, expire_once)

    render_project.invoke("db.pull").succeeds()

    assert expired
    assert world.modern.picture(target.name) == world.modern.picture(dbname)


def test_a_missing_key_is_refused_before_anything(
    render_project: Project, target: Target, at_render: RenderStandIn
) -> None:
    with target.unasked():
        ended = render_project.invoke("db.pull", RENDER_API_KEY="")

    ended.refuses("RENDER_API_KEY is not set", "dashboard.render.com")
    assert at_render.asked == []


def test_a_misspelt_name_is_refused_with_the_nearest(
    render_project: Project, target: Target
) -> None:
    with target.unasked():
        ended = render_project.invoke("db.pull", "--source=render:shpo")

    ended.refuses("no database called 'shpo'", "Did you mean shop?")


def test_the_source_itself_is_no_target(
    render_project: Project, target: Target, shop: RenderPostgresMade
) -> None:
    shop.export(DAY / 3)
    shop.url = target.url

    with target.untouched():
        ended = render_project.invoke("db.pull")

    ended.refuses(r"is the database of shop \(production\) itself", "target")


def test_the_plan_names_the_requests_and_makes_none_of_them(
    render_project: Project, target: Target, at_render: RenderStandIn
) -> None:
    with target.unasked():
        ended = render_project.invoke("db.pull", "--dry-run").succeeds()

    assert f"POST {at_render.base}/postgres/dpg-0001-a/export" in ended.out + ended.err
    assert at_render.count(EXPORT) == 0


def test_the_list_of_backups(render_project: Project, shop: RenderPostgresMade) -> None:
    (render_project.folder / ".env").write_text(f"RENDER_API_KEY={KEY}\n")
    del render_project.environment["RENDER_API_KEY"]
    shop.export(DAY)
    shop.export(looks=99)

    ended = render_project.invoke("db.backups").succeeds()

    _, *rows = [line.split() for line in ended.out.splitlines()]
    assert [row[-2] for row in rows] == ["unfinished", "finished"]
    assert re.fullmatch(r"e\d{14}", rows[0][0])
    assert rows[0][1] == "shop_x1y2"


def test_what_ctrl_c_left_at_render_is_picked_up(
    render_project: Project,
    target: Target,
    world: World,
    dbname: str,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
) -> None:
    at_render.looks = 10**6
    run = render_project.start("db.pull", "--capture")
    run.until(lambda: at_render.asked.count(EXPORT), "the export")
    run.until(lambda: at_render.asked[-3:].count(EXPORT) == 0, "lists of exports")
    run.signal(signal.SIGINT)
    stopped = run.end()

    stopped.refuses("goes on at Render", r"db\.pull --backup=e\d{14}", code=130)
    shop.exports[0].looks = 1
    backup = re.findall(r"--backup=(e\d{14})", stopped.err)[0]
    render_project.invoke("db.pull", f"--backup={backup}").succeeds()
    assert at_render.count(EXPORT) == 1
    assert world.modern.picture(target.name) == world.modern.picture(dbname)


def test_a_new_export_alone(
    render_project: Project, target: Target, at_render: RenderStandIn
) -> None:
    with target.unasked():
        ended = render_project.invoke("db.capture").succeeds()

    assert re.search(r"Captured e\d+ of shop", ended.err)
    assert at_render.count(EXPORT) == 1
    assert at_render.downloads.log == []


def test_the_folder_of_dumps_names_the_source(
    render_project: Project, shop: RenderPostgresMade
) -> None:
    shop.export(DAY / 3)

    render_project.invoke("db.fetch").succeeds()

    (name,) = render_project.dumps()
    assert re.match(r"production--[0-9a-f]{6}-e\d{14}-\d{8}T\d{6}Z", name)
    assert Path(render_project.local / name).exists()


def test_live_reads_the_database_itself(
    render_project: Project,
    target: Target,
    world: World,
    dbname: str,
    at_render: RenderStandIn,
    shop: RenderPostgresMade,
) -> None:
    shop.export(DAY / 3)
    render_project.configure(
        "db:\n  source: production\n"
        "  sources: {production: {source: render:shop, live: true}}"
    )

    ended = render_project.invoke("db.pull").succeeds()

    assert world.modern.picture(target.name) == world.modern.picture(dbname)
    assert at_render.count(EXPORT) == 0
    assert at_render.downloads.log == []
    assert "production" in ended.err
    listed = render_project.invoke("db.backups").succeeds()
    assert re.search(r"^d1\t.*finished", listed.out, re.MULTILINE)
