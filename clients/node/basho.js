'use strict';
// Everything that `basho-riak-client` (npm) can ask of a node, once each, over protocol buffers, with TLS if a user is named.
//
//   basho.js [USER PASSWORD CA-FILE]
//
// Asks RIAK_HOST:RIAK_PB_PORT. Bucket types as in clients/types.sh.

const assert = require('assert');
const fs = require('fs');
const Riak = require('basho-riak-client');
const { feature, fresh, refused, run, until } = require('./check');

const { KV, CRDT, MR, YZ } = Riak.Commands;
const [user, password, ca] = process.argv.slice(2);
const options = {
  remoteAddress: process.env.RIAK_HOST || '127.0.0.1',
  remotePort: Number(process.env.RIAK_PB_PORT),
};
if (user) {
  options.auth = { user, password, ca: [fs.readFileSync(ca)], rejectUnauthorized: true };
}
const client = new Riak.Client(new Riak.Cluster({ nodes: [new Riak.Node(options)] }));

/** What `Command` with these options comes to. */
const ask = (Command, options) =>
  new Promise((resolve, reject) => {
    const command = new Command(options, (error, answer) => (error ? reject(error) : resolve(answer)));
    client.execute(command);
  });

/** The same, of a command that calls back with each part. */
const stream = (Command, options) =>
  new Promise((resolve, reject) => {
    const parts = [];
    const command = new Command(options, (error, part) => {
      if (error) return reject(error);
      parts.push(part);
      return part.done ? resolve(parts) : undefined;
    });
    client.execute(command);
  });

const object = (value, type) => {
  const made = new KV.RiakObject();
  made.setContentType(type || 'text/plain');
  made.setValue(value);
  return made;
};

feature('ping, server info', async () => {
  const pinged = await new Promise((resolve, reject) => client.ping((error, answer) => (error ? reject(error) : resolve(answer))));
  assert.strictEqual(pinged, true);
  const info = await new Promise((resolve, reject) => client.fetchServerInfo((error, info) => (error ? reject(error) : resolve(info))));
  assert(/^\d/.test(info.server_version || info.serverVersion || ''), JSON.stringify(info));
});

feature('put, get, delete', async () => {
  const at = { bucketType: 'plain', bucket: fresh(), key: 'k' };
  const value = object('milk');
  value.setUserMeta([{ key: 'color', value: 'blue' }]);
  await ask(KV.StoreValue, { ...at, value, w: 3, dw: 1, pw: 1, returnBody: true });
  const seen = await ask(KV.FetchValue, { ...at, r: 3, pr: 1, notFoundOk: false, useBasicQuorum: true, timeout: 5000 });
  assert.strictEqual(seen.values[0].value.toString(), 'milk');
  assert.deepStrictEqual(seen.values[0].getUserMeta()[0].value.toString(), 'blue');
  const head = await ask(KV.FetchValue, { ...at, headOnly: true });
  assert.strictEqual((head.values[0].value || '').length, 0);
  await ask(KV.DeleteValue, { ...at, vclock: seen.vclock, w: 3, r: 1 });
  assert((await ask(KV.FetchValue, at)).isNotFound);
  const buried = await ask(KV.FetchValue, { ...at, returnDeletedVClock: true });
  assert(buried.isNotFound || buried.values[0].isTombstone);
});

feature('keys that the node makes', async () => {
  const bucket = fresh();
  const made = await ask(KV.StoreValue, { bucketType: 'plain', bucket, value: object('x'), returnHead: true });
  assert(made.generatedKey);
  const seen = await ask(KV.FetchValue, { bucketType: 'plain', bucket, key: made.generatedKey });
  assert.strictEqual(seen.values[0].value.toString(), 'x');
});

feature('siblings, and who resolves them', async () => {
  const at = { bucketType: 'plain', bucket: fresh(), key: 'k' };
  for (const value of [1, 2, 3]) await ask(KV.StoreValue, { ...at, value: { n: value } });
  const met = await ask(KV.FetchValue, { ...at, convertToJs: true });
  assert.deepStrictEqual(met.values.map((one) => one.value.n).sort(), [1, 2, 3]);
  const conflictResolver = (all) => all.reduce((a, b) => (a.value.n > b.value.n ? a : b));
  const resolved = await ask(KV.FetchValue, { ...at, convertToJs: true, conflictResolver });
  assert.strictEqual(resolved.values[0].value.n, 3);
  await ask(KV.StoreValue, { ...at, value: resolved.values[0], vclock: met.vclock });
  assert.strictEqual((await ask(KV.FetchValue, at)).values.length, 1);
});

