"""What a sample is: data sets, their readers, scaling, splits and batches."""

from chainrule.data.batches import epoch_order, offsets
from chainrule.data.builtin import BUILTIN, Builtin
from chainrule.data.dataset import Dataset, ScalingKind
from chainrule.data.fingerprint import fingerprint
from chainrule.data.load import check_source, load, load_source
from chainrule.data.scaling import Scaling, fit_scaling, resolve_scaling, resolve_target_scaling
from chainrule.data.source import Source, Task
from chainrule.data.splits import Split, split

__all__ = [
    "BUILTIN",
    "Builtin",
    "Dataset",
    "Scaling",
    "ScalingKind",
    "Source",
    "Split",
    "Task",
    "check_source",
    "epoch_order",
    "fingerprint",
    "fit_scaling",
    "load",
    "load_source",
    "offsets",
    "resolve_scaling",
    "resolve_target_scaling",
    "split",
]
