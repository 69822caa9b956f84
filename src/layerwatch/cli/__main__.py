"""``python -m layerwatch.cli``: the command line, for programs that start it as a module, such as torchrun."""

from layerwatch.cli.app import main

main()
