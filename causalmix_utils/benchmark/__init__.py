"""The benchmark: a grid of runs, a store that can be resumed, and where the runs are executed.

>>> from causalmix_utils.benchmark import PROFILES
>>> sorted(PROFILES)
['case_study', 'chapter', 'paper', 'smoke', 'tabarena']
"""

from causalmix_utils.benchmark.arms import ARMS, PROTOCOL, SOURCES, Arm, RunSettings, derive_seed
from causalmix_utils.benchmark.export import export_results
from causalmix_utils.benchmark.parts import split_table
from causalmix_utils.benchmark.profiles import COUNTED_ARMS, PROFILES, Profile, get_profile
from causalmix_utils.benchmark.progress import summarise_progress
from causalmix_utils.benchmark.reading import MissingResultsError, read_results
from causalmix_utils.benchmark.repeat import TOLERANCE, StoredRun, compare_environments, find_run, repeat_run
from causalmix_utils.benchmark.runner import find_pending, run_benchmark
from causalmix_utils.benchmark.single import execute_run
from causalmix_utils.benchmark.store import RunStore
from causalmix_utils.benchmark.stored import STORED_BENCHMARKS, StoredBenchmark, read_benchmark
from causalmix_utils.benchmark.taking_over import take_over_results

__all__ = [
    "ARMS",
    "PROFILES",
    "PROTOCOL",
    "COUNTED_ARMS",
    "SOURCES",
    "STORED_BENCHMARKS",
    "TOLERANCE",
    "Arm",
    "MissingResultsError",
    "Profile",
    "RunSettings",
    "RunStore",
    "StoredBenchmark",
    "StoredRun",
    "compare_environments",
    "derive_seed",
    "execute_run",
    "export_results",
    "find_pending",
    "find_run",
    "get_profile",
    "read_benchmark",
    "read_results",
    "repeat_run",
    "run_benchmark",
    "split_table",
    "summarise_progress",
    "take_over_results",
]
