// What the run was: the data of the page, and which part of it is shown.

const data = JSON.parse(document.getElementById("data").textContent);

// Rows of the tables, by their columns.
const STEP = { at: 0, lane: 1, what: 2, message: 3, keys: 4, text: 5, siblings: 6 };
const MESSAGE = { from: 0, to: 1, kind: 2, talk: 3, keys: 4, text: 5, sent: 6, heard: 7, fate: 8, request: 9 };
const FATE = { underWay: 0, lost: 1, heard: 2, unheard: 3 };

const model = {
  start: data.begin,
  end: Math.max(data.begin + 1, data.end),
  key: -1,
  talks: new Set(data.talks.keys()),
  steps: [],
  messages: [],
  requests: [],
  longest: 0,
};

// The rows of one message: where it was sent, and where it was heard.
const stepsOfMessage = new Map();
data.steps.forEach((step, index) => {
  const message = step[STEP.message];
  if (message < 0) return;
  if (!stepsOfMessage.has(message)) stepsOfMessage.set(message, []);
  stepsOfMessage.get(message).push(index);
});

function isAbout(keys, key) {
  return key < 0 || (Array.isArray(keys) ? keys.includes(key) : keys === key);
}

function stepIsShown(step) {
  if (step[STEP.message] >= 0 && !model.talks.has(data.messages[step[STEP.message]][MESSAGE.talk])) return false;
  if (isAbout(step[STEP.keys], model.key)) return true;
  // What befalls a whole node befalls each key on it.
  return ["fault", "peace", "up", "down"].includes(data.whats[step[STEP.what]]);
}

// Chooses the rows that are shown. Both lists stay in the order of time.
function choose(key) {
  model.key = key;
  const indexes = (rows, isShown) => rows.reduce((shown, row, index) => (isShown(row) && shown.push(index), shown), []);
  model.steps = indexes(data.steps, stepIsShown);
  model.messages = indexes(data.messages, (row) => model.talks.has(row[MESSAGE.talk]) && isAbout(row[MESSAGE.keys], key));
  model.requests = indexes(data.requests, (row) => key < 0 || row.key === key);
  model.longest = model.messages.reduce((most, index) => Math.max(most, arrival(data.messages[index]) - data.messages[index][MESSAGE.sent]), 0);
}

// When a message was heard, or would have been.
function arrival(message) {
  const heard = message[MESSAGE.heard];
  return heard < 0 ? message[MESSAGE.sent] : heard;
}

// The first place in `list` whose row is at `time` or later.
function lowerBound(list, time, timeOf) {
  let low = 0, high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (timeOf(list[middle]) < time) low = middle + 1; else high = middle;
  }
  return low;
}
const stepTime = (index) => data.steps[index][STEP.at];
const sentTime = (index) => data.messages[index][MESSAGE.sent];

// Requests in so many equal parts of the time that is shown.
function requestBins(from, to, count) {
  const bins = Array.from({ length: count }, () => ({ ok: 0, failed: 0, took: [] }));
  for (const index of model.requests) {
    const request = data.requests[index];
    const at = request.ended < 0 ? data.end : request.ended;
    if (at < from || at >= to) continue;
    const bin = bins[Math.min(count - 1, Math.floor(((at - from) / (to - from)) * count))];
    if (request.ok) { bin.ok += 1; bin.took.push(at - request.began); } else bin.failed += 1;
  }
  bins.forEach((bin) => bin.took.sort((one, other) => one - other));
  return bins;
}
const quantile = (sorted, part) => sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)];

// Points of the most versions that any node holds: of the chosen key as its updates left it, or of any key.
function siblingPoints() {
  if (model.key < 0) return data.samples.map((sample) => [sample[0], sample[2]]);
  const held = new Map();
  const points = [[0, 0]];
  for (const index of model.steps) {
    const step = data.steps[index];
    if (step[STEP.siblings] < 0) continue;
    held.set(step[STEP.lane], step[STEP.siblings]);
    points.push([step[STEP.at], Math.max(...held.values())]);
  }
  return points;
}
const hintPoints = () => data.samples.map((sample) => [sample[0], sample[1]]);

// What each node last did to a key before a step, and at it.
function lastStores(key, until) {
  const last = new Map();
  for (let index = 0; index <= until; index += 1) {
    const step = data.steps[index];
    if (step[STEP.siblings] >= 0 && isAbout(step[STEP.keys], key)) last.set(step[STEP.lane], step);
  }
  return [...last.entries()].sort(([one], [other]) => one - other);
}

function seconds(ns, digits = 3) {
  return (ns / 1e9).toFixed(digits) + " s";
}
function span(ns) {
  if (ns >= 1e9) return (ns / 1e9).toFixed(2) + " s";
  if (ns >= 1e6) return (ns / 1e6).toFixed(1) + " ms";
  return (ns / 1e3).toFixed(0) + " µs";
}
const keyNames = (keys) => (Array.isArray(keys) ? keys : keys < 0 ? [] : [keys]).map((key) => data.keys[key]);
