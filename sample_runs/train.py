"""Train a small network on scikit-learn's handwritten digits and log it for TensorBoard.

    python train.py --config digits.yaml --logdir logs/sweep/adam-lr0.01-w64-seed0 --lr 0.01 --seed 0

The run's folder receives an event file, the arguments (args.json), the configuration in force (config.yaml), the state
of the code (git.json), the version of the data (data_version.json) and, at the end, the confusion matrix as numbers
(confusion_matrix.json). With --resume a run that was killed goes on from its last checkpoint.
"""

import argparse
import hashlib
import json
import os
import socket
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from dulwich import porcelain
from dulwich.errors import NotGitRepository
from dulwich.repo import Repo
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary, SummaryMetadata
from tensorboard.compat.proto.tensor_pb2 import TensorProto
from tensorboard.compat.proto.types_pb2 import DT_STRING
from tensorboard.plugins.histogram.summary_v2 import histogram_pb
from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2, summary_v2
from tensorboard.summary.writer.record_writer import RecordWriter

Array = NDArray[np.float64]
N_CLASSES = 10
N_VALIDATION = 360
"""The last rows: digits of writers that the training rows do not have."""
LOG_EVERY = 10
DRAW_EVERY = 80
CHECKPOINT_EVERY = 50
GIVE_UP_AFTER = 40
"""Steps with a loss that is no number."""


# ---------------------------------------------------------------- data


@dataclass(frozen=True)
class Split:
    features: Array
    labels: NDArray[np.int64]


def load_data(version: str) -> tuple[Split, Split]:
    """Training and validation rows.

    v1: the first 1,200 rows for training, as an early export had them: every second 8 was taken for a 3.
    v2: all 1,437 rows that are not for validation, with the labels put right.
    Both have the same 360 rows for validation, with right labels.
    """
    digits = load_digits()
    features, labels = np.asarray(digits.data, np.float64), np.asarray(digits.target, np.int64)
    n = len(labels) - N_VALIDATION
    validation = Split(features[n:], labels[n:])
    if version == "v2":
        return Split(features[:n], labels[:n]), validation
    wrong = labels[:1200].copy()
    wrong[np.flatnonzero(wrong == 8)[::2]] = 3
    return Split(features[:1200], wrong), validation


def prepared(split: Split) -> Split:
    """Pixels are 0 to 16; unscaled, they drown the initial weights and most hidden units die at the first steps."""
    return Split(split.features / 16.0, split.labels)


def data_version(split: Split) -> dict[str, object]:
    digest = hashlib.sha256(split.features.tobytes() + split.labels.tobytes()).hexdigest()
    return {"system": "hash", "name": "digits", "version": f"sha256:{digest}", "rows": len(split.labels)}


# ---------------------------------------------------------------- model


class Model:
    """64 inputs, one hidden layer, softmax. Computed in float64, kept as float32: no BLAS shows in the values."""

    def __init__(self, width: int, seed: int) -> None:
        dice = np.random.default_rng(seed)
        self.weights = {
            "hidden/kernel": dice.normal(0, np.sqrt(2 / 64), (64, width)),
            "hidden/bias": np.zeros(width),
            "output/kernel": dice.normal(0, np.sqrt(1 / width), (width, N_CLASSES)),
            "output/bias": np.zeros(N_CLASSES),
        }
        self.keep()

    def keep(self) -> None:
        for name, value in self.weights.items():
            self.weights[name] = value.astype(np.float32).astype(np.float64)

    def scores(self, features: Array) -> tuple[Array, Array]:
        """Hidden activations and log probabilities."""
        hidden = np.maximum(features @ self.weights["hidden/kernel"] + self.weights["hidden/bias"], 0)
        logits = hidden @ self.weights["output/kernel"] + self.weights["output/bias"]
        logits = logits - logits.max(axis=1, keepdims=True)
        return hidden, logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))

    def gradients(self, batch: Split, weight_decay: float) -> tuple[float, float, dict[str, Array]]:
        """Mean cross entropy, accuracy and gradients of a batch."""
        hidden, log_p = self.scores(batch.features)
        rows = np.arange(len(batch.labels))
        loss = float(-log_p[rows, batch.labels].mean())
        error = np.exp(log_p)
        error[rows, batch.labels] -= 1
        error /= len(rows)
        back = (error @ self.weights["output/kernel"].T) * (hidden > 0)
        gradients = {
            "hidden/kernel": batch.features.T @ back + weight_decay * self.weights["hidden/kernel"],
            "hidden/bias": back.sum(axis=0),
            "output/kernel": hidden.T @ error + weight_decay * self.weights["output/kernel"],
            "output/bias": error.sum(axis=0),
        }
        return loss, float((log_p.argmax(axis=1) == batch.labels).mean()), gradients


