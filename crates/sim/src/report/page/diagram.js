// The space-time diagram: time goes to the right, a lane for each client and node.

const canvas = document.getElementById("diagram");
const LEFT = 54, AXIS = 18, BAND = 15, LANE = 38, LABELS_MAX = 60, DENSE = 3000;
const view = { from: 0, to: model.end, width: 100, height: 100 };
const DASHES = { client: [], replica: [], forward: [9, 3, 2, 3], "anti-entropy": [7, 3], trees: [2, 5], reap: [3, 3], membership: [1, 3] };
const drawn = { messages: 0, steps: 0 };
let colours = {};
let bandRows = 1;
let laneY = [];
let stamps = new Int32Array(0);
let frame = 0;
// The diagram without what is chosen, so that choosing and pointing need not draw everything again.
const base = document.createElement("canvas");

function readColours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ground", "panel", "ink", "faint", "line", "lane", "good", "bad", "mark", "band", "down", "peace"];
  colours = Object.fromEntries(names.concat(data.talks).map((name) => [name, style.getPropertyValue("--" + name).trim()]));
}

// Faults in as few rows as keep them apart; where each lane is.
function layOut() {
  const ends = [];
  for (const fault of data.faults) {
    const room = (model.end - model.start) / 30;
    let row = ends.findIndex((end) => end <= fault.at);
    if (row < 0) row = ends.length;
    ends[row] = Math.max(fault.until, fault.at + room);
    fault.row = Math.min(row, 5);
  }
  bandRows = Math.max(1, Math.min(ends.length, 6));
  let y = AXIS + bandRows * BAND + 18;
  laneY = [];
  const clients = data.lanes.filter((lane) => lane.startsWith("c")).length;
  data.drawOrder.forEach((lane) => {
    const height = data.lanes[lane].startsWith("n") ? LANE : clients > 12 ? 15 : 26;
    laneY[lane] = y + height / 2;
    y += height;
  });
  view.height = y + 6;
}

function sized(element, height) {
  const ratio = window.devicePixelRatio || 1;
  const width = Math.max(200, element.clientWidth);
  if (element.width !== Math.round(width * ratio) || element.height !== Math.round(height * ratio)) {
    element.width = Math.round(width * ratio);
    element.height = Math.round(height * ratio);
    element.style.height = height + "px";
  }
  const pen = element.getContext("2d");
  // Whatever was clipped or set for the picture before.
  pen.restore();
  pen.save();
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = colours.ground;
  pen.fillRect(0, 0, width, height);
  pen.font = '11px system-ui, "DejaVu Sans", sans-serif';
  pen.textBaseline = "middle";
  return { pen, width, height };
}

const xOf = (time) => LEFT + ((time - view.from) / (view.to - view.from)) * (view.width - LEFT);
const timeOf = (x) => view.from + ((x - LEFT) / (view.width - LEFT)) * (view.to - view.from);

// Round times, about so many pixels apart.
function ticks() {
  const wanted = ((view.to - view.from) / (view.width - LEFT)) * 110;
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((each) => each >= wanted);
  const found = [];
  for (let time = Math.ceil(view.from / step) * step; time <= view.to; time += step) found.push(time);
  return { found, digits: Math.max(0, Math.min(9, 9 - Math.floor(Math.log10(step)))) };
}

function drawDiagram() {
  const { pen, width, height } = sized(canvas, view.height);
  view.width = width;
  pen.save();
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT, height);
  pen.clip();
  drawTicks(pen, height);
  drawFaults(pen, height);
  drawLanes(pen, width);
  drawMessages(pen);
  drawSteps(pen);
  pen.restore();
  pen.fillStyle = colours.ink;
  pen.font = 'bold 12px system-ui, "DejaVu Sans", sans-serif';
  data.drawOrder.forEach((lane) => pen.fillText(data.lanes[lane], 8, laneY[lane]));
  base.width = canvas.width;
  base.height = canvas.height;
  base.getContext("2d").drawImage(canvas, 0, 0);
  drawOverlay();
}

function drawOverlay() {
  const { pen, width, height } = sized(canvas, view.height);
  pen.drawImage(base, 0, 0, width, height);
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT, height);
  pen.clip();
  drawChosen(pen, height);
}

