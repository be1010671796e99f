"""The prior and the training loop of the embedded checkpoint."""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file

from causalmix_utils.foundation import embedded_checkpoint
from causalmix_utils.pretraining import (
    PretrainingSettings,
    batch_loss,
    build_network,
    pretrain,
    sample_batch,
    sample_table,
)
from causalmix_utils.pretraining.steps import make_optimizers

ROOT = Path(__file__).resolve().parents[1]

TINY = PretrainingSettings(
    steps=8, cells_per_step=1500, max_rows=60, max_features=5, groups_per_step=2, warm_up_steps=2
)


def assert_same_weights(first, second):
    expected, found = load_file(first), load_file(second)
    assert expected.keys() == found.keys()
    assert all((expected[name] == found[name]).all() for name in expected)


@given(n_rows=st.integers(20, 80), n_features=st.integers(2, 30), seed=st.integers(0, 2**32 - 1))
@settings(max_examples=60)
def test_prior_tables_have_the_shape_asked_for_and_finite_or_missing_values(n_rows, n_features, seed):
    X, labels = sample_table(n_rows, n_features, rng=np.random.default_rng(seed))
    assert X.shape == (n_rows, n_features)
    assert X.dtype == np.float32
    assert not np.isinf(X).any()
    assert labels.shape == (n_rows,)
    assert 0 <= labels.min() and labels.max() < 10


def test_batches_number_the_classes_of_the_context_rows_and_mask_the_others():
    batch = sample_batch(40, n_rows=30, n_features=3, n_context=12, rng=np.random.default_rng(0))
    for table in range(40):
        context, query = batch.y[:12, table], batch.y[12:, table]
        assert set(context) == set(range(batch.n_classes[table]))
        assert set(query) <= {*context, -100}
    assert (batch.y == -100).any(), "with 12 context rows some classes of some tables must stay unseen"


def test_the_prior_draws_the_same_tables_from_the_same_seed_only():
    first, again, other = (sample_table(50, 6, rng=np.random.default_rng(seed))[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other, equal_nan=True)


def test_prior_tables_are_neither_trivial_nor_hopeless():
    """A forest finds something in most tables, and seldom everything: that is what there is to learn from."""
    from sklearn.ensemble import RandomForestClassifier

    from causalmix_utils.metrics import roc_auc

    rng, aucs = np.random.default_rng(0), []
    for _ in range(30):
        batch = sample_batch(1, n_rows=200, n_features=int(rng.integers(2, 20)), n_context=120, rng=rng)
        X, y = batch.X[:, 0], batch.y[:, 0]
        seen = y[120:] >= 0
        forest = RandomForestClassifier(30, random_state=0).fit(X[:120], y[:120])
        aucs.append(roc_auc(y[120:][seen], forest.predict_proba(X[120:][seen]), forest.classes_))
    assert 0.6 < np.median(aucs) < 0.95
    assert np.quantile(aucs, 0.9) - np.quantile(aucs, 0.1) > 0.2


def test_a_stopped_and_continued_run_ends_with_the_same_bits(tmp_path):
    straight = pretrain(tmp_path / "straight", settings=TINY, progress=False)
    for _ in range(20):
        continued = pretrain(tmp_path / "continued", settings=TINY, progress=False, time_limit=0.0)
        if continued.name == "checkpoint.safetensors":
            break
    assert_same_weights(straight, continued)
    logs = [pd.read_parquet(tmp_path / run / "log.parquet") for run in ("straight", "continued")]
    assert list(logs[1]["step"]) == list(range(TINY.steps))
    assert list(logs[0]["loss"]) == list(logs[1]["loss"])


def test_the_number_of_threads_changes_no_bit(tmp_path):
    one, two = (pretrain(tmp_path / str(n), settings=TINY, progress=False, n_threads=n) for n in (1, 2))
    assert_same_weights(one, two)


def test_a_lengthened_run_goes_on_from_before_the_rates_fell(tmp_path):
    longer = replace(TINY, steps=12)
    straight = pretrain(tmp_path / "straight", settings=longer, progress=False)
    pretrain(tmp_path / "lengthened", settings=TINY, progress=False)
    lengthened = pretrain(tmp_path / "lengthened", settings=longer, progress=False)
    assert_same_weights(straight, lengthened)
    log = pd.read_parquet(tmp_path / "lengthened" / "log.parquet")
    assert list(log["step"]) == list(range(12))
    with pytest.raises(ValueError, match="steps=6"):
        pretrain(tmp_path / "lengthened", settings=replace(TINY, steps=6), progress=False)


def test_the_average_of_the_weights_survives_a_stop_and_differs_from_the_last_weights(tmp_path):
    averaged = replace(TINY, average_decay=0.5)
    straight = pretrain(tmp_path / "straight", settings=averaged, progress=False)
    for _ in range(20):
        continued = pretrain(tmp_path / "continued", settings=averaged, progress=False, time_limit=0.0)
        if continued.name == "checkpoint.safetensors":
            break
    assert_same_weights(straight, continued)
    last = load_file(pretrain(tmp_path / "last", settings=TINY, progress=False))
    assert any((last[name] != tensor).any() for name, tensor in load_file(straight).items())


def test_learning_rates_rise_stay_and_fall():
    settings = PretrainingSettings(steps=100, warm_up_steps=10, decay_share=0.2)
    factors = [settings.rate_factor(step) for step in range(100)]
    assert factors[0] == 0.1 and factors[9:80] == [1.0] * 71
    assert np.all(np.diff(factors[80:]) < 0) and factors[-1] == pytest.approx(0.05)


def test_a_run_is_not_continued_with_other_settings(tmp_path):
    pretrain(tmp_path, settings=TINY, progress=False, time_limit=0.0)
    with pytest.raises(ValueError, match="learning_rate"):
        pretrain(tmp_path, settings=PretrainingSettings(**{**vars(TINY), "learning_rate": 1e-4}), progress=False)


def test_a_run_is_not_continued_on_another_prior(tmp_path, monkeypatch):
    from causalmix_utils.pretraining import state

    pretrain(tmp_path, settings=TINY, progress=False, time_limit=0.0)
    monkeypatch.setattr(state, "PRIOR_VERSION", 99)
    with pytest.raises(ValueError, match="version 1 of the prior"):
        pretrain(tmp_path, settings=TINY, progress=False)


def test_steps_on_one_batch_lower_its_loss():
    network = build_network(TINY)
    batch = sample_batch(8, n_rows=40, n_features=4, n_context=25, rng=np.random.default_rng(0))
    optimizers = make_optimizers(network, TINY)
    losses = []
    for _ in range(25):
        loss = batch_loss(network, batch)
        network.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] - 0.2


