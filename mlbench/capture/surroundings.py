"""Python, packages, variables and hardware, told from files: nothing is executed. Standard library only."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from typing import Any

MAX_PACKAGES = 2000
_VARIABLES = (
    "CONDA_DEFAULT_ENV", "CUDA_VISIBLE_DEVICES", "LOCAL_RANK", "MKL_NUM_THREADS", "NODE_RANK", "OMP_NUM_THREADS",
    "PYTHONHASHSEED", "RANK", "SLURM_ARRAY_TASK_ID", "SLURM_JOB_ID", "SLURM_JOB_NAME", "SLURM_JOB_PARTITION",
    "SLURM_NNODES", "SLURM_PROCID", "TF_DETERMINISTIC_OPS", "VIRTUAL_ENV", "WORLD_SIZE", "PACH_JOB_ID",
    "PACH_OUTPUT_COMMIT_ID", "PACH_DATUM_ID", "PPS_PIPELINE_NAME", "PPS_SPEC_COMMIT",
)  # fmt: skip
"""The only variables that are recorded, and `<input>_COMMIT` of Pachyderm."""


def environment_of(program: str) -> dict[str, str]:
    """Python, packages and variables on the allow-list, of the interpreter that runs the command."""
    found = {f"env:{name}": os.environ[name] for name in _VARIABLES if name in os.environ}
    found |= {f"env:{name}": value for name, value in os.environ.items() if _is_commit(name)}
    path = _behind_shim(os.path.abspath(shutil.which(program) or program))
    prefix = os.path.dirname(os.path.dirname(path))
    if "python" not in os.path.basename(path) and not _is_environment(prefix):
        return found
    if version := platform.python_version() if _is_ours(path) else _python_version(prefix):
        found["python"] = version
    for name, version in _packages(prefix):
        found[f"package:{name}"] = version
    return found


def _is_commit(name: str) -> bool:
    """`<input>_COMMIT` in a Pachyderm worker; elsewhere such a variable may be anything."""
    return name.endswith("_COMMIT") and "PACH_JOB_ID" in os.environ


def _is_environment(prefix: str) -> bool:
    """Whether a launcher (`torchrun`, `accelerate`) lies in a virtual or conda environment, whose packages it uses."""
    return any(os.path.exists(os.path.join(prefix, name)) for name in ("pyvenv.cfg", "conda-meta"))


def _behind_shim(path: str) -> str:
    """The interpreter that a shim of pyenv would start, by the files in which pyenv looks; other paths as they are."""
    root, _, name = path.rpartition(f"{os.sep}shims{os.sep}")
    versions = os.path.join(root, "versions")
    if not root or not os.path.isdir(versions):
        return path
    wanted = _pyenv_version(root)
    known = [one for one in _names(versions) if one == wanted or one.startswith(f"{wanted}.")] if wanted else []
    places = [os.path.join(versions, one, "bin", name) for one in reversed(known)]
    return next((place for place in places if os.path.exists(place)), path)


def _pyenv_version(root: str) -> str:
    """By the variable, the `.python-version` of the folder or one above, the global file; the first of several."""
    folder = os.getcwd()
    files = []
    while folder != os.path.dirname(folder):
        files.append(os.path.join(folder, ".python-version"))
        folder = os.path.dirname(folder)
    told = os.environ.get("PYENV_VERSION", "") or next(filter(None, map(_first_word, files)), "")
    return (told or _first_word(os.path.join(root, "version"))).partition(":")[0]


def _first_word(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            words = [line.split()[0] for line in file.read(4096).splitlines() if line.split()]
    except OSError:
        return ""
    return next((word for word in words if not word.startswith("#")), "")


def _is_ours(path: str) -> bool:
    """Whether the command's interpreter is the one that runs this."""
    try:
        return os.path.samefile(path, sys.executable)
    except OSError:
        return False


def _python_version(prefix: str) -> str:
    """What the virtual environment says, else the one version whose library lies beside; '' where that is not clear."""
    try:
        with open(os.path.join(prefix, "pyvenv.cfg"), encoding="utf-8", errors="replace") as file:
            for line in file:
                key, _, value = line.partition("=")
                if key.strip() in {"version", "version_info"}:
                    return value.strip()
    except OSError:
        pass
    libraries = [name for name in _names(os.path.join(prefix, "lib")) if re.fullmatch(r"python3\.\d+", name)]
    return libraries[0].removeprefix("python") if len(libraries) == 1 else ""


def _packages(prefix: str) -> Iterator[tuple[str, str]]:
    """Installed distributions by the names of their folders, the interpreter's own first."""
    library = os.path.join(prefix, "lib")
    try:
        folders = [name for name in sorted(os.listdir(library)) if name.startswith("python")]
    except OSError:
        return
    n_found = 0
    for folder in folders:
        for site in ("site-packages", "dist-packages"):
            for name in _names(os.path.join(library, folder, site)):
                if name.endswith(".dist-info") and n_found < MAX_PACKAGES:
                    n_found += 1
                    package, _, version = name.removesuffix(".dist-info").partition("-")
                    yield package.lower().replace("_", "-"), version


def _names(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def hardware() -> dict[str, Any]:
    """Processor, memory and graphics cards, as the kernel tells them."""
    found: dict[str, Any] = {"cpus": os.cpu_count() or 0, "machine": platform.machine(), "system": _system()}
    if model := _field_of("/proc/cpuinfo", "model name"):
        found["cpu"] = model
    if memory := _field_of("/proc/meminfo", "MemTotal"):
        found["memory"] = memory
    folder = "/proc/driver/nvidia/gpus"
    cards = [_field_of(f"{folder}/{name}/information", "Model") for name in _names(folder)]
    if cards := [card for card in cards if card]:
        found["gpu"] = ", ".join(cards)
        found["n_gpus"] = len(cards)
    if driver := _field_of("/proc/driver/nvidia/version", "NVRM version"):
        found["driver"] = driver
    return found


def _field_of(path: str, name: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                key, colon, value = line.partition(":")
                if colon and key.strip() == name:
                    return value.strip()[:200]
    except OSError:
        pass
    return ""


def _system() -> str:
    """As `platform.platform` has it, which starts the program uname for the name of the processor."""
    if sys.platform == "win32":
        return platform.platform()
    uname = os.uname()
    if sys.platform == "darwin":
        return "-".join(("macOS", platform.mac_ver()[0], uname.machine))
    libc = "".join(platform.libc_ver())
    return "-".join(filter(None, (uname.sysname, uname.release, uname.machine, libc and "with", libc)))
