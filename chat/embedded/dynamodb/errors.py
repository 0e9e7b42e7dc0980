"""What the engine refuses, in AWS's words and codes."""

from __future__ import annotations

from typing import Any

NAMESPACE = "com.amazonaws.dynamodb.v20120810#"


class ApiError(Exception):
    """A refusal: AWS's error code, its message, and what else the body carries."""

    def __init__(self, code: str, message: str, status: int = 400, **extra: Any):
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The JSON that clients read; boto3 takes `message`, other clients `Message`."""
        name = "Message" if self.code == "TransactionCanceledException" else "message"
        return {"__type": NAMESPACE + self.code, name: self.message, **self.extra}


def invalid(message: str) -> ApiError:
    """A ValidationException."""
    return ApiError("ValidationException", message)


def malformed(message: str) -> ApiError:
    """A SerializationException: the JSON is not of the shape that the protocol has."""
    return ApiError("SerializationException", message)


def condition_failed(item: dict[str, Any] | None = None) -> ApiError:
    """A condition that does not hold, with the item it met where that was asked for."""
    error = ApiError("ConditionalCheckFailedException", "The conditional request failed")
    if item:
        error.extra["Item"] = item
    return error


def no_table(name: str) -> ApiError:
    """A table that is not there."""
    return ApiError("ResourceNotFoundException", f"Requested resource not found: Table: {name} not found")
