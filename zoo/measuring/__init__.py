"""Who measures what: people, the galaxies that they are given, their answers, and all that is known of a project."""
