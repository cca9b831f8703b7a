"""That a user may nothing: refused.py --ca FILE USER PASSWORD, over protocol buffers and HTTP, at RIAK_PB_PORT and RIAK_HTTP_PORT."""
import os
import ssl
import sys
import warnings
from os import environ

warnings.simplefilter("ignore")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/python"))
import compat  # noqa: E402,F401  What the client misses of a newer Python.
import riak  # noqa: E402
from riak.security import SecurityCreds  # noqa: E402

_, _, ca, user, password = sys.argv
credentials = SecurityCreds(username=user, password=password, cacert_file=ca, ssl_version=ssl.PROTOCOL_TLS_CLIENT, ciphers=None)
for protocol in ("pbc", "http"):
    client = riak.RiakClient(
        protocol=protocol, host="127.0.0.1", pb_port=int(environ["RIAK_PB_PORT"]), http_port=int(environ["RIAK_HTTP_PORT"]),
        credentials=credentials)
    bucket = client.bucket_type("plain").bucket("b")
    for what, call in [("get", lambda: bucket.get("k")), ("put", lambda: bucket.new("k", data=1).store())]:
        try:
            call()
        except Exception as error:  # The client has many kinds.
            print("ok      %s %s: refused: %s" % (protocol, what, str(error).strip().splitlines()[0][:150]))
        else:
            print("FAILED  %s %s: not refused" % (protocol, what))
            __import__("os")._exit(1)
sys.stdout.flush()
__import__("os")._exit(0)
