"""Everything that the public Python client (`riak` on PyPI) can ask of a node, once each, over one transport.

    suite.py pbc|http [--user NAME --password WORD --ca FILE]

Asks the node at RIAK_HOST (127.0.0.1), RIAK_PB_PORT and RIAK_HTTP_PORT. Bucket types as in clients/types.sh. Prints a line for each
feature; exit status 1 if one failed.
"""
import argparse
import os
import ssl
import sys
import threading
import time
import traceback
import uuid
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../examples/python"))
import compat  # noqa: E402,F401  What the client misses of a newer Python.
import riak  # noqa: E402
from os import environ  # noqa: E402
from riak.datatypes import ContextRequired, Counter, Hll, Map, Set  # noqa: E402
from riak.resolver import last_written_resolver  # noqa: E402
from riak.security import SecurityCreds  # noqa: E402

FEATURES = []


def feature(name, **only):
    """`only`: protocol="pbc", or security=False where the user must not be anybody."""
    def add(check):
        FEATURES.append((name, check, only))
        return check
    return add


def fresh(client, bucket_type="plain"):
    """A bucket that nobody else uses."""
    name = "b-" + uuid.uuid4().hex[:12]
    return client.bucket_type(bucket_type).bucket(name) if bucket_type else client.bucket(name)


def until(what, condition, patience=20):
    end = time.time() + patience
    while not condition():
        assert time.time() < end, "waited until " + what
        time.sleep(0.05)


def refused(words, call):
    try:
        call()
    except Exception as error:  # The client has many kinds.
        assert words in str(error), "%r does not say %r" % (str(error), words)
    else:
        raise AssertionError("not refused")


# --- objects

@feature("ping")
def ping(client):
    assert client.ping() and client.is_alive()


@feature("put, get, delete")
def put_get_delete(client):
    bucket = fresh(client)
    made = bucket.new("k", data={"a": [1, 2, "ü"]})
    made.usermeta = {"color": "blue"}
    made.store()
    seen = bucket.get("k")
    assert seen.exists and seen.data == {"a": [1, 2, "ü"]} and seen.usermeta == {"color": "blue"}, seen.__dict__
    assert seen.content_type == "application/json" and seen.vclock and seen.etag and seen.last_modified
    seen.data = {"a": []}
    seen.store(w="all", dw=1, pw=1, return_body=True)
    assert bucket.get("k", r="all", pr=1, basic_quorum=True, notfound_ok=False).data == {"a": []}
    bucket.get("k").delete()
    assert not bucket.get("k").exists
    bucket.delete("never-there")


@feature("keys that the node makes")
def made_keys(client):
    bucket = fresh(client)
    made = bucket.new(data="x").store()
    assert made.key and bucket.get(made.key).data == "x"


@feature("bytes, texts, content types")
def content_types(client):
    bucket = fresh(client)
    every = bytes(range(256)) * 64
    bucket.new("binary", encoded_data=every, content_type="application/octet-stream").store()
    assert bucket.get("binary").encoded_data == every
    text = bucket.new("text", content_type="text/plain")
    text.charset = "utf-8"
    text.encoded_data = "grüße".encode()
    text.store()
    assert bucket.get("text").encoded_data == "grüße".encode() and bucket.get("text").charset == "utf-8"
    bucket.new("empty", encoded_data=b"", content_type="text/plain").store()
    assert bucket.get("empty").exists and bucket.get("empty").encoded_data == b""


@feature("odd names")
def odd_names(client):
    bucket = client.bucket_type("plain").bucket("sla/sh and blank %2F ü " + uuid.uuid4().hex)
    for key in ["a/b", "a b", "%2F", "ü", "?x=1#y", "."]:
        bucket.new(key, data=key).store()
        assert bucket.get(key).data == key, key


