"""``python -m bifrost_lib.cli``, which is what the launcher runs."""

from bifrost_lib.cli import main

main()
