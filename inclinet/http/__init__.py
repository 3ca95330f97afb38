"""Questions and answers over HTTP: requests, responses, proxies, and repeats."""
