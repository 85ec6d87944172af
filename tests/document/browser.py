"""Looks at pages in a real browser: one start opens every page at every width, in light and dark surroundings."""

from __future__ import annotations

import html
import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from tests.absent import require

View = tuple[int, str]  # a width in pixels, and whether the surroundings are light or dark
VIEWS: Final[tuple[View, ...]] = ((360, "light"), (1440, "dark"))  # colors do not depend on widths: two show all
LEAST_CONTRAST: Final = 4.5  # of text on its ground: Web Content Accessibility Guidelines 2.2, criterion 1.4.3
FLAGS: Final = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--enable-logging=stderr",
    "--host-resolver-rules=MAP * ~NOTFOUND", "--virtual-time-budget=5000",
)  # fmt: skip
MEASURE: Final = """
<script>
const shade = color => {
  const [r, g, b] = color.match(/[0-9.]+/g).slice(0, 3).map(each => each / 255)
    .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const ground = part => {
  const own = getComputedStyle(part).backgroundColor;
  return /^rgba\\(.*, 0\\)$/.test(own) && part.parentElement ? ground(part.parentElement) : own;
};
const contrast = part => {
  const [low, high] = [shade(getComputedStyle(part).color), shade(ground(part))].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
};
addEventListener("load", () => {
  const told = [...document.querySelectorAll("iframe")].map(frame => {
    const page = frame.contentDocument, root = page.documentElement;
    const all = names => [...page.querySelectorAll(names)].filter(part => part.checkVisibility());
    for (const part of page.querySelectorAll("details")) part.open = true;
    const parts = "p, h1, h2, h3, dt, li, pre, figcaption, svg, table, .formula, .value, caption > div";
    const cut = all(parts).filter(part => (part.matches("caption > div") || !part.closest(".scroll"))
      && part.getBoundingClientRect().right > root.clientWidth + 1);
    const outside = all("svg text").filter(part => {
      const own = part.getBoundingClientRect(), sheet = part.ownerSVGElement.getBoundingClientRect();
      return own.left < sheet.left - 2 || own.right > sheet.right + 2;
    });
    const faint = all("p, h1, h2, h3, dt, li, td, th, figcaption, .formula, .value")
      .filter(part => part.textContent.trim() && contrast(part) < LEAST);
    const style = getComputedStyle(page.querySelector(".document")), curve = page.querySelector(".curve.s0");
    return {
      name: frame.name, width: frame.offsetWidth, scheme: frame.dataset.scheme, needed: root.scrollWidth,
      cut: cut.map(part => part.outerHTML), outside: outside.map(part => part.textContent),
      faint: faint.map(part => part.outerHTML), ground: style.backgroundColor, ink: style.color,
      curve: curve && getComputedStyle(curve).stroke, scripts: page.scripts.length,
      loaded: frame.contentWindow.performance.getEntriesByType("resource").length,
      drawings: all("svg").map(part => part.getBoundingClientRect().height),
      fractions: all("mfrac").map(part => part.getBoundingClientRect().height),
    };
  });
  document.body.textContent = "MEASURED" + JSON.stringify(told) + "MEASURED";
});
</script>
""".replace("LEAST)", f"{LEAST_CONTRAST})")

Look = dict[str, Any]  # what was measured of one page, as the browser's JSON
Looks = dict[tuple[str, int, str], Look]  # by the page's name, the width and the scheme


def look_at(pages: Mapping[str, str], folder: Path, views: Sequence[View] = VIEWS) -> Looks:
    """What the browser measures of each page, which is the text of an HTML file, in each view."""
    browser = require("chromium", "apt-get install chromium, or put a chromium on PATH")
    frames = [_frame(name, text, *view) for name, text in pages.items() for view in views]
    sheet = folder / "sheet.html"
    sheet.write_text(f"<!DOCTYPE html><meta charset=utf-8><body>{''.join(frames)}{MEASURE}", encoding="utf-8")
    command = [str(browser), *FLAGS, f"--user-data-dir={folder / 'profile'}", "--dump-dom", sheet.as_uri()]
    done = subprocess.run(command, capture_output=True, check=True, text=True, timeout=240)
    assert "CONSOLE" not in done.stderr, done.stderr
    told = json.loads(html.unescape(re.split("MEASURED", done.stdout)[1]))
    return {(one["name"], one["width"], one["scheme"]): one for one in told}


def _frame(name: str, text: str, width: int, scheme: str) -> str:
    style = f"border:0;width:{width}px;height:900px;color-scheme:{scheme}"
    page = html.escape(text, quote=True)
    return f'<iframe name="{name}" data-scheme="{scheme}" style="{style}" srcdoc="{page}"></iframe>'


def faults(looks: Looks) -> list[str]:
    """What is wrong with the pages, in words; nothing where all is well."""
    found: list[str] = []
    for (name, width, scheme), one in looks.items():
        wrong = {
            "scrolls sideways": one["needed"] > width and one["needed"],
            "is cut off": one["cut"],
            "is written outside of its drawing": one["outside"],
            "has too little contrast": one["faint"],
            "is a drawing too low": [each for each in one["drawings"] if each < 20],
            "is a fraction that is not drawn": [each for each in one["fractions"] if each < 12],
            "loads something": one["loaded"],
            "runs something": one["scripts"],
        }
        found += [f"{name} at {width}, {scheme}: {what}: {why}" for what, why in wrong.items() if why]
    return found
