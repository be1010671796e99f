"""Run chapters as Colab does: each notebook alone in an empty folder, its own first cell installing the package.

Usage: python tools/run_as_in_colab.py [--python PYTHON] [--constraints FILE] [--borrow FOLDER] [NOTEBOOK ...]

A fresh environment of PYTHON is made for each call, in which the package cannot be found. The kernel believes that it
is in Colab, so that the notebook's first cell installs what it asks for. Two addresses are replaced in the copy of the
notebook, since what is to be tested need not be published: the package comes as a wheel that is built from this
checkout, and the stored results come from it by a local server. With `--constraints`, a file of rows name==version as
in tests/colab_versions.txt, pip takes these versions, and the script ends with an error if the finished environment
holds another version of any of them. With `--borrow` the environment sees the packages of a folder (a site-packages),
and nothing is downloaded: this is what the test does. Chapters run in the smoke profile.
"""

from __future__ import annotations

import argparse
import functools
import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from traitlets.config import Config

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from tools.resolve import CUDA_ONLY, REPLACED_IN_COLAB, read_pins  # noqa: E402
from tools.retarget import configured_repository  # noqa: E402

# What the wheel is made of. Building from a copy leaves nothing in the checkout, and no earlier build takes part.
SOURCES = ("causalmix_utils", "pyproject.toml", "README.md", "LICENSE", "LICENSE-CONTENT")
PRETEND = "import sys, types; sys.modules['google.colab'] = types.ModuleType('google.colab')"
CELL_TIMEOUT = 1200  # seconds; the first cell may download a lot


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="interpreter of the environment")
    parser.add_argument("--constraints", type=Path, help="rows name==version that Colab has")
    parser.add_argument("--borrow", type=Path, help="folder of packages to use in place of downloads")
    parser.add_argument("notebooks", nargs="*", type=Path, help="chapters; all of them by default")
    arguments = parser.parse_args()
    wanted = colab_versions(arguments.constraints) if arguments.constraints else {}
    with tempfile.TemporaryDirectory() as folder:
        environment = make_environment(Path(folder), arguments.python, constraints=wanted, borrow=arguments.borrow)
        for notebook in arguments.notebooks or sorted((ROOT / "notebooks").glob("*.ipynb")):
            where = run_alone(notebook, environment)
            print(f"{notebook.name}: ran in an empty folder, with the package from {where}", flush=True)
        replaced = find_replaced(environment, wanted)
    if replaced:
        sys.exit("Colab's versions were replaced: " + ", ".join(replaced))


@dataclass(frozen=True)
class Environment:
    """A fresh virtual environment, the wheel that its notebooks install, and the variables of its kernels."""

    folder: Path
    python: Path
    wheel: Path
    variables: dict[str, str]


def make_environment(folder: Path, python: str, *, constraints: dict[str, str], borrow: Path | None) -> Environment:
    """A virtual environment with pip and a kernel, and a wheel of the package beside it."""
    subprocess.run([python, "-m", "venv", str(folder / "venv")], check=True)
    fresh = folder / "venv" / "bin" / "python"
    variables = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "OMP_NUM_THREADS": "1", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
    if constraints:
        rows = folder / "constraints.txt"
        rows.write_text("".join(f"{name}=={version}\n" for name, version in constraints.items()), encoding="utf-8")
        variables["PIP_CONSTRAINT"] = str(rows)
    if borrow is not None:
        # The .pth files of folders in PYTHONPATH are not read, so that no editable checkout comes along.
        variables |= {"PYTHONPATH": str(borrow.resolve()), "PIP_NO_INDEX": "1"}
    environment = Environment(folder, fresh, build_wheel(folder, sys.executable), variables)
    if borrow is None:
        subprocess.run([fresh, "-m", "pip", "install", "-q", "ipykernel"], check=True, env=os.environ | variables)
    write_kernel(environment)
    return environment


