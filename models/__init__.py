"""From a snapshot to scores, rings and reasons. Knows no server and no orchestrator."""