@feature("siblings, and who resolves them")
def siblings(client):
    bucket = fresh(client)
    bucket.new("k", data=0).store()
    seen = bucket.get("k")
    for value in (1, 2, 3):
        other = bucket.new("k", data=value)
        other.vclock = seen.vclock
        other.store()
    met = bucket.get("k")
    assert sorted(content.data for content in met.siblings) == [1, 2, 3], met.siblings
    try:
        met.data
        raise AssertionError("a conflict was not noticed")
    except riak.ConflictError:
        pass
    bucket.resolver = lambda found: setattr(found, "siblings", [max(found.siblings, key=lambda one: one.data)])
    met = bucket.get("k")
    assert met.data == 3
    met.store()
    bucket.resolver = last_written_resolver
    assert len(bucket.get("k").siblings) == 1 and bucket.get("k").data == 3


@feature("a delete beside a write leaves both")
def tombstones(client):
    bucket = fresh(client)
    bucket.new("k", data=0).store()
    seen, stale = bucket.get("k"), bucket.get("k")
    stale.data = 1
    stale.store()
    seen.delete()
    left = bucket.get("k")
    assert 1 in [content.data for content in left.siblings if content.exists], left.siblings


@feature("if_none_match")
def if_none_match(client):
    bucket = fresh(client)
    bucket.new("k", data=1).store(if_none_match=True)
    refused("match" if client.protocol == "pbc" else "412", lambda: bucket.new("k", data=2).store(if_none_match=True))
    assert bucket.get("k").data == 1


@feature("links")
def links(client):
    bucket = fresh(client)
    one = bucket.new("one", data=1).add_link(bucket.new("two", data=2), tag="next")
    one.store()
    assert bucket.get("one").links == [(bucket.name, "two", "next")], bucket.get("one").links


@feature("timeouts")
def timeouts(client):
    bucket = fresh(client)
    bucket.new("k", data=1).store(timeout=5000)
    assert bucket.get("k", timeout=5000).data == 1
    assert client.get_keys(bucket, timeout=5000) == ["k"]


@feature("multiget, multiput")
def many(client):
    bucket = fresh(client)
    client.multiput([bucket.new("k%d" % n, data=n) for n in range(40)])
    got = client.multiget([(bucket.bucket_type.name, bucket.name, "k%d" % n) for n in range(41)])
    assert sorted(one.data for one in got if one.exists) == list(range(40))


@feature("preflist", protocol="pbc")
def preflist(client):
    bucket = fresh(client)
    bucket.new("k", data=1).store()
    homes = bucket.get_preflist("k")
    assert len(homes) == 3 and all(home["primary"] for home in homes), homes


# --- listings and indexes

@feature("list keys, whole and streamed")
def list_keys(client):
    bucket = fresh(client)
    names = {"key-%03d" % n for n in range(120)}
    client.multiput([bucket.new(name, data=1) for name in names])
    assert set(bucket.get_keys()) == names
    assert {name for page in bucket.stream_keys() for name in page} == names
    bucket.get("key-000").delete()
    until("a deleted key is gone", lambda: set(bucket.get_keys()) == names - {"key-000"})


@feature("list buckets, whole and streamed")
def list_buckets(client):
    bucket = fresh(client)
    bucket.new("k", data=1).store()
    assert bucket.name in [one.name for one in bucket.bucket_type.get_buckets()]
    assert bucket.name in [one.name for page in bucket.bucket_type.stream_buckets() for one in page]


