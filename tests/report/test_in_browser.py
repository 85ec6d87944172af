"""Reports in a real browser, from the disk without a network: nothing overflows, light or dark, small or wide."""

from __future__ import annotations

import html
import json
import re
import subprocess
from typing import Any, Final

import pytest

import chainrule as cr
from tests.absent import require
from tests.document.test_browser import FLAGS
from tests.report.conftest import TASKS

WIDTHS: Final = (360, 1440)
SCHEMES: Final = {"light": "1", "dark": "0"}
OFFLINE: Final = "--host-resolver-rules=MAP * ~NOTFOUND"
MEASURE: Final = """
<script>
addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    for (const part of page.querySelectorAll("details")) part.open = true;
    const parts = "p, h1, h2, h3, dt, li, pre, figcaption, svg, table, .formula, .value, caption > div";
    const cut = [...page.querySelectorAll(parts)].filter(part => part.checkVisibility() && !part.closest(".scroll")
      && part.getBoundingClientRect().right > root.clientWidth + 1);
    const lines = [...page.querySelectorAll("svg text")].filter(part => {
      const own = part.getBoundingClientRect(), sheet = part.ownerSVGElement.getBoundingClientRect();
      return own.left < sheet.left - 2 || own.right > sheet.right + 2;
    });
    const style = getComputedStyle(page.querySelector(".document"));
    const color = name => getComputedStyle(page.querySelector(name)).stroke;
    return {
      name: frame.name, width: frame.offsetWidth, needed: root.scrollWidth, cut: cut.map(part => part.outerHTML),
      outside: lines.map(part => part.textContent), ground: style.backgroundColor, ink: style.color,
      curve: color(".curve.s0"), loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
      height: Math.min(...[...page.querySelectorAll("svg")].map(part => part.getBoundingClientRect().height)),
    };
  });
  document.body.textContent = "MEASURED" + JSON.stringify(told) + "MEASURED";
});
</script>
"""

Measured = dict[tuple[str, int, str], dict[str, Any]]


@pytest.fixture(scope="module")
def measured(digits_run: cr.Run, table_run: cr.Run, tmp_path_factory: pytest.TempPathFactory) -> Measured:
    """What the browser measured of each report, at each width and in each scheme."""
    browser = require("chromium", "apt-get install chromium, or put a chromium on PATH")
    folder = tmp_path_factory.mktemp("browser")
    reported = {"digits": digits_run, "table": table_run, "hostile": TASKS["hostile names"](folder)}
    pages = {name: html.escape(cr.report(run).html, quote=True) for name, run in reported.items()}
    frames = [
        f'<iframe name="{name}" style="border:0;width:{width}px;height:900px" srcdoc="{page}"></iframe>'
        for name, page in pages.items()
        for width in WIDTHS
    ]
    sheet = folder / "sheet.html"
    head = '<!DOCTYPE html><meta charset=utf-8><meta name="color-scheme" content="light dark"><body>'
    sheet.write_text(f"{head}{''.join(frames)}{MEASURE}", encoding="utf-8")
    found: Measured = {}
    for scheme, code in SCHEMES.items():
        flags = [*FLAGS, OFFLINE, f"--blink-settings=preferredColorScheme={code}", f"--user-data-dir={folder / scheme}"]
        command = [str(browser), *flags, "--dump-dom", sheet.as_uri()]
        dumped = subprocess.run(command, capture_output=True, check=True, text=True, timeout=240).stdout
        for one in json.loads(html.unescape(re.split("MEASURED", dumped)[1])):
            found[one["name"], one["width"], scheme] = one
    return found


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["digits", "table", "hostile"])
def test_nothing_overflows_and_nothing_is_loaded(name: str, width: int, scheme: str, measured: Measured) -> None:
    one = measured[name, width, scheme]
    assert one["needed"] <= width
    assert one["cut"] == []
    assert one["outside"] == []
    assert one["loaded"] == 0
    assert one["height"] > 20


def test_dark_surroundings_are_followed(measured: Measured) -> None:
    light, dark = (measured["digits", 1440, scheme] for scheme in SCHEMES)
    assert (light["ground"], dark["ground"]) == ("rgb(253, 253, 251)", "rgb(21, 24, 28)")
    assert light["ink"] != dark["ink"]
    assert (light["curve"], dark["curve"]) == ("rgb(11, 87, 208)", "rgb(138, 184, 255)")
