"""The table of what is trained, its samples, and a task written and read back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from chainrule.bench import samples as samples_module
from chainrule.bench.samples import samples_of
from chainrule.bench.task import read_task, write_task
from chainrule.bench.workloads import WORKLOADS, cases, workload_named
from chainrule.errors import UnknownNameError, UnreadableFileError
from tests.bench.cases import case_of, small_task


def test_every_workload_gives_its_cases() -> None:
    names = [case.name for case in cases(WORKLOADS.values())]
    assert names == [
        "W1 SGD float32",
        "W2 SGD uint8",
        "W2 SGD float32",
        "W3 SGD uint8",
        "W3 Adam uint8",
        "W4 SGD uint8",
        "W4 Adam uint8",
        "W9 Adam float32",
    ]


def test_cases_are_chosen_by_optimizer_and_storage() -> None:
    chosen = cases([WORKLOADS["W1"], WORKLOADS["W3"]], ["adam"], ["float32"])
    assert [case.name for case in chosen] == ["W3 Adam float32"]
    assert [case.name for case in cases([WORKLOADS["W1"]], (), ["uint8"])] == []


def test_unknown_names_are_refused_with_a_guess() -> None:
    with pytest.raises(UnknownNameError, match="unknown workload 'W22': did you mean 'W2'"):
        workload_named("W22")
    with pytest.raises(UnknownNameError, match="unknown optimizer 'adan': did you mean 'adam'"):
        list(cases(WORKLOADS.values(), ["adan"]))
    with pytest.raises(UnknownNameError, match="unknown storage 'uint16'"):
        list(cases(WORKLOADS.values(), (), ["uint16"]))
    assert workload_named("w9") is WORKLOADS["W9"]


def test_exponentials_of_matrices_are_true() -> None:
    found = samples_of("matrix_exponential", "float32", rows=3)
    for x, y in zip(found.x.astype(np.float64), found.y, strict=True):
        values, vectors = np.linalg.eig(x.reshape(2, 2))
        true = vectors @ np.diag(np.exp(values)) @ np.linalg.inv(vectors)
        np.testing.assert_allclose(y.reshape(2, 2), np.real(true), rtol=1e-6)


def test_without_mnist_images_are_made_up_and_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(samples_module, "MNIST_ROWS", 50)
    bytes_, floats = samples_of("mnist", "uint8"), samples_of("mnist", "float32")
    assert bytes_.x.shape == (50, 784)
    assert bytes_.x.dtype == np.uint8
    assert "made-up images" in bytes_.origin
    assert 0.15 < np.mean(bytes_.x > 0) < 0.25
    assert set(bytes_.y) == set(range(10))
    np.testing.assert_allclose(floats.x, bytes_.x / 255, rtol=1e-6)


def test_a_folder_that_holds_no_mnist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFileError):
        samples_of("mnist", "uint8", tmp_path)


def test_the_order_visits_every_row_of_an_epoch_but_the_last_ones() -> None:
    task = small_task(case_of("W2"), 57)
    order = task.order.reshape(-1, 10)
    assert len(order) == task.recipe.horizon
    first, second = order[:5].ravel(), order[5:10].ravel()
    assert len(set(first)) == len(set(second)) == 50
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(task.rows(7, 2), order[7:9].ravel())


def test_a_full_batch_takes_the_rows_as_they_lie() -> None:
    task = small_task(case_of("W1"), 4)
    assert task.recipe.is_full
    assert task.recipe.batch == 4
    np.testing.assert_array_equal(task.rows(3, 2), [0, 1, 2, 3, 0, 1, 2, 3])


def test_a_task_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    task = small_task(case_of("W3", "adam", "uint8"), 60, cores=2)
    write_task(tmp_path, task)
    back = read_task(tmp_path)
    assert back.recipe == task.recipe
    assert back.x.dtype == np.uint8
    for mine, given in zip(back.copied(), task.copied(), strict=True):
        np.testing.assert_array_equal(mine, given)
    np.testing.assert_array_equal(back.order, task.order)
    np.testing.assert_array_equal(back.y, task.y)
