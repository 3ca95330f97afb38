"""GetModelStatus and GetModelMetadata: what is served, in which state, with which signatures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from serving import status
from serving.messages import get_model_metadata_pb2, get_model_status_pb2

if TYPE_CHECKING:
    from serving.core import Core
    from serving.manager import Manager

SIGNATURES = "signature_def"


def model_status(manager: Manager, spec: Any) -> Any:
    """Return the ``GetModelStatusResponse`` for a model, or for the one version that the spec names.

    Every version that the process has ever seen is listed, highest number first. A label is not looked at.

    Raises
    ------
    serving.status.StatusError
        NOT_FOUND.
    """
    known = manager.states(spec.name)
    if not known:
        raise status.not_found(f"Could not find any versions of model {spec.name}")
    if spec.WhichOneof("version_choice") == "version":
        known = [entry for entry in known if entry[0] == spec.version.value]
        if not known:
            raise status.not_found(f"Could not find version {spec.version.value} of model {spec.name}")
    response = get_model_status_pb2.GetModelStatusResponse()
    for number, state, error in known:
        entry = response.model_version_status.add(version=number, state=int(state))
        entry.status.SetInParent()
        if error is not None:
            entry.status.error_code = error.number
            entry.status.error_message = error.message
    return response


def model_metadata(core: Core, request: Any) -> Any:
    """Return the ``GetModelMetadataResponse``: every signature of the loaded file, unchanged.

    Raises
    ------
    serving.status.StatusError
        INVALID_ARGUMENT for a missing spec or another field than ``signature_def``, else as a look-up.
    """
    if not request.HasField("model_spec"):
        raise status.invalid("Missing ModelSpec")
    if not request.metadata_field:
        raise status.invalid("GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != SIGNATURES:
            raise status.invalid(f"Metadata field {field} is not supported")
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    with core.use(request.model_spec) as version:
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.model.session.signatures.items():
            signatures.signature_def[name].CopyFrom(definition)
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version.number
        response.metadata[SIGNATURES].Pack(signatures)
    return response
