"""The command line -> one journey a verb; every heavy import waits until its verb is called."""

from layerwatch.cli import (
    bed,
    cleaning,
    comparing,
    factory,
    frames,
    gating,
    learning,
    registry,
    reporting,
    running,
    scoring,
    serving,
    users,
)
from layerwatch.cli.app import app, main

__all__ = [
    "app",
    "bed",
    "cleaning",
    "comparing",
    "factory",
    "frames",
    "gating",
    "learning",
    "main",
    "registry",
    "reporting",
    "running",
    "scoring",
    "serving",
    "users",
]
