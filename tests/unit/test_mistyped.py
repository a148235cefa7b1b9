"""Command lines that no task takes, and the help of each task."""

from __future__ import annotations

import pytest
from invoke.collection import Collection
from invoke.exceptions import ParseError
from invoke.parser import Parser
from invoke.parser.context import ParserContext
from invoke.tasks import Task

from dbpull import db
from dbpull.errors.settings import SettingsError
from dbpull.keys import KEYS
from dbpull.naming import NAME


def own(_: object, name: str) -> None:
    """A task of the project's own."""


def collection() -> Collection:
    found = Collection(db)
    found.add_task(Task(own))
    return found


@pytest.mark.parametrize(
    ("words", "what", "remedy"),
    [
        (
            "db.pull --skp-data=x",
            "db.pull has no flag --skp-data.",
            "mean --skip-data?",
        ),
        ("db.pull --qiet", "db.pull has no flag --qiet.", "Did you mean --quiet?"),
        (
            "db.undo -x",
            "db.undo has no flag -x.",
            "`invoke --help db.undo` tells more.",
        ),
        ("db.pul", "There is no task db.pul.", "Did you mean db.pull?"),
        ("db.pull db.backup", "There is no task db.backup.", "mean db.backups?"),
        ("db.pull --app", "--app of db.pull needs a value.", "--help db.pull"),
        ("db.pull --skip-data --delete", "--skip-data of db.pull needs", "--help"),
        ("db.pull --delete=yes", "yes is no task, and db.pull takes", "--app=staging"),
        ("db.pull postgres://a:geheim@x/y", "A URL is no task", "follow their flags"),
        ("db", "There is no task db.", "`invoke --list` has them all."),
        ("db.snapshot", "db.snapshot needs a name: .*snapshot NAME", "--help"),
    ],
)
def test_what_no_task_of_ours_takes_is_an_error_with_the_nearest(
    words: str, what: str, remedy: str
) -> None:
    with pytest.raises(SettingsError, match=f"^{what}") as refused:
        Parser(collection().to_contexts(), ParserContext()).parse_argv(words.split())

    assert remedy in refused.value.remedy
    assert "geheim" not in str(refused.value)


@pytest.mark.parametrize("words", ["other", "own", "own --nmae=x", "--lst"])
def test_other_tasks_are_left_to_invoke(words: str) -> None:
    with pytest.raises(ParseError):
        Parser(collection().to_contexts(), ParserContext()).parse_argv(words.split())


def test_each_task_has_an_example_as_it_is_typed_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(NAME, "collection", "ops.dbpull")

    for name, task in Collection.from_module(db).tasks.items():
        _, example = (task.__doc__ or "").rsplit("\n\n", 1)
        program, typed, *words = example.removeprefix("Example: ").split()
        assert (program, typed) == ("invoke", f"ops.dbpull.{name}")
        flags = ParserContext(args=task.get_arguments()).flags
        given = [word.partition("=")[0] for word in words if word.startswith("-")]
        assert all(flag in flags for flag in given), name


def test_a_flag_tells_the_default_of_its_setting() -> None:
    arguments = {
        arg.name: arg
        for arg in Collection.from_module(db).tasks["pull"].get_arguments()
    }

    assert str(arguments["keep"].help).endswith(f" Default: {KEYS['keep'].default}.")
    assert str(arguments["jobs"].help).endswith(" Default: the machine's cores.")
    for name, argument in arguments.items():
        key = KEYS.get(name.replace("-", "_"))
        has = bool(key and not key.file_only and (key.shown or key.default))
        assert ("Default: " in str(argument.help)) == has, name
