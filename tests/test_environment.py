"""pyproject.toml, requirements.lock and environment.yml describe one environment, and Colab's fits the ranges too."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = ("3.11.9", "3.12.0", "3.13.0")
BOOK_PYTHON = "3.11"

# dowhy 0.14 needs a newer cvxpy than Colab has; nothing imports it before, so that no restart is needed.
REPLACED_IN_COLAB = {"cvxpy"}


def requirement_rows(path: Path) -> list[Requirement]:
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [Requirement(line) for line in lines if line]


def pins(path: Path, *, python: str) -> dict[str, Version]:
    """Versions by name that a Linux machine with this Python installs."""
    environment = {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "sys_platform": "linux",
        "os_name": "posix",
        "platform_machine": "x86_64",
    }
    found = {}
    for row in requirement_rows(path):
        if row.marker is None or row.marker.evaluate(environment):
            name = canonicalize_name(row.name)
            assert name not in found, f"{path.name} pins {name} twice for Python {python}"
            found[name] = Version(str(row.specifier).removeprefix("=="))
    return found


def direct_dependencies() -> list[tuple[str, Requirement]]:
    extras = PROJECT["optional-dependencies"]
    rows = [("package", row) for row in PROJECT["dependencies"]]
    rows += [(extra, row) for extra in extras for row in extras[extra]]
    return [(extra, Requirement(row)) for extra, row in rows]


LOCK = ROOT / "requirements.lock"
DIRECT = direct_dependencies()


def test_every_row_of_the_lock_is_one_exact_version():
    for row in requirement_rows(LOCK):
        assert re.fullmatch(r"==[0-9][0-9a-z.]*", str(row.specifier)), f"{row} is not an exact version"
        assert row.url is None


def test_the_lock_names_no_address_path_or_option():
    text = LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-|/|\.)", text, flags=re.MULTILINE)


def test_the_lock_leaves_the_libraries_of_one_build_of_torch_out():
    locked = {canonicalize_name(row.name) for row in requirement_rows(LOCK)}
    assert "torch" in locked
    assert not [name for name in locked if name.startswith(("nvidia-", "cuda-")) or name == "triton"]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("extra, requirement", DIRECT, ids=[f"{extra}-{row.name}" for extra, row in DIRECT])
def test_the_lock_holds_every_direct_dependency_within_its_range(extra, requirement, python):
    locked = pins(LOCK, python=python)
    name = canonicalize_name(requirement.name)
    assert name in locked, f"{name} ({extra}) is not in the lock: run `make lock`"
    assert requirement.specifier.contains(locked[name]), f"{name} {locked[name]} is outside of {requirement.specifier}"


@pytest.mark.parametrize("python", PYTHONS)
def test_the_project_admits_the_python_versions_of_the_lock(python):
    assert SpecifierSet(PROJECT["requires-python"]).contains(python)


def test_the_extras_have_the_names_that_the_documentation_uses():
    assert set(PROJECT["optional-dependencies"]) == {"ctgan", "openml", "cluster", "book", "test"}


def test_conda_users_get_the_lock_and_the_python_of_the_book():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    (pip_section,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert pip_section == ["-r requirements.lock"]
    names = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert f"python={BOOK_PYTHON}" in names
    assert "pip" in names


def test_colab_needs_no_other_version_of_what_it_has():
    colab = pins(ROOT / "tests" / "colab_versions.txt", python="3.13.0")
    wanted = [(extra, row) for extra, row in DIRECT if extra not in {"book", "test"}]
    checked = 0
    for extra, requirement in wanted:
        name = canonicalize_name(requirement.name)
        if name in colab and name not in REPLACED_IN_COLAB:
            assert requirement.specifier.contains(colab[name]), f"{name} ({extra}) would be replaced in Colab"
            checked += 1
    assert checked >= 10, "colab_versions.txt lacks the packages that the project depends on"
