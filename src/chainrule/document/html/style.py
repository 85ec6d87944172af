"""How a document looks in a browser: one column, light or dark, on paper, and on a telephone."""

from __future__ import annotations

from typing import Final

from chainrule.document.figure_svg import chart_css
from chainrule.document.themes import themed

# Contrasts against the ground: ink 15 to 1, quiet words 6.5 to 1, accents 6 to 1 (WCAG 2.2 asks for 4.5).
LIGHT: Final = (
    "color-scheme:light;--ground:#fdfdfb;--ink:#1b1f24;--quiet:#545b64;--line:#c9ccd1;--faint:#f1f1ed;"
    "--accent:#0b4fc4;--warning:#8f3a00;--evidence:#0a6138"
)
DARK: Final = (
    "color-scheme:dark;--ground:#15181c;--ink:#e8eaed;--quiet:#a9b0b9;--line:#424a54;--faint:#20252b;"
    "--accent:#8ab8ff;--warning:#ffb78a;--evidence:#7adba8"
)
PAPER: Final = (
    "color-scheme:light;--ground:#fff;--ink:#000;--quiet:#333;--line:#999;--faint:#f4f4f4;"
    "--accent:#000;--warning:#000;--evidence:#000"
)
_STYLE: Final = """
.document,.document *{box-sizing:border-box}
.document{max-width:56rem;margin:0 auto;padding:2rem 1rem 4rem;background:var(--ground);color:var(--ink);
font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;overflow-wrap:anywhere}
.document>header{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem 1.2rem;
border-bottom:2px solid var(--ink);padding-bottom:.6rem;margin-bottom:1.6rem}
.document>header p{margin:0}
.document .context{margin-left:auto;color:var(--quiet)}
.document h1{font-size:1.5rem;line-height:1.25;margin:0;font-weight:650}
.document h2{font-size:1.3rem;line-height:1.3;margin:2.4rem 0 .8rem;font-weight:650}
.document h3{font-size:1.1rem;line-height:1.35;margin:1.8rem 0 .6rem;font-weight:650}
.document :is(h4,h5,h6){font-size:1rem;margin:1.4rem 0 .5rem;font-weight:650}
.document p{margin:.7rem 0;max-width:42rem}
.document :is(ul,ol){max-width:42rem;padding-left:1.5rem}
.document hr{border:0;border-top:1px solid var(--line);margin:2rem 0}
.document :is(dl,dd){margin:0}
.document dl>div{display:grid;grid-template-columns:8.5rem minmax(0,1fr);column-gap:1.2rem;align-items:baseline;
margin:.9rem 0}
.document dt{color:var(--quiet);font-weight:550}
.document dl>.evidence>dt{color:var(--evidence)}
.document dl>.warning{border:2px solid var(--warning);border-left-width:8px;border-radius:3px;padding:.5rem .8rem}
.document dl>.warning>dt{color:var(--warning);font-weight:700}
.document dd>:first-child,.document dd>:first-child>:first-child{margin-top:0}
.document dd>:last-child{margin-bottom:0}
.document .group{margin:1.4rem 0}
.document :is(code,pre){font-family:ui-monospace,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em}
.document code{background:var(--faint);padding:.1em .3em;border-radius:3px}
.document pre{background:var(--faint);padding:.8rem 1rem;border-radius:4px;white-space:pre-wrap}
.document pre code{padding:0;background:none;font-size:1em}
.document math{font-family:"STIX Two Math","Latin Modern Math","Cambria Math","Libertinus Math","STIX Math",math;
font-size:1.12em}
.document .bold{font-weight:bold}
.document mtd.number{text-align:right}
.document .cases mtd{text-align:left}
.document .equations{margin:.9rem 0}
.document .equation{display:flex;flex-wrap:wrap;align-items:baseline;gap:.2rem 1.6rem;padding:.15rem 0}
.document .equation .label{color:var(--quiet);min-width:8.5rem}
.document .equation .value{margin-left:auto}
.document .formula{max-width:100%;overflow-x:auto;overflow-y:hidden;padding:.2rem 0 .2rem 1.4rem;text-indent:-1.4rem;
line-height:2}
.document .formula math{text-indent:0}
.document .apart math{margin-right:2rem}
.document dd .formula{padding-top:0}
.document table{border-collapse:collapse;margin:1.1rem 0;border-top:1.5px solid var(--ink);
border-bottom:1.5px solid var(--ink);line-height:1.4}
.document caption{text-align:left;font-weight:600;padding:0 0 .4rem}
.document :is(th,td){padding:.3rem .75rem;text-align:left;vertical-align:baseline;font-weight:400}
.document th:first-child,.document td:first-child{padding-left:.2rem}
.document th:last-child,.document td:last-child{padding-right:.2rem}
.document thead th{color:var(--quiet);font-weight:550;overflow-wrap:break-word}
.document thead tr:last-child>*{border-bottom:1px solid var(--line)}
.document thead tr:not(:last-child)>*{padding-bottom:0}
.document tbody tr+tr>*{border-top:1px solid var(--faint)}
.document .total>*{border-top:1px solid var(--ink);font-weight:600}
.document .remainder>*{color:var(--quiet)}
.document .right{text-align:right}
.document .center{text-align:center}
.document .short{overflow-wrap:normal}
.document td.note{color:var(--quiet);font-size:.94em}
.document .number{font-variant-numeric:tabular-nums;white-space:nowrap}
.document .padding{font-variant-numeric:tabular-nums;user-select:none}
.document sup{line-height:0;font-size:.75em}
.document .of{display:none}
.document .scroll{overflow-x:auto;max-width:100%;margin:1.1rem 0}
.document .scroll table{margin:0}
.document .scroll :is(th,td):not(.note){white-space:nowrap}
.document .scroll :is(th[scope=row],thead th:first-child){position:sticky;left:0;background:var(--ground)}
.document .scroll .note{border-top:0;padding-top:0}
.document .scroll :is(.note,caption)>div{position:sticky;left:.2rem;
width:max-content;max-width:min(42rem,calc(100vw - 3rem))}
.document figure{margin:1.6rem 0}
.document figure svg{display:block;width:100%;max-width:34rem;height:auto}
.document .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,22rem),1fr));gap:1.6rem 2rem}
.document .figures figure{margin:0;min-width:0}
.document figure .title{font-weight:600;margin:0 0 .4rem}
.document figcaption{color:var(--quiet);margin-top:.4rem;max-width:42rem}
.document summary{color:var(--quiet);cursor:pointer;width:max-content;margin-top:.4rem}
.document details table{font-size:.92em;margin:.5rem 0}
.document .step{margin:1.6rem 0}
.document .step>:not(h3){margin-left:1.6rem}
.document .count{display:inline-block;min-width:1.3rem;color:var(--quiet)}
.document .note:not(td){border-left:3px solid var(--accent);
background:var(--faint);padding:.6rem 1rem;margin:1.3rem 0}
.document .note .kind{margin:0;font-weight:650;color:var(--accent)}
.document .note.warning{border-color:var(--warning)}
.document .note.warning .kind{color:var(--warning)}
.document .note.evidence{border-color:var(--evidence)}
.document .note.evidence .kind{color:var(--evidence)}
.document .note>:last-child{margin-bottom:0}
.document :is(.scroll,.formula,summary):focus-visible{outline:2px solid var(--accent);outline-offset:2px}
@media(min-width:44rem){
.document .aligned{display:grid;grid-template-columns:auto auto minmax(0,1fr) fit-content(35%);align-items:baseline;
gap:.4rem .35rem}
.document .aligned :is(.equation,.formula){display:contents}
.document .aligned .label{grid-column:1;padding-right:1rem}
.document .aligned .left{grid-column:2;text-align:right;text-indent:0}
.document .aligned .right{grid-column:3;text-align:left;text-indent:0;padding:.3rem 0;min-width:0;
overflow-x:auto;overflow-y:hidden}
.document .aligned .free{grid-column:3/-1}
.document .aligned .value{grid-column:4}}
@media(max-width:43.99rem){
.document{padding:1.2rem 1rem 3rem;font-size:1rem}
.document>header{display:block}
.document .context{margin-left:0}
.document dl>div{display:block}
.document .step>:not(h3){margin-left:0}
.document .equation .label{width:100%}
.document .equation .value{margin-left:1.4rem}
.document .stacks :is(tbody,tfoot,tr,th,td),.document .stacks{display:block;width:100%}
.document :is(.stacks,.flows) caption{display:block}
.document .stacks thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.document .stacks tr{padding:.45rem 0}
.document .stacks tbody tr+tr{border-top:1px solid var(--line)}
.document .stacks :is(th,td){border:0!important;padding:.1rem .2rem;text-align:left}
.document .stacks tbody th{font-weight:650}
.document .stacks td:not(.note){min-height:1.5em;display:flex;justify-content:space-between;align-items:baseline;
gap:1rem}
.document .stacks td:empty{display:none}
.document .stacks .of{display:inline;color:var(--quiet)}
.document .stacks .total{border-top:1px solid var(--ink)}
.document .stacks tfoot tr{display:flex;justify-content:space-between;gap:1rem}
.document .stacks tfoot tr>*{width:auto}
.document .stacks .padding{display:none}
.document .flows,.document .flows tbody{display:block}
.document .flows tr{display:flex;flex-wrap:wrap;align-items:baseline;gap:.1rem .7rem;padding:.35rem .2rem}
.document .flows tr>*{border:0!important;padding:0}
.document .flows .padding{display:none}
.document .flows td:empty{display:none}}
@media print{
.document{max-width:none;padding:0;font-size:10.5pt}
.document details{display:none}
.document :is(figure,tr,.equation,.note){break-inside:avoid}
.document :is(h1,h2,h3,h4,dt){break-after:avoid}
.document .scroll{overflow:visible}}
"""


def page_css() -> str:
    """What a file of its own has beside it: the ground around its document."""
    ground = themed("body", LIGHT, DARK, PAPER)
    sizes = "html{-webkit-text-size-adjust:100%;text-size-adjust:100%}"
    return f"{ground}{sizes}\nbody{{margin:0;background:var(--ground)}}\n"


def document_css() -> str:
    """The style of every document, for a page that holds some; it styles nothing outside class `document`."""
    return f"{themed('.document', LIGHT, DARK, PAPER)}{_STYLE.lstrip()}{chart_css()}\n"
