"""The JSON schemas of the API, with an example for each field."""

from gateway.api.schemas.answers import GalaxyAnswer, InclinationAnswer
from gateway.api.schemas.columns import ColumnsAnswer
from gateway.api.schemas.models import Models, ModelVersion, ServedModel
from gateway.api.schemas.operation import Health, Problem

__all__ = [
    "ColumnsAnswer",
    "GalaxyAnswer",
    "Health",
    "InclinationAnswer",
    "ModelVersion",
    "Models",
    "Problem",
    "ServedModel",
]
