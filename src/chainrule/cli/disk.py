"""How much of the disk the checkpoints of a run may take, as a flag."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from cyclopts import Parameter

from chainrule.cli.flags import OUTPUT

Disk: TypeAlias = Annotated[
    float | None,
    Parameter(group=OUTPUT, help="Gigabytes checkpoints may take; a tenth of what is free where not said."),
]
