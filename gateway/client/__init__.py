"""``inclinet batch``: whole tables and folders of images, asked of any gateway over HTTP and nothing else.

``command`` is what a person calls and ``job`` what it does: ``source`` reads what is asked, ``asking`` sends it,
``run`` decides what is sent when, and what again; ``journal`` and ``ledger`` keep what came back, ``outfile`` makes the
table of it, and ``show`` speaks to the terminal.
"""