function drawTicks(pen, height) {
  const { found, digits } = ticks();
  for (const time of found) {
    const x = xOf(time);
    pen.strokeStyle = colours.line;
    pen.lineWidth = 0.5;
    pen.beginPath();
    pen.moveTo(x, AXIS);
    pen.lineTo(x, height);
    pen.stroke();
    pen.fillStyle = colours.faint;
    // Right of its line; left of it where the picture ends.
    const label = seconds(time, digits);
    const fits = x + 3 + pen.measureText(label).width <= view.width;
    pen.textAlign = fits ? "left" : "right";
    pen.fillText(label, fits ? x + 3 : x - 3, AXIS / 2 + 1);
    pen.textAlign = "left";
  }
}

// Faults as shaded bands, with their names above the lanes; the time without faults is named, too.
function drawFaults(pen, height) {
  const top = AXIS + bandRows * BAND + 4;
  for (const fault of data.faults) {
    if (fault.until < view.from || fault.at > view.to) continue;
    const from = xOf(fault.at), to = Math.max(from + 2, xOf(fault.until));
    pen.fillStyle = colours.band;
    pen.globalAlpha = 0.1;
    const lanes = fault.nodes.length > 0 && fault.nodes.length < 3 ? fault.nodes : [];
    if (lanes.length === 0) pen.fillRect(from, top, to - from, height - top);
    lanes.forEach((lane) => pen.fillRect(from, laneY[lane] - LANE / 2, to - from, LANE));
    const y = AXIS + fault.row * BAND;
    pen.globalAlpha = 0.22;
    pen.fillRect(from, y, to - from, BAND - 2);
    pen.globalAlpha = 1;
    pen.fillRect(from, y, 2, BAND - 2);
    label(pen, fault.text, Math.max(from, LEFT) + 5, y + BAND / 2 - 1, colours.ink, nextInRow(fault) - Math.max(from, LEFT) - 8);
  }
  if (data.peace >= 0) {
    const x = xOf(data.peace);
    pen.strokeStyle = colours.peace;
    pen.lineWidth = 1.5;
    pen.setLineDash([6, 4]);
    pen.beginPath();
    pen.moveTo(x, AXIS);
    pen.lineTo(x, height);
    pen.stroke();
    pen.setLineDash([]);
    // Below the names of the faults, on the side where there is room.
    const wide = pen.measureText("faults cease").width;
    label(pen, "faults cease", x + wide + 8 > view.width ? x - wide - 5 : x + 5, top + 5, colours.peace, wide + 1);
  }
}

function nextInRow(fault) {
  const later = data.faults.filter((other) => other.row === fault.row && other.at > fault.at).map((other) => xOf(other.at));
  return Math.min(view.width, ...later);
}

// As much of a text as there is room for.
function label(pen, text, x, y, colour, room) {
  if (room < 14) return;
  pen.fillStyle = colour;
  let shown = text;
  while (shown.length > 1 && pen.measureText(shown).width > room) shown = shown.slice(0, Math.floor(shown.length * 0.8) - 1) + "…";
  pen.fillText(shown, x, y);
}

function drawLanes(pen, width) {
  data.drawOrder.forEach((lane) => {
    pen.strokeStyle = colours.lane;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(LEFT, laneY[lane]);
    pen.lineTo(width, laneY[lane]);
    pen.stroke();
  });
  for (const [lane, from, to] of data.downs) {
    const left = xOf(from), right = xOf(to < 0 ? model.end : to);
    if (right < LEFT || left > width) continue;
    pen.fillStyle = colours.down;
    pen.globalAlpha = 0.55;
    pen.fillRect(left, laneY[lane] - 7, Math.max(2, right - left), 14);
    pen.globalAlpha = 1;
    label(pen, "down", Math.max(left, LEFT) + 5, laneY[lane], colours.ink, right - Math.max(left, LEFT) - 8);
  }
}

// The messages that may be seen, in the order in which they were sent.
function* visibleMessages() {
  const first = lowerBound(model.messages, view.from - model.longest, sentTime);
  for (let at = first; at < model.messages.length; at += 1) {
    const message = data.messages[model.messages[at]];
    if (message[MESSAGE.sent] > view.to) return;
    if (message[MESSAGE.fate] === FATE.heard && message[MESSAGE.heard] < view.from) continue;
    yield model.messages[at];
  }
}

// Where a message begins and ends on the picture. What never arrives ends on its way.
function ends(message) {
  const x0 = xOf(message[MESSAGE.sent]), y0 = laneY[message[MESSAGE.from]], y1 = laneY[message[MESSAGE.to]];
  if (message[MESSAGE.heard] >= 0) return [x0, y0, xOf(message[MESSAGE.heard]), y1];
  return [x0, y0, x0 + 14, y0 + (y1 - y0) * 0.4];
}

