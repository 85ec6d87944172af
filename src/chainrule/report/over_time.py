"""The section on the inside of the network over time: activations, deltas, gradients and updates, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from chainrule.document import (
    Block,
    Column,
    Figure,
    Group,
    Heading,
    Number,
    NumberStyle,
    Paragraph,
    Row,
    Series,
    Table,
)
from chainrule.document.numbers import short
from chainrule.errors.counts import counted
from chainrule.report.material import Material, source
from chainrule.report.moments import Inside, probed_every, probed_rows

MOST_LINES: Final = 6  # of a chart: more are not told apart in black and white
UPDATE: Final = "update"
FOUR: Final = NumberStyle("significant", 4)
SHARE: Final = NumberStyle("percent", 1)
LARGE, SMALL = (
    1e-1,
    1e-6,
)  # ‖Δw‖/‖w‖ beyond which an update is remarked: a tenth of a weight, or what float32 rounds off

Measured = Callable[[Inside], Mapping[str, float]]


def over_time(material: Material, moments: Sequence[Inside]) -> list[Block]:
    """Four charts, a table of where they end, and where they come from."""
    if not moments:
        return [Heading("Inside the network"), Paragraph("No update is done yet, so there is nothing to measure.")]
    figures = (
        _chart("activations", "Activations", "root mean square of a", moments, lambda each: each.activations),
        _chart("deltas", "Deltas", "root mean square of δ", moments, lambda each: each.deltas),
        _chart("gradients", "Gradients", "‖∂L/∂W‖", moments, lambda each: _kernels(each.gradients)),
        _chart("updates", "Updates", "‖ΔW‖ / ‖W‖", moments, lambda each: _kernels(each.ratios)),
    )
    return [
        Heading("Inside the network"),
        Group(tuple(figure for figure in figures if figure.series), name="inside"),
        _table(moments[-1]),
        *(Paragraph(remark) for remark in _remarks(moments)),
        source(*_whence(material, moments)),
    ]


def _kernels(measured: Mapping[str, float]) -> Mapping[str, float]:
    """Weights without biases, where there are any."""
    kernels = {name: value for name, value in measured.items() if name.endswith(".W")}
    return kernels or measured


def _chart(name: str, title: str, label: str, moments: Sequence[Inside], measured: Measured) -> Figure:
    updates = tuple(each.update for each in moments)
    names = list(dict.fromkeys(part for each in moments for part in measured(each)))
    shown = names if len(names) <= MOST_LINES else [*names[: MOST_LINES // 2], *names[-MOST_LINES // 2 :]]
    series = tuple(
        Series(part, updates, tuple(measured(each).get(part, float("nan")) for each in moments)) for part in shown
    )
    values = [value for one in series for value in one.y if value > 0]
    wide = bool(values) and max(values) / min(values) > 20
    sentence = _moved(title, series)
    if len(shown) < len(names):
        sentence += f" Shown are the first three and the last three of {len(names)}."
    return Figure(
        "line", series, sentence, title=title, x_label=UPDATE, y_label=label, logarithmic=wide, logarithmic_x=True,
        name=name,
    )  # fmt: skip


def _moved(title: str, series: Sequence[Series]) -> str:
    """From where to where each line goes, in words."""
    ends = [f"{one.name} {short(one.y[0], 3)} → {short(one.y[-1], 3)}" for one in series]
    return f"{title}, before the first update → before the last: {', '.join(ends)}."


def _table(last: Inside) -> Table:
    columns = (
        Column("layer", heading=True),
        Column("size of a", style=FOUR),
        Column("of them 0", style=SHARE, align="right"),
        Column("size of δ", style=FOUR),
    )
    rows = tuple(
        Row(
            (
                layer,
                Number(size),
                Number(last.zeros[layer]),
                Number(last.deltas[layer]) if layer in last.deltas else None,
            )
        )
        for layer, size in last.activations.items()
    )
    return Table(columns, rows, caption=f"Before update {last.update:,}", name="layers")


def _remarks(moments: Sequence[Inside]) -> list[str]:
    """What stands out, where something does."""
    last = moments[-1]
    said: list[str] = []
    silent = [layer for layer, share in last.zeros.items() if share == 1.0]
    said += [f"{layer} puts out 0 for every probed row: nothing passes it." for layer in silent]
    said += [
        f"The last update moved {name} by {ratio:.2g} of its size: that is much, a smaller learning rate may help."
        for name, ratio in _kernels(last.ratios).items()
        if ratio > LARGE
    ]
    said += [
        f"The last update moved {name} by {ratio:.2g} of its size: it hardly learns any more."
        for name, ratio in _kernels(last.ratios).items()
        if ratio < SMALL
    ]
    deltas = list(last.deltas.items())
    if len(deltas) > 1 and 0 < deltas[0][1] < deltas[-1][1] / 1000:
        times = deltas[-1][1] / deltas[0][1]
        said.append(f"δ of {deltas[0][0]} is {times:,.0f} times smaller than that of {deltas[-1][0]}: it vanishes.")
    return said


def _whence(material: Material, moments: Sequence[Inside]) -> tuple[str, ...]:
    listed = ", ".join(f"{each.update:,}" for each in moments[:3])
    rows = counted(len(probed_rows(material.run)), "training row")
    if (every := probed_every(material.run)) > 1:
        rows += f", one of every {every:,} from the first on"
    said = (
        f"a replay of the run to {len(moments)} of its {counted(material.run.step, 'update')} ({listed}, …, "
        f"{moments[-1].update:,}); a, δ and ∂L/∂W are outputs of the graph that trains, on {rows}, and "
        "ΔW is the update that was made"
    )
    return (said,)
