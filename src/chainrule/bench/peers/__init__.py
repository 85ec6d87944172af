"""The systems that are measured: a table of names, what each needs, and where its variants are."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from chainrule.bench.peers.contract import Variant
from chainrule.errors import UnknownNameError


@dataclass(frozen=True, slots=True)
class Peer:
    """A system.

    Attributes:
        name: of its file, and what `--peers` calls it.
        group: another name, shared with its kin.
        title: as a table of results calls it.
        needs: the libraries it imports, by the names they are imported by.
        packages: the distributions whose versions are recorded.
    """

    name: str
    group: str
    title: str
    needs: tuple[str, ...]
    packages: tuple[str, ...]


PEERS: Final[dict[str, Peer]] = {
    peer.name: peer
    for peer in (
        Peer("chainrule_native", "chainrule", "chainrule native", ("llvmlite",), ("chainrule", "llvmlite", "numpy")),
        Peer("chainrule_reference", "chainrule", "chainrule reference", (), ("chainrule", "numpy")),
        Peer("numpy_by_hand", "numpy", "NumPy by hand", (), ("numpy",)),
        Peer("torch_eager", "torch", "PyTorch eager", ("torch",), ("torch",)),
        Peer("torch_compiled", "torch", "PyTorch compiled", ("torch",), ("torch",)),
        Peer("jax_step", "jax", "JAX step", ("jax", "optax"), ("jax", "jaxlib", "optax")),
        Peer("jax_scan", "jax", "JAX scan", ("jax", "optax"), ("jax", "jaxlib", "optax")),
        Peer("keras_fit", "keras", "Keras", ("keras", "jax"), ("keras", "jax", "jaxlib")),
        Peer("sklearn_mlp", "sklearn", "scikit-learn", ("sklearn",), ("scikit-learn", "numpy")),
        Peer("tinygrad_jit", "tinygrad", "tinygrad", ("tinygrad",), ("tinygrad",)),
    )
}

OURS: Final = "chainrule"


def peers_named(names: Iterable[str]) -> tuple[Peer, ...]:
    """The peers of these names or groups, without repetition; "all" is all of them.

    Raises: UnknownNameError for a name that is neither.
    """
    groups = {peer.group for peer in PEERS.values()}
    chosen: dict[str, Peer] = {}
    for name in names:
        if name not in PEERS and name not in groups and name != "all":
            raise UnknownNameError("peer", name, ("all", *sorted(groups), *PEERS))
        chosen.update({peer.name: peer for peer in PEERS.values() if name in ("all", peer.name, peer.group)})
    return tuple(peer for peer in PEERS.values() if peer.name in chosen)


def variants_of(peer: Peer) -> tuple[Variant, ...]:
    """The ways to use a peer; nothing of it is imported yet."""
    return importlib.import_module(f"{__name__}.{peer.name}").VARIANTS


def absence(peer: Peer) -> str:
    """A sentence when the peer is not installed; "" when it is."""
    missing = [name for name in peer.needs if importlib.util.find_spec(name) is None]
    if not missing:
        return ""
    return f"{' and '.join(missing)} cannot be imported here: run pip install 'chainrule[bench]'"
