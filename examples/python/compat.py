"""`riak` 2.7.0 is of 2016. This puts back what Pythons have removed since, and changes nothing of the client. Import it before `riak`."""
import collections
import collections.abc
import inspect
import ssl
import sys
import time

for name in ("Callable", "Container", "Hashable", "Iterable", "Iterator", "Mapping", "MutableMapping", "MutableSet", "Sequence", "Set", "Sized"):
    if not hasattr(collections, name):
        setattr(collections, name, getattr(collections.abc, name))

_namedtuple = collections.namedtuple


def namedtuple(*args, **named):
    """As before 3.7, when it took `verbose`."""
    named.pop("verbose", None)
    named.setdefault("module", sys._getframe(1).f_globals.get("__name__", "?"))
    return _namedtuple(*args, **named)


collections.namedtuple = namedtuple
if not hasattr(inspect, "getargspec"):
    inspect.getargspec = lambda function: inspect.getfullargspec(function)[:4]
if not hasattr(time, "clock"):
    time.clock = time.perf_counter

import riak.transports.http as _http  # noqa: E402
import riak.transports.tcp.connection as _tcp  # noqa: E402


class _Ssl:
    """`ssl`, whose `SSLSocket` can be made by hand, as before 3.7."""

    def __getattr__(self, name):
        return getattr(ssl, name)

    @staticmethod
    def SSLSocket(sock, keyfile, certfile, cert_reqs, ca_certs, ciphers, server_hostname):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = cert_reqs
        if certfile:
            context.load_cert_chain(certfile, keyfile)
        if ca_certs:
            context.load_verify_locations(ca_certs)
        if ciphers:
            context.set_ciphers(ciphers)
        return context.wrap_socket(sock, server_hostname=server_hostname)


_tcp.ssl = _http.ssl = _Ssl()
