// A shopping cart that two devices change at the same time, without talking to each other. See examples/README.md.
//
//     node shopping_cart.js [--set] [HOST:PORT ...]
'use strict';

const { promisify } = require('util');
const { Client, Commands } = require('basho-riak-client');

async function main() {
    const args = process.argv.slice(2);
    let nodes = args.filter((arg) => !arg.startsWith('-'));
    if (nodes.length === 0) nodes = ['127.0.0.1:8087', '127.0.0.1:8097'];
    // Each device has a client of its own, which asks a node of its own.
    const phone = await connect(nodes[0]);
    const laptop = await connect(nodes[nodes.length - 1]);
    await (args.includes('--set') ? withASet(phone, laptop) : withSiblings(phone, laptop));
    await promisify(phone.stop).call(phone);
    await promisify(laptop.stop).call(laptop);
}

function connect(node) {
    return new Promise((resolve, reject) => {
        new Client([node], (error, client) => (error ? reject(error) : resolve(client)));
    });
}

/** A command of the client as a promise. */
function ask(client, command, options) {
    return promisify(client[command]).call(client, options);
}

/** The cart is a value that means nothing to the store: whoever reads it makes one cart of what others have written. */
async function withSiblings(phone, laptop) {
    await ask(phone, 'deleteValue', { bucket: 'carts', key: 'alice' });
    // Milk and bread are in the cart, and both devices see them.
    await write(phone, ['milk', 'bread']);
    const onPhone = await read(phone);
    const onLaptop = await read(laptop);
    show('both devices see', onPhone);

    // At the same time, the phone adds eggs, and the laptop takes the milk out and adds tea. Each writes in place of what it
    // saw: neither has seen the other's.
    await write(phone, [...merged(onPhone), 'eggs'], onPhone.vclock);
    await write(laptop, [...merged(onLaptop), 'tea'].filter((item) => item !== 'milk'), onLaptop.vclock);

    // Both writes were accepted, and neither is lost.
    const conflict = await read(phone);
    show('siblings', conflict);

    // Whoever reads next makes one cart of them, and writes it in place of all that it saw. An item that was added is never
    // lost. One that was taken out may come back: the union cannot know that milk was ever there. A set knows: --set.
    await write(phone, merged(conflict), conflict.vclock);
    show('merged', await read(laptop));
}

/** The versions that are there, and what they show. */
async function read(client) {
    const { values } = await ask(client, 'fetchValue', { bucket: 'carts', key: 'alice', convertToJs: true });
    const carts = values.filter((version) => !version.isTombstone).map((version) => version.value);
    return { carts, vclock: values.length > 0 ? values[0].getVClock() : undefined };
}

async function write(client, cart, vclock) {
    const value = new Commands.KV.RiakObject();
    value.setContentType('application/json');
    value.setValue(cart);
    if (vclock) value.setVClock(vclock);
    await ask(client, 'storeValue', { bucket: 'carts', key: 'alice', value });
}

/** The union of all versions. */
function merged({ carts }) {
    return [...new Set(carts.flat())];
}

function show(what, { carts }) {
    carts.forEach((cart) => console.log(what.padEnd(18), [...cart].sort().join(', ')));
}

/** The cart is a set that the store merges itself. */
async function withASet(phone, laptop) {
    const cart = { bucketType: 'sets', bucket: 'carts', key: 'alice' };
    await ask(phone, 'deleteValue', cart);
    await ask(phone, 'updateSet', { ...cart, additions: ['milk', 'bread'] });
    const onLaptop = await ask(laptop, 'fetchSet', cart);
    showSet('both devices see', onLaptop);

    // The same again: the phone adds eggs, and the laptop, which has seen the milk, takes it out and adds tea.
    await ask(phone, 'updateSet', { ...cart, additions: ['eggs'] });
    await ask(laptop, 'updateSet', { ...cart, context: onLaptop.context, removals: ['milk'], additions: ['tea'] });

    // No siblings, and the milk stays out.
    showSet('merged', await ask(phone, 'fetchSet', cart));
}

function showSet(what, { values }) {
    console.log(what.padEnd(18), values.map(String).sort().join(', '));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
