"""The suite that the PyPI package `riak` 2.7.0 brings along, unmodified, against a node.

    conformance.py pbc|http [--security] [--only WORDS]

Runs the cases of `must-pass.txt`, which Riak KV 3.2.3 passes; with --security those that want security to be on, and without
the others. A case that is skipped has not passed. Exit status 1 if one has not.

The suite takes where to ask from RIAK_TEST_HOST, RIAK_TEST_PB_PORT and RIAK_TEST_HTTP_PORT, and certificates from
RIAK_TEST_SECURITY_*. Bucket types as in conformance.sh.
"""
import argparse
import os
import signal
import socket
import sys
import unittest
import warnings

warnings.simplefilter("ignore")
CASE_SECONDS = 60
CROWD = 20000
# What the suite asks to be told before it runs anything.
PARTS = ["BTYPES", "CLIENT", "DATATYPES", "INDEXES", "KV", "MAPREDUCE", "POOL", "RESOLVE"]


class TooLong(Exception):
    pass


def too_long(*_):
    raise TooLong("took more than %d s" % CASE_SECONDS)


def resolve_riak_test():
    """The suite insists on a host named `riak-test`; this machine's hosts are left as they are."""
    host = os.environ.get("RIAK_TEST_HOST", "127.0.0.1")
    for name in ("gethostbyname", "getaddrinfo"):
        ask = getattr(socket, name)
        setattr(socket, name, lambda asked, *rest, _ask=ask, **named: _ask(host if asked == "riak-test" else asked, *rest, **named))


def crowd(protocol):
    """test_stream_keys_timeout lists its bucket within a millisecond, and wants that to be too short. A thousand keys, which it
    stores itself, can be listed in that time; these cannot."""
    from concurrent.futures import ThreadPoolExecutor

    from riak import RiakClient
    from riak.tests import HOST, HTTP_PORT, PB_PORT
    client = RiakClient(protocol=protocol, host=HOST, pb_port=PB_PORT, http_port=HTTP_PORT)
    bucket = client.bucket("random_key_bucket")
    if not bucket.get("crowd-0").exists:
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda number: bucket.new("crowd-%d" % number, data={}).store(), reversed(range(CROWD))))
    client.close()


class Outcome(unittest.TestResult):
    """Prints each case as it ends."""

    def __init__(self):
        super().__init__()
        self.bad = []

    def say(self, word, test, why=""):
        if word != "ok":
            self.bad.append(test.id())
        print("%-8s%s %s" % (word, test.id(), why.strip().splitlines()[-1][:300] if why else ""), flush=True)

    def startTest(self, test):
        super().startTest(test)
        signal.alarm(CASE_SECONDS)

    def stopTest(self, test):
        signal.alarm(0)
        super().stopTest(test)

    def addSuccess(self, test):
        self.say("ok", test)

    addExpectedFailure = lambda self, test, error: self.say("ok", test)

    def addError(self, test, error):
        self.say("FAILED", test, "%s: %s" % (error[0].__name__, error[1]))

    addFailure = addError

    def addSkip(self, test, why):
        self.say("SKIPPED", test, why)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", choices=["pbc", "http"])
    parser.add_argument("--security", action="store_true")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    os.environ["RIAK_TEST_PROTOCOL"] = options.protocol
    os.environ["RUN_SECURITY"] = "1" if options.security else "0"
    os.environ.update({"RUN_" + part: "1" for part in PARTS})
    os.environ.update({"RUN_" + part: "0" for part in ("SEARCH", "TIMESERIES", "YZ")})
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/python"))
    import compat  # noqa: F401
    if options.security:
        resolve_riak_test()
        import riak.tests
        # Its own list has only key exchanges without forward secrecy, and TLS 1.2's at most.
        riak.tests.SECURITY_CIPHERS = None
        riak.tests.SECURITY_CREDS._ciphers = None
    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "must-pass.txt")) as lines:
        cases = [line.split() for line in lines if not line.startswith("#")]
    # Of the cases about security one wants it to be off.
    wants_security = lambda case: case.startswith("test_security.") and "test_security_disabled" not in case
    wanted = [
        case for protocol, case in cases
        if protocol == options.protocol and wants_security(case) == options.security and options.only in case
    ]
    if any(case.endswith("test_stream_keys_timeout") for case in wanted):
        crowd(options.protocol)
    signal.signal(signal.SIGALRM, too_long)
    suite = unittest.TestSuite(unittest.defaultTestLoader.loadTestsFromName("riak.tests." + case) for case in wanted)
    outcome = Outcome()
    suite.run(outcome)
    # A class that cannot be set up takes its cases with it.
    not_run = len(wanted) - outcome.testsRun
    passed = outcome.testsRun - len(set(outcome.bad))
    print("%s%s: %d of %d passed" % (options.protocol, " with security" if options.security else "", passed, len(wanted)))
    if not_run:
        print("%d were not run" % not_run)
    sys.stdout.flush()
    # The client's pools leave threads behind.
    os._exit(0 if passed == len(wanted) else 1)


if __name__ == "__main__":
    main()
