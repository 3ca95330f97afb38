"""Errors of the zoo beyond those of the gateway, with slugs and statuses in the same way."""

from __future__ import annotations

from gateway.core.errors import GatewayError


class NotThere(GatewayError):
    """There is no project, galaxy or person of that name or number."""

    slug, title, status = "not-there", "Not there", 404


class NotAllowed(GatewayError):
    """The key does not belong to a moderator."""

    slug, title, status = "not-allowed", "Only moderators may do this", 403


class NameTaken(GatewayError):
    """Something of that name exists."""

    slug, title, status = "name-taken", "The name is taken", 409


class DatabaseDown(GatewayError):
    """The database can't be asked now; nothing that was answered before is lost."""

    slug, title, status = "database-down", "The database is down", 503