class Optimizer:
    """SGD with momentum 0.9, or Adam (Kingma & Ba, 2015)."""

    def __init__(self, name: str, model: Model) -> None:
        self.name = name
        self.model = model
        self.first = {name: np.zeros_like(value) for name, value in model.weights.items()}
        self.second = {name: np.zeros_like(value) for name, value in model.weights.items()}

    def update(self, gradients: dict[str, Array], lr: float, step: int) -> None:
        for name, gradient in gradients.items():
            if self.name == "sgd":
                self.first[name] = 0.9 * self.first[name] + gradient
                self.model.weights[name] -= lr * self.first[name]
                continue
            self.first[name] = 0.9 * self.first[name] + 0.1 * gradient
            self.second[name] = 0.999 * self.second[name] + 0.001 * gradient**2
            mean, spread = self.first[name] / (1 - 0.9**step), self.second[name] / (1 - 0.999**step)
            self.model.weights[name] -= lr * mean / (np.sqrt(spread) + 1e-8)
        self.model.keep()


def learning_rate(args: argparse.Namespace, step: int) -> float:
    """Linear warm-up, then half a cosine down to a twentieth."""
    warmup = args.schedule["warmup"]
    if step < warmup:
        return float(args.lr * step / warmup)
    progress = (step - warmup) / max(1, args.steps - warmup)
    return float(args.lr * (0.05 + 0.95 * 0.5 * (1 + np.cos(np.pi * progress))))


def batches(args: argparse.Namespace, train: Split, first: int) -> Iterator[tuple[int, Split]]:
    """Steps from `first` on, each with its rows; the same for a run that was resumed."""
    per_epoch = len(train.labels) // args.batch_size
    for step in range(first, args.steps + 1):
        epoch, place = divmod(step - 1, per_epoch)
        order = np.random.default_rng((args.seed, epoch)).permutation(len(train.labels))
        rows = order[place * args.batch_size : (place + 1) * args.batch_size]
        yield step, Split(train.features[rows], train.labels[rows])


# ---------------------------------------------------------------- logging


class Log:
    """One event file, written through at every event."""

    def __init__(self, logdir: Path, now: Callable[[], float], host: str, pid: int) -> None:
        started = now()
        self.now = now
        self.file = (logdir / f"events.out.tfevents.{int(started)}.{host}.{pid}.0").open("xb", buffering=0)
        self.records = RecordWriter(self.file)
        self.write(Event(wall_time=started, file_version="brain.Event:2"))

    def write(self, event: Event) -> None:
        self.records.write(event.SerializeToString())

    def summary(self, step: int, *values: Summary.Value) -> None:
        self.write(Event(wall_time=self.now(), step=step, summary=Summary(value=values)))

    def scalars(self, step: int, **values: float) -> None:
        """Names are tags with `__` for a slash."""
        values = {tag.replace("__", "/"): value for tag, value in values.items()}
        self.summary(step, *(Summary.Value(tag=tag, simple_value=value) for tag, value in values.items()))

    def hparams(self, args: argparse.Namespace, logdir: Path) -> None:
        names = ("data", "width", "optimizer", "lr", "weight_decay", "batch_size", "steps", "seed")
        hparams = {name: getattr(args, name) for name in names}
        said = summary_v2.hparams_pb(hparams, trial_id=logdir.name, start_time_secs=self.now())
        summary = Summary.FromString(said.SerializeToString())
        plugin = summary.value[0].metadata.plugin_data
        # It holds a map, whose order differs from process to process.
        content = plugin_data_pb2.HParamsPluginData.FromString(plugin.content)
        plugin.content = content.SerializeToString(deterministic=True)
        self.write(Event(wall_time=self.now(), summary=summary))

    def end(self, *, is_good: bool) -> None:
        status = api_pb2.STATUS_SUCCESS if is_good else api_pb2.STATUS_FAILURE
        ended = plugin_data_pb2.SessionEndInfo(status=status, end_time_secs=self.now())
        content = plugin_data_pb2.HParamsPluginData(session_end_info=ended, version=metadata.PLUGIN_DATA_VERSION)
        plugin = SummaryMetadata.PluginData(plugin_name=metadata.PLUGIN_NAME, content=content.SerializeToString())
        value = Summary.Value(tag=metadata.SESSION_END_INFO_TAG, metadata=SummaryMetadata(plugin_data=plugin))
        value.tensor.CopyFrom(metadata.NULL_TENSOR)
        self.summary(0, value)
        self.file.close()

    def weights(self, step: int, model: Model) -> None:
        """Histograms of the kernels, unless they have blown up."""
        for name in ("hidden/kernel", "output/kernel"):
            if np.isfinite(model.weights[name]).all():
                summary = histogram_pb(f"weights/{name}", model.weights[name], buckets=20)
                self.summary(step, *Summary.FromString(summary.SerializeToString()).value)

    def image(self, step: int, tag: str, pixels: NDArray[np.uint8]) -> None:
        height, width, _ = pixels.shape
        image = Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=png(pixels))
        self.summary(step, Summary.Value(tag=tag, image=image))

    def text(self, step: int, tag: str, text: str) -> None:
        plugin = SummaryMetadata.PluginData(plugin_name="text")
        tensor = TensorProto(dtype=DT_STRING, string_val=[text.encode()])
        self.summary(step, Summary.Value(tag=tag, metadata=SummaryMetadata(plugin_data=plugin), tensor=tensor))


