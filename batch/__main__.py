"""``python -m batch``: ``inclinet batch``, where its script is not on the path."""

import sys

from inclinet.main import main

sys.argv.insert(1, "batch")
main()
