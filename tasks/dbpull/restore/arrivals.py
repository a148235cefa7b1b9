"""The order in which groups of tables best arrive: much work first, little work last.

While rows arrive slowly, cores wait. What is left to do once the last bytes have come
is the keys and indexes of the tables that came last (Johnson's rule for two machines in
a row, where the second has less to do than the first).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from dbpull.restore.cost import cost
from dbpull.restore.dependencies import Dependencies


def best_order(
    dependencies: Dependencies,
    sizes: Mapping[int, int],
    groups: Sequence[Sequence[int]],
) -> list[int]:
    """The groups' positions, in the order in which they best arrive.

    A group holds dump ids of rows, `sizes` their bytes. From the end on, the next group
    is the one with the least work that waits for it alone; a foreign key waits for both
    its tables.
    """
    group_of = {rows: at for at, group in enumerate(groups) for rows in group}
    works = list(_works(dependencies, sizes, group_of))
    of_group: dict[int, list[int]] = defaultdict(list)
    load: dict[int, float] = dict.fromkeys(range(len(groups)), 0.0)
    for number, (waited, work) in enumerate(works):
        for group in waited:
            of_group[group].append(number)
            load[group] += work
    order: list[int] = []
    accounted: set[int] = set()
    while load:
        # Of groups alike, the one that stands last in the dump comes last.
        last = min(load, key=lambda group: (load[group], -group))
        del load[last]
        order.append(last)
        for number in set(of_group[last]) - accounted:
            accounted.add(number)
            for group in works[number][0] & load.keys():
                load[group] -= works[number][1]
    return order[::-1]


def _works(
    dependencies: Dependencies, sizes: Mapping[int, int], group_of: Mapping[int, int]
) -> Iterator[tuple[set[int], float]]:
    """For each key and index, the groups of tables it waits for, and its cost."""
    rows_of = {table: rows for rows, table in dependencies.table_of.items()}
    for rows, table in dependencies.table_of.items():
        keys = dependencies.keys_of_table.get(table, ())
        for entry in (*keys, *dependencies.foreign_keys.get(table, ())):
            needed = {rows_of.get(i, 0) for i in dependencies.tables_of(entry)}
            waited = {group_of[i] for i in (rows, *needed) if i in group_of}
            yield waited, cost(dependencies.archive, entry, sizes.get(rows, 0))
