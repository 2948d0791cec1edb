"""A mistake that a person can mend."""


class Mistake(ValueError):
    """Something in the data, the settings or the command is wrong; the message says what, where and what to do.

    Whoever shows it (the command line, a flow run's log) prints the message alone: a traceback would not help.
    """
