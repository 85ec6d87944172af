"""Experiments as files: TOML for people, JSON for programs; both read back to an equal value."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from chainrule.errors import ExperimentError, UnreadableFileError
from chainrule.train.durable import write_durably
from chainrule.train.experiment import Experiment, plain
from chainrule.train.strict import convert
from chainrule.train.upgrade import upgrade


def to_toml(experiment: Experiment) -> str:
    """The experiment as TOML, every default written out."""
    import tomli_w  # only what writes needs it

    return tomli_w.dumps(plain(experiment))


def to_json(experiment: Experiment) -> str:
    """The experiment as JSON, every default written out."""
    return msgspec.json.format(msgspec.json.encode(plain(experiment)), indent=2).decode() + "\n"


def from_toml(text: str, where: str = "the experiment") -> Experiment:
    """The experiment that the text says.

    Args: where: the file, for messages.
    Raises: ExperimentError for text that is no TOML, a wrong value or a newer version; UnknownNameError for an unknown
        key, with its path.
    """
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExperimentError(f"{where} is not TOML: {error}; correct it there") from error
    return from_plain(said, where)


def from_json(text: str, where: str = "the experiment") -> Experiment:
    """The experiment that the text says.

    Args: where: the file, for messages.
    Raises: ExperimentError for text that is no JSON, a wrong value or a newer version; UnknownNameError for an unknown
        key, with its path.
    """
    try:
        said: object = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ExperimentError(f"{where} is not JSON: {error}; correct it there") from error
    if not isinstance(said, dict):
        raise ExperimentError(f"{where} holds no object, but an experiment is one: put its keys in braces")
    return from_plain(cast("dict[str, Any]", said), where)


def from_plain(said: Mapping[str, Any], where: str = "the experiment") -> Experiment:
    """The experiment that plain data say, of this version or an older one."""
    return convert(upgrade(said, where), Experiment, where)


def read_experiment(path: Path) -> Experiment:
    """The experiment in a .toml or .json file.

    Raises: UnreadableFileError for a file that is missing, not permitted or not UTF-8; what `from_toml` raises.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"{path} is not UTF-8 text: is it an experiment?") from error
    except OSError as error:
        raise UnreadableFileError(f"{path} cannot be read ({error.strerror}): check the path") from error
    return from_json(text, str(path)) if path.suffix == ".json" else from_toml(text, str(path))


def write_experiment(path: Path, experiment: Experiment) -> None:
    """Write the experiment durably, as JSON where the name ends so and as TOML elsewhere.

    Raises: WriteError when the file cannot be written; a previous one is intact.
    """
    text = to_json(experiment) if path.suffix == ".json" else to_toml(experiment)
    write_durably(path, text.encode())
