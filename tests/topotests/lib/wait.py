# SPDX-License-Identifier: GPL-2.0-or-later
"""Poll until a condition holds. Emulation is slow: limits are generous, polls are quick."""
import time

LIMIT = 60.0  # seconds
INTERVAL = 0.1


def until(condition, what, limit=LIMIT, interval=INTERVAL):
    """Call condition() until it returns something true, which is returned.

    An AssertionError of the condition means "not yet" and its text goes into the
    failure; any other exception is a failure at once.
    """
    deadline = time.monotonic() + limit
    while True:
        try:
            value = condition()
            last = repr(value)
        except AssertionError as err:
            value, last = None, str(err)
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError("after %g s still not so: %s; last seen: %s" % (
                limit, what, last))
        time.sleep(interval)


def holds(condition, what, duration, interval=INTERVAL):
    """condition() stays true for all of duration seconds (for "must not happen")."""
    deadline = time.monotonic() + duration
    began = time.monotonic()
    while time.monotonic() < deadline:
        value = condition()
        assert value, "no longer so after %.1f s: %s; last seen: %r" % (
            time.monotonic() - began, what, value)
        time.sleep(interval)
