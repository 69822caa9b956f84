"""One loop for every network: what a step changes, exact resume, golden losses, early stop, divergence."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load
from torch import nn

from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.dcgan import DcganGenerator, Discriminator
from layerwatch.detectors.networks.layers import initialise
from layerwatch.detectors.networks.losses import Elbo
from layerwatch.detectors.networks.states import diary_in
from layerwatch.detectors.networks.stopping import held_back
from layerwatch.detectors.networks.tasks.adversarial import DcganTask, Wasserstein, WganTask
from layerwatch.detectors.networks.tasks.autoencoding import VaeTask
from layerwatch.detectors.networks.tasks.encoding import EncoderTask
from layerwatch.detectors.networks.training import Run, Task, train
from layerwatch.detectors.networks.vae import VaeNetwork
from layerwatch.detectors.networks.wgan import Critic, Encoder, Generator
from layerwatch.records import DataError, UsageError, silent

CPU = Compute.of("cpu")
QUICK = Wasserstein((1e-3, 1e-3), 2, 10.0)
STABLE = Wasserstein((1e-3, 1e-3), 2, 10.0, drift=1e-3, translate=2, ema=0.9)


def begun(module: nn.Module, seed: int = 0) -> nn.Module:
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def wgan(settings: Wasserstein = QUICK) -> WganTask:
    return WganTask(begun(Generator(32, 0.125, 8)), begun(Critic(32, 0.125)), 8, settings, CPU)  # type: ignore[arg-type]


def dcgan() -> DcganTask:
    return DcganTask(begun(DcganGenerator(32, 0.125, 8)), begun(Discriminator(32, 0.125)), 8, 1e-4, CPU)  # type: ignore[arg-type]


def vae() -> VaeTask:
    return VaeTask(begun(VaeNetwork(32, 0.125, 8)), 8, 1e-3, CPU)  # type: ignore[arg-type]


def encoder(*, tune: bool = False) -> EncoderTask:
    E, G, D = begun(Encoder(32, 0.125, 8)), begun(Generator(32, 0.125, 8)), begun(Critic(32, 0.125))
    return EncoderTask(E, G, D, 1e-3, (0.9, 0.1), CPU, tune=tune)


def images(count: int = 16) -> torch.Tensor:
    return torch.rand(count, 1, 32, 32, generator=torch.Generator().manual_seed(1))


def test_the_critic_steps_three_times_for_one_step_of_the_generator() -> None:
    task = wgan(Wasserstein(n_critic=3))
    task.step(images(4))
    steps = {name: {int(s["step"]) for s in o.state_dict()["state"].values()} for name, o in task.optimisers.items()}
    assert steps == {"G": {1}, "D": {3}}


@pytest.mark.parametrize("tune", [False, True])
def test_encoder_training_leaves_the_frozen_networks_as_they_were(tune: bool) -> None:
    task = encoder(tune=tune)
    kept = {"D": task.D} if tune else {"G": task.G, "D": task.D}
    learning = {"E": task.E, "G": task.G} if tune else {"E": task.E}
    before = {n: {k: v.clone() for k, v in m.state_dict().items()} for n, m in {**kept, **learning}.items()}
    task.step(images(4))
    for name, module in kept.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, before[name][key]), key
    for name, module in learning.items():
        assert any(not torch.equal(v, before[name][k]) for k, v in module.state_dict().items()), name


class Memory:
    """A checkpoint that stops the training after some saves, as a power cut would."""

    def __init__(self, saves: int = 10**9) -> None:
        self.kept: dict[str, bytes] = {}
        self.left = saves

    def load(self, name: str) -> bytes | None:
        return self.kept.get(name)

    def save(self, name: str, data: bytes) -> None:
        self.kept[name] = data
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


@pytest.mark.parametrize("make", [wgan, lambda: wgan(STABLE), dcgan, vae, encoder], ids=str)
def test_an_interrupted_training_ends_in_the_very_same_weights_and_losses(make: Callable[[], Task]) -> None:
    X, run = images(), Run("a run", 6, 4, seed=5, save_every=0.0, looks=3)
    whole = make()
    told = train(whole, X, run, silent, None, X[:4])

    memory = Memory(6)  # two files a save
    with pytest.raises(KeyboardInterrupt):
        train(make(), X, run, silent, memory, X[:4])
    resumed = make()
    again = train(resumed, X, run, silent, memory, X[:4])
    for name, module in whole.modules.items():
        for key, value in module.state_dict().items():
            assert torch.equal(value, resumed.modules[name].state_dict()[key]), key
    assert again.losses == told.losses
    assert again.looks == told.looks
    assert {k: v.tolist() for k, v in again.samples.items()} == {k: v.tolist() for k, v in told.samples.items()}


@pytest.fixture
def heeded() -> Iterator[None]:
    """SIGINT raises, also where the tests run in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_ends_after_the_step_and_loses_none() -> None:
    X, run, memory = images(), Run("a run", 6, 4, seed=5, looks=3), Memory()

    def stop_at_three(step: str, done: int, total: int, note: str = "") -> None:
        if done == 3:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        train(wgan(), X, run, stop_at_three, memory, X[:4])
    assert signal.getsignal(signal.SIGINT) is before
    assert diary_in(memory.kept["a run"]).losses[-1][0] == 3
    assert train(wgan(), X, run, silent, memory, X[:4]).losses == train(wgan(), X, run, silent, None, X[:4]).losses


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_is_never_swallowed() -> None:
    def block() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        block()


