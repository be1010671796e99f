"""The part of the claims page that stored results write, so that it can't drift from them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from causalmix_utils.cli.claims_tables import formatter, render_comparison, render_evidence, render_table, show_number
from causalmix_utils.whole_files import replacing

if TYPE_CHECKING:
    import pandas as pd

    from causalmix_utils.benchmark import StoredBenchmark
    from causalmix_utils.evaluation.claims import Comparison, Share, StructureAnswer, Verdict

BEGIN = "<!-- From here to the end mark, `causalmix report --claims` writes. Change the results, not this text. -->"
END = "<!-- The end of what `causalmix report --claims` writes. -->"

GRID = "paper"
"""Profile whose grid the verdicts should rest on."""

SCALES = {"gain": "normalised gain", "gain_points": "AUC, points", "log_loss_gain": "log-loss, nats"}
METHODS = ("causal", "causal_blanket")
SPREADS = 2
"""The claim about spreads."""

VARIANT = (
    " This variant differs from random DAGs in more than its graphs: the target is tied to all columns, found or not, "
    "by a mechanism of another kind, and most noises of a row are those of one real row. So its differences, whatever "
    "they are, do not tell what the structure did."
)
"""Why the differences of the second causal arm are shown without an answer."""


@dataclass(frozen=True)
class Judged:
    """All verdicts that a stored benchmark gives.

    Parameters
    ----------
    stored : StoredBenchmark
    verdicts : dict of (int, str) to list of Verdict
        By regime and column; the largest regime first, ``gain`` first.
    structure : dict of (int, str) to StructureAnswer
        By regime and causal arm.
    spreads, gaps : DataFrame
        What the abstract says beside the claims, at the regime that the verdicts rest on; see `measure_spreads` and
        `measure_gaps`.
    planned : tuple of int
        The regimes of the grid that the verdicts should rest on, the largest first.
    """

    stored: StoredBenchmark
    verdicts: dict[tuple[int, str], list[Verdict]]
    structure: dict[tuple[int, str], StructureAnswer]
    spreads: pd.DataFrame
    gaps: pd.DataFrame
    planned: tuple[int, ...]

    @property
    def regime(self) -> int:
        """The regime that the verdicts rest on."""
        return self.stored.regimes[0]


def judge_stored(stored: StoredBenchmark, *, scores: pd.DataFrame | None, n_resamples: int = 10_000) -> Judged:
    """The verdicts in both metrics, and the answer about the structure, at every regime.

    Parameters
    ----------
    stored : StoredBenchmark
    scores : DataFrame or None
        Scores of synthetic rows; see `judge_kept_structure`.
    n_resamples : int
        Resamples of the bootstrap; what the page shows is made with the default.
    """
    from causalmix_utils.evaluation import add_gaps
    from causalmix_utils.evaluation.claims import (
        Bootstrap,
        PlannedGrid,
        answer_structure,
        judge_claims,
        measure_gaps,
        measure_spreads,
        select_runs,
    )

    grid = PlannedGrid.of_profile(GRID)
    main, paths = select_runs(grid.pick(stored.results), regime=stored.regimes[0]), stored.trajectories
    bootstrap = Bootstrap.from_rng(None, n_resamples)
    common = {"source": stored.name, "grid": grid, "n_resamples": n_resamples}
    return Judged(
        stored,
        {
            (regime, value): judge_claims(stored.results, scores=scores, regime=regime, value=value, **common)
            for regime in stored.regimes
            for value in ("gain", "log_loss_gain")
        },
        {
            (regime, method): answer_structure(stored.results, method=method, regime=regime, **common)
            for regime in stored.regimes
            for method in METHODS
        },
        measure_spreads(main, bootstrap=bootstrap),
        measure_gaps(add_gaps(main, paths) if len(paths) else main, bootstrap=bootstrap),
        tuple(sorted(map(int, grid.runs["regime"].unique()), reverse=True)),
    )


def render_claims(judged: Judged) -> str:
    """The generated part of the page, as MyST markdown."""
    main, beside = (judged.verdicts[judged.regime, value] for value in ("gain", "log_loss_gain"))
    parts = [_render_source(judged), "## The verdicts\n", _render_overview(main, beside)]
    parts.append("\n## The evidence, claim by claim\n")
    parts += [_render_verdict(verdict, other, judged) for verdict, other in zip(main, beside, strict=True)]
    parts += [_render_gaps(judged), _render_structure(judged), _render_regimes(judged)]
    return "\n".join(part for part in parts if part)


def update_page(path: Path, text: str) -> None:
    """Replace what stands between the two marks of a page.

    Raises
    ------
    ValueError
        If the page does not exist or lacks a mark.
    """
    if not path.is_file():
        raise ValueError(f"--claims={path} does not exist")
    before, begin, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"--claims={path} lacks the line {END if begin else BEGIN}")
    with replacing(path) as temporary:
        temporary.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


def _render_source(judged: Judged) -> str:
    stored, (share, verdict) = judged.stored, _share(judged)
    runs = stored.results
    lines = [
        ":::{admonition} What these verdicts rest on",
        f"The stored benchmark `{stored.name}`"
        + (f", exported on {stored.provenance['exported_at'][:10]}" if "exported_at" in stored.provenance else "")
        + f": {len(runs):,} runs on {runs['table'].nunique()} tables, from the checkpoint `{verdict.checkpoint}`. "
        f"The verdicts on findings use the runs at {judged.regime} rows: so many serve training and validation, or two "
        "thirds of the table where that is less. "
        f"{_count_of_tabarena(runs)} of the tables are TabArena's, from which the paper takes all of its.",
    ]
    if not share.complete:
        lines.append("")
        lines.append(
            f"**They are provisional.** Of the {share.planned:,} runs that they should rest on, {share.finished:,} are "
            "there."
        )
        if not share.finished and stored.name == GRID:
            lines.append(
                f"The runs of `{stored.name}` have other settings than the profile of this name has today: another "
                "checkpoint, another protocol, or other tables. They stand in until it is run again."
            )
        elif not share.finished:
            lines.append(
                f"`{stored.name}` is no part of that grid, which is the profile `{GRID}`. It has fewer tables and "
                "splits and smaller settings, and stands in until runs of the grid are stored."
            )
    return "\n".join([*lines, ":::\n"])


def _count_of_tabarena(runs: pd.DataFrame) -> int:
    from causalmix_utils.tables import list_tables

    known = list_tables()
    return len(set(runs["table"]) & set(known.loc[known["tabarena"] != "", "name"]))


def _share(judged: Judged) -> tuple[Share, Verdict]:
    first = judged.verdicts[judged.regime, "gain"][0]
    return first.share, first


def _render_overview(main: list[Verdict], beside: list[Verdict]) -> str:
    rows = []
    for verdict, other in zip(main, beside, strict=True):
        tables = max((comparison.n_tables for comparison in verdict.comparisons), default=0)
        splits = max((comparison.n_splits for comparison in verdict.comparisons), default=0)
        if verdict.share is not None:
            in_log_loss, rests_on = (
                _mark(other, _name(other)),
                f"`{verdict.source}`: {tables} tables, {splits} splits",
            )
        else:
            in_log_loss = "–"
            rests_on = f"`{verdict.source}`" + (f"; scores of rows on {tables} tables" if tables else "")
        name = _mark(verdict, f"**{_name(verdict)}**")
        rows.append([verdict.number, verdict.claim, name, in_log_loss, rests_on])
    return render_table(["", "Claim", "Verdict", "By log-loss, directions only", "Rests on"], rows)


def _mark(found: Verdict | StructureAnswer, text: str) -> str:
    """The text, marked as provisional if runs are missing."""
    return f"*provisional:* {text}" if found.provisional else text


def _name(verdict: Verdict) -> str:
    return f"{verdict.verdict} ({verdict.ground})" if verdict.ground else verdict.verdict


def _render_verdict(verdict: Verdict, other: Verdict, judged: Judged) -> str:
    lines = [f"### Claim {verdict.number}", "", f"> {verdict.claim}", "", f"**Verdict: {verdict}.** {verdict.reason}"]
    if verdict.parts:
        lines += ["", render_evidence(verdict)]
    if verdict.number == SPREADS:
        lines += ["", _render_spreads(judged.spreads)]
    if verdict.share is not None:  # a finding
        lines += ["", f":::{{dropdown}} By log-loss, directions only: {other}", other.reason, ""]
        lines += [render_evidence(other), ":::"]
    ours = _ours(verdict.number)
    if ours:
        lines += ["", f"*What is our choice.* {ours}"]
    lines += ["", f"*What would change the verdict.* {verdict.would_change}", ""]
    return "\n".join(lines)


def _render_spreads(spreads: pd.DataFrame) -> str:
    """The sizes behind ±, which no rule judges, with an interval each."""
    from causalmix_utils.plots import arm_label

    text = (
        "*The two sizes themselves.* The rules judge the ratio of the two spreads and neither of them alone, and a "
        "rule that is written after the results would be made to fit them. So these numbers have no verdict:"
    )
    rows = [
        [
            arm_label(arm),
            f"± {found['claimed']:.2f}",
            f"± {show_number(found['over_tables'])}",
            f"{show_number(found['low'])} to {show_number(found['high'])}",
            f"± {show_number(found['over_runs'])}",
        ]
        for arm, found in spreads.iterrows()
    ]
    header = ["Arm", "Claimed", "Standard deviation over tables", "95 % interval", "Over runs"]
    return f"{text}\n\n{render_table(header, rows)}"


def _render_gaps(judged: Judged) -> str:
    """What the abstract says of validation and test, and what both readings give."""
    from causalmix_utils.evaluation.claims import CLAIMED_GAPS
    from causalmix_utils.plots import arm_label

    if judged.gaps.empty:
        return ""
    (real_rows, before), (method, after) = CLAIMED_GAPS.items()
    text = (
        "## The gap between validation and test\n\n"
        "The paper's abstract says that CausalMixFT narrows the median gap between validation and test from "
        f"{before:.2f} to {after:.2f}. This is none of the nine claims, so no rule was written for it, and it has no "
        "verdict. The formula is not known either. {doc}`Chapter 5 <../notebooks/05_benchmark>` has two readings, and "
        "smaller is better in both:\n\n"
    )
    rows = []
    for gap, found in judged.gaps.iterrows():
        difference, low, high = (show_number(found[key], "{:+.3f}") for key in ("difference", "low", "high"))
        numbers = [show_number(found[real_rows]), show_number(found[method]), difference, f"{low} to {high}"]
        rows.append([gap.replace("_", " "), *numbers, int(found["n_tables"])])
    header = [
        "Median over tables",
        arm_label(real_rows).capitalize(),
        arm_label(method),
        "Median difference",
        "95 % interval",
        "Tables",
    ]
    return f"{text}{render_table(header, rows)}\n"


def _ours(number: int) -> str:
    from causalmix_utils.evaluation.claims import METHOD_STATEMENTS

    return METHOD_STATEMENTS[number].ours if number in METHOD_STATEMENTS else ""


def _render_structure(judged: Judged) -> str:
    from causalmix_utils.evaluation.claims import METRICS, NO_ANSWER, noise_bound
    from causalmix_utils.plots import arm_label

    answers = {method: judged.structure[judged.regime, method] for method in METHODS}
    main = answers["causal"]
    answer = f"provisional ({main.share}): {main.answer}" if main.provisional else main.answer
    each = "; ".join(f"{METRICS[value].split(',')[0]}: {given}" for value, given in main.by_metric.items())
    lines = [
        "## Does the causal structure matter?",
        "",
        f"**Answer: {answer}.** By metric: {each}.",
        "",
        "To say yes, the causal arm must do better than random graphs with as many edges, and better than columns "
        "drawn independently, by more than the noise floor. (Random graphs differ in which columns they join, and in "
        "how many they join to the target; both belong to the structure that was found.) The answer is no if it does "
        "worse than one of them by more than that floor: then the structure does harm. That it makes no difference at "
        "all, no interval can show; the next lines bound the difference. Whether the causal arm beats SMOTE, which "
        "knows nothing of causes, stands beside it. SMOTE's rows lie close to real ones, so they differ in more than "
        "that. Since two controls decide, *contradicted* rests on a wider interval, at half the level.",
        "",
        *_bound_structure(main),
    ]
    for value, again in main.floors.items():
        show = formatter(again)
        if math.isinf(noise_bound(again)):
            lines.append(
                f"- *Noise floor, {METRICS[value]}:* not measured, since the same fine-tuning with another seed has "
                "too few runs. Without it there is no yes and no no."
            )
            continue
        lines.append(
            f"- *Noise floor, {METRICS[value]}:* the same fine-tuning with another seed differs by a median of "
            f"{show(again.estimate)} (95 % interval {show(again.low)} to {show(again.high)}), so a median difference "
            f"of up to {show(noise_bound(again)).lstrip('+')} is no finding. {_judge_floor(again)}"
        )
    for method, answer in answers.items():
        header = [f"{arm_label(method)} minus", "Metric", "Median difference", "95 % interval", "Without any one table"]
        rows = [
            [arm_label(comparison.against), METRICS[comparison.value], *render_comparison(comparison)[1:6]]
            for comparison in answer.comparisons
        ]
        title = f"**{arm_label(method)}: {answer.answer}.**" + (VARIANT if answer.answer == NO_ANSWER else "")
        lines += ["", title, "", render_table([*header, "Better?", "Tables"], rows)]
    return "\n".join(lines) + "\n"


def _bound_structure(answer: StructureAnswer) -> list[str]:
    """How much the structure could matter, given the interval; the result, whatever the answer is."""
    from causalmix_utils.evaluation.claims import METRICS

    lines = []
    for comparison in answer.comparisons:
        if comparison.against == "random_dag":
            show = formatter(comparison)
            lines.append(
                f"- *How much it could matter, {METRICS[comparison.value]}:* found graphs instead of random ones "
                f"changed the median by {show(comparison.estimate)}; the 95 % interval reaches from "
                f"{show(comparison.low)} to {show(comparison.high)} over {comparison.n_tables} tables."
            )
    return lines


def _judge_floor(again: Comparison) -> str:
    if not again.low <= 0 <= again.high:
        return (
            "**This interval should contain zero and does not.** About one of twelve such intervals over 33 tables "
            "misses it by luck alone; until more runs say which it is, read differences in this metric with suspicion."
        )
    return "It contains zero, as it should."


def _render_regimes(judged: Judged) -> str:
    rows = []
    for (regime, value), verdicts in judged.verdicts.items():
        found = [_mark(verdict, _name(verdict)) for verdict in verdicts[:3]]
        structure = judged.structure[regime, METHODS[0]]
        answer = _mark(structure, structure.answer) if value == "gain" else ""
        rows.append([f"{regime} rows", SCALES[value], *found, answer])
    if _share(judged)[0].finished:
        absent = [regime for regime in judged.planned if regime not in judged.stored.regimes]
        rows += [[f"{regime} rows", "–", *["no runs yet"] * 4] for regime in absent]
    header = ["Scarcity", "Judged by", "Claim 1", "Claim 2", "Claim 3", "Does structure matter?"]
    return f"## Does it depend on scarcity and metric?\n\n{render_table(header, rows)}\n"