def build_wheel(folder: Path, python: str) -> Path:
    """The package as a wheel, built from a copy of the sources in this checkout."""
    copy = folder / "source"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    command = [python, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    subprocess.run([*command, str(copy)], check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def write_kernel(environment: Environment) -> None:
    """A kernel named colab of the fresh environment, which says that it is Colab before the first cell runs."""
    spec = environment.folder / "jupyter" / "kernels" / "colab"
    spec.mkdir(parents=True)
    command = [str(environment.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    command.append(f"--IPKernelApp.exec_lines={PRETEND}")
    content = {"argv": command, "display_name": "Colab", "language": "python", "env": environment.variables}
    (spec / "kernel.json").write_text(json.dumps(content), encoding="utf-8")


def run_alone(notebook: Path, environment: Environment) -> str:
    """Run one notebook in an empty folder; returns the folder from which the package was imported.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        If a cell fails.
    RuntimeError
        If the package came from the checkout, or the first cell installed nothing.
    """
    with tempfile.TemporaryDirectory() as empty, serve(ROOT) as address:
        content = nbformat.read(notebook, as_version=4)
        adapt(content, wheel=environment.wheel, address=address)
        content.cells.append(nbformat.v4.new_code_cell("import causalmix_utils; print(causalmix_utils.__file__)"))
        with jupyter_path(environment.folder / "jupyter"):
            execute(content, folder=empty)
    place = Path(content.cells[-1].outputs[0]["text"].strip()).resolve()
    if not place.is_relative_to(environment.folder.resolve()):
        raise RuntimeError(f"{notebook.name} imports the package from {place}, not from its own environment")
    return str(place.parent)


def execute(content: nbformat.NotebookNode, *, folder: str) -> None:
    """Run all cells in the kernel named colab; it talks through files in a short folder, so that no port is taken."""
    with tempfile.TemporaryDirectory(prefix="kernel") as sockets:
        transport = Config({"KernelManager": {"transport": "ipc", "ip": f"{sockets}/k"}})
        place = {"metadata": {"path": folder}}
        NotebookClient(content, kernel_name="colab", timeout=CELL_TIMEOUT, resources=place, config=transport).execute()


def adapt(content: nbformat.NotebookNode, *, wheel: Path, address: str) -> None:
    """Take the smoke profile, and put the wheel and the local server in place of the published repository."""
    published = f"https://github.com/{configured_repository()}"
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.source = cell.source.replace(f"git+{published}", wheel.as_uri())
            cell.source = cell.source.replace(f"{published}/raw/main", address)
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = 'profile = "smoke"'


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """The address of a server of the folder's files, on this machine only."""

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def jupyter_path(folder: Path) -> Iterator[None]:
    """Let kernels be looked for in the folder first."""
    before = os.environ.get("JUPYTER_PATH")
    os.environ["JUPYTER_PATH"] = os.pathsep.join([str(folder), *([before] if before else [])])
    try:
        yield
    finally:
        if before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = before


def colab_versions(file: Path) -> dict[str, str]:
    """Versions that an installation must leave in place, by name."""
    pins = read_pins(file.read_text(encoding="utf-8"))
    # The tools of the run itself are newer than Colab's.
    kept = REPLACED_IN_COLAB | {"ipykernel", "ipython", "pip", "jupyter-client", "tornado", "traitlets"}
    return {name: version for name, version in pins.items() if name not in kept and not CUDA_ONLY.match(name)}


def find_replaced(environment: Environment, wanted: dict[str, str]) -> list[str]:
    """Packages of the environment whose version is another than the wanted one."""
    command = [environment.python, "-m", "pip", "list", "--format", "json"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    found = {re.sub(r"[-_.]+", "-", row["name"]).lower(): row["version"].partition("+")[0] for row in listed}
    different = sorted(name for name, version in found.items() if wanted.get(name, version) != version)
    return [f"{name} ({wanted[name]} by {found[name]})" for name in different]


if __name__ == "__main__":
    main()
