"""Make every address of this repository agree with _config.yml, after changing it there if asked to.

Usage: python tools/retarget.py [OWNER/NAME]

Badges, install cells, clone commands and links to the published book contain the repository's address. A fork
changes all of them with `make retarget REPO=owner/name`. Without an argument, the files are made to agree with
_config.yml as it is.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

REPOSITORY = r"(?P<repository>[A-Za-z0-9-]+/[A-Za-z0-9._-]*[A-Za-z0-9_-])"
SETTING = re.compile(rf"(?P<before>^repository:\n(?:  .*\n)*?  url: https://github\.com/){REPOSITORY}", re.MULTILINE)

# What marks an address of GitHub as this repository's own, rather than a link to somebody else's.
OWN_ADDRESSES = (
    re.compile(rf"(?P<before>git clone https://github\.com/){REPOSITORY}"),
    re.compile(rf"(?P<before>causalmix-utils(?:\[[a-z,]+\])? @ git\+https://github\.com/){REPOSITORY}"),
    re.compile(rf"(?P<before>https://colab\.research\.google\.com/github/){REPOSITORY}(?=/blob/[^/]+/notebooks/)"),
    re.compile(rf"(?P<before>https://github\.com/){REPOSITORY}(?=/raw/[^/]+/book/results)"),
    re.compile(rf"(?P<before>https://github\.com/){REPOSITORY}(?=/blob/[^/]+/CONTRIBUTING\.md)"),
    re.compile(rf"(?P<before>https://github\.com/){REPOSITORY}(?=/tree/[^/]+/book/assignment)"),
    re.compile(rf"(?P<before>repository-code: \"?https://github\.com/){REPOSITORY}"),
)
PUBLISHED = re.compile(
    r"https://(?P<owner>[A-Za-z0-9-]+)\.github\.io/(?P<name>(?:[A-Za-z0-9._-]+/)?)(?=(?:book|notebooks)/[a-z0-9_]+\.html)"
)


def main() -> None:
    if len(sys.argv) > 2:
        sys.exit(__doc__)
    if len(sys.argv) == 2:
        if not re.fullmatch(REPOSITORY, sys.argv[1]):
            sys.exit(f"REPO must be owner/name, got {sys.argv[1]!r}")
        rewrite(ROOT / "_config.yml", lambda text: SETTING.sub(rf"\g<before>{sys.argv[1]}", text))
    repository = configured_repository()
    changed = [path for path in files() if rewrite(path, lambda text: retarget(text, repository))]
    print(f"{repository}: changed {len(changed)} files")


def files() -> list[Path]:
    """Every file that may hold an address of this repository."""
    found = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CITATION.cff", "MODEL_CARD.md")]
    patterns = ("book/*.md", "book/assignment/*.md", "notebooks/*.ipynb", ".github/ISSUE_TEMPLATE/*.yml")
    found += [path for pattern in patterns for path in ROOT.glob(pattern)]
    return sorted(path for path in found if path.exists())


def configured_repository() -> str:
    """`owner/name` as written in _config.yml."""
    match = SETTING.search((ROOT / "_config.yml").read_text(encoding="utf-8"))
    if match is None:
        raise ValueError("_config.yml has no line 'url: https://github.com/owner/name' under 'repository:'")
    return match["repository"]


def published_address(repository: str) -> str:
    """Where GitHub Pages serves the book, with a slash at its end."""
    owner, name = repository.split("/")
    return f"https://{owner}.github.io/" + ("" if name.lower() == f"{owner}.github.io".lower() else f"{name}/")


def own_addresses(text: str) -> set[str]:
    """Every `owner/name`, and every address of the published book, that `text` takes for this repository's."""
    found = {match["repository"] for pattern in OWN_ADDRESSES for match in pattern.finditer(text)}
    return found | {match[0] for match in PUBLISHED.finditer(text)}


def retarget(text: str, repository: str) -> str:
    """`text` with every address of this repository replaced."""
    for pattern in OWN_ADDRESSES:
        text = pattern.sub(rf"\g<before>{repository}", text)
    return PUBLISHED.sub(published_address(repository), text)


def rewrite(path: Path, change) -> bool:
    """Apply `change` to the text of a file; True if it is different afterwards."""
    before = path.read_text(encoding="utf-8")
    after = change(before)
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


if __name__ == "__main__":
    main()
