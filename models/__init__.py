"""From a snapshot to scores, rings and reasons. Depends on no server and no orchestrator."""
