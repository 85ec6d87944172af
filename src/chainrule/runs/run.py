"""One run, finished or stopped on the way: any of its steps, and all that can be asked of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Final

from chainrule.errors import RunError
from chainrule.errors.calls import check_kind, checked_call
from chainrule.runs.asking import When, what_is_asked
from chainrule.runs.earlier import NONE_EARLIER, Earlier
from chainrule.runs.page import Page
from chainrule.runs.resuming import resume_in_memory
from chainrule.runs.summary import summary_of
from chainrule.runs.trained import Trained
from chainrule.train.checkpoint import Checkpoint
from chainrule.train.events import Listener
from chainrule.train.fit import Fit
from chainrule.train.history import History
from chainrule.train.replay import replay
from chainrule.train.resume import resume
from chainrule.train.sitting import checked_sitting
from chainrule.train.stopping import Stopper

if TYPE_CHECKING:
    from chainrule.explain.scope import Depth
    from chainrule.runs.check_gradients import Verdicts
    from chainrule.runs.surfaces import Directions

REPLAYED: Final = "replayed"


@dataclass(frozen=True, eq=False, repr=False)
class Run(Trained):
    """A trained network with everything that led to it: it predicts, goes back to any of its steps, answers questions.

    Attributes: experiment, record, checkpoint, history, reason, seconds, test, path, scores: as of `Trained`.
    """

    _earlier: Earlier = NONE_EARLIER

    @staticmethod
    def of_fit(fit: Fit, earlier: Earlier = NONE_EARLIER) -> Run:
        """The run that has just been trained.

        Args:
            fit: what training left.
            earlier: the states before this sitting.
        """
        return Run(
            experiment=fit.prepared.experiment,
            record=fit.prepared.record,
            checkpoint=fit.checkpoint,
            history=fit.history,
            reason=fit.reason,
            seconds=fit.seconds,
            test=fit.scores.metrics if fit.scores else None,
            path=fit.folder.path if fit.folder else None,
            scores=fit.scores,
            _given=fit.prepared.dataset,
            _prepared=fit.prepared,
            _earlier=earlier.and_of(fit),
        )

    @checked_call
    def resume(
        self,
        epochs: int | None = None,
        *,
        listeners: Iterable[Listener] = (),
        stopper: Stopper | None = None,
        disk: float | None = None,
    ) -> Run:
        """Go on from the last step, to the bits of a run that was never interrupted.

        Args:
            epochs: how many the run shall have in all; None for as many as the experiment says.
            listeners: told what happens, between slices.
            stopper: asked from outside to stop.
            disk: gigabytes that checkpoints may take, as in `train`.

        Returns: the run as it is then; this one stays as it was.
        Raises: RunError when it is complete and no more epochs are asked for; DataError when the data changed;
            ArgumentError, ValueRangeError for an argument of another kind.
        """
        told = checked_sitting(listeners, stopper, disk)
        if self.path is not None:
            fit = resume(self.path, epochs=epochs, dataset=self.dataset, listeners=told, stopper=stopper, disk=disk)
        else:
            last = (self.checkpoint, self.history)
            fit = resume_in_memory(self.name, self.experiment, self.dataset, last, epochs, told, stopper)
        return Run.of_fit(fit, self._earlier)

    # ---- any of its steps ----

    @checked_call
    def at(self, step: int) -> Run:
        """The run as it was after so many updates, bit for bit, replayed from the checkpoint before by what trained it.

        It has the weights, slots, counters and history of that step, explains and predicts with them, and
        `run.at(step).resume()` goes on from there in memory; nothing of this run changes. The bits are those of the
        training on a processor of the same kind with the same versions, and equal within rounding elsewhere.

        Where a checkpoint is damaged an earlier one serves, with a `Notice`.

        Raises: ArgumentError for what is no whole number; RunError for a step that the run has not done, or where no
            checkpoint is whole; DataError when the data changed.
        """
        check_kind("step", step, Integral, "the whole number of updates that were done, such as 1342")
        if not 0 <= step <= self.step:
            raise RunError(f"there is no step {step}: {self.name} has steps 0 to {self.step}")
        checkpoint = self.checkpoint
        if step < self.step:
            checkpoint = replay(self.prepared, self.checkpoint_before(step), self.history, int(step))
        return self._as_of(checkpoint)

    def one_step_on(self) -> Run:
        """The run one update later, in memory.

        Raises: RunError after the last step of the last epoch.
        """
        return self._as_of(replay(self.prepared, self.checkpoint, self.history, self.step + 1))

    def checkpoint_before(self, step: int) -> Checkpoint:
        """The last state at or before a step that is at hand without running anything.

        Raises: RunError where there is none, or it is damaged.
        """
        if self.checkpoint.step <= step:
            return self.checkpoint
        return self._earlier.before(step)

    # ---- understanding it ----

    @checked_call
    def explain(
        self,
        weight: str | None = None,
        *,
        unit: str | None = None,
        layer: str | None = None,
        network: bool = False,
        depth: Depth | None = None,
        sample: int | None = None,
        samples: Sequence[int] | None = None,
        batch: int | None = None,
        at: When = "now",
    ) -> Page:
        """Why weights move: of one its gradient as a chain of factors, of more the derivation of all of them.

        One of `weight`, `unit`, `layer` and `network` says what; at most one of `sample`, `samples` and `batch` on
        what, the batch that comes next where none does.

        Args:
            weight: "dense_1.W[3, 7]", the weight from input 3 to unit 7, or "dense_1.b[7]".
            unit: "dense_1[7]": the weights and the bias that feed it.
            layer: "dense_1": what it computes, what flows back through it, the gradients of all its weights.
            network: every layer.
            depth: "scalar", an equation a weight; "layer", for one element, such as aᵢ δⱼ; "matrix", whole, such as
                aᵀ δ. Where it is not said, scalar of a weight and a unit, layer of a layer, matrix of the network.
            sample: the index of one row in the source.
            samples: the indices of several rows, taken as one batch.
            batch: the number of a batch, from 0, in the order of the epoch that begins or goes on at that moment.
            at: "now", with the weights as they are; "start", before the first step; or the number of any step: then the
                batch is the one that the next step took, where nothing else is said.

        Raises: ArgumentError for an argument of another kind; UnknownNameError for a weight, a layer or a depth that
            does not exist; ShapeError for a position outside it; RunError for a row, a batch or a step that does not
            exist, and unless one thing is named; DataError when the data changed.
        """
        from chainrule.runs.explaining import Asked, explain

        asked = Asked(weight, unit, layer, network, depth).checked()
        if not isinstance(at, str) and at != self.step:
            return self.at(at).explain(
                weight, unit=unit, layer=layer, network=network, depth=depth,
                sample=sample, samples=samples, batch=batch,
            )  # fmt: skip
        moment, rows = what_is_asked(self, sample, samples, batch, at)
        return explain(self.prepared, moment, rows, asked, self.checkpoint.backend, one=sample is not None)

    @checked_call
    def nudges(
        self,
        weights: Sequence[str] = (),
        *,
        top: int = 8,
        layer: str | None = None,
        unit: str | None = None,
        samples: Sequence[int] | None = None,
        batch: int | None = None,
        at: When = "now",
    ) -> Page:
        """What each sample of a batch wants of some weights, their average, and who agrees with whom.

        A nudge is minus the sample's own gradient, −∂ℓₙ/∂w; averaged over the batch they are −∂L/∂w, which is shown
        beside a gradient computed apart.

        Args:
            weights: such as ["dense_1.W[3, 7]"]; none for those with the largest |∂L/∂w|.
            top: how many of these.
            layer: "dense_1" or "dense_1.W": the loudest of it only.
            unit: "dense_1[3]": the loudest that feed it, and the three ways to change its activation.
            samples: the indices of rows in the source, taken as one batch.
            batch: as in `explain`.
            at: as in `explain`.

        Raises: UnknownNameError for a name that does not exist; ShapeError for a position outside a parameter; RunError
            for rows, a batch or a step that do not exist, and for more than one of weights, layer and unit.
        """
        if not isinstance(at, str) and at != self.step:
            return self.at(at).nudges(weights, top=top, layer=layer, unit=unit, samples=samples, batch=batch)
        moment, rows = what_is_asked(self, None, samples, batch, at)
        from chainrule.runs.nudging import nudges

        return nudges(
            self.prepared, moment, rows, self.checkpoint.backend, weights=weights, top=top, layer=layer, unit=unit
        )

    @checked_call
    def weight_history(
        self, weight: str, *, first: int = 0, last: int | None = None, top: int = 8, every: int | None = None
    ) -> Page:
        """A weight at every step, its largest moves, and how far each sample has moved it, which adds up exactly.

        Args:
            weight: "dense_1.W[3, 7]".
            first: the step to begin at.
            last: the step to end at; None for the last one.
            top: how many of the largest moves are told.
            every: steps between two values in the data; None for about a thousand values.

        Raises: as `explain`; RunError for steps that the run has not done, and a weight that is not trained.
        """
        from chainrule.runs.remembering import weight_history

        return weight_history(self, weight, first=first, last=last, top=top, every=every)

    @checked_call
    def check_gradients(self, weights: int = 10, *, seed: int = 0, batch: int = 0) -> Verdicts:
        """Hold the gradients of weights picked at random against witnesses that know nothing of the chain rule.

        Args:
            weights: how many; half of them with a gradient that is not 0, as far as there are any.
            seed: of the pick.
            batch: on which rows, as in `explain`.

        Raises: RunError for a batch that does not exist; ValueRangeError for fewer than one weight.
        """
        from chainrule.runs.check_gradients import check_gradients

        return check_gradients(self, weights, seed=seed, batch=batch)

    @checked_call
    def plan(self, batch_size: int | None = None) -> Page:
        """How the native backend does a step: what it fuses, which kernels run, where values lie, how fast it can be.

        Args: batch_size: rows of the largest batch; None for that of the experiment.
        Raises: BackendError when llvmlite is missing, or the backend lacks what the network needs; ValueRangeError.
        """
        from chainrule.runs.planning import plan_page

        return plan_page(self.name, self.prepared, batch_size)

    @checked_call
    def curve(self, weight: str, *, low: float | None = None, high: float | None = None) -> Page:
        """The loss over one weight, with the slope that the graph gives and the minimum where it crosses 0.

        Args:
            weight: "dense_1.W[3, 7]"; all others stay as they are.
            low: where the curve begins, in the weight's own unit; None for as far as shows its minimum.
            high: where it ends.

        Raises: UnknownNameError, ShapeError for a weight that does not exist; RunError for a span without extent;
            DataError when the data changed.
        """
        from chainrule.runs.surfaces import curve

        return curve(self, weight, low, high)

    @checked_call
    def surface(
        self, weights: Sequence[str] = (), *, directions: Directions = "principal", points: int = 25, seed: int = 0
    ) -> Page:
        """The loss over two directions through the weights, with the path that the run walked.

        Args:
            weights: two of them, such as ["dense_1.W[3, 7]", "dense_1.b[0]"]; none for `directions`.
            directions: "principal", those in which the path varies most; or "random", each filter of them as long as
                that of the weights.
            points: of the grid, a side.
            seed: of the random directions.

        Raises: UnknownNameError, ShapeError for a weight that does not exist; ValueRangeError for fewer than 2 points;
            RunError for one weight, and for a path that spans no plane; DataError when the data changed.
        """
        from chainrule.runs.surfaces import surface

        return surface(self, weights, directions, points, seed)

    def collapse(self) -> Page:
        """The layers multiplied out to one linear map where they come to one; else what the activations change.

        z = x W + b, with z the last pre-activation (n, k) and x the inputs (n, i) as the first layer reads them; W of
        shape (i, k) and b of (k,) are in `page.data`.

        Raises: RunError for a network without a dense layer; DataError when the data changed.
        """
        from chainrule.runs.surfaces import collapse

        return collapse(self)

    def convergence(self) -> Page:
        """Whether the run has come to rest, with the evidence and the thresholds it is held against.

        `page.data["rest"]` is one of "converged": the last updates are ≈ 0, below 10⁻⁶ of the size of the weights;
        "plateau": the loss hardly changes while they still move; "oscillating": it goes up and down, or they take each
        other back; "diverging": it rises; "still falling"; "left the numbers": it became infinite or NaN; "too short":
        fewer than four epochs are complete.

        Beside it stand the measurements it follows from, as shares: "update", mean ‖Δw‖ / ‖w‖ of the last updates;
        "cosine", between each and the one before; "change", "swing" and "upward" of the loss over the last epochs.

        Raises: RunError for a run without a complete epoch; DataError when the data changed.
        """
        from chainrule.runs.converging import convergence

        return convergence(self)

    @property
    def network(self) -> Page:
        """The network with its weights at this step drawn as lines, and the output and the numbers of each layer.

        `page.data["layers"]` holds name, kind, output shape and count of each, `page.data["parameters"]` all numbers.
        The layers themselves are `run.experiment.layers`.
        """
        from chainrule.runs.drawn import network_page

        return network_page(self)

    def summary(self) -> Page:
        """What the run is: its data, the layers with their counts, how it was trained, how good it is."""
        return summary_of(self)

    def _repr_html_(self) -> str:  # what a notebook shows
        from chainrule.document import render_notebook

        return render_notebook(self.summary().document)

    def _as_of(self, checkpoint: Checkpoint) -> Run:
        """The same run in memory, with the state of another step."""
        return Run(
            experiment=self.experiment,
            record=self.record,
            checkpoint=checkpoint,
            history=History(self.history.entries[: checkpoint.epoch]),
            reason=REPLAYED,
            seconds=checkpoint.seconds,
            test=None,
            path=None,
            _given=self.dataset,
            _prepared=self.prepared,
            _earlier=self._earlier,
        )