@feature("secondary indexes")
def indexes(client):
    bucket = fresh(client)
    for n in range(30):
        one = bucket.new("k%02d" % n, data=n)
        one.add_index("n_int", n).add_index("n_int", 1000 + n).add_index("word_bin", "w%d" % (n % 3))
        one.store()
    assert sorted(bucket.get_index("n_int", 7)) == ["k07"]
    assert sorted(bucket.get_index("n_int", 1005, 1007)) == ["k05", "k06", "k07"]
    assert len(list(bucket.get_index("word_bin", "w1"))) == 10
    assert sorted(bucket.get_index("n_int", 3, 4, return_terms=True)) == [(3, "k03"), (4, "k04")]
    assert sorted(bucket.get_index("$key", "k02", "k04")) == ["k02", "k03", "k04"]
    assert len(list(bucket.get_index("$bucket", bucket.name))) == 30
    assert sorted(bucket.get("k05").indexes) == [("n_int", 5), ("n_int", 1005), ("word_bin", "w2")]
    changed = bucket.get("k05")
    changed.remove_index("n_int").add_index("n_int", -5)
    changed.store()
    assert list(bucket.get_index("n_int", 5)) == [] and list(bucket.get_index("n_int", -5)) == ["k05"]


@feature("pages of an index")
def pages(client):
    bucket = fresh(client)
    for n in range(25):
        bucket.new("k%02d" % n, data=n).add_index("n_int", n).store()
    seen, pages = [], 0
    page = bucket.get_index("n_int", 0, 24, max_results=10)
    while True:
        pages += 1
        seen += list(page)
        if not page.has_next_page():
            break
        page = page.next_page()
    assert seen == ["k%02d" % n for n in range(25)] and pages == 3, (seen, pages)


@feature("an index, streamed")
def stream_index(client):
    bucket = fresh(client)
    for n in range(25):
        bucket.new("k%02d" % n, data=n).add_index("n_int", n).store()
    with_terms = [pair for part in bucket.stream_index("n_int", 0, 24, return_terms=True) for pair in part]
    assert sorted(with_terms) == [(n, "k%02d" % n) for n in range(25)], with_terms
    assert sorted(k for part in bucket.stream_index("n_int", 3) for k in part) == ["k03"]


@feature("what an index of an odd name is told")
def bad_index(client):
    one = fresh(client).new("k", data=1)
    one.add_index("n_int", 1)
    one.indexes = {("bad", "x")}
    refused("400" if client.protocol == "http" else "unknown_field_type", one.store)


# --- properties, bucket types

@feature("bucket properties")
def bucket_props(client):
    bucket = fresh(client)
    assert bucket.get_properties()["n_val"] == 3 and bucket.allow_mult
    bucket.set_properties({"allow_mult": False, "r": "one", "w": 2, "pr": 1, "notfound_ok": False, "basic_quorum": True})
    props = bucket.get_properties()
    assert not props["allow_mult"] and props["r"] in ("one", 1) and props["w"] == 2 and props["pr"] == 1, props
    assert props["basic_quorum"] and not props["notfound_ok"], props
    if client.protocol == "pbc":  # Over HTTP the client forgets the bucket's type here.
        bucket.clear_properties()
        assert bucket.allow_mult and bucket.get_properties()["w"] == "quorum"


@feature("bucket types")
def bucket_types(client):
    props = client.bucket_type("counters").get_properties()
    assert props["datatype"] == "counter" and props["allow_mult"], props
    # Protocol buffers have no word for it.
    assert client.protocol == "pbc" or props["active"], props
    client.bucket_type("plain").set_property("r", 1)
    assert client.bucket_type("plain").get_property("r") in (1, "one")
    client.bucket_type("plain").set_property("r", "quorum")
    refused("", lambda: client.bucket_type("counters").set_property("datatype", "set"))
    refused("", client.bucket_type("no-such-type").get_properties)
    once = fresh(client, "write_once")
    once.new("k", data=1).store()
    assert once.get("k").data == 1


# --- data types

@feature("legacy counters")
def legacy_counters(client):
    bucket = fresh(client, None)
    bucket.allow_mult = True
    assert bucket.update_counter("c", 5) is None or True
    assert bucket.update_counter("c", -2, returnvalue=True) == 3
    assert bucket.get_counter("c") == 3


@feature("counters")
def counters(client):
    one = Counter(fresh(client, "counters"), "c")
    one.increment(7)
    one.store()
    one.decrement(2)
    one.store(return_body=True)
    assert one.value == 5 and one.reload().value == 5
    one.delete()
    until("a deleted counter is gone", lambda: one.bucket.get("c").value == 0)


