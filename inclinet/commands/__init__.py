"""The commands of ``inclinet``, a file a family. Each imports what it needs when it is called."""
