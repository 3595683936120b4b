"""Worlds with known truth: ordinary people and campaigns of fake accounts, as the nightly files of the data contract.

`simulate` makes a world; `continue_world` appends the next night, in which campaigns answer a ban list. What differs
between people and campaigns is declared in `ordinary.py` and `campaigns.py`; the meaning of the numbers in `knobs.py`.
"""

from ringwatch.pipelines.simulate.knobs.scenarios import SCENARIOS
from ringwatch.pipelines.simulate.nights import Simulated, continue_world, nights_of, simulate
from ringwatch.pipelines.simulate.population.world import Arguments

__all__ = ["SCENARIOS", "Arguments", "Simulated", "continue_world", "nights_of", "simulate"]
