'use strict';
// Everything that `no-riak` (npm) can ask of a node, once each, over protocol buffers, with TLS if a user is named.
//
//   no-riak.js [USER PASSWORD]
//
// Asks RIAK_HOST:RIAK_PB_PORT. Bucket types as in clients/types.sh.

const assert = require('assert');
const Riak = require('no-riak');
const { feature, fresh, refused, run } = require('./check');

const [user, password] = process.argv.slice(2);
const options = { connectionString: `${process.env.RIAK_HOST || '127.0.0.1'}:${process.env.RIAK_PB_PORT}` };
if (user) {
  options.auth = { user, password };
  // The client's own list is of key exchanges without forward secrecy, which no node here speaks.
  options.tls = { rejectUnauthorized: false, ciphers: 'DEFAULT' };
}
const client = new Riak.Client(options);
const type = 'plain';

feature('ping, server info, client id', async () => {
  await client.init();
  await client.ping();
  assert(/^\d/.test(String((await client.getServerInfo()).server_version)));
});

feature('put, get, delete', async () => {
  const at = { type, bucket: fresh(), key: 'k' };
  const content = { value: { a: 1 }, usermeta: [{ key: 'color', value: 'blue' }] };
  const stored = await client.put({ ...at, content, return_body: true, w: 3 });
  assert.deepStrictEqual(stored.content[0].value, { a: 1 });
  const seen = await client.get({ ...at, r: 3 });
  assert.deepStrictEqual(seen.content[0].value, { a: 1 });
  assert.strictEqual(String(seen.content[0].usermeta[0].value), 'blue');
  assert(seen.content[0].vtag && seen.content[0].last_mod);
  await client.del({ ...at, vclock: seen.vclock });
  const gone = await client.get(at);
  assert(!gone || !gone.content);
});

feature('keys that the node makes', async () => {
  const bucket = fresh();
  const made = await client.put({ type, bucket, content: { value: 'x' } });
  assert.strictEqual(String((await client.get({ type, bucket, key: made.key })).content[0].value), 'x');
});

feature('siblings and their end', async () => {
  const at = { type, bucket: fresh(), key: 'k' };
  for (const value of ['1', '2', '3']) await client.put({ ...at, content: { value } });
  const met = await client.get(at);
  assert.deepStrictEqual(met.content.map((one) => String(one.value)).sort(), ['1', '2', '3']);
  await client.put({ ...at, vclock: met.vclock, content: { value: '6' } });
  assert.strictEqual((await client.get(at)).content.length, 1);
});

feature('update: read, change, write', async () => {
  const at = { type, bucket: fresh(), key: 'k' };
  await client.put({ ...at, content: { value: { n: 1 } } });
  await client.update({ ...at, content: { value: { n: 2 } } });
  assert.deepStrictEqual((await client.get(at)).content.map((one) => one.value.n), [2]);
});

feature('conditions', async () => {
  const at = { type, bucket: fresh(), key: 'k' };
  await client.put({ ...at, content: { value: '1' }, if_none_match: true });
  await refused('match_found', client.put({ ...at, content: { value: '2' }, if_none_match: true }));
});

feature('list keys and buckets', async () => {
  const bucket = fresh();
  const keys = Array.from({ length: 40 }, (_, n) => `k${String(n).padStart(2, '0')}`);
  await Promise.all(keys.map((key) => client.put({ type, bucket, key, content: { value: 'x' } })));
  assert.deepStrictEqual((await client.listKeys({ type, bucket })).filter(Boolean).map(String).sort(), keys);
  assert((await client.listBuckets({ type })).filter(Boolean).map(String).includes(bucket));
});

feature('secondary indexes, by page', async () => {
  const bucket = fresh();
  for (let n = 0; n < 5; n += 1) {
    const indexes = [{ key: 'word_bin', value: 'w' }, { key: 'n_int', value: String(n) }];
    await client.put({ type, bucket, key: `k${n}`, content: { value: 'x', indexes } });
  }
  const query = { type, bucket, index: 'word_bin', qtype: 0, key: 'w' };
  const first = await client.index({ ...query, max_results: 3 });
  assert.deepStrictEqual(first.results.map(String), ['k0', 'k1', 'k2']);
  const rest = await client.index({ ...query, continuation: first.continuation });
  assert.deepStrictEqual(rest.results.map(String), ['k3', 'k4']);
  const range = await client.index({ type, bucket, index: 'n_int', qtype: 1, range_min: '1', range_max: '2', return_terms: true });
  assert.strictEqual(range.results.length, 2);
});

