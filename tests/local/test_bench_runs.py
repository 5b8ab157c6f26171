"""What the simulated runs are held against: the bounds, the prices, and the constants of the simulation."""

from __future__ import annotations

import pytest

import bench_runs
from figures import Figure, show
from rie import ROOT


@pytest.mark.parametrize(
    ("volumes", "seconds"), [(1, 0), (100, 0), (1_000, 180), (10_000, 33 * 60), (100_000, 5.55 * 3600)]
)
def test_the_last_snapshot_is_created_when_the_bucket_lets_it(volumes: int, seconds: float) -> None:
    assert bench_runs.creation_seconds(volumes) == pytest.approx(seconds, rel=0.001)


def test_half_a_bucket_takes_more_than_twice_as_long() -> None:
    assert bench_runs.creation_seconds(1_000, 0.5) == 950 / 2.5


def test_a_month_costs_what_its_transitions_invocations_and_gb_seconds_cost() -> None:
    ran = {"Volumes": 1, "Transitions": 1_000, "Invocations": 100, "InvocationSeconds": 4_000.0}
    costs = bench_runs.costs_a_month(ran, memory_mb=512.0)
    assert costs["transitions"] == pytest.approx(30 * 0.025)
    assert costs["invocations"] == pytest.approx(30 * 0.00002)
    assert costs["GB-s"] == pytest.approx(30 * 2_000 * 0.0000133334)
    assert bench_runs.memory_of_template() == 256


def test_what_may_come_on_top_counts_and_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    within, beyond = (Figure("all done", "s", ours, "bound", 1_000, 1.02, 60.0) for ours in (1_080.0, 1_080.1))
    assert [within.is_met, beyond.is_met] == [True, False]
    show("Title", [within])
    assert "1.02 + 60 s" in capsys.readouterr().out


def test_the_bounds_count_with_what_is_simulated() -> None:
    source = (ROOT / "src/sim/fleet/run.rs").read_text()
    assert f"SNAPSHOT_TAKES: SignedDuration = SignedDuration::from_mins({bench_runs.SNAPSHOT_SECONDS / 60:.0f})" in source
    api = (ROOT / "src/pace/api.rs").read_text()
    limit = f"Limit::of({bench_runs.CAPACITY:.0f}, {bench_runs.REFILL_PER_SECOND:.0f})"
    assert f"Self::CreateSnapshot | Self::CreateSnapshots | Self::DeleteSnapshot => {limit}," in api
    look = (ROOT / "src/turn/look.rs").read_text()
    snapshots = bench_runs.LARGEST * 8
    assert "SNAPSHOTS_PER_MB: usize = 1_000;" in look and snapshots <= bench_runs.LARGEST_MEMORY_MB * 1_000
