"""The root of the errors that a user can act on. It stands here because every package may import this one."""


class RingwatchError(Exception):
    """Something the user can mend. The message says what was wrong, where, and what to do."""

    exit_code = 2
