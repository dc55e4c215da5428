"""The one error this pack raises for bad input."""


class SVIError(ValueError):
    """Bad input. The message says what was expected, what came, and what to do about it."""