def test_the_library_loads_the_checkpoint(tmp_path):
    from sklearn.datasets import load_iris
    from tabpfn import TabPFNClassifier

    X, y = load_iris(return_X_y=True)
    checkpoint = pretrain(tmp_path, settings=TINY, progress=False)
    classifier = TabPFNClassifier(model_path=str(checkpoint), n_estimators=1, device="cpu").fit(X[::3], y[::3])
    assert classifier.predict_proba(X).shape == (150, 3)


def test_building_a_network_leaves_the_global_random_state_alone():
    import torch

    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    build_network(TINY)
    assert torch.equal(torch.rand(2), expected)


@pytest.mark.parametrize(("option", "value"), [("steps", 0), ("max_rows", 10), ("learning_rate", -1.0)])
def test_wrong_settings_are_named(option, value):
    with pytest.raises(ValueError, match=option):
        PretrainingSettings(**{option: value})


# No real table


def imports_of(module: str) -> set[str]:
    """Absolute names of the modules that a module of the package imports, anywhere in its source."""
    path = ROOT.joinpath(*module.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively, which this test does not follow"
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def is_own_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return name.split(".")[0] == "causalmix_utils" and (path.is_dir() or path.with_suffix(".py").is_file())


def reachable_from(start: set[str]) -> tuple[set[str], set[str]]:
    """Modules of the package that are reached by following imports, and everything else that these import."""
    own, foreign, ahead = set(), set(), set(start)
    while ahead:
        module = ahead.pop()
        own.add(module)
        # Importing a.b.c runs a and a.b, too.
        parents = {module.rsplit(".", k)[0] for k in range(1, module.count(".") + 1)}
        found = imports_of(module) | parents
        ahead |= {name for name in found if is_own_module(name)} - own
        foreign |= {name for name in found if not name.startswith("causalmix_utils")}
    return own, foreign


def test_nothing_that_pretraining_imports_can_load_a_real_table():
    """The model card says that no real table was seen in training; this is why one can believe it."""
    folder = ROOT / "causalmix_utils" / "pretraining"
    own, foreign = reachable_from({f"causalmix_utils.pretraining.{path.stem}" for path in folder.glob("[a-z]*.py")})
    assert {name.split(".")[1] for name in own if "." in name} <= {"arguments", "pretraining", "threads", "whole_files"}
    libraries = {name.split(".")[0] for name in foreign} - set(sys.stdlib_module_names)
    assert libraries <= {
        "numpy",
        "pandas",
        "safetensors",
        "scipy",
        "sklearn",
        "threadpoolctl",
        "torch",
        "tabpfn",
        "tqdm",
    }
    assert not {
        name for name in foreign if "datasets" in name.split(".") or "urllib" in name or "importlib.resources" in name
    }


def test_what_pretraining_imports_by_a_name_that_it_computes_is_an_architecture():
    """`import_module` is the one import that the search above can't follow."""
    for path in (ROOT / "causalmix_utils" / "pretraining").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
                assert ast.unparse(node.args[0]).startswith("f'tabpfn.architectures."), ast.unparse(node)


def test_the_search_for_imports_finds_tables_where_they_are_used():
    own, _ = reachable_from({"causalmix_utils.cli.commands"})
    assert "causalmix_utils.tables.embedded" in own


def test_the_prior_reads_no_file():
    tree = ast.parse((ROOT / "causalmix_utils" / "pretraining" / "prior.py").read_text(encoding="utf-8"))
    called = {
        node.func.attr for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    called |= {
        node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert not {name for name in called if name.startswith(("open", "load", "read", "fromfile", "genfromtxt"))}
    assert imports_of("causalmix_utils.pretraining.prior") <= {
        "__future__", "__future__.annotations", "dataclasses", "dataclasses.dataclass", "numpy",
        "causalmix_utils.arguments", "causalmix_utils.arguments.check_count", "causalmix_utils.arguments.check_rng",
    }  # fmt: skip


def test_the_defaults_are_the_settings_that_trained_the_embedded_checkpoint():
    """So that `make pretrain` trains it again."""
    stored = json.loads(embedded_checkpoint().with_suffix(".json").read_text(encoding="utf-8"))["settings"]
    assert asdict(PretrainingSettings()).items() >= stored.items()
