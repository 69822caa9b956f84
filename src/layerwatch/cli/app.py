"""The command line's program, the options that several verbs share, and errors as one line with an exit code."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from layerwatch import __version__

INTERRUPTED = 130  # exit code
_SERVE = ("alembic", "argon2", "fastapi", "httpx", "paho", "prometheus_client", "sqlalchemy", "uvicorn", "watchfiles")
_NO_OUTPUT = (errno.ENOSPC, errno.EPIPE, errno.EIO)

app = typer.Typer(
    name="layerwatch",
    help="From the CAD file of a part to a running layer inspector, with no defective part and no label needed.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: layerwatch demo --out demo    Exit codes: 0 done, 1 unusable data, 2 wrong call, "
    "3 a layer is NOK (with --fail-on-nok), 130 interrupted.",
)

Seed = Annotated[int, typer.Option(min=0, help="The same seed gives the same bytes.")]
Machine = Annotated[
    Path | None, typer.Option(help="Machine file in TOML; default: the first shipped one that takes the part.")
]
Unit = Annotated[str | None, typer.Option(help="Unit of the part file: mm, inch, m, cm, micron, foot.")]
Rate = Annotated[float, typer.Option(help="Promised share of false alarms among healthy layers.")]
Good = Annotated[list[str] | None, typer.Option(help="Name of a sub-folder of healthy images; may be repeated.")]
Recipe = Annotated[str, typer.Option(help="Networks and schedule: quick, cpu, paper.")]


def main() -> None:
    """Run the command line; errors of the user's making are one line, never a traceback."""
    signal.signal(signal.SIGTERM, _end)
    try:
        code = app(standalone_mode=False)
        code = _interrupted() if code == INTERRUPTED else code
        sys.stdout.flush()
    except KeyboardInterrupt:
        code = _interrupted()
    except _Ended:
        code = _interrupted(128 + signal.SIGTERM)
    except Exception as error:
        code = _told(error)
    sys.exit(code if isinstance(code, int) else 0)


class _Ended(BaseException):
    """The system asked this process to end: as with Ctrl-C, workers are told and nothing half-written stays."""


def _end(number: int, frame: object) -> NoReturn:
    raise _Ended


def _interrupted(code: int = INTERRUPTED) -> int:
    """Say that nothing is lost; returns the exit code."""
    print(
        "layerwatch: interrupted; run the same command again: what it keeps on the way is not done twice",
        file=sys.stderr,
    )
    return code


def _told(error: Exception) -> int:
    """Print what went wrong; returns the exit code."""
    from layerwatch.records import DataError, UsageError

    if isinstance(error, typer.Abort):
        return _interrupted()
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.format_message())  # type: ignore[attr-defined] # an error of the command line parser
        return 2
    if isinstance(error, OSError) and error.errno in _NO_OUTPUT and error.filename is None:
        return _output_lost(error)
    if hasattr(error, "format_message"):
        text, code = error.format_message(), 2
    elif isinstance(error, ModuleNotFoundError) and (error.name or "").partition(".")[0] in _SERVE:
        text, code = f"the service needs the package {error.name}; install it: pip install 'layerwatch[serve]'", 2
    elif isinstance(error, (DataError, UsageError)):
        text, code = str(error), 1 if isinstance(error, DataError) else 2
    else:
        raise error
    print(f"layerwatch: {' '.join(text.split())}", file=sys.stderr)
    return code


def _output_lost(error: OSError) -> int:
    """What was printed could not be written; whoever reads a pipe may stop when he has seen enough."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the interpreter flushes once more at the end
    if error.errno != errno.EPIPE:
        print(f"layerwatch: cannot write what is to be said ({error.strerror}); look at where it goes", file=sys.stderr)
    return 2


def _version(wanted: bool | None) -> None:
    if wanted:
        print(f"layerwatch {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool | None, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")
    ] = None,
) -> None:
    pass
