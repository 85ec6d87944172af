"""Every formula is accepted by KaTeX in its strict mode, in which whatever LaTeX would not take is an error."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings

from chainrule.document import (
    Beside,
    Document,
    Formula,
    Indices,
    Matrix,
    Number,
    NumberStyle,
    Power,
    Symbol,
    Words,
    render_katex,
)
from tests.absent import require
from tests.document import pages, strategies
from tests.document.trees import formulas_in

ROOT = Path(__file__).parents[2]
CHECKER = """
const katex = require(process.argv[1]);
require("readline").createInterface({input: process.stdin}).on("line", line => {
  let fault = "";
  try { katex.renderToString(JSON.parse(line), {strict: "error", throwOnError: true, displayMode: true}); }
  catch (error) { fault = error.message; }
  console.log(JSON.stringify(fault));
});
"""
Check = Callable[[str], str]


@pytest.fixture(scope="module")
def katex() -> Iterator[Check]:
    """What KaTeX says against a formula, "" if nothing: one process for all of them."""
    node = require("node", "install Node.js 18 or newer")
    how = "npm install --prefix .check/node katex@0.16.22, which ./check environment does where npm is"
    library = require(ROOT / ".check/node/node_modules/katex/dist/katex.js", how)
    command = [str(node), "-e", CHECKER, str(library)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None
        assert told is not None

        def check(latex: str) -> str:
            asked.write(json.dumps(latex) + "\n")
            asked.flush()
            return json.loads(told.readline())

        yield check
        asked.close()


@pytest.mark.parametrize("page", [pages.explained_weight, pages.nudges, pages.training], ids=lambda page: page.__name__)
def test_the_golden_pages(page: Callable[[], Document], katex: Check) -> None:
    formulas = list(formulas_in(page()))
    assert formulas
    assert [fault for formula in formulas if (fault := katex(render_katex(formula)))] == []


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(strategies.formulas)
@example(Number(1.7e308, NumberStyle("percent")))
@example(Power(Power(Symbol("x", sup=Number(1), accent="prime"), Number(1e-9)), Number(-2)))
@example(Matrix(((Matrix(()),), (Symbol("*"),), (Words("[x]*"),))))
@example(Indices(()))
@example(Beside(()))
@example(Symbol("", Symbol(""), Symbol("")))
@example(Words("\\input{/etc/passwd} $ % # & _ ^ ~ { } ?` !` -- '' ,, << >> ﬁ ŷ z̄ ç 日本 ¹₀"))
def test_any_formula(katex: Check, formula: Formula) -> None:
    assert katex(render_katex(formula)) == ""


def test_the_checker_can_object(katex: Check) -> None:
    assert "Undefined control sequence" in katex(r"\input{x}")
    assert "strict" in katex("5 % a comment")
