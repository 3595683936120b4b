"""Detection judged: on simulated worlds, in hindsight, with policies rehearsed; and the default model made."""