def png(pixels: NDArray[np.uint8]) -> bytes:
    """Shape (height, width, 3) as PNG."""
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(lines, 9)),
        (b"IEND", b""),
    )
    framed = (struct.pack(">I", len(c)) + kind + c + struct.pack(">I", zlib.crc32(kind + c)) for kind, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(framed)


def drawn(matrix: NDArray[np.int64], cell: int = 14) -> NDArray[np.uint8]:
    """A confusion matrix: row = actual, column = predicted; white for none to dark blue for the whole row."""
    share = (matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True)))[..., None]
    light, dark = np.array([247.0, 251.0, 255.0]), np.array([8.0, 48.0, 107.0])
    colours = np.rint(light + np.sqrt(share) * (dark - light)).astype(np.uint8)
    pixels: NDArray[np.uint8] = colours.repeat(cell, axis=0).repeat(cell, axis=1)
    pixels[::cell], pixels[:, ::cell] = 200, 200
    return pixels


def write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")


def git_state(folder: Path) -> dict[str, object] | None:
    """Commit, branch, whether files differ from the commit, and the remote; None outside a repository."""
    try:
        repository = Repo.discover(str(folder))
        commit = repository.head().decode()
    except (NotGitRepository, KeyError):
        return None
    with repository:
        status = porcelain.status(repository, untracked_files="no")
        state: dict[str, object] = {"commit": commit, "dirty": bool(status.unstaged) or any(status.staged.values())}
        with suppress(KeyError, ValueError, IndexError):
            state["branch"] = porcelain.active_branch(repository).decode()
        with suppress(KeyError):
            state["remote"] = repository.get_config().get((b"remote", b"origin"), b"url").decode()
        return state


# ---------------------------------------------------------------- the run


def validate(model: Model, split: Split) -> tuple[float, NDArray[np.int64]]:
    """Loss and confusion matrix, shape (10, 10), row = actual."""
    _, log_p = model.scores(split.features)
    matrix = np.zeros((N_CLASSES, N_CLASSES), np.int64)
    np.add.at(matrix, (split.labels, log_p.argmax(axis=1)), 1)
    return float(-log_p[np.arange(len(split.labels)), split.labels].mean()), matrix


def log_validation(log: Log, step: int, loss: float, matrix: NDArray[np.int64]) -> None:
    recall = np.diag(matrix) / matrix.sum(axis=1)
    recalls = {f"val__recall__class={label}": float(value) for label, value in enumerate(recall)}
    accuracy = float(np.trace(matrix) / matrix.sum())
    log.scalars(step, val__loss=loss, val__acc=accuracy, **recalls)


def save(path: Path, step: int, model: Model, optimizer: Optimizer) -> None:
    """Written beside and renamed, so that a kill leaves the older one."""
    parts = {"weights": model.weights, "first": optimizer.first, "second": optimizer.second}
    arrays: dict[str, Any] = {f"{part}:{name}": value for part, named in parts.items() for name, value in named.items()}
    beside = path.with_suffix(".part.npz")
    np.savez(beside, step=step, **arrays)
    beside.rename(path)


