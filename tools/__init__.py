"""Programs for developers: the list of dependencies, their vulnerabilities, and the generated reference."""
