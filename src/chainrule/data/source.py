"""Where a data set came from, as plain data, so that a run can find it again and tell whether it changed."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Task: TypeAlias = Literal["classification", "regression"]
SourceKind: TypeAlias = Literal["builtin", "file", "memory"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """Where a data set came from: what `load_source` needs to load it again.

    A field that does not apply is None or empty and is left out when written; defaults of generated sets are written.

    Attributes:
        kind: "builtin", "file" or "memory"; what was in memory can be checked but not loaded again.
        name: name of the built-in set, absolute path of the file or folder, or what was in memory ("arrays").
        sha256: of the file's bytes, or of the arrays (`fingerprint`) where there is no file.
        target: name of the target column, or its number as text for a .npy file.
        features: columns chosen as features; empty means all but the target.
        drop: columns left out.
        task: the task where it was given rather than derived from the target.
        rows: how many rows were generated.
        noise: standard deviation of the noise added to generated coordinates.
        classes: how many classes were generated.
        seed: seed of the generated rows.
    """

    kind: SourceKind
    name: str
    sha256: str = ""
    target: str | None = None
    features: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    task: Task | None = None
    rows: int | None = None
    noise: float | None = None
    classes: int | None = None
    seed: int | None = None
