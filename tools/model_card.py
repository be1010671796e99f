"""Write the numbers of the embedded checkpoint into MODEL_CARD.md, from causalmix_utils/weights/nano.json.

    python tools/model_card.py

`tools/embed_checkpoint.py` calls it, and a test asserts that the card agrees with the file.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARD = ROOT / "MODEL_CARD.md"
WEIGHTS = ROOT / "causalmix_utils" / "weights"

BEGIN = "<!-- Numbers: begin. Written by tools/model_card.py; change causalmix_utils/weights/nano.json, not this. -->"
END = "<!-- Numbers: end -->"


def main() -> None:
    text = insert_numbers(CARD.read_text(encoding="utf-8"), render_numbers(read_provenance(), checkpoint_size()))
    CARD.write_text(text, encoding="utf-8")


def read_provenance() -> dict:
    """What nano.json says about the checkpoint."""
    return json.loads((WEIGHTS / "nano.json").read_text(encoding="utf-8"))


def checkpoint_size() -> int:
    """Bytes of the checkpoint's file."""
    return (WEIGHTS / "nano.safetensors").stat().st_size


def render_numbers(provenance: dict, n_bytes: int) -> str:
    """The table of facts about a checkpoint, in Markdown."""
    settings = provenance["settings"]
    rates = f"{settings['learning_rate']:g} (AdamW)"
    if settings["matrix_learning_rate"] > 0:
        rates = f"{settings['matrix_learning_rate']:g} (Muon), {rates}"
    versions = ", ".join(f"{package} {version}" for package, version in provenance["versions"].items())
    facts = {
        "layout": f"`{provenance['architecture']}` of the library `tabpfn`",
        "weights": f"{provenance['parameters']:,}; a file of {n_bytes / 1e6:.1f} MB",
        "training": f"{provenance['steps']:,} steps on {provenance['tables']:,} made-up tables",
        "largest training table": f"{settings['max_rows']} rows, {settings['max_features']} features, "
        f"{settings['network']['max_num_classes']} classes",
        "peak learning rates": rates,
        "compute": f"{provenance['training_hours']:.1f} hours on {provenance['machine']}",
        "seed": str(settings["seed"]),
        "date": provenance["date"],
        "versions": versions,
        "SHA-256": f"`{provenance['sha256']}`",
    }
    return "\n".join(["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in facts.items())])


def insert_numbers(text: str, numbers: str) -> str:
    """`text` with everything between the two marks replaced.

    Raises
    ------
    ValueError
        If `text` does not have each mark once, in this order.
    """
    pattern = re.compile(rf"({re.escape(BEGIN)}\n).*?(\n{re.escape(END)})", re.DOTALL)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or not pattern.search(text):
        raise ValueError(f"the card must have the lines {BEGIN!r} and {END!r} once each, in this order")
    return pattern.sub(lambda match: f"{match[1]}\n{numbers}\n{match[2]}", text)


if __name__ == "__main__":
    main()
