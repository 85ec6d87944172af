"""How much of the disk the checkpoints of a run may take, as a flag."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from chainrule.cli.flags import OUTPUT
from chainrule.cli.option import Option

Disk: TypeAlias = Annotated[
    float | None,
    Option(group=OUTPUT, help="Gigabytes checkpoints may take; a tenth of what is free where not said."),
]
