"""The base of every table of a scenario."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Weight = Annotated[float, Field(ge=0)]
"""The weight of one kind among others; 0 leaves it out."""


class StrictModel(BaseModel):
    """A table that refuses keys it does not know, and is never changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
