"""What Heroku or the settings make impossible: two sentences, and nothing has run."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from faulty_stand_in import Fault, StandIn, faults
from projects import Project
from targets import Target


@pytest.fixture
def target(standing: Target) -> Target:
    """One for all tests here: none of them may change it."""
    return standing


def _refused(
    project: Project, target: Target, cause: str, remedy: str, *words: str, **env: str
) -> None:
    with target.unasked():
        ended = project.invoke("db.pull", *words, **env)
    ended.refuses(cause, remedy)
    assert ended.out == ""
    assert project.dumps() == []


def test_no_app_anywhere(project: Project, target: Target) -> None:
    _refused(project, target, "No Heroku app given", "--app.*git:remote")


def test_several_apps_in_the_git_remotes(project: Project, target: Target) -> None:
    git = ["git", "-C", str(project.folder)]
    subprocess.run([*git, "init", "-q"], check=True)
    for name in ("one-app", "two-app"):
        url = f"https://git.heroku.com/{name}.git"
        subprocess.run([*git, "remote", "add", name, url], check=True)

    _refused(
        project,
        target,
        "several Heroku apps: one-app",
        "--app=one-app",
        HEROKU_GIT_HOST="git.heroku.com",
    )


@pytest.mark.parametrize(
    ("words", "cause", "remedy"),
    [
        (("--app=nowhere",), "no app called 'nowhere'", "spelling"),
        (("--app=No App",), "'No App' .from --app. cannot be", "Aliases.*staging"),
        (("--app=without-database",), "no Heroku Postgres", "--app"),
        (
            ("--app=staging", "--database=RED"),
            "shop-eu has no database called 'RED'",
            "Name one of these .*: DATABASE",
        ),
        (("--app=staging", "--backup=b777"), "no backup 'b777'", "b101"),
        (("--app=staging", "--backup=b102"), "b102 failed", "--capture"),
        (("--app=staging", "--backup=b103"), "b103 was canceled", "--capture"),
        (
            ("--app=at-work", "--backup=b005", "--wait=1s"),
            "end of the backup b005 was not seen within 1 s",
            "--backup=b005",
        ),
        (("--app=at-work", "--capture"), "b005,? is being taken", "--backup=b005"),
    ],
    ids=str,
)
def test_what_heroku_does_not_have(
    project: Project, target: Target, words: tuple[str, ...], cause: str, remedy: str
) -> None:
    _refused(project, target, cause, remedy, *words)


@pytest.mark.parametrize(
    ("env", "cause", "remedy"),
    [
        ({"HEROKU_API_KEY": ""}, "No Heroku token was found", "HEROKU_API_KEY.*login"),
        ({"HEROKU_API_KEY": "wrong"}, "not accept the token", "authorizations:create"),
        ({"HEROKU_API_KEY": "two words"}, "is not one", "without quotes"),
    ],
    ids=["missing", "wrong", "malformed"],
)
def test_a_bad_token(
    project: Project, target: Target, env: dict[str, str], cause: str, remedy: str
) -> None:
    _refused(project, target, cause, remedy, "--app=staging", **env)


@pytest.mark.parametrize(
    ("path", "fault", "cause", "remedy"),
    [
        (
            "/actions/*",
            faults.answer(403, code="two_factor", times=None),
            "second factor",
            "authorizations:create",
        ),
        ("/client/*", faults.answer(403, times=None), "Heroku refuses", "access"),
        (
            "/client/*",
            faults.answer(429, retry_after=900, times=None),
            "rate limit",
            "Wait about 900 s",
        ),
        (
            "/actions/*",
            faults.answer(503, retry_after=900, times=None),
            "in trouble.*503",
            "status.heroku.com",
        ),
        (
            "/client/*",
            faults.answer(500, retry_after=900, times=None),
            "in trouble.*500",
            "status.heroku.com",
        ),
        (
            "/client/*",
            faults.answer(200, body="<html>Log in to the Wi-Fi</html>", times=None),
            "not understood",
            "proxy",
        ),
    ],
    ids=["two factor", "no access", "rate limit", "down", "broken", "portal"],
)
def test_heroku_says_no(
    project: Project,
    heroku: StandIn,
    target: Target,
    path: str,
    fault: Fault,
    cause: str,
    remedy: str,
) -> None:
    heroku.misbehave(replace(fault, path=path))

    _refused(project, target, cause, remedy, "--app=staging")


def test_a_capture_that_heroku_refuses(
    project: Project, heroku: StandIn, target: Target
) -> None:
    refusal = faults.answer(422, path="*/backups", message="No more, please.")
    heroku.misbehave(refusal)

    _refused(
        project, target, "take a backup.*: No more", "db.backups", "--app=refusing"
    )
    assert len(heroku.requests(method="POST", path="/backups")) == 1


@pytest.mark.parametrize(
    ("outcome", "cause"),
    [
        ("fail", "failed at Heroku; the last.*disk is on fire"),
        ("cancel", "was canceled"),
    ],
)
def test_a_capture_that_fails_or_is_canceled(
    project: Project, heroku: StandIn, target: Target, outcome: str, cause: str
) -> None:
    [_] = heroku.misbehave(
        faults.backup(outcome, message="disk is on fire")  # type: ignore[arg-type]
    )

    _refused(project, target, cause, "Run it again", "--app=refusing", "--capture")


def test_a_capture_whose_end_is_not_seen_in_time(
    project: Project, heroku: StandIn, target: Target
) -> None:
    heroku.misbehave(faults.backup("stay"))

    _refused(
        project,
        target,
        "end of the backup b001 was not seen within 1 s",
        "--backup=b001.*--wait",
        "--app=unseen",
        "--wait=1s",
    )


# Other values, and what is told of each: tests/unit/test_settings.py.
@pytest.mark.parametrize(
    ("yaml", "words", "env", "cause", "remedy"),
    [
        ("db: {targte: x}", (), {}, "targte, which is not a setting", "mean target"),
        ("db: {apps: [a]}", (), {}, "db.apps in invoke.yaml", "mapping"),
        ("db: [1]", (), {}, "db in invoke.yaml", "mapping"),
        ("db: {", (), {}, "invoke.yaml can't be read", "Correct invoke.yaml"),
        ("", (), {"INVOKE_DB_KEEP": "[1, 2]"}, "INVOKE_DB_KEEP", "whole"),
        ("", (), {"INVOKE_DB_KEPE": "3"}, "INVOKE_DB_KEPE", "INVOKE_DB_KEEP"),
        ("", (), {"INVOKE_DB_UNDO": "perhaps"}, "INVOKE_DB_UNDO", "true or false"),
        ("", ("--max-age=soon",), {}, "--max-age is 'soon'", "30m, 24h"),
        ("", ("--app=",), {}, "--app is empty", "Give it a value"),
        ("", ("--app=staging", "--backup="), {}, "--backup is empty", "leave it out"),
    ],
    ids=str,
)
def test_settings_that_make_no_sense(
    project: Project,
    heroku: StandIn,
    target: Target,
    yaml: str,
    words: tuple[str, ...],
    env: dict[str, str],
    cause: str,
    remedy: str,
) -> None:
    project.configure(yaml)
    app = () if any(word.startswith("--app") for word in words) else ("--app=shop-eu",)

    _refused(project, target, cause, remedy, *app, *words, **env)
    assert heroku.total().requests == 0
