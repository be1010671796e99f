"""Files that are written as a whole or not at all."""

import os
import stat
import threading

import pytest

from causalmix_utils.whole_files import replacing


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_a_block_that_fails_leaves_the_old_file_and_no_other(tmp_path, error):
    path = tmp_path / "note.txt"
    path.write_text("old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_text("half")
        raise error
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_several_writers_of_one_file_never_meet(tmp_path):
    path, failures = tmp_path / "note.txt", []

    def write(text):
        try:
            for _ in range(20):
                with replacing(path) as temporary:
                    temporary.write_text(text)
                assert path.read_text() in ("a" * 1000, "b" * 1000)
        except BaseException as error:
            failures.append(error)

    writers = [threading.Thread(target=write, args=(letter * 1000,)) for letter in "ab"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert failures == []
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_one(tmp_path):
    (tmp_path / "real.txt").write_text("old")
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "real.txt")
    with replacing(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink()
    assert (tmp_path / "real.txt").read_text() == "new"


def test_a_missing_folder_and_a_folder_are_named(tmp_path):
    with (
        pytest.raises(FileNotFoundError, match="the folder .*nowhere' does not exist"),
        replacing(tmp_path / "nowhere/x"),
    ):
        pass
    with pytest.raises(IsADirectoryError, match="is a folder, not a file"), replacing(tmp_path):
        pass


@pytest.mark.parametrize("through_a_link", [False, True])
def test_a_pipe_or_a_device_is_refused_before_anything_is_written(tmp_path, through_a_link):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for special in (pipe, os.devnull):
        path = tmp_path / "link"
        path.unlink(missing_ok=True)
        path.symlink_to(special)
        with pytest.raises(OSError, match="is a device or a pipe"), replacing(path if through_a_link else special):
            pytest.fail("the block must not be run")
    assert stat.S_ISFIFO(pipe.stat().st_mode) and sorted(os.listdir(tmp_path)) == ["link", "pipe"]


@pytest.mark.parametrize("mode", [0o640, 0o755, 0o444])
def test_a_file_that_is_replaced_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "note.txt"
    path.write_text("old")
    path.chmod(mode)
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new" and stat.S_IMODE(path.stat().st_mode) == mode
