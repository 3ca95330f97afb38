"""The commands of ``inclinet``, one file per group. Each command imports what it needs when it is called."""
