"""CausalMixFT: fine-tune a tabular foundation model on real and causally sampled rows.

Each module is one step of a staircase, and each step uses only the steps below it::

    tables -> discovery -> graphs -> scm -> generators -> finetuning -> benchmark -> evaluation -> plots

Importing the package loads nothing heavy: torch, dowhy and tabpfn are imported by the
functions that need them.
"""

__version__ = "0.1.0"
