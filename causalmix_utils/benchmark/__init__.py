"""The benchmark: a grid of runs, a store that can be resumed, and where the runs are executed.

>>> from causalmix_utils.benchmark import PROFILES
>>> sorted(PROFILES)
['chapter', 'paper', 'smoke']
"""

from causalmix_utils.benchmark.arms import ARMS, PROTOCOL, Arm, RunSettings, derive_seed
from causalmix_utils.benchmark.export import export_results, read_results
from causalmix_utils.benchmark.profiles import PROFILES, Profile, get_profile
from causalmix_utils.benchmark.runner import find_pending, run_benchmark
from causalmix_utils.benchmark.single import execute_run, split_table
from causalmix_utils.benchmark.store import RunStore

__all__ = [
    "ARMS",
    "PROFILES",
    "PROTOCOL",
    "Arm",
    "Profile",
    "RunSettings",
    "RunStore",
    "derive_seed",
    "execute_run",
    "export_results",
    "find_pending",
    "get_profile",
    "read_results",
    "run_benchmark",
    "split_table",
]