feature('bucket properties', async () => {
  const at = { type, bucket: fresh() };
  assert.strictEqual((await client.getBucket(at)).props.n_val, 3);
  await client.setBucket({ ...at, props: { allow_mult: false, r: 'all', pw: 1 } });
  const { props } = await client.getBucket(at);
  assert(!props.allow_mult && props.r === 'all' && props.pw === 1, JSON.stringify(props));
  await client.resetBucket(at);
  assert((await client.getBucket(at)).props.allow_mult);
});

feature('properties of bucket types', async () => {
  const { props } = await client.getBucketType({ type: 'maps' });
  assert.strictEqual(String(props.datatype), 'map');
  await client.setBucketType({ type, props: { w: 'one' } });
  assert.strictEqual((await client.getBucketType({ type })).props.w, 'one');
  await client.setBucketType({ type, props: { w: 'quorum' } });
  await refused('Invalid bucket type', client.getBucketType({ type: 'no-such-type' }));
});

feature('legacy counters', async () => {
  const at = { bucket: fresh(), key: 'c' };
  await client.setBucket({ bucket: at.bucket, props: { allow_mult: true } });
  await client.updateCounter({ ...at, amount: 5 });
  const after = await client.updateCounter({ ...at, amount: -2, returnvalue: true });
  assert.strictEqual(Number(after.value || after), 3);
  const seen = await client.getCounter(at);
  assert.strictEqual(Number(seen.value || seen), 3);
});

feature('counters', async () => {
  const counter = new Riak.CRDT.Counter(client, { bucket: fresh(), type: 'counters' });
  assert.strictEqual(Number(await counter.increment(1).increment(-5).save().call('value')), -4);
  const again = new Riak.CRDT.Counter(client, { bucket: counter.bucket ? counter.bucket() : undefined, type: 'counters', key: counter.key() });
  if (counter.bucket) assert.strictEqual(Number(await again.load().call('value')), -4);
});

feature('sets', async () => {
  const bucket = fresh();
  const set = new Riak.CRDT.Set(client, { bucket, type: 'sets' });
  assert.deepStrictEqual((await set.add('a1', 'a2', 'a3', 'a2').save().call('value')).sort(), ['a1', 'a2', 'a3']);
  assert.deepStrictEqual((await set.remove('a1').save().call('value')).sort(), ['a2', 'a3']);
  const again = new Riak.CRDT.Set(client, { bucket, type: 'sets', key: set.key() });
  assert.deepStrictEqual((await again.load().call('value')).sort(), ['a2', 'a3']);
});

feature('maps', async () => {
  const bucket = fresh();
  const map = new Riak.CRDT.Map(client, { bucket, type: 'maps' });
  const value = await map
    .update('visits', new Riak.CRDT.Counter().increment(-5))
    .update('tags', new Riak.CRDT.Set().add('a1', 'a2'))
    .update('name', new Riak.CRDT.Map.Register().set('Ada'))
    .update('on', new Riak.CRDT.Map.Flag().enable())
    .update('inner', new Riak.CRDT.Map().update('n', new Riak.CRDT.Counter().increment(2)))
    .save()
    .call('value');
  assert.strictEqual(Number(value.visits), -5);
  assert.deepStrictEqual(value.tags.sort(), ['a1', 'a2']);
  assert.strictEqual(value.name, 'Ada');
  assert.strictEqual(value.on, true);
  assert.strictEqual(Number(value.inner.n), 2);
  const less = await map.remove('name', Riak.CRDT.Map.Register).save().call('value');
  assert.strictEqual(less.name, undefined);
});

feature('data types by hand', async () => {
  const at = { type: 'gsets', bucket: fresh(), key: 'g' };
  await client.dtUpdate({ type: 'counters', bucket: at.bucket, key: 'c', op: { counter_op: { increment: 3 } } });
  const seen = await client.dtFetch({ type: 'counters', bucket: at.bucket, key: 'c' });
  assert.strictEqual(Number(seen.value.counter_value), 3);
});

feature('MapReduce is refused with a reason', async () => {
  const request = { inputs: [['b', 'k']], query: [{ map: { source: 'function(v) { return [1]; }', language: 'javascript' } }] };
  await refused('', client.mapReduce({ request }));
});

feature('what is not allowed is told', async () => {
  await refused('n_val_violation', client.get({ type, bucket: fresh(), key: 'k', r: 9 }));
  await refused('no_type', client.get({ type: 'no-such-type', bucket: 'b', key: 'k' }));
});

run(process.env.ONLY);
