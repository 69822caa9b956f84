"""What a page may send -> checked values: names, numbers and bodies of requests."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

MOST_LAYER = 2**31 - 1


def _storable(text: str) -> str:
    """Text that every database takes."""
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("a letter that cannot be stored")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Printer = Annotated[Text, Query(min_length=1, max_length=200, description="Name of the printer.")]
SomePrinter = Annotated[Text, Query(max_length=200, description="Name of the printer; empty: all.")]
Job = Annotated[Text, Query(max_length=400, description="Name of the job.")]
LayerNumber = Annotated[int, Query(ge=-(2**31), le=MOST_LAYER, description="Number of the layer.")]
After = Annotated[int, Query(ge=0, le=2**53, description="Number of a message; what came later is told.")]
Picture = Literal["frame", "heat", "outline"]
Form = Literal["pdf", "html", "csv", "json"]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Login(_Body):
    """Who somebody says he is."""

    name: Text = Field(max_length=100)
    password: Text = Field(max_length=1000)


class Act(_Body):
    """What somebody does with an alarm."""

    name: Text = Field(max_length=700)
    action: Literal["acknowledge", "shelve", "unshelve", "comment"]
    comment: Text = Field("", max_length=2000)
    minutes: float = Field(30.0, gt=0, le=1440)


class Feedback(_Body):
    """What somebody says of a layer's verdict."""

    printer: Text = Field(min_length=1, max_length=200)
    job: Text = Field(max_length=400)
    layer: int = Field(ge=-(2**31), le=MOST_LAYER)
    x: float | None = Field(None, ge=-1e6, le=1e6)
    y: float | None = Field(None, ge=-1e6, le=1e6)
    label: Literal["false alarm", "missed", "true"]
    kind: Text = Field("", max_length=100)
    comment: Text = Field("", max_length=2000)


class Change(_Body):
    """What somebody does to the models in force."""

    printer: Text = Field(min_length=1, max_length=200)
    what: Literal["activate", "roll_back", "shadow", "set_threshold"]
    name: Text | None = Field(None, max_length=200)
    version: Text | None = Field(None, max_length=50)
    value: float | None = None
    reason: Text = Field("", max_length=2000)
