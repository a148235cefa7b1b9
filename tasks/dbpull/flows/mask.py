"""The flow of `db.mask`: what is masked, kept, undecided; proposals; a look at rows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from dbpull import console
from dbpull.console import Reporter
from dbpull.errors.masks import MaskError
from dbpull.errors.sql_names import quoted
from dbpull.flows import decided, masked
from dbpull.flows.mask_looks import Looked, look
from dbpull.flows.run import reporting
from dbpull.masks import kept_columns, rules
from dbpull.masks.decisions import Deciding, Decisions, Undecided
from dbpull.masks.proposals import Proposal, Proposing
from dbpull.masks.rules import Rule
from dbpull.masks.tables import ColumnName
from dbpull.naming import NAME, command, setting
from dbpull.project import PROJECT
from dbpull.settings import Settings
from dbpull.shell import Shell
from dbpull.target import opened
from dbpull.words import counted, listed

HEADER = ("column", "type", "decision")
_SHOWN = 5
"""The rows that --show shows."""
_WIDEST = 40
_PLAIN = re.compile(r"[A-Za-z_][\w.]*")
_ROWS = """
SELECT coalesce(json_agg(one), '[]') FROM (
  SELECT * FROM {table} LIMIT {rows}) one;
"""


def report(settings: Settings, shell: Shell, dump: str | None) -> None:
    """Tell each masked and each undecided column on stdout, and counts.

    Raises MaskError where a pull would be refused.
    """
    with reporting("", shell) as reporter:
        rules.read(settings.mask)
        masked.refuse_lost_rules(settings)
        looked = look(settings, shell, dump, reporter)
        if not settings.mask:
            reporter.say(
                f"No rule is in {setting('mask')}: a pull takes all columns of"
                f" {looked.label} as they are. `{command('mask')} --init` proposes"
                " rules."
            )
            return
        deciding = decided.deciding(looked.selection, settings)
        found = deciding.decide(looked.filled)
        deciding.refuse_unused(found)
        _tell(found, shell.host)
        _tell_counts(found, looked.label, reporter)
        if found.undecided:
            raise MaskError(
                f"A pull would stop at {counted(len(found.undecided), 'column')}:"
                f" {listed([column.told for column in found.undecided])}.",
                f"Give each a rule under {setting('mask')}, or a line without ? in"
                f" {kept_columns.FILE}; `{command('mask')} --init` proposes them.",
            )


def init(settings: Settings, shell: Shell, dump: str | None) -> None:
    """Propose rules on stdout; write what is not decided into kept-columns.txt."""
    with reporting("", shell) as reporter:
        given = rules.read(settings.mask)
        looked = look(settings, shell, dump, reporter)
        deciding = decided.deciding(looked.selection, settings)
        undecided = deciding.decide(looked.filled).undecided
        samples = looked.sample()
        if not samples:
            reporter.note("By the names of columns alone: no rows can be looked at.")
        proposing = Proposing(deciding, samples)
        proposed = [one for each in undecided if (one := proposing.propose(each))]
        _tell_rules(proposed)
        new = rules.read({one.pattern: one.rule for one in proposed})
        left = _left(looked, {**given, **new}, deciding)
        _ask(left, deciding)
        _tell_proposed(len(proposed), len(left), looked.label, reporter)


def show(settings: Settings, shell: Shell, table: str) -> None:
    """Show some rows of a table of the target, on a terminal only.

    Raises MaskError.
    """
    with reporting("", shell) as reporter:
        if not console.is_drawn():
            raise MaskError(
                "--show prints rows, which are not for files and logs.",
                "Run it on a terminal.",
            )
        target = opened.take(settings, shell, reporter)
        schema, _, name = table.rpartition(".")
        label = f"{quoted(schema or 'public')}.{quoted(name)}"
        [[told]] = target.psql.run(
            _ROWS.format(table=label, rows=_SHOWN),
            doing=f"Looking at {table}",
            dbname=target.names.target,
        )
        rows = json.loads(told)
        header = list(rows[0]) if rows else []
        console.rows(header, [[_cut(row[one]) for one in header] for row in rows])


def _left(
    looked: Looked, given: Mapping[str, Rule], deciding: Deciding
) -> list[Undecided]:
    """What is undecided once the proposed rules are there."""
    then = Deciding(deciding.entries, given, deciding.kept)
    return then.decide(looked.filled).undecided


def _ask(left: Sequence[Undecided], deciding: Deciding) -> None:
    """Write what is kept and what is asked into kept-columns.txt.

    What was asked before has got a rule, or is asked again.
    """
    kept = {
        name: (type_, True) for name, (type_, sure) in deciding.kept.items() if sure
    }
    asked = {one.name: (one.type, False) for one in left}
    kept_columns.write(PROJECT.folder, {**kept, **asked})


def _tell_proposed(rules: int, asked: int, of: str, reporter: Reporter) -> None:
    if not rules and not asked:
        reporter.say(f"All columns of {of} are decided about.")
    if rules:
        reporter.say(
            f"{counted(rules, 'rule')} for {of} proposed: review them, and put them"
            f" under {setting('mask')} in invoke.yaml."
        )
    if asked:
        reporter.say(
            f"{counted(asked, 'column')} of {of} to decide in {kept_columns.FILE}:"
            " remove the ? where one may come as it is, else give it a rule."
        )


def _tell(found: Decisions, host: str) -> None:
    """Print a row for each masked column, then for each undecided one."""
    column, name = (["host"], [host]) if host else ([], [])
    lines = [
        [label(one), found.types.get(one, ""), _worded(rule)]
        for one, rule in sorted(found.masked.items())
    ]
    lines += [
        [label(one.name), one.type, f"undecided{one.kind and ': like ' + one.kind}"]
        for one in found.undecided
    ]
    console.rows([*column, *HEADER], [[*name, *line] for line in lines])


def label(name: ColumnName) -> str:
    """A column as kept-columns.txt has it."""
    return kept_columns.written(name)


def _tell_counts(found: Decisions, of: str, reporter: Reporter) -> None:
    reporter.say(
        f"{of}: {counted(len(found.masked), 'column')} masked, {len(found.kept)} kept,"
        f" {len(found.harmless)} never asked about,"
        f" {len(found.undecided)} undecided."
    )


def _worded(rule: Rule) -> str:
    source = f" from {rule.source}" if rule.source else ""
    return f"{rule.kind}{source}"


def _tell_rules(proposed: Sequence[Proposal]) -> None:
    """Print rules as invoke.yaml has them; JSON is YAML."""
    if proposed:
        console.out(f"{NAME.section}:\n  mask:")
    for one in proposed:
        key = one.pattern if _PLAIN.fullmatch(one.pattern) else _json(one.pattern)
        value = one.rule if isinstance(one.rule, str) else _json(one.rule)
        console.out(f"    {key}: {value}  # {one.why}")


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else _json(value)
    return text if len(text) <= _WIDEST else f"{text[: _WIDEST - 1]}…"
