"""The command line: thin commands over the package.

Each command checks what it was given, calls the package, and prints. Everything heavy is
imported by the command that needs it, so that ``causalmix --help`` answers at once.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from causalmix_utils.cli.parser import build_parser

__all__ = ["build_parser", "main"]

EXIT_USER_ERROR, EXIT_INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``causalmix`` on the command line; by default that of this process.

    Returns
    -------
    int
        Exit status: 0, 1 if a benchmark has failed runs or a run made again gives other numbers, 2 for a wrong
        argument or input (one line on stderr says which), 130 if interrupted.
    """
    options = build_parser().parse_args(arguments)
    try:
        with _plain_warnings():
            return options.command(options) or 0
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain again when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ValueError, OSError, ImportError, RuntimeError) as error:
        if os.environ.get("CAUSALMIX_TRACEBACK"):
            raise
        print(f"causalmix: error: {_first_line(error)}", file=sys.stderr)
        return EXIT_USER_ERROR
    except KeyboardInterrupt:
        print("causalmix: interrupted", file=sys.stderr)
        return EXIT_INTERRUPTED


@contextmanager
def _plain_warnings() -> Iterator[None]:
    """Print warnings meant for users as one line each, and drop those meant for developers."""
    with warnings.catch_warnings():
        for category in (FutureWarning, DeprecationWarning, PendingDeprecationWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = lambda message, *_, **__: print(
            f"causalmix: warning: {_first_line(message)}", file=sys.stderr
        )
        yield


def _first_line(message: BaseException | Warning | str) -> str:
    text = str(message).strip() or type(message).__name__
    return " ".join(text.split())
