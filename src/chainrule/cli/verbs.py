"""The verbs of the command line: what each is for, and the module that does it, in a function of the verb's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Verb:
    """A verb: its name, its usage without options, a sentence, and where it is done."""

    name: str
    usage: str
    sentence: str
    module: str


VERBS: Final[dict[str, Verb]] = {
    verb.name: verb
    for verb in (
        Verb("train", "train WHAT", "train on a built-in set, a file, an experiment.toml", "train"),
        Verb("resume", "resume RUN", "go on where a run stopped", "resume"),
        Verb("runs", "runs", "list the runs; `runs remove` and `runs thin` make room", "runs"),
        Verb("predict", "predict RUN FILE", "what a run says of the rows of a file", "predict"),
        Verb("evaluate", "evaluate RUN [FILE]", "score a run on held-out rows, or on a file", "evaluate"),
        Verb("explain", "explain RUN --weight W", "open a weight: why it moves, in symbols and numbers", "explain"),
        Verb("nudges", "nudges RUN", "what each sample wants of the weights, and the mean", "nudges"),
        Verb("descent", "descent WHAT", "batch, mini-batch and stochastic, side by side", "descent"),
        Verb("surface", "surface RUN", "the loss around the weights, and the path on it", "surface"),
        Verb("collapse", "collapse RUN", "the layers multiplied out, as far as that goes", "collapse"),
        Verb("convergence", "convergence RUN", "has it come to rest, and by what evidence", "convergence"),
        Verb("replay", "replay RUN --step K", "any step again, bit for bit, beside another step", "replay"),
        Verb("history", "history RUN --weight W", "a weight at every step, and the samples that moved it", "history"),
        Verb("report", "report RUN", "one HTML file that tells a run, with every chart", "report"),
        Verb("gradcheck", "gradcheck RUN", "hold derivatives against independent witnesses", "gradcheck"),
        Verb("lesson", "lesson [NAME]", "a question answered by experiments run here", "lesson"),
        Verb("plan", "plan RUN", "what is fused, which kernels run, at what limit", "plan"),
        Verb("bench", "bench [W1 W2 ...]", "time training against other systems", "bench"),
        Verb(
            "completion",
            "completion SHELL",
            "so that bash, zsh or fish completes what you type",
            "completion",
        ),
        Verb("doctor", "doctor", "what is installed, and does it work", "doctor"),
    )
}
