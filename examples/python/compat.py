"""riak 2.7.0 is of 2016. This puts back what Pythons have removed since, and changes nothing of the client."""
import collections
import collections.abc
import inspect
import sys
import time

for name in ("Callable", "Hashable", "Iterable", "Iterator", "Mapping", "MutableMapping", "MutableSet", "Sequence", "Set", "Sized"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]
if not hasattr(time, "clock"):
    time.clock = time.perf_counter

_namedtuple = collections.namedtuple


def _older_namedtuple(*args, **named):
    named.pop("verbose", None)
    named.setdefault("module", sys._getframe(1).f_globals.get("__name__", "?"))
    return _namedtuple(*args, **named)


collections.namedtuple = _older_namedtuple