// Where many messages are shown, one line to a pair of lanes and a few pixels is all that can be seen.
function thinning() {
  const first = lowerBound(model.messages, view.from - model.longest, sentTime);
  const count = lowerBound(model.messages, view.to, sentTime) - first;
  const grain = count > 60000 ? 8 : count > 15000 ? 4 : 1, lanes = data.lanes.length;
  const columns = Math.ceil(view.width / grain) + 2;
  const size = lanes * lanes * columns;
  if (size > 12e6) return () => false;
  if (stamps.length !== size) stamps = new Int32Array(size);
  frame += 1;
  return (message, x0, x1) => {
    if (x0 < 0 || x1 - x0 > 3 * grain) return false;
    const stamp = (message[MESSAGE.from] * lanes + message[MESSAGE.to]) * columns + Math.min(columns - 1, Math.round(x0 / grain));
    const isSeen = stamps[stamp] === frame;
    stamps[stamp] = frame;
    return isSeen;
  };
}

function drawMessages(pen) {
  const isSeen = thinning();
  const paths = data.talks.map(() => ({ lines: new Path2D(), heads: new Path2D() }));
  const lost = new Path2D();
  const labels = [];
  drawn.messages = 0;
  for (const index of visibleMessages()) {
    const message = data.messages[index];
    const [x0, y0, x1, y1] = ends(message);
    if (isSeen(message, x0, x1)) continue;
    drawn.messages += 1;
    const path = paths[message[MESSAGE.talk]];
    path.lines.moveTo(x0, y0);
    path.lines.lineTo(x1, y1);
    if (message[MESSAGE.fate] === FATE.heard) head(path.heads, x0, y0, x1, y1); else cross(lost, x1, y1);
    if (labels.length <= LABELS_MAX) labels.push([message, x0, y0, x1, y1]);
  }
  const isDense = drawn.messages > DENSE;
  paths.forEach(({ lines, heads }, talk) => {
    const name = data.talks[talk];
    pen.strokeStyle = pen.fillStyle = colours[name];
    pen.lineWidth = isDense ? 0.7 : 1.2;
    pen.globalAlpha = isDense ? 0.35 : 0.9;
    pen.setLineDash(isDense ? [] : DASHES[name] || []);
    pen.stroke(lines);
    pen.setLineDash([]);
    if (!isDense) pen.fill(heads);
  });
  pen.globalAlpha = isDense ? 0.5 : 1;
  pen.strokeStyle = colours.bad;
  pen.lineWidth = isDense ? 0.8 : 1.5;
  pen.stroke(lost);
  pen.globalAlpha = 1;
  if (labels.length <= LABELS_MAX) drawLabels(pen, labels);
}

function head(path, x0, y0, x1, y1) {
  const length = Math.hypot(x1 - x0, y1 - y0) || 1;
  const dx = (x1 - x0) / length, dy = (y1 - y0) / length;
  path.moveTo(x1, y1);
  path.lineTo(x1 - 8 * dx + 3 * dy, y1 - 8 * dy - 3 * dx);
  path.lineTo(x1 - 8 * dx - 3 * dy, y1 - 8 * dy + 3 * dx);
  path.closePath();
}

function cross(path, x, y) {
  path.moveTo(x - 3.5, y - 3.5);
  path.lineTo(x + 3.5, y + 3.5);
  path.moveTo(x - 3.5, y + 3.5);
  path.lineTo(x + 3.5, y - 3.5);
}

// A few words along each line, on a ground of their own, where no other words are.
function drawLabels(pen, messages) {
  const taken = [];
  for (const [message, x0, y0, x1, y1] of messages) {
    if (x1 - x0 < 24 && Math.abs(y1 - y0) < 24) continue;
    const text = `${data.kinds[message[MESSAGE.kind]]} ${data.texts[message[MESSAGE.text]]}`.trim();
    const shown = text.length > 26 ? text.slice(0, 25) + "…" : text;
    const width = pen.measureText(shown).width + 4;
    const isFree = ([x, y]) => x >= LEFT && taken.every(([left, top, wide]) => x + width < left || left + wide < x || Math.abs(y - top) > 13);
    const place = [0.35, 0.5, 0.65, 0.2, 0.8].map((part) => [x0 + (x1 - x0) * part + 5, y0 + (y1 - y0) * part]).find(isFree);
    if (!place) continue;
    taken.push([...place, width]);
    pen.fillStyle = colours.ground;
    pen.globalAlpha = 0.8;
    pen.fillRect(place[0] - 2, place[1] - 7, width, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = colours[data.talks[message[MESSAGE.talk]]];
    pen.fillText(shown, place[0], place[1]);
  }
}
