"""What cyclopts and rich make of the verbs: the help of one, and scripts with which shells complete all of them."""

from __future__ import annotations

import importlib
import inspect
import io
import sys
from collections.abc import Callable
from typing import Annotated, Any, Final

from cyclopts import App, Group, Parameter
from rich.console import Console

from chainrule.cli.columns import columns, is_colored, is_unicode
from chainrule.cli.flags import GROUPS
from chainrule.cli.option import Setting, settings_of
from chainrule.cli.verbs import VERBS

NARROWEST: Final = 40  # columns; below that the boxes of the help have no room for a word
SORTED: Final = {name: Group(name, sort_key=place) for place, name in enumerate(GROUPS, start=1)}


def help_of(verb: str, function: Callable[..., int]) -> str:
    """The help of a verb, in the characters that stdout can show."""
    from chainrule.document.text.characters import to_ascii

    shown = io.StringIO()
    console = Console(file=shown, width=max(columns(), NARROWEST), force_terminal=is_colored(sys.stdout))
    app = _application(f"chainrule {verb}")
    app.default(_translated(function))
    app(["--help"], console=console, result_action="return_value")
    text = shown.getvalue()
    return text if is_unicode(sys.stdout) else to_ascii(text)


def completion_script(shell: Any) -> str:  # Any: cyclopts names its shells itself
    """The script with which a shell completes verbs and options."""
    whole = _application("chainrule")
    for verb in VERBS.values():
        defined = importlib.import_module(f"chainrule.cli.{verb.module}_verb").__dict__
        app = _application(verb.name)
        app.default(_translated(defined[verb.name]))
        for below in ("remove", "thin") if verb.name == "runs" else ():
            app.command(_translated(defined[below]), name=below)
        whole.command(app)
    return whole.generate_completion(shell=shell)


def _application(name: str) -> App:
    """A command of that name without options of its own."""
    return App(name=name, version_flags=[], help_format="plaintext", group_commands=Group("Help"))


def _translated(function: Callable[..., int]) -> Callable[..., None]:
    """A function that has the same options in the words of cyclopts, and does nothing."""

    def described(*_: object, **__: object) -> None:
        pass

    parameters = [_parameter(setting) for setting in settings_of(function)]
    described.__doc__ = inspect.getdoc(getattr(function, "func", function))
    described.__signature__ = inspect.Signature(parameters)
    described.__annotations__ = {each.name: each.annotation for each in parameters}
    return described


def _parameter(setting: Setting) -> inspect.Parameter:
    option = setting.option
    said = {
        "group": SORTED.get(option.group),
        "name": option.name or None,
        "negative": option.negative,
        "metavar": option.metavar or None,
        "show_default": None if option.show_default else False,
    }
    told = Parameter(help=option.help, **{key: value for key, value in said.items() if value is not None})  # pyright: ignore[reportArgumentType]
    name = setting.field or setting.owner
    kind = Annotated[setting.kind, told]
    default = inspect.Parameter.empty if setting.is_rest else setting.default
    return inspect.Parameter(name, setting.place, default=default, annotation=kind)
