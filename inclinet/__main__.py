"""``python -m inclinet``: the command line, where its script is not on the path."""

from inclinet.main import main

main()
