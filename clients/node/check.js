'use strict';
// Runs features one after another, a line for each. Exit status 1 if one failed.

const assert = require('assert');
const crypto = require('crypto');

const features = [];

/** A bucket that nobody else uses. */
exports.fresh = () => 'b-' + crypto.randomBytes(6).toString('hex');

exports.feature = (name, check) => features.push([name, check]);

/** That `promise` fails, with `words` in what it says. */
exports.refused = async (words, promise) => {
  let said = null;
  try {
    await promise;
  } catch (error) {
    said = String(error.message || error);
  }
  assert(said !== null, 'not refused');
  assert(said.includes(words), `${said} does not say ${words}`);
};

exports.until = async (what, condition) => {
  const end = Date.now() + 20000;
  while (!(await condition())) {
    assert(Date.now() < end, `waited until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
};

exports.run = async (only) => {
  let failed = 0;
  for (const [name, check] of features.filter(([name]) => name.includes(only || ''))) {
    try {
      await check();
      console.log(`ok      ${name}`);
    } catch (error) {
      failed += 1;
      console.log(`FAILED  ${name}\n${error.stack || error}`);
    }
  }
  console.log(`${failed} failed`);
  process.exit(failed ? 1 : 0);
};
