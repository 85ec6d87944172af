"""Which backend runs, and the programs it has compiled: the one place that loads backends by name."""

from __future__ import annotations

import importlib
import threading
from collections import OrderedDict
from typing import Final

import msgspec

from chainrule.backends.protocol import Backend, Program, Step
from chainrule.errors import BackendError, ChainruleError, UnknownNameError

PROGRAMS_KEPT: Final = 16  # a run needs three: train, validate, explain


class Offer(msgspec.Struct, frozen=True):
    """A backend that can be chosen: where it lives, and a sentence on what it is good for."""

    name: str
    module: str
    attribute: str
    sentence: str


class Choice(msgspec.Struct, frozen=True):
    """The backend that will run a step.

    Attributes:
        name: of the backend.
        note: a sentence on why it is not the one that is preferred; "" where it is.
    """

    name: str
    note: str = ""


# In the order in which "auto" prefers them.
OFFERS: Final[tuple[Offer, ...]] = (
    Offer(
        "native",
        "chainrule.backends.native",
        "NativeBackend",
        "code compiled for this processor; whole slices of training run without coming back to Python",
    ),
    Offer(
        "reference",
        "chainrule.backends.reference",
        "ReferenceBackend",
        "NumPy on one thread; it defines what every primitive means",
    ),
)

AUTO: Final = "auto"
ONCE: Final = "reference"  # for what is computed once: writing code takes longer than NumPy does

_loaded: Final[dict[str, Backend]] = {}
_programs: Final[OrderedDict[tuple[str, Step], Program]] = OrderedDict()
_lock: Final = threading.RLock()


def names() -> tuple[str, ...]:
    """What `choose` accepts."""
    return (AUTO, *(offer.name for offer in OFFERS))


def choose(name: str = AUTO) -> Backend:
    """The backend of that name, loaded when first asked for; "auto" is the first that works here.

    Raises: UnknownNameError for another name; BackendError when it cannot be loaded.
    """
    if name == AUTO:
        return _first_working()
    for offer in OFFERS:
        if offer.name == name:
            return _load(offer)
    raise UnknownNameError("backend", name, names())


def _first_working() -> Backend:
    for offer in OFFERS:
        try:
            return _load(offer)
        except ChainruleError:
            continue
    raise BackendError("no backend works here; reinstall chainrule with its dependencies")


def available() -> list[tuple[str, bool, str]]:
    """For each backend its name, whether it works here, and a sentence: what it is, or what is wrong."""
    result: list[tuple[str, bool, str]] = []
    for offer in OFFERS:
        try:
            _load(offer)
        except ChainruleError as error:
            result.append((offer.name, False, str(error)))
        else:
            result.append((offer.name, True, offer.sentence))
    return result


def chosen_for(step: Step, name: str = AUTO) -> Choice:
    """The backend that will run a step: the one named, or for "auto" the first that works here and can run it.

    Raises: UnknownNameError for another name; BackendError when the one named, or any, cannot run the step.
    """
    if name != AUTO:
        compiled(step, name)
        return Choice(name)
    reasons: list[str] = []
    for offer in OFFERS:
        try:
            compiled(step, offer.name)
        except BackendError as error:
            reasons.append(str(error))
            continue
        return Choice(offer.name, f"the {offer.name} backend trains: {reasons[0]}" if reasons else "")
    raise BackendError(f"no backend can run this here: {'; '.join(reasons)}")


def compiled(step: Step, backend: str = AUTO) -> Program:
    """The step's program, compiled when first asked for; the last few are kept.

    Raises: UnknownNameError for an unknown backend; BackendError when it cannot run the step.
    """
    chosen = choose(backend)
    key = (chosen.name, step)
    with _lock:
        program = _programs.pop(key, None) or chosen.compile(step)
        _programs[key] = program
        while len(_programs) > PROGRAMS_KEPT:
            _programs.popitem(last=False)
    return program


def _load(offer: Offer) -> Backend:
    with _lock:
        if offer.name not in _loaded:
            try:
                module = importlib.import_module(offer.module)
            except ImportError as error:
                raise BackendError(
                    f"the backend {offer.name} cannot be loaded: {error}; install what it needs"
                ) from error
            _loaded[offer.name] = getattr(module, offer.attribute)()
        return _loaded[offer.name]