feature('conditions', async () => {
  const at = { bucketType: 'plain', bucket: fresh(), key: 'k' };
  await ask(KV.StoreValue, { ...at, value: 'one', ifNoneMatch: true });
  await refused('match_found', ask(KV.StoreValue, { ...at, value: 'two', ifNoneMatch: true }));
  const seen = await ask(KV.FetchValue, at);
  await ask(KV.StoreValue, { ...at, value: 'two', vclock: seen.vclock, ifNotModified: true });
  await refused('modified', ask(KV.StoreValue, { ...at, value: 'three', vclock: seen.vclock, ifNotModified: true }));
});

feature('quorums that cannot be', async () => {
  await refused('n_val_violation', ask(KV.FetchValue, { bucketType: 'plain', bucket: fresh(), key: 'k', r: 9 }));
});

feature('list keys and buckets', async () => {
  const bucket = fresh();
  const keys = Array.from({ length: 60 }, (_, n) => `k${String(n).padStart(2, '0')}`);
  for (const key of keys) await ask(KV.StoreValue, { bucketType: 'plain', bucket, key, value: 'x' });
  const whole = await ask(KV.ListKeys, { bucketType: 'plain', bucket, stream: false });
  assert.deepStrictEqual(whole.keys.map(String).sort(), keys);
  const parts = await stream(KV.ListKeys, { bucketType: 'plain', bucket, stream: true });
  assert.deepStrictEqual([].concat(...parts.map((part) => part.keys)).map(String).sort(), keys);
  assert((await ask(KV.ListBuckets, { bucketType: 'plain', stream: false })).buckets.map(String).includes(bucket));
  const buckets = await stream(KV.ListBuckets, { bucketType: 'plain', stream: true });
  assert([].concat(...buckets.map((part) => part.buckets)).map(String).includes(bucket));
});

feature('secondary indexes', async () => {
  const bucket = fresh();
  for (let n = 0; n < 25; n += 1) {
    const value = object('x');
    value.addToIndex('n_int', n);
    value.addToIndex('word_bin', `w${n % 2}`);
    await ask(KV.StoreValue, { bucketType: 'plain', bucket, key: `k${String(n).padStart(2, '0')}`, value });
  }
  const query = (more) => stream(KV.SecondaryIndexQuery, { bucketType: 'plain', bucket, stream: true, ...more });
  const pairs = (parts) => [].concat(...parts.map((part) => part.values));
  assert.deepStrictEqual(pairs(await query({ indexName: 'n_int', indexKey: 7 })).map((one) => one.objectKey), ['k07']);
  assert.strictEqual(pairs(await query({ indexName: 'word_bin', indexKey: 'w1' })).length, 12);
  const range = await query({ indexName: 'n_int', rangeStart: 3, rangeEnd: 5, returnKeyAndIndex: true });
  assert.deepStrictEqual(pairs(range).map((one) => [one.indexKey, one.objectKey]).sort(), [[3, 'k03'], [4, 'k04'], [5, 'k05']]);
  let continuation;
  const seen = [];
  do {
    const page = await query({ indexName: 'n_int', rangeStart: 0, rangeEnd: 24, maxResults: 10, continuation });
    seen.push(...pairs(page).map((one) => one.objectKey));
    ({ continuation } = page.find((part) => part.continuation) || {});
  } while (continuation);
  assert.strictEqual(seen.length, 25);
  assert.deepStrictEqual(seen, [...seen].sort());
});

feature('bucket properties', async () => {
  const at = { bucketType: 'plain', bucket: fresh() };
  assert.strictEqual((await ask(KV.FetchBucketProps, at)).nVal, 3);
  await ask(KV.StoreBucketProps, { ...at, allowMult: false, w: 2, r: 1 });
  const props = await ask(KV.FetchBucketProps, at);
  assert(!props.allowMult && props.w === 2 && props.r === 1, JSON.stringify(props));
  await ask(KV.ResetBucketProps, at);
  assert((await ask(KV.FetchBucketProps, at)).allowMult);
});

feature('properties of bucket types', async () => {
  const props = await ask(KV.FetchBucketTypeProps, { bucketType: 'counters' });
  assert.strictEqual(props.dataType || props.datatype, 'counter', JSON.stringify(props));
  await ask(KV.StoreBucketTypeProps, { bucketType: 'plain', r: 1 });
  assert.strictEqual((await ask(KV.FetchBucketTypeProps, { bucketType: 'plain' })).r, 1);
  await ask(KV.StoreBucketTypeProps, { bucketType: 'plain', r: 4294967293 });
  await refused('nvalid bucket type', ask(KV.FetchBucketTypeProps, { bucketType: 'no-such-type' }));
});