@feature("sets")
def sets(client):
    bucket = fresh(client, "sets")
    one = Set(bucket, "s")
    for word in ("b", "a", "c"):
        one.add(word)
    one.store()
    met = bucket.get("s")
    assert sorted(met.value) == ["a", "b", "c"] and met.context
    met.discard("b")
    met.add("d")
    met.store()
    assert sorted(bucket.get("s").value) == ["a", "c", "d"]
    try:
        Set(bucket, "s").discard("a")
        raise AssertionError("a remove without a context")
    except ContextRequired:
        pass


@feature("maps")
def maps(client):
    bucket = fresh(client, "maps")
    one = Map(bucket, "m")
    one.counters["visits"].increment(3)
    one.sets["tags"].add("x")
    one.registers["name"].assign("Ada")
    one.flags["on"].enable()
    one.maps["inner"].registers["deep"].assign("here")
    one.maps["inner"].counters["n"].increment(1)
    one.store()
    met = bucket.get("m")
    assert met.counters["visits"].value == 3 and sorted(met.sets["tags"].value) == ["x"]
    assert met.registers["name"].value == "Ada" and met.flags["on"].value
    assert met.maps["inner"].registers["deep"].value == "here"
    del met.registers["name"]
    met.flags["on"].disable()
    met.maps["inner"].counters["n"].increment(4)
    met.store()
    after = bucket.get("m")
    assert ("name", "register") not in after.value and not after.flags["on"].value
    assert after.maps["inner"].counters["n"].value == 5


@feature("hyperloglogs")
def hlls(client):
    bucket = fresh(client, "hlls")
    one = Hll(bucket, "h")
    for n in range(200):
        one.add("e%d" % n)
    one.store()
    assert 190 <= bucket.get("h").value <= 210, bucket.get("h").value


@feature("a counter that many raise at once")
def concurrent_counter(client):
    bucket = fresh(client, "counters")

    def raise_it():
        for _ in range(10):
            one = Counter(bucket, "c")
            one.increment()
            one.store()
    threads = [threading.Thread(target=raise_it) for _ in range(5)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert bucket.get("c").value == 50, bucket.get("c").value


# --- what is not built

@feature("MapReduce is refused with a reason")
def mapreduce(client):
    bucket = fresh(client)
    bucket.new("k", data=1).store()
    refused("", lambda: client.add(bucket).map("function(v) { return [1]; }").run())


@feature("search is refused with a reason", protocol="pbc")
def search(client):
    refused("", lambda: client.create_search_index("no-search"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("protocol", choices=["pbc", "http"])
    parser.add_argument("--user")
    parser.add_argument("--password", default="")
    parser.add_argument("--ca")
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    credentials = None
    if options.user:
        credentials = SecurityCreds(
            username=options.user, password=options.password, cacert_file=options.ca, cert_file=options.cert,
            pkey_file=options.key, ssl_version=ssl.PROTOCOL_TLS_CLIENT, ciphers=None)
    ports = {"pb_port": int(environ["RIAK_PB_PORT"]), "http_port": int(environ["RIAK_HTTP_PORT"])}
    client = riak.RiakClient(
        protocol=options.protocol, host=environ.get("RIAK_HOST", "127.0.0.1"), credentials=credentials, **ports)
    failed = 0
    for name, check, only in FEATURES:
        if options.only not in name or only.get("protocol", options.protocol) != options.protocol:
            continue
        try:
            check(client)
            print("ok      " + name)
        except Exception:
            failed += 1
            print("FAILED  " + name)
            traceback.print_exc(limit=-3, file=sys.stdout)
    print("%d failed" % failed)
    sys.stdout.flush()
    # The client's pools leave threads behind.
    __import__("os")._exit(1 if failed else 0)


if __name__ == "__main__":
    main()
