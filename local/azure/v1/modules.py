"""What graphs are made of: data types, modules (a step's code and interface) and data sources.

Protocol: azureml.pipeline.core._restclients.aeva, "AML pipelines API 1.0"; names are in PascalCase.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import cast

from local.azure.kernel.cloud import Cloud
from local.azure.kernel.http import Request, Response, ServiceError, json_response, required
from local.azure.kernel.store import AlreadyExists
from local.azure.kernel.web import Router
from local.azure.storage import blob_auth, datastores
from local.azure.v1.graph import DataPath
from local.azure.v1.records import (
    DATA_SOURCES,
    DATA_TYPES,
    MODULES,
    BlobReference,
    DataLocation,
    DataSource,
    DataType,
    Entity,
    Module,
    found,
)

router = Router()
_API = "/pipelines/v1.0{workspace}"

_DATA_TYPES = (
    *("AnyFile", "AnyDirectory", "AzureBlobReference", "AzureDataLakeReference"),
    *("AzureFilesReference", "AzureSqlDatabaseReference", "AzurePostgresDatabaseReference"),
    *("AzureDataLakeGen2Reference", "AzureMLDataset", "AzureMySqlDatabaseReference"),
    "DBFSReference",
)

# The service's enumeration of data references; the local Azure has blob containers only.
_AZURE_BLOB = "1"


@router.route("GET", _API + "/DataTypes")
def list_data_types(cloud: Cloud, _request: Request) -> Response:
    """The types that every workspace has, and those that users made."""
    own = [_data_type(cloud, name) for name in _DATA_TYPES]
    return json_response([*own, *DATA_TYPES.list(cloud)])


@router.route("POST", _API + "/DataTypes")
def create_data_type(cloud: Cloud, request: Request) -> Response:
    """Make a data type."""
    asked = request.json_object()
    name = required(asked, "Id")
    created = cast("DataType", {**_data_type(cloud, name), **asked})
    try:
        DATA_TYPES.insert(cloud, name, created)
    except AlreadyExists:
        raise ServiceError(409, "Conflict", f"Data type '{name}' already exists.") from None
    return json_response(created)


def _data_type(cloud: Cloud, name: str) -> DataType:
    return {
        "Id": name,
        "Name": name,
        "Description": name,
        "IsDirectory": name == "AnyDirectory",
        "ParentDataTypeIds": [],
        **entity_fields(cloud),
    }


def entity_fields(cloud: Cloud) -> Entity:
    """What every entity of the service has."""
    return {
        "EntityStatus": "0",
        "CreatedDate": cloud.timestamp(),
        "LastModifiedDate": cloud.timestamp(),
    }


@router.route("GET", _API + "/Modules/Hash/{hash}")
def find_module(_cloud: Cloud, _request: Request) -> Response:
    """No module is found by its hash: the SDK then makes a new one, and the step runs again."""
    return Response(status=204)


@router.route("POST", _API + "/Modules")
def create_module(cloud: Cloud, request: Request) -> Response:
    """Make a module: a step's code and interface."""
    asked = request.json_object()
    required(asked, "Name")
    required(asked, "StructuredInterface")
    own = {
        "Id": str(uuid.uuid4()),
        "UploadState": "1",
        "DataLocation": {"StorageType": "4", "StorageId": asked.get("StorageId")},
    }
    module = cast("Module", {**asked, **entity_fields(cloud), **own})
    MODULES.insert(cloud, module["Id"], module)
    return json_response(module)


@router.route("GET", _API + "/Modules/{id}")
def get_module(cloud: Cloud, request: Request) -> Response:
    """A module with its interface in the two forms that the SDK reads."""
    module = found(cloud, MODULES, request.params["id"])
    face = module["StructuredInterface"]

    def parameters(key: str) -> list[Mapping[str, object]]:
        return [
            {
                "Name": parameter["Name"],
                "DefaultValue": parameter.get("DefaultValue"),
                "IsOptional": parameter.get("IsOptional"),
                "Type": parameter.get("ParameterType"),
            }
            for parameter in face.get(key) or []
        ]

    ports = {
        "Inputs": [
            {
                "Name": port["Name"],
                "DataTypesIds": port.get("DataTypeIdsList"),
                "IsOptional": port.get("IsOptional"),
            }
            for port in face.get("Inputs") or []
        ],
        "Outputs": [
            {"Name": port["Name"], "DataTypeId": port.get("DataTypeId")}
            for port in face.get("Outputs") or []
        ],
    }
    interface = {
        "Parameters": parameters("Parameters"),
        "MetadataParameters": parameters("MetadataParameters"),
        "Ports": ports,
    }
    return json_response({"Data": module, "Interface": interface})


@router.route("GET", _API + "/DataSources/Hash/{hash}")
def find_data_source(_cloud: Cloud, _request: Request) -> Response:
    """No data source is found by its hash: the SDK then makes a new one."""
    return Response(status=204)


@router.route("POST", _API + "/DataSources")
def create_data_source(cloud: Cloud, request: Request) -> Response:
    """Make a data source: a path on a datastore."""
    asked = request.json_object()
    path = DataPath(
        datastore=asked.get("DataStoreName") or datastores.DEFAULT,
        path=(asked.get("PathOnDataStore") or "").strip("/"),
    )
    own = {
        "Id": str(uuid.uuid4()),
        "UploadState": "1",
        "DataLocation": data_location(cloud, path),
    }
    source = cast("DataSource", {**asked, **entity_fields(cloud), **own})
    DATA_SOURCES.insert(cloud, source["Id"], source)
    return json_response(source)


@router.route("GET", _API + "/DataSources/{id}")
def get_data_source(cloud: Cloud, request: Request) -> Response:
    """A data source."""
    return json_response(found(cloud, DATA_SOURCES, request.params["id"]))


def data_location(cloud: Cloud, path: DataPath) -> DataLocation:
    """A path on a datastore, as the SDK reads it."""
    reference: BlobReference = {
        "Container": datastores.container_of(cloud, path.datastore),
        "Account": cloud.storage_account,
        "Uri": f"https://{blob_auth.account_host(cloud)}",
        "RelativePath": path.path,
        "AmlDataStoreName": path.datastore,
    }
    return {
        "StorageType": "6",
        "DataReference": {"Type": _AZURE_BLOB, "AzureBlobReference": reference},
    }
