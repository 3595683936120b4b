"""From a snapshot to scores, rings and reasons. Knows no server and no orchestrator."""

from ringwatch.models.common.memory import hold_no_freed_memory

hold_no_freed_memory()
