"""Every system trains the network it is given: its losses are those in float64, also after it began anew."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chainrule.bench.oracle import true_losses
from chainrule.bench.peers import PEERS, Peer, absence, peers_named, variants_of
from chainrule.bench.row import TOLERANCES, loss_error
from chainrule.bench.task import Task, write_task
from chainrule.bench.workloads import Case
from chainrule.errors import UnknownNameError
from tests.bench.cases import case_of, small_task

STEPS = 12
CASES = (
    (case_of("W1"), 4),
    (case_of("W2", "sgd", "uint8"), 60),
    (case_of("W2", "sgd", "float32"), 60),
    (case_of("W3", "adam", "uint8"), 70),
    (case_of("W9", "adam"), 30),
)
HERE = ("chainrule_reference", "chainrule_native", "numpy_by_hand")
ELSEWHERE = tuple(name for name in PEERS if name not in HERE)


def losses_of(task: Task, peer: Peer, number: int) -> tuple[list[float], list[float]]:
    """The first losses, and those after a restart cut into two runs."""
    variant = variants_of(peer)[number]
    training = variant.make(task)

    def run(first: int, steps: int) -> list[float]:
        if not variant.is_blind:
            return list(training.losses(training.run(first, steps)))
        return [loss for step in range(first, first + steps) for loss in training.losses(training.run(step, 1))]

    first = run(0, STEPS)
    training.restart()
    return first, run(0, 3) + run(3, STEPS - 3)


def check(task: Task, peer: Peer) -> None:
    truth = true_losses(task, STEPS)
    tolerance = TOLERANCES[task.recipe.optimizer]
    trained = 0
    for number, variant in enumerate(variants_of(peer)):
        if not variant.refuses(task):
            first, again = losses_of(task, peer, number)
            assert loss_error(first, truth) < tolerance, f"{peer.name}, {variant.name}"
            assert loss_error(again, truth) < tolerance, f"{peer.name}, {variant.name}, begun anew"
            trained += 1
    assert trained or peer.name == "sklearn_mlp"


@pytest.mark.parametrize(("case", "rows"), CASES, ids=lambda each: each.name if isinstance(each, Case) else "")
@pytest.mark.parametrize("name", HERE)
def test_losses_are_the_true_ones(name: str, case: Case, rows: int) -> None:
    if absence(PEERS[name]):
        pytest.skip(absence(PEERS[name]))
    check(small_task(case, rows), PEERS[name])


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("name", ELSEWHERE)
def test_other_systems_train_the_same_network(name: str, tmp_path: Path) -> None:
    """In a process of its own, as other systems change what is global: threads, warnings, devices."""
    if absence(PEERS[name]):
        pytest.skip(f"{absence(PEERS[name])}; a row of the benchmark says so too")
    for number, (case, rows) in enumerate(CASES):
        folder = tmp_path / str(number)
        folder.mkdir()
        write_task(folder, small_task(case, rows))
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", CHECK_THERE, name, str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    said = json.loads(lines[-1]) if lines else {}
    if name == "tinygrad_jit" and "no usable devices" in done.stderr:
        pytest.skip("tinygrad finds no compiler here: install clang")
    assert said == {"checked": len(CASES)}, done.stderr[-2000:]


CHECK_THERE = """
import json, sys
from pathlib import Path
from chainrule.bench.peers import PEERS
from chainrule.bench.task import read_task
from tests.bench.test_peers import check
name, folder = sys.argv[1:]
tasks = [read_task(each) for each in sorted(Path(folder).iterdir())]
for task in tasks:
    check(task, PEERS[name])
print(json.dumps({"checked": len(tasks)}))
"""


def test_peers_are_chosen_by_name_and_by_group() -> None:
    assert [peer.name for peer in peers_named(["jax", "numpy"])] == ["numpy_by_hand", "jax_step", "jax_scan"]
    assert [peer.name for peer in peers_named(["jax_scan", "jax_scan"])] == ["jax_scan"]
    assert len(peers_named(["all"])) == len(PEERS)
    with pytest.raises(UnknownNameError, match="unknown peer 'pytorch': did you mean 'torch'"):
        peers_named(["pytorch"])


def test_every_peer_has_variants_of_its_own() -> None:
    for peer in PEERS.values():
        variants = variants_of(peer)
        assert variants[0].effort == "documented", peer.name
        assert len({variant.name for variant in variants}) == len(variants), peer.name
    assert all(
        any(variant.effort == "best" for variant in variants_of(peer))
        for peer in PEERS.values()
        if peer.group != "chainrule"
    )


def test_a_peer_that_is_absent_gives_a_sentence() -> None:
    absent = Peer("nobody", "nobody", "Nobody", ("no_such_module", "json"), ())
    assert absence(absent) == "no_such_module cannot be imported here: run pip install 'chainrule[bench]'"
    assert absence(PEERS["numpy_by_hand"]) == ""


def test_a_table_of_peers_loads_nothing_of_them() -> None:
    script = (
        "import sys\nfrom chainrule.bench.peers import PEERS, variants_of\n"
        "for peer in PEERS.values(): variants_of(peer)\n"
        "print(sorted({'jax', 'torch', 'keras', 'sklearn', 'tinygrad'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
