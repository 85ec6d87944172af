"""Random weights against witnesses: which are picked, and that disagreement is seen."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

import chainrule as cr
from chainrule.runs.check_gradients import Verdict, Verdicts, check_gradients


def test_half_of_the_picked_weights_are_alive_and_all_agree(digits_run: cr.Run) -> None:
    verdicts = digits_run.check_gradients(12, seed=4)
    assert verdicts.agree
    assert len({verdict.weight for verdict in verdicts.verdicts}) == 12
    assert sum(verdict.gradient != 0.0 for verdict in verdicts.verdicts) == 6
    text = str(verdicts.page)
    assert "Every gradient lies within the bound" in text
    assert "6 of 12 are not 0" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80


def test_verdicts_show_themselves(digits_run: cr.Run) -> None:
    verdicts = digits_run.check_gradients(2)
    assert f"{verdicts!r}\n" == str(verdicts.page)
    assert verdicts._repr_html_() == verdicts.page._repr_html_()
    assert verdicts.verdicts[0].weight in verdicts._repr_html_()


def test_every_difference_stands_beside_its_bound(digits_run: cr.Run) -> None:
    verdicts = digits_run.check_gradients(3)
    lines = [line.split() for line in str(verdicts.page).splitlines()]
    shown = [(line[-3], line[-2]) for line in lines if line and line[-1] == "agrees"]
    witnesses = [witness for verdict in verdicts.verdicts for witness in verdict.witnesses]
    assert len(shown) == len(witnesses) == 9
    for (off_by, bound), witness in zip(shown, witnesses, strict=True):
        assert float(off_by) == pytest.approx(witness.difference, rel=0.5)
        assert float(bound) == pytest.approx(witness.bound, rel=0.5)


def test_a_kink_is_told_without_numbers(digits_run: cr.Run) -> None:
    verdicts = digits_run.check_gradients(1)
    only = verdicts.verdicts[0]
    at_kink = replace(only, witnesses=tuple(msgspec.structs.replace(each, kink=True) for each in only.witnesses))
    lines = str(Verdicts(verdicts.run, (at_kink,)).page).splitlines()
    assert [line.split()[-2:] for line in lines if line.endswith("kink")] == [
        ["difference", "kink"],
        ["step", "kink"],
        ["mode", "kink"],
    ]


def test_a_seed_picks_the_same_weights_again(digits_run: cr.Run) -> None:
    first, again, other = (digits_run.check_gradients(5, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert [v.weight for v in first.verdicts] != [v.weight for v in other.verdicts]


def test_a_network_smaller_than_the_pick_is_checked_whole() -> None:
    run = cr.train([cr.Dense(2)], "moons", epochs=1, runs=None)
    assert len(run.check_gradients(100).verdicts) == 6


def test_a_wrong_gradient_is_seen(digits_run: cr.Run) -> None:
    verdicts = digits_run.check_gradients(2)
    first = verdicts.verdicts[0]
    witnesses = tuple(msgspec.structs.replace(each, difference=2.0 * each.bound + 1e-6) for each in first.witnesses)
    wrong = Verdicts(verdicts.run, (Verdict(first.weight, first.gradient, witnesses), *verdicts.verdicts[1:]))
    assert not wrong.agree
    assert wrong.data["agree"] is False
    assert "DISAGREES" in str(wrong.page)
    sentence = f"1 of 2 gradients lies outside the bounds of their witnesses, {first.weight} first"
    assert sentence in " ".join(str(wrong.page).split())


def test_it_says_how_far_it_has_come(digits_run: cr.Run) -> None:
    told: list[tuple[int, int]] = []
    verdicts = check_gradients(digits_run, 3, seed=4, told=lambda done, whole: told.append((done, whole)))
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert verdicts == digits_run.check_gradients(3, seed=4)


def test_at_least_one_weight_is_asked_for(digits_run: cr.Run) -> None:
    with pytest.raises(cr.errors.ValueRangeError, match="at least 1"):
        digits_run.check_gradients(0)
