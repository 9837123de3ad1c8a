"""The base of every table of a scenario."""

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """A table that refuses keys it does not know, and is never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True)
