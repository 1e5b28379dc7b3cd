"""Model of S3, as far as functions write to it (Amazon S3 API reference, PutObject): strongly consistent, and late."""

from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError, ReadTimeoutError

from tests.simulation.world.scheduler import Scheduler


class Bucket:
    """Objects by name."""

    exceptions = SimpleNamespace(ClientError=ClientError)

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler, self.failing = scheduler, 0.0
        self.objects: dict[str, bytes] = {}

    def put_object(self, *, Key: str, Body: bytes, IfNoneMatch: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        """Write an object, if there is none; a request may be lost, and so may its answer."""
        chance = self.scheduler.chance
        self.scheduler.wait(chance.expovariate(20))
        if chance.random() < self.failing:
            raise ConnectTimeoutError(endpoint_url="simulated")
        if IfNoneMatch == "*" and Key in self.objects:
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.objects[Key] = Body
        self.scheduler.wait(chance.expovariate(20))
        if chance.random() < self.failing:
            raise ReadTimeoutError(endpoint_url="simulated")
        return {}

    def generate_presigned_url(self, _: str, Params: dict[str, Any], **__: Any) -> str:  # noqa: N803
        """Return what stands for a download URL: the object's name."""
        return str(Params["Key"])
