"""Copies keys from one cluster to another: from Riak to Cartwheel, over protocol buffers.

    migrate.py FROM_HOST:PORT TO_HOST:PORT TYPE/BUCKET...

Siblings stay siblings; media type, user metadata, links and index entries go along. Data types are read as values and written as
operations. A key is copied as it is read: while clients still write to the old cluster, run it again afterwards for what has changed. A
key that was copied before, and has not changed in the old cluster, is left alone, so that running it again makes no siblings. A key that
cannot be copied is named, and the others are copied; the exit status is 1 then.
"""
import os
import sys
import warnings

warnings.simplefilter("ignore")
import compat  # noqa: E402,F401
import riak  # noqa: E402
from riak.datatypes import Counter, Map, Set  # noqa: E402


def client(address):
    host, _, port = address.rpartition(":")
    if not (host and port.isdigit()):
        raise SystemExit("%s: not HOST:PORT" % address)
    return riak.RiakClient(protocol="pbc", host=host, pb_port=int(port))


def usermeta(content):
    """What was written over HTTP has the name of its header in Riak; here a field has one name over HTTP and protocol buffers. Names of
    headers come in any case, and mean the same: here they are small."""
    prefix = "x-riak-meta-"
    return {name[len(prefix):].lower() if name.lower().startswith(prefix) else name: value for name, value in content.usermeta.items()}


def same(one, other):
    """Whether two versions say the same."""
    def facts(content):
        return (content.encoded_data, content.content_type, usermeta(content), set(content.indexes), sorted(content.links))
    return facts(one) == facts(other)


def copy_object(key, old, new):
    found = [content for content in old.get(key).siblings if content.exists]
    if any(content.content_type == "application/riak_counter" for content in found):
        return copy_counter(key, old, new)
    there = new.get(key)
    kept = [content for content in there.siblings if content.exists]
    missing = [one for one in found if not any(same(one, other) for other in kept)]
    gone = [other for other in kept if not any(same(one, other) for one in found)]
    # What the old cluster has no more is replaced by what it has. The first version does that, the others go beside it.
    vclock = there.vclock if gone or not kept else None
    for content in found if gone else missing:
        made = new.new(key)
        made.vclock = vclock
        made.content_type, made.charset, made.content_encoding = content.content_type, content.charset, content.content_encoding
        made.encoded_data = content.encoded_data
        made.usermeta, made.links, made.indexes = usermeta(content), list(content.links), set(content.indexes)
        made.store()
        vclock = None
    return bool(found and (gone or missing))


def copy_counter(key, old, new):
    """A counter of the older kind, in a bucket without a type."""
    missing = old.get_counter(key) - (new.get_counter(key) or 0)
    if missing:
        new.update_counter(key, missing)
    return bool(missing)


def change_set(target, elements):
    there = set(target.value)
    [target.add(element) for element in elements if element not in there]
    [target.discard(element) for element in there if element not in elements]


def change_map(target, source):
    """Makes `target`, a map, what `source`, a map's value, is."""
    for name, kind in target.value:
        if (name, kind) not in source:
            del getattr(target, kind + "s")[name]
    for (name, kind), value in source.items():
        if kind == "counter":
            target.counters[name].increment(value - target.counters[name].value)
        elif kind == "set":
            change_set(target.sets[name], value)
        elif kind == "register":
            if value != target.registers[name].value:
                target.registers[name].assign(value)
        elif kind == "flag":
            # A flag that is not there is not enabled, and takes no context to stay so.
            if value:
                target.flags[name].enable()
            elif target.flags[name].value:
                target.flags[name].disable()
        elif kind == "map":
            change_map(target.maps[name], value)


def without_empty(value):
    """A value without its counters at zero, empty sets, and flags that are not set: they are as if they were not there."""
    if not isinstance(value, dict):
        return value
    fields = {name: without_empty(field) for name, field in value.items()}
    return {name: field for name, field in fields.items() if field or name[1] == "register"}


def copy_datatype(key, old, new):
    source, target = old.get(key), new.get(key)
    if without_empty(source.value) == without_empty(target.value):
        return False
    if isinstance(source, Counter):
        target.increment(source.value - target.value)
    elif isinstance(source, Set):
        change_set(target, source.value)
    elif isinstance(source, Map):
        change_map(target, source.value)
    target.store()
    return True


def datatype(bucket):
    # The client does not ask for the properties of the type that all untyped buckets have. That one has no data type.
    return None if bucket.bucket_type.is_default() else bucket.bucket_type.get_properties().get("datatype")


def copy_bucket(name, old, new):
    """How many of its keys could not be copied."""
    kind = datatype(old)
    if kind != datatype(new):
        raise ValueError("its type has %s in the old cluster and %s in the new one" % (kind or "no data type", datatype(new) or "none"))
    if kind in ("hll", "gset"):
        raise ValueError("values of %s cannot be copied by what they show" % kind)
    copy = copy_datatype if kind else copy_object
    seen = copied = failed = 0
    for keys in old.stream_keys():
        for key in keys:
            seen += 1
            try:
                copied += copy(key, old, new)
            except (riak.RiakError, ValueError) as error:
                failed += 1
                print("%s: %s: not copied: %s" % (name, key, error), file=sys.stderr)
    print("%s: %d keys, %d copied" % (name, seen, copied) + (", %d could not be copied" % failed if failed else ""), flush=True)
    return failed


def main():
    if len(sys.argv) < 4 or not all("/" in name for name in sys.argv[3:]):
        raise SystemExit(__doc__)
    old_cluster, new_cluster = client(sys.argv[1]), client(sys.argv[2])
    failed = 0
    for name in sys.argv[3:]:
        bucket_type, bucket = name.split("/", 1)
        try:
            failed += copy_bucket(name, *(each.bucket_type(bucket_type).bucket(bucket) for each in (old_cluster, new_cluster)))
        except UnicodeDecodeError:
            failed += 1
            print("%s: a key that is no UTF-8, which this client cannot read: the bucket's other keys may not be copied" % name, file=sys.stderr)
        except ValueError as error:
            failed += 1
            print("%s: not copied: %s" % (name, error), file=sys.stderr)
    return 1 if failed else 0


def run():
    try:
        return main()
    except (OSError, riak.RiakError) as error:
        print("%s: what was not copied yet is copied when this runs again" % error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    status = run()
    sys.stdout.flush()
    # The client's threads would keep the process.
    os._exit(status)
