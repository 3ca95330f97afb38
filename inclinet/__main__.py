"""``python -m inclinet``: the command line, for environments whose scripts are not on the path."""

from inclinet.main import main

main()
