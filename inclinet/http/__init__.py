"""Questions and answers over HTTP: what is sent, what comes back, by which proxy, and when to ask again."""
