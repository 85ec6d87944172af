"""Results as Markdown tables, for a README or a page of documents."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chainrule.bench.ranking import Ranked, conditions, ranked, remarks, versions
from chainrule.bench.row import Row
from chainrule.document import NumberStyle, format_number

THREE: Final = NumberStyle("significant", 3)
HEADER: Final = (
    "| system | use | best µs/step | p25 | of peak | × native | compile ms |",
    "|---|---|---:|---:|---:|---:|---:|",
)


def markdown(rows: Sequence[Row], command: str) -> str:
    """A section for each case, then the conditions and the command that repeats it.

    Args:
        rows: of any cases.
        command: that was typed.
    """
    parts = [_section(case) for case in ranked(rows)]
    parts.append("\n".join(each for each in (conditions(rows), versions(rows)) if each))
    parts.append(f"Repeat it with `{command}`.")
    return "\n\n".join(part for part in parts if part) + "\n"


def _section(case: Ranked) -> str:
    lines = [f"### {case.title}", "", f"{case.sentence}.", ""]
    if case.timed:
        lines += HEADER
        if case.floor_us is not None:
            lines.append(f"| *physical floor* | | *{_number(case.floor_us)}* | | | | |")
        lines += [_line(case, row) for row in case.timed]
    without = [f"- {row.system}, {row.variant}: {row.void}." for row in case.rows if row.best_us is None]
    noted = [f"- † {each}." for each in remarks(case.rows)]
    if without or noted:
        lines += ["", *without, *noted]
    return "\n".join(lines)


def _line(case: Ranked, row: Row) -> str:
    mark = " †" if row.void or row.note else ""
    cells = (
        f"{row.system}{mark}",
        row.variant,
        _number(row.best_us),
        _number(row.p25_us),
        "" if row.share_of_peak is None else f"{row.share_of_peak:.0%}",
        _number(case.times_native(row)),
        "" if row.compile_ms is None else f"{row.compile_ms:,.0f}",
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float | None) -> str:
    return "" if value is None else format_number(value, THREE)
