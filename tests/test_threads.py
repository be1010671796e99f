"""One thread inside the block, whatever was loaded before; the numbers of before after it."""

import subprocess
import sys

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from causalmix_utils.threads import single_thread


def count_threads():
    """Threads of each library that is loaded."""
    return {pool["filepath"]: pool["num_threads"] for pool in threadpool_info()}


def test_every_library_has_one_thread_inside_and_its_own_number_after():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with threadpool_limits(2):
            outside = count_threads()
            with pytest.raises(ZeroDivisionError), single_thread():
                assert torch.get_num_threads() == 1
                assert set(count_threads().values()) == {1}
                raise ZeroDivisionError
            assert torch.get_num_threads() == 2
            assert outside.items() <= count_threads().items()
    finally:
        torch.set_num_threads(before)


def test_libraries_that_are_used_later_are_limited_too():
    code = (
        "from causalmix_utils.threads import single_thread\n"
        "with single_thread():\n"
        "    import sklearn.ensemble, scipy.linalg, dowhy.gcm\n"
        "    from threadpoolctl import threadpool_info\n"
        "    assert {pool['num_threads'] for pool in threadpool_info()} == {1}, threadpool_info()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