@pytest.mark.usefixtures("heeded")
def test_a_second_ctrl_c_ends_at_once() -> None:
    reached = []

    def block() -> None:
        with held_back() as stop:
            signal.raise_signal(signal.SIGINT)
            reached.append(stop.is_asked)
            signal.raise_signal(signal.SIGINT)
            reached.append(False)

    with pytest.raises(KeyboardInterrupt):
        block()
    assert reached == [True]


@pytest.mark.parametrize(("steps", "batch"), [(0, 4), (-3, 4), (4, 0)])
def test_no_steps_and_no_batch_are_refused(steps: int, batch: int) -> None:
    with pytest.raises(UsageError, match="give one or more"):
        Run("VAE", steps, batch, seed=0)


def test_the_diary_is_in_the_checkpoint_and_beside_it() -> None:
    memory = Memory()
    told = train(wgan(), images(), Run("WGAN-GP", 4, 4, seed=5, looks=2), silent, memory, images(4))
    assert diary_in(memory.kept["WGAN-GP"]).losses == told.losses
    rows = [json.loads(line) for line in memory.kept["WGAN-GP.jsonl"].splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 2, 3, 4, 4]
    assert {"gap", "spread", "nearest", "gradient norm"} <= set(rows[1])
    assert set(told.samples) == {2, 4}
    assert told.samples[4].shape == (16, 32, 32)


GOLDEN = {  # in 64 bit, where processors agree
    "wgan": (
        "gap",
        [
            0.03716904,
            0.09638708,
            0.1530065,
            0.2172445,
            0.2251147,
            0.07294181,
            0.3299577,
            0.4887977,
            0.5329339,
            0.9530407,
        ],
    ),
    "dcgan": (
        "generator",
        [0.6140782, 0.6391785, 0.6527939, 0.6464004, 0.6533913, 0.6413389, 0.5984054, 0.6255411, 0.6403275, 0.6382402],
    ),
    "vae": (
        "loss",
        [709.8509, 709.8595, 709.7827, 709.7761, 709.7144, 709.7446, 709.7087, 709.7117, 709.6937, 709.758],
    ),
    "encoder": (
        "loss",
        [0.3009849, 0.3035095, 0.2987181, 0.3037608, 0.3000214, 0.30348, 0.2987326, 0.3021567, 0.2973295, 0.2987706],
    ),
}
MAKERS: dict[str, Callable[[], Task]] = {"wgan": wgan, "dcgan": dcgan, "vae": vae, "encoder": encoder}


@pytest.fixture
def in_64_bit() -> Iterator[None]:
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.usefixtures("in_64_bit")
def test_the_first_ten_losses(name: str) -> None:
    """A change here changes every trained model."""
    told = train(MAKERS[name](), images(), Run(name, 10, 8, seed=7), silent, None)
    key, golden = GOLDEN[name]
    assert [losses[key] for _, losses in told.losses] == pytest.approx(golden, rel=1e-5)