feature('preflist', async () => {
  const homes = await ask(KV.FetchPreflist, { bucketType: 'plain', bucket: fresh(), key: 'k' });
  assert.strictEqual((homes.preflist || homes).length, 3, JSON.stringify(homes));
});

feature('counters', async () => {
  const at = { bucketType: 'counters', bucket: fresh(), key: 'c' };
  assert((await ask(CRDT.FetchCounter, at)).notFound);
  await ask(CRDT.UpdateCounter, { ...at, increment: 7 });
  const after = await ask(CRDT.UpdateCounter, { ...at, increment: -2, returnBody: true });
  assert.strictEqual(Number(after.counterValue), 5);
  assert.strictEqual(Number((await ask(CRDT.FetchCounter, at)).counterValue), 5);
  const made = await ask(CRDT.UpdateCounter, { bucketType: 'counters', bucket: at.bucket, increment: 1, returnBody: true });
  assert(made.generatedKey);
});

feature('sets', async () => {
  const at = { bucketType: 'sets', bucket: fresh(), key: 's' };
  await ask(CRDT.UpdateSet, { ...at, additions: ['a', 'b', 'c'] });
  const seen = await ask(CRDT.FetchSet, at);
  assert.deepStrictEqual(seen.values.map(String).sort(), ['a', 'b', 'c']);
  const after = await ask(CRDT.UpdateSet, { ...at, context: seen.context, removals: ['b'], additions: ['d'], returnBody: true });
  assert.deepStrictEqual(after.values.map(String).sort(), ['a', 'c', 'd']);
});

feature('hyperloglogs', async () => {
  const at = { bucketType: 'hlls', bucket: fresh(), key: 'h' };
  await ask(CRDT.UpdateHll, { ...at, additions: Array.from({ length: 100 }, (_, n) => `e${n}`), returnBody: false });
  const seen = Number((await ask(CRDT.FetchHll, at)).cardinality);
  assert(seen > 95 && seen < 105, String(seen));
});

feature('maps', async () => {
  const at = { bucketType: 'maps', bucket: fresh(), key: 'm' };
  const op = new CRDT.UpdateMap.MapOperation();
  op.incrementCounter('visits', 3).addToSet('tags', 'x').setRegister('name', Buffer.from('Ada')).setFlag('on', true);
  op.map('inner').incrementCounter('n', 1).setRegister('deep', Buffer.from('here'));
  await ask(CRDT.UpdateMap, { ...at, op });
  const seen = await ask(CRDT.FetchMap, at);
  assert.strictEqual(Number(seen.map.counters.visits), 3);
  assert.strictEqual(seen.map.registers.name.toString(), 'Ada');
  assert.strictEqual(seen.map.flags.on, true);
  assert.strictEqual(seen.map.maps.inner.registers.deep.toString(), 'here');
  const less = new CRDT.UpdateMap.MapOperation();
  less.removeRegister('name').removeFromSet('tags', 'x').addToSet('tags', 'y').setFlag('on', false);
  await ask(CRDT.UpdateMap, { ...at, op: less, context: seen.context });
  const after = await ask(CRDT.FetchMap, at);
  assert.strictEqual(after.map.registers.name, undefined);
  assert.deepStrictEqual(after.map.sets.tags.map(String), ['y']);
  assert.strictEqual(after.map.flags.on, false);
});

feature('data types: the wrong type, no such type', async () => {
  await refused('counter', ask(CRDT.UpdateSet, { bucketType: 'counters', bucket: fresh(), key: 'k', additions: ['a'] }));
  await refused('no-such-type', ask(CRDT.FetchCounter, { bucketType: 'no-such-type', bucket: 'b', key: 'k' }));
});

feature('a deleted counter is gone', async () => {
  const at = { bucketType: 'counters', bucket: fresh(), key: 'c' };
  await ask(CRDT.UpdateCounter, { ...at, increment: 7 });
  await ask(KV.DeleteValue, at);
  await until('it is gone', async () => (await ask(CRDT.FetchCounter, at)).notFound);
});

feature('MapReduce and search are refused with a reason', async () => {
  const query = JSON.stringify({ inputs: 'b', query: [{ map: { language: 'javascript', source: 'function(v) { return [1]; }' } }] });
  await refused('', ask(MR.MapReduce, query));
  await refused('', ask(YZ.FetchIndex, { indexName: 'no-index' }));
});

run(process.env.ONLY);
