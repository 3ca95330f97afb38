"""What all schemas of the API share."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Schema(BaseModel):
    """JSON of the API; made from its fields, or from any object that has attributes of their names."""

    model_config = ConfigDict(frozen=True, from_attributes=True, protected_namespaces=())
