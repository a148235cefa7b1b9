"""How a setting's text becomes a value."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from invoke.config import DataProxy

from dbpull import values
from dbpull.values import InvalidValue


@pytest.mark.parametrize(
    ("convert", "value", "read"),
    [
        (values.text, "  myapp ", "myapp"),
        (values.text, 2024, "2024"),
        (values.count, "3", 3),
        (values.count, 3, 3),
        (values.count, " 3 ", 3),
        (values.connections, 16, 16),
        (values.jobs, "64", 64),
        (values.duration, "90s", 90),
        (values.duration, "30m", 1800),
        (values.duration, "24h", 86400),
        (values.duration, "7 d", 7 * 86400),
        (values.duration, "1W", 604800),
        (values.duration, "1.5h", 5400),
        (values.duration, "0", 0),
        (values.duration, 0, 0),
        (
            values.conditions,
            {"a": True, "b.c": " id = 1 "},
            {"a": "true", "b.c": "id = 1"},
        ),
        (values.conditions, DataProxy.from_data({"items": "x"}), {"items": "x"}),
        (values.commands, "echo a, b", ("echo a, b",)),
        (values.commands, ["a.sql", "echo a, b"], ("a.sql", "echo a, b")),
        (values.switch, "yes", True),
        (values.switch, True, True),
        (values.switch, 1, True),
        (values.switch, "OFF", False),
        (values.switch, False, False),
        (values.text_list, "a, b,,c ", ("a", "b", "c")),
        (values.text_list, ["a", " b", 3], ("a", "b", "3")),
        (values.text_list, "", ()),
        (values.text_list, (), ()),
        (values.names, "a=b, c=d=e", {"a": "b", "c": "d=e"}),
        (values.names, {"a": "b"}, {"a": "b"}),
        (values.names, "", {}),
        (values.hosts, {"devbox": {"path": "x"}}, {"devbox": {"path": "x"}}),
    ],
)
def test_what_people_write_is_read(
    convert: Callable[[object], object], value: object, read: object
) -> None:
    assert convert(value) == read


@pytest.mark.parametrize(
    ("convert", "value"),
    [
        (values.text, ""),
        (values.text, "  "),
        (values.text, None),
        (values.text, True),
        (values.text, ["a"]),
        (values.count, 0),
        (values.count, -1),
        (values.count, 1.5),
        (values.count, "1.5"),
        (values.count, "some"),
        (values.count, True),
        (values.count, None),
        (values.count, "1_000"),
        (values.count, "9" * 5000),
        (values.connections, 17),
        (values.jobs, 65),
        (values.jobs, "many"),
        (values.duration, "24"),
        (values.duration, 24),
        (values.duration, "-1h"),
        (values.duration, "1y"),
        (values.duration, ""),
        (values.duration, None),
        (values.duration, "9" * 400 + "w"),
        (values.switch, "perhaps"),
        (values.switch, 2),
        (values.switch, None),
        (values.text_list, 3),
        (values.text_list, {"a": "b"}),
        (values.text_list, ["a", ["b"]]),
        (values.text_list, ["a", None]),
        (values.names, "staging"),
        (values.names, "staging="),
        (values.names, ["ab", "cd"]),
        (values.names, {"a": None}),
        (values.names, {"a": {"b": "c"}}),
        (values.hosts, "devbox"),
        (values.hosts, ["devbox"]),
        (values.hosts, {"devbox": "x"}),
        (values.hosts, {"devbox": {"port": "22"}}),
        (values.hosts, {"devbox": {"path": None}}),
    ],
)
def test_what_can_not_be_meant_is_impossible(
    convert: Callable[[object], object], value: object
) -> None:
    with pytest.raises(InvalidValue, match=r"\w"):
        convert(value)


def test_invokes_own_mappings_are_mappings() -> None:
    proxy = DataProxy.from_data({"devbox": {"path": "x"}})

    assert values.hosts(proxy) == {"devbox": {"path": "x"}}


def test_without_a_number_of_jobs_it_is_the_cores_that_we_may_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2, 5}, raising=False)
    assert values.jobs(None) == 3
    monkeypatch.delattr("os.sched_getaffinity")
    assert values.jobs(None) == 6
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert values.jobs(None) == 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
CONVERTERS = [
    values.text, values.count, values.connections, values.jobs, values.duration,
    values.switch, values.text_list, values.names, values.hosts,
]  # fmt: skip


@settings(max_examples=60)
@given(st.sampled_from(CONVERTERS), JSON)
def test_whatever_a_file_holds_is_read_or_impossible(
    convert: Callable[[Any], object], value: object
) -> None:
    with suppress(InvalidValue):
        convert(value)
