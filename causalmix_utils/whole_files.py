"""Files that are there as a whole or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary file beside `path`, to be written in the block, that takes its place when the block ends well.

    A reader sees the old content or the new one, never a part, also where several processes or threads write the same
    file. If the block fails, the temporary file vanishes; if the process is killed, it stays behind: its name
    begins with a dot and ends with ``.tmp``.

    Parameters
    ----------
    path : path
        A symbolic link stays one: the file that it names is replaced. A file that is there keeps its permissions.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If `path` is a folder.
    OSError
        If `path` is there but neither a file nor a folder, such as a device or a pipe.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(f"{folder}/note.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     Path(f"{folder}/note.txt").read_text()
    'whole'
    """
    given = Path(path)
    if given.exists() and not (given.is_file() or given.is_dir()):  # asked before links end in names that are no paths
        raise OSError(f"{str(given)!r} is a device or a pipe, which can't be replaced by a file")
    path = Path(os.path.realpath(given))
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {str(path.parent)!r} does not exist")
    if path.is_dir():
        raise IsADirectoryError(f"{str(path)!r} is a folder, not a file")
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}.tmp")
    try:
        yield temporary
        with temporary.open("r+b") as file:  # on the disk before it gets its name
            os.fsync(file.fileno())
        if path.exists():  # last, since the permissions may forbid to open the file for writing
            shutil.copymode(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