def test_a_plain_autoencoder_learns_and_leaves_the_variance_alone() -> None:
    plain = VaeTask(begun(VaeNetwork(32, 0.125, 8)), 8, 1e-3, CPU, Elbo("mse", is_variational=False))  # type: ignore[arg-type]
    before = plain.network.log_variance.weight.detach().clone()
    told = train(plain, images(1).repeat(8, 1, 1, 1), Run("VAE", 40, 8, seed=7), silent, None)
    assert told.losses[-1][1]["loss"] < told.losses[0][1]["loss"]
    assert torch.equal(plain.network.log_variance.weight, before)


def test_a_diverging_training_says_so_at_once_and_keeps_the_last_good_state() -> None:
    task, memory = wgan(), Memory()
    run = Run("WGAN-GP", 20, 4, seed=0, save_every=0.0)
    train(task, images(), replace(run, steps=2), silent, memory)
    good = memory.kept["WGAN-GP"]
    bad = wgan(Wasserstein((1e-3, 1e30), 2, 10.0))
    with pytest.raises(DataError, match=r"WGAN-GP diverged at step .* smaller learning rate"):
        train(bad, images(), run, silent, memory)
    assert all(np.isfinite(v).all() for _, v in finite(memory.kept["WGAN-GP"]))
    assert len(memory.kept["WGAN-GP"]) >= len(good)


def finite(data: bytes) -> list[tuple[str, np.ndarray]]:
    return list(load(data).items())


class Flat(Task):
    """A task whose held-out figure never becomes better."""

    aim = "loss"

    def __init__(self) -> None:
        self.modules, self.optimisers, self.compute = {}, {}, CPU

    def step(self, X: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"loss": torch.zeros(())}

    def look(self, held: torch.Tensor) -> dict[str, float]:
        return {"loss": 1.0}


def test_a_training_that_gets_nowhere_stops_early_if_wanted() -> None:
    run = Run("flat", 100, 4, seed=0, looks=20)
    assert train(Flat(), images(), run, silent, None, images(4)).losses[-1][0] == 100
    assert train(Flat(), images(), replace(run, patience=3), silent, None, images(4)).looks[-1][0] == 20


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d[:200],
        lambda d: b"",
        lambda d: b"\x00" * 80,
        lambda d: d.replace(b"training 2", b"training 1"),
        lambda d: d[:-40] + bytes(20) + d[-20:],
        lambda d: d.replace(b'"step":"2"', b'"step":"1"'),
    ],
)
def test_a_broken_checkpoint_is_named(spoil: Callable[[bytes], bytes]) -> None:
    memory, run = Memory(), Run("VAE", 2, 4, seed=0)
    train(vae(), images(), run, silent, memory)
    memory.kept["VAE"] = spoil(memory.kept["VAE"])
    with pytest.raises(DataError, match=r"checkpoint of VAE .* start afresh with --no-resume"):
        train(vae(), images(), replace(run, steps=4), silent, memory)


def test_a_checkpoint_of_another_network_is_refused() -> None:
    memory = Memory()
    train(vae(), images(), Run("run", 2, 4, seed=0), silent, memory)
    with pytest.raises(DataError, match="another network"):
        train(wgan(), images(), Run("run", 4, 4, seed=0), silent, memory)


def test_bf16_trains_like_fp32() -> None:
    exact, coarse = wgan(), wgan()
    coarse.compute = Compute.of("cpu", "bf16")
    run = Run("WGAN-GP", 4, 8, seed=3)
    a, b = (train(task, images(), run, silent, None) for task in (exact, coarse))
    np.testing.assert_allclose(
        [row["penalty"] for _, row in a.losses], [row["penalty"] for _, row in b.losses], rtol=0.05, atol=0.01
    )


@pytest.mark.parametrize(
    ("device", "precision", "said"), [("tpu9", "fp32", "no device"), ("cpu", "int3", "no precision")]
)
def test_devices_and_precisions_that_there_are_not(device: str, precision: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Compute.of(device, precision)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there() -> None:
    with pytest.raises(UsageError, match="torch sees no GPU"):
        Compute.of("cuda")
