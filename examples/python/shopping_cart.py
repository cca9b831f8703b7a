"""A shopping cart that two devices change at the same time, without talking to each other. See examples/README.md.

    python shopping_cart.py [--set] [HOST:PORT ...]
"""
import sys

import compat  # noqa: F401  before riak
import riak
from riak.datatypes import Set


def main():
    nodes = [arg for arg in sys.argv[1:] if not arg.startswith("-")] or ["127.0.0.1:8087", "127.0.0.1:8097"]
    # Each device has a client of its own, which asks a node of its own.
    phone, laptop = connect(nodes[0]), connect(nodes[-1])
    if "--set" in sys.argv:
        with_a_set(phone, laptop)
    else:
        with_siblings(phone, laptop)


def connect(node):
    host, port = node.rsplit(":", 1)
    return riak.RiakClient(protocol="pbc", host=host, pb_port=int(port))


def with_siblings(phone, laptop):
    """The cart is a value that means nothing to the store: whoever reads it makes one cart of what others have written."""
    phone, laptop = phone.bucket("carts"), laptop.bucket("carts")
    # Milk and bread are in the cart, in place of whatever was there, and both devices see them. Without the vclock of what was
    # there, a delete included, the new cart would stand beside it.
    cart = phone.new("alice", data=["milk", "bread"])
    cart.vclock = phone.get("alice").vclock
    cart.store(return_body=False)
    on_phone, on_laptop = phone.get("alice"), laptop.get("alice")
    show("both devices see", on_phone)

    # At the same time, the phone adds eggs, and the laptop takes the milk out and adds tea. Each writes in place of what it
    # saw: neither has seen the other's.
    on_phone.data = sorted(merged(on_phone) | {"eggs"})
    on_phone.store(return_body=False)
    on_laptop.data = sorted(merged(on_laptop) - {"milk"} | {"tea"})
    on_laptop.store(return_body=False)

    # Both writes were accepted, and neither is lost.
    conflict = phone.get("alice")
    show("siblings", conflict)

    # Whoever reads next makes one cart of them, and writes it in place of all that it saw. An item that was added is never
    # lost. One that was taken out may come back: the union cannot know that milk was ever there. A set knows: --set.
    cart = sorted(merged(conflict))
    conflict.siblings = [value(conflict)]
    conflict.data = cart
    conflict.store()
    show("merged", laptop.get("alice"))


def value(cart):
    """A sibling that is no delete."""
    return next(sibling for sibling in cart.siblings if sibling.exists)


def merged(cart):
    """The union of all versions."""
    return set().union(*(sibling.data for sibling in cart.siblings if sibling.exists))


def show(what, cart):
    for sibling in cart.siblings:
        if sibling.exists:
            print(f"{what:18} {', '.join(sorted(sibling.data))}")


def with_a_set(phone, laptop):
    """The cart is a set that the store merges itself."""
    phone, laptop = phone.bucket_type("sets").bucket("carts"), laptop.bucket_type("sets").bucket("carts")
    phone.delete("alice")
    on_phone = Set(phone, "alice")
    on_phone.add("milk")
    on_phone.add("bread")
    on_phone.store()
    on_laptop = laptop.get("alice")
    show_set("both devices see", on_laptop)

    # The same again: the phone adds eggs, and the laptop, which has seen the milk, takes it out and adds tea.
    on_phone.add("eggs")
    on_phone.store()
    on_laptop.discard("milk")
    on_laptop.add("tea")
    on_laptop.store()

    # No siblings, and the milk stays out.
    show_set("merged", phone.get("alice"))


def show_set(what, cart):
    print(f"{what:18} {', '.join(sorted(cart.value))}")


if __name__ == "__main__":
    main()
