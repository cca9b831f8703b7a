"""Copies keys from one cluster to another: from Riak to Cartwheel, over protocol buffers.

    migrate.py FROM_HOST:PORT TO_HOST:PORT TYPE/BUCKET...

Siblings stay siblings; media type, user metadata, links and index entries go along. Data types are read as values and written as
operations. A key is copied as it is read: while clients still write to the old cluster, run it again afterwards for what has changed. A
key that was copied before, and has not changed in the old cluster, is left alone, so that running it again makes no siblings.
"""
import sys
import warnings

warnings.simplefilter("ignore")
import compat  # noqa: E402,F401
import riak  # noqa: E402
from riak.datatypes import Counter, Map, Set  # noqa: E402


def client(address):
    host, port = address.rsplit(":", 1)
    return riak.RiakClient(protocol="pbc", host=host, pb_port=int(port))


def usermeta(content):
    """What was written over HTTP has the name of its header in Riak; here a field has one name over HTTP and protocol buffers."""
    prefix = "x-riak-meta-"
    return {name[len(prefix):] if name.lower().startswith(prefix) else name: value for name, value in content.usermeta.items()}


def same(one, other):
    """Whether two versions say the same."""
    def facts(content):
        return (content.encoded_data, content.content_type, usermeta(content), set(content.indexes), sorted(content.links))
    return facts(one) == facts(other)


def copy_object(key, old, new):
    found = [content for content in old.get(key).siblings if content.exists]
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


def add_to_map(target, source):
    """What `source`, a map's value, has and `target`, a map, has not."""
    for (name, kind), value in source.items():
        if kind == "counter":
            target.counters[name].increment(value - target.counters[name].value)
        elif kind == "set":
            [target.sets[name].add(element) for element in value if element not in target.sets[name].value]
        elif kind == "register":
            target.registers[name].assign(value)
        elif kind == "flag":
            # A flag that is not there is not enabled, and takes no context to stay so.
            if value:
                target.flags[name].enable()
            elif target.flags[name].value:
                target.flags[name].disable()
        elif kind == "map":
            add_to_map(target.maps[name], value)


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
        [target.add(element) for element in source.value if element not in target.value]
        [target.discard(element) for element in target.value if element not in source.value]
    elif isinstance(source, Map):
        add_to_map(target, source.value)
    else:
        raise SystemExit("%s: a %s cannot be copied by its value" % (key, source.type_name))
    target.store()
    return True


def has_datatype(bucket):
    # The client does not ask for the properties of the type that all untyped buckets have. That one has no data type.
    return not bucket.bucket_type.is_default() and "datatype" in bucket.bucket_type.get_properties()


def main():
    if len(sys.argv) < 4 or not all("/" in name for name in sys.argv[3:]):
        raise SystemExit(__doc__)
    old_cluster, new_cluster = client(sys.argv[1]), client(sys.argv[2])
    for name in sys.argv[3:]:
        bucket_type, bucket = name.split("/", 1)
        old, new = (each.bucket_type(bucket_type).bucket(bucket) for each in (old_cluster, new_cluster))
        is_datatype = has_datatype(old)
        if is_datatype != has_datatype(new):
            raise SystemExit("%s: the type %s has a data type in one cluster only" % (name, bucket_type))
        copy = copy_datatype if is_datatype else copy_object
        seen = copied = 0
        for keys in old.stream_keys():
            for key in keys:
                seen += 1
                copied += copy(key, old, new)
        print("%s: %d keys, %d copied" % (name, seen, copied), flush=True)
    __import__("os")._exit(0)


if __name__ == "__main__":
    try:
        main()
    except (OSError, riak.RiakError) as error:
        raise SystemExit("%s: what was not copied yet is copied when this runs again" % error)
