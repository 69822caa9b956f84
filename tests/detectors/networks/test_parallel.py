"""Two processes take the steps that one takes: the WGAN-GP's weights after a step agree to 1e-6."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

STEP = """
import sys, torch
from safetensors.torch import save_file
from layerwatch.detectors.networks import parallel
from layerwatch.detectors.networks.compute import Compute
from layerwatch.detectors.networks.layers import initialise
from layerwatch.detectors.networks.tasks.adversarial import Wasserstein, WganTask
from layerwatch.detectors.networks.wgan import Critic, Generator

torch.set_default_dtype(torch.float64)
parallel.begin()
G, D = Generator(32, 0.125, 8), Critic(32, 0.125)
for module in (G, D):
    initialise(module, torch.Generator().manual_seed(0))
task = WganTask(G, D, 8, Wasserstein((1e-3, 1e-3), 3, 10.0), Compute.of("cpu"))
for name in ("G", "D"):  # plain steps, so that weights differ by what gradients differ by
    task.optimisers[name] = torch.optim.SGD(task.modules[name].parameters(), 1e-2)
X = torch.rand(8, 1, 32, 32, generator=torch.Generator().manual_seed(1))
for step in range(2):
    torch.manual_seed(step)
    task.step(parallel.own_rows(X))
if parallel.rank() == 0:
    state = {k: v.contiguous() for m in (G, D) for k, v in m.state_dict(prefix=type(m).__name__).items()}
    save_file(state, sys.argv[1])
"""


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one(tmp_path: Path) -> None:
    (tmp_path / "step.py").write_text(STEP)
    for count in (1, 2):
        run(tmp_path, count)
    alone, both = (load_file(tmp_path / f"{count}.safetensors") for count in (1, 2))
    for key, value in alone.items():
        torch.testing.assert_close(both[key], value, rtol=1e-6, atol=1e-9, msg=key)


def run(folder: Path, count: int) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={count}"] if count > 1 else []
    words = [sys.executable, *launch, str(folder / "step.py"), str(folder / f"{count}.safetensors")]
    own = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=own, capture_output=True, text=True, timeout=300)  # our own words
    assert done.returncode == 0, done.stderr