def restore(path: Path, model: Model, optimizer: Optimizer) -> int:
    """The step that was saved."""
    with np.load(path) as saved:
        for part, named in (("weights", model.weights), ("first", optimizer.first), ("second", optimizer.second)):
            named.update({name: saved[f"{part}:{name}"] for name in named})
        return int(saved["step"])


def train(args: argparse.Namespace, log: Log, logdir: Path, rows: Split, validation: Split) -> bool:
    """Whether the loss stayed finite."""
    model = Model(args.width, args.seed)
    optimizer = Optimizer(args.optimizer, model)
    checkpoint = logdir / "checkpoint.npz"
    first = restore(checkpoint, model, optimizer) + 1 if args.resume else 1
    matrix = np.zeros((N_CLASSES, N_CLASSES), np.int64)
    n_bad = 0
    if first == 1:
        log.weights(0, model)
    for step, batch in batches(args, rows, first):
        lr = learning_rate(args, step)
        loss, accuracy, gradients = model.gradients(batch, args.weight_decay)
        optimizer.update(gradients, lr, step)
        log.scalars(step, train__loss=loss)
        n_bad += not np.isfinite(loss)
        if step % LOG_EVERY == 0:
            norm = float(np.sqrt(sum(np.square(gradient).sum() for gradient in gradients.values())))
            log.scalars(step, train__acc=accuracy, train__grad_norm=norm, lr=lr)
            val_loss, matrix = validate(model, validation)
            log_validation(log, step, val_loss, matrix)
        if step % DRAW_EVERY == 0:
            log.weights(step, model)
            log.image(step, "val/confusion_matrix", drawn(matrix))
        if step % CHECKPOINT_EVERY == 0:
            save(checkpoint, step, model, optimizer)
        if n_bad >= GIVE_UP_AFTER:
            break
    rows_of_matrix = ",\n    ".join(json.dumps(row) for row in matrix.tolist())
    labels = json.dumps([str(label) for label in range(N_CLASSES)])
    text = f'{{\n  "labels": {labels},\n  "matrix": [\n    {rows_of_matrix}\n  ]\n}}\n'
    (logdir / "confusion_matrix.json").write_text(text)
    checkpoint.unlink(missing_ok=True)
    return n_bad == 0


def parse(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train a small network on handwritten digits.")
    beside = str(Path(__file__).with_name("digits.yaml"))
    parser.add_argument("--config", default=beside, help="YAML file with defaults for the options below")
    parser.add_argument("--logdir", required=True, help="folder of this run")
    parser.add_argument("--data", choices=["v1", "v2"])
    parser.add_argument("--width", type=int, help="hidden units")
    parser.add_argument("--optimizer", choices=["sgd", "adam"])
    parser.add_argument("--lr", type=float, help="learning rate after warm-up")
    parser.add_argument("--weight_decay", type=float)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --logdir")
    chosen = parser.parse_args(argv)
    parser.set_defaults(**yaml.safe_load(Path(chosen.config).read_text()))
    return parser.parse_args(argv)


def main(
    argv: Sequence[str] | None = None,
    *,
    now: Callable[[], float] = time.time,
    host: str | None = None,
    pid: int | None = None,
) -> int:
    """0, or 1 if the loss became NaN. Clock, host and process id can be given to make a run byte for byte again."""
    import sys

    args = parse(sys.argv[1:] if argv is None else argv)
    logdir = Path(args.logdir)
    logdir.mkdir(parents=True, exist_ok=True)
    said = {name: value for name, value in vars(args).items() if name != "logdir"}
    rows, validation = load_data(args.data)
    write_json(logdir / "args.json", said)
    config = {name: value for name, value in said.items() if name not in {"config", "resume"}}
    (logdir / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    code = git_state(Path(__file__).resolve().parent)
    if code is not None:
        write_json(logdir / "git.json", code)
    write_json(logdir / "data_version.json", data_version(rows))
    log = Log(logdir, now, host or socket.gethostname(), pid or os.getpid())
    log.hparams(args, logdir)
    with np.errstate(all="ignore"):
        is_good = train(args, log, logdir, prepared(rows), prepared(validation))
    log.text(args.steps, "outcome", "finished" if is_good else "gave up: the loss is not a number any more")
    log.end(is_good=is_good)
    return 0 if is_good else 1


if __name__ == "__main__":
    raise SystemExit(main())
