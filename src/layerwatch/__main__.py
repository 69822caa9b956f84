"""``python -m layerwatch`` -> the command line."""

from layerwatch.cli import main

main()
