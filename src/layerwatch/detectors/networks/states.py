"""Modules, optimisers and the diary of a training -> the bytes of a checkpoint, and back."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from layerwatch.detectors.base import Checkpoint
from layerwatch.detectors.networks.diary import Diary
from layerwatch.records import DataError

FORM = "layerwatch training 2"
Modules = Mapping[str, nn.Module]
Optimisers = Mapping[str, torch.optim.Optimizer]


def stored(modules: Modules, optimisers: Optimisers, step: int, diary: Diary) -> bytes:
    """A checkpoint in safetensors, without any pickle."""
    tensors = {f"{m}.{k}": v for m, module in modules.items() for k, v in module.state_dict().items()}
    for name, optimiser in optimisers.items():
        for index, values in optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{name}.{index}.{key}": value for key, value in values.items()}
    tensors |= {f"sample.{at}": images for at, images in diary.samples.items()}
    kept = {key: value.detach().cpu().contiguous().clone() for key, value in tensors.items()}
    told = {"form": FORM, "step": str(step), "diary": diary.as_json()}
    return save(kept, {**told, "sha256": _digest(kept, told)})


def restored(modules: Modules, optimisers: Optimisers, name: str, checkpoint: Checkpoint | None) -> tuple[int, Diary]:
    """Put the state of a run back, where there is one; returns its step and its diary.

    Raises:
        DataError: the checkpoint is broken, of another version, or of another network.
    """
    data = None if checkpoint is None else checkpoint.load(name)
    if data is None:
        return 0, Diary()
    try:
        told, tensors = _header(data), load(data)
        if told["form"] != FORM:
            raise DataError(f"the checkpoint of {name} is of form {told['form']!r}, this version reads {FORM!r}")
        if told.pop("sha256") != _digest(tensors, told):
            raise DataError(f"the checkpoint of {name} is damaged: its SHA-256 is not what was written")
        for module in modules:
            modules[module].load_state_dict(_under(tensors, f"{module}."))
        for kind in optimisers:
            _restore(optimisers[kind], tensors, f"optimiser.{kind}.")
        return int(told["step"]), Diary.of(told["diary"], samples_in(tensors))
    except DataError as error:
        raise DataError(f"{error}; start afresh with --no-resume") from None
    except (RuntimeError, KeyError, ValueError, SafetensorError) as error:
        text = str(error).partition("\n")[0]
        raise DataError(
            f"the checkpoint of {name} is broken or belongs to another network ({text}); start afresh with --no-resume"
        ) from None


def diary_in(data: bytes) -> Diary:
    """The diary of a checkpoint, without its networks."""
    return Diary.of(_header(data)["diary"], samples_in(load(data)))


def samples_in(tensors: Mapping[str, Tensor]) -> dict[int, Tensor]:
    """The samples of a checkpoint by their step."""
    return {int(key): value for key, value in sorted(_under(tensors, "sample.").items(), key=lambda kv: int(kv[0]))}


def _under(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def _restore(optimiser: torch.optim.Optimizer, tensors: Mapping[str, Tensor], prefix: str) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _under(tensors, prefix).items():
        index, _, field = key.partition(".")
        state.setdefault(int(index), {})[field] = value
    optimiser.load_state_dict({"state": state, "param_groups": optimiser.state_dict()["param_groups"]})


def _digest(tensors: Mapping[str, Tensor], told: Mapping[str, str]) -> str:
    digest = hashlib.sha256(json.dumps(told, sort_keys=True).encode())
    for key in sorted(tensors):
        digest.update(key.encode())
        digest.update(tensors[key].reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _header(data: bytes) -> dict[str, str]:
    """The words in the header of a safetensors file: its first 8 bytes give the header's length."""
    length = int.from_bytes(data[:8], "little")
    told: dict[str, str] = json.loads(data[8 : 8 + length])["__metadata__"]
    return told
