"""The command line -> one journey a verb; every heavy import waits until its verb is called."""

from layerwatch.cli import bed, factory, frames, learning, running
from layerwatch.cli.app import app, main

__all__ = ["app", "bed", "factory", "frames", "learning", "main", "running"]
