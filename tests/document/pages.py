"""Documents built by hand from numbers computed here: an explained weight, nudges, the end of a training."""

from __future__ import annotations

import math

from chainrule.document import (
    Beside,
    Call,
    Code,
    Column,
    Differential,
    Document,
    Equation,
    Equations,
    Figure,
    Formula,
    Fraction,
    Group,
    Heading,
    Items,
    Labeled,
    Listing,
    Note,
    Number,
    NumberStyle,
    Paragraph,
    Power,
    Row,
    Series,
    Step,
    Strong,
    Sum,
    Summary,
    Symbol,
    Table,
    call,
    equals,
    juxtaposed,
    minus,
    negative,
    number,
    partial,
    plus,
    relation,
    symbol,
    times,
)

X, TARGET = (0.05, 0.10), (0.01, 0.99)
W1, B1 = ((0.15, 0.25), (0.20, 0.30)), (0.35, 0.35)
W2, B2 = ((0.40, 0.50), (0.45, 0.55)), (0.60, 0.60)
RATE = 0.5

SIX = NumberStyle("fixed", 6)
SIGNED_SIX = NumberStyle("fixed", 6, signed=True)


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def _layer(x: tuple[float, ...], w: tuple[tuple[float, ...], ...], b: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(_sigmoid(sum(x[i] * w[i][o] for i in range(2)) + b[o]) for o in range(2))


def loss(w00: float = W1[0][0]) -> float:
    """The loss of the 2-2-2 network as a function of its first weight."""
    outputs = _layer(_layer(X, ((w00, W1[0][1]), W1[1]), B1), W2, B2)
    return sum((outputs[k] - TARGET[k]) ** 2 for k in range(2)) / 2


A1 = _layer(X, W1, B1)
OUTPUT = _layer(A1, W2, B2)
ERROR = tuple(OUTPUT[k] - TARGET[k] for k in range(2))
SLOPE = tuple(OUTPUT[k] * (1 - OUTPUT[k]) for k in range(2))
PATHS = tuple(ERROR[k] * SLOPE[k] * W2[0][k] for k in range(2))
ADJOINT = sum(PATHS)
DELTA = ADJOINT * A1[0] * (1 - A1[0])
GRADIENT = DELTA * X[0]
DIFFERENCE = (loss(0.15 + 1e-4) - loss(0.15 - 1e-4)) / 2e-4

K, L, H = symbol("k"), symbol("L"), symbol("h")
WEIGHT = symbol("W", (0, 0), 1)


def _y_hat(sub: str | None = None) -> Symbol:
    return symbol("y", sub, accent="hat")


def _a(sub: int | str | None = None, layer: int = 1) -> Symbol:
    return symbol("a", sub, layer)


def _z(layer: int, sub: int | str | None = None) -> Symbol:
    return symbol("z", sub, layer)


def _shown(formula: Formula, *, inline: bool = False, value: Formula | str = "") -> tuple[Equations]:
    return (Equations((Equation(formula, value=value),), inline=inline),)


def _network() -> Group:
    layers = Beside(
        (
            equals(_z(1), plus(juxtaposed(symbol("x"), symbol("W", None, 1)), symbol("b", None, 1))),
            equals(_a(), call("σ", _z(1))),
            equals(_z(2), plus(juxtaposed(_a(), symbol("W", None, 2)), symbol("b", None, 2))),
            equals(_y_hat(), call("σ", _z(2))),
        )
    )
    squares = Sum(Power(minus(_y_hat("k"), symbol("y", "k")), Number(2)), K)
    half = equals(L, juxtaposed(Fraction(Number(1), Number(2)), squares))
    return Group(
        (
            Labeled("The network", _shown(layers)),
            Labeled("The loss", _shown(half, value=equals(L, number(loss(), 9))), name="loss", data={"loss": loss()}),
        )
    )


def _chain() -> Labeled:
    paths = Sum(times(partial(L, _y_hat("k")), partial(_y_hat("k"), _z(2, "k")), partial(_z(2, "k"), _a(0))), K)
    factors = times(paths, partial(_a(0), _z(1, 0)), partial(_z(1, 0), WEIGHT))
    return Labeled("The chain", _shown(equals(partial(L, WEIGHT), factors)))


def _paths() -> Group:
    columns = (
        Column("through", heading=True),
        Column(minus(_y_hat("k"), symbol("y", "k")), style=SIGNED_SIX),
        Column(juxtaposed(_y_hat("k"), minus(Number(1), _y_hat("k"))), style=SIX),
        Column(symbol("W", (0, "k"), 2), style=NumberStyle("fixed", 2)),
        Column("product", style=SIGNED_SIX),
    )
    rows = tuple(
        Row(
            (equals(K, Number(k)), Number(ERROR[k]), Number(SLOPE[k]), Number(W2[0][k]), Number(PATHS[k])),
            f"wants it {'smaller' if PATHS[k] > 0 else 'larger'}",
        )
        for k in range(2)
    )
    total = Summary(("sum ", partial(L, _a(0))), (None, None, None, None, Number(ADJOINT)))
    through = Table(columns, rows, total=total, name="paths", data={"terms": list(PATHS), "sum": ADJOINT})
    slope = juxtaposed(_a(0), minus(Number(1), _a(0)))
    delta = symbol("δ", 0, 1)
    then = Table(
        (Column(heading=True), Column(), Column(), Column(), Column(), Column(style=NumberStyle(signed=True))),
        (
            Row(("then", slope, Number(A1[0] * (1 - A1[0])), "→", delta, Number(DELTA, SIGNED_SIX))),
            Row(("then", symbol("x", 0), Number(X[0]), "→", partial(L, WEIGHT), Number(GRADIENT))),
        ),
    )
    return Group((through, then))


def _update() -> Group:
    line = equals(
        partial(L, WEIGHT),
        times(symbol("δ", 0, 1), symbol("x", 0)),
        times(Number(DELTA), Number(X[0])),
        Number(GRADIENT),
    )
    step = minus(Number(W1[0][0]), times(Number(RATE), Number(GRADIENT)))
    update = relation(WEIGHT, "←", equals(step, number(W1[0][0] - RATE * GRADIENT, 9)))
    return Group(
        (
            Labeled("In one line", _shown(line, inline=True), name="gradient", data={"gradient": GRADIENT}),
            Labeled("The update", _shown(update, value="(SGD, η = 0.5)")),
        )
    )


def _evidence() -> Group:
    step = equals(H, number(1e-4, 1, "scientific"))
    off = ("off by ", number(abs(DIFFERENCE - GRADIENT), 1))
    checked = Table(
        (Column(), Column(), Column()), (Row((("central difference, ", step), number(DIFFERENCE, 9), off)),)
    )
    advice = (
        "the small input (",
        Number(X[0]),
        ") is why this weight hardly moves: ",
        Code("dense_1.W[1, 0]"),
        " gets exactly twice as much (",
        number(X[1], 2, "fixed"),
        ").",
    )
    return Group(
        (
            Labeled("Checked", (checked,)),
            Labeled("Facts used", (Paragraph("none"),)),
            Labeled("Read on", (Paragraph(advice),)),
        )
    )


def explained_weight() -> Document:
    """One weight of the 2-2-2 network, opened."""
    return Document(
        "dense_1.W[0, 0]",
        (_network(), _chain(), _paths(), _update(), _evidence()),
        subtitle="weight from input 0 to hidden unit 0",
        context="step 0 · 1 sample",
        name="explanation",
        data={"weight": "dense_1.W[0, 0]", "step": 0},
    )


NUDGES = {
    "dense_1.W[28, 3]": (0, 0.375, -0.225, -0.111, 0, -0.694, -0.1092),
    "dense_1.W[36, 3]": (0, 0.375, -0.225, -0.121, 0, -0.304, -0.0457),
    "dense_1.b[3]": (0.2, 0.375, -0.24, -0.161, 0.21, -0.694, -0.0517),
    "dense_2.W[3, 2]": (-0.009, -0.054, 0.955, -0.036, -0.031, -0.016, 0.1348),
}


def nudges() -> Document:
    """What each sample of a batch asks of four weights."""
    columns = (
        Column("sample", "label", heading=True),
        *(
            Column(Number(k), Number(k), style=NumberStyle("fixed", 3, signed=True, leading_zero=False))
            for k in range(6)
        ),
        Column(
            "average",
            ("= ", negative(Differential(L, "∇"))),
            style=NumberStyle("fixed", 4, signed=True, leading_zero=False),
        ),
    )
    note = (
        "sample 2 is a 2, and output 2 wants more of hidden unit 3: it alone outvotes the five that want a little less"
    )
    rows = tuple(
        Row((weight, *map(Number, values)), note if values[-1] > 0 else "") for weight, values in NUDGES.items()
    )
    return Document("Nudges", (Table(columns, rows, name="nudges"),), context="batch 0 · 6 samples")


def training() -> Document:
    """The end of a training: curves, scores, a derivation in steps, what to type next."""
    epochs = tuple(range(40))
    curves = (
        Series("loss", epochs, tuple(2.3 * math.exp(-epoch / 8) + 0.05 for epoch in epochs)),
        Series("validation loss", epochs[::3], tuple(2.3 * math.exp(-epoch / 9) + 0.12 for epoch in epochs[::3])),
    )
    softmax = equals(
        _y_hat("k"),
        Fraction(Power(symbol("e"), symbol("z", "k")), Sum(Power(symbol("e"), symbol("z", "j")), symbol("j"))),
    )
    mean = equals(
        Differential(L, "∇"),
        times(Fraction(Number(1), symbol("N")), Sum(symbol("g", "n"), symbol("n"), Number(1), symbol("N"))),
    )
    dense = Row(("dense_1", Symbol("relu"), Number(13_002), Number(0.97)))
    output = Row(("dense_2", Call(Symbol("softmax"), (symbol("z"),)), Number(330), Number(0.03)))
    return Document(
        "digits-1a2b3c4d",
        (
            Heading("What happened"),
            Paragraph(
                ("Accuracy on the test part is ", number(0.9694, 1, "percent"), ", ", Strong("well above"), " 96%.")
            ),
            Figure("line", curves, "The loss fell from 2.35 to 0.0676.", title="Loss", x_label="epoch", name="curves"),
            Figure(
                "bar",
                (Series("F1", (0, 1, 2), (0.98, 0.73, 1.0)),),
                "Class 1 is the hardest.",
                categories=("0", "1", "2"),
            ),
            Table(
                (
                    Column("layer", heading=True),
                    Column("activation"),
                    Column("weights", style=NumberStyle("count")),
                    Column("share", style=NumberStyle("percent", 1)),
                ),
                (dense, output),
                total=Summary("in all", (None, None, Number(13_332), None)),
            ),
            Heading("How a gradient is made", level=2),
            Step(1, "Scores become probabilities", _shown(softmax)),
            Step(2, "The samples are averaged", _shown(mean)),
            Note((Paragraph("3 of 16 hidden units are off for every sample."),), kind="warning"),
            Items((("open a weight: ", Code("chainrule explain RUN --weight W")), "train longer")),
            Listing(("chainrule resume runs/digits-1a2b3c4d",)),
        ),
    )
