// Marks on the lanes, the event that is chosen, and what is under the pointer.

const chosen = { step: -1 };
const under = { step: -1, message: -1 };

function drawSteps(pen) {
  drawn.steps = 0;
  const dots = new Map(), size = drawn.messages > DENSE ? 0.6 : 1;
  const last = [];
  const first = lowerBound(model.steps, view.from, stepTime);
  for (let at = first; at < model.steps.length; at += 1) {
    const step = data.steps[model.steps[at]];
    if (step[STEP.at] > view.to) break;
    const lane = step[STEP.lane];
    if (data.lanes[lane] === "world") continue;
    const kind = data.whats[step[STEP.what]];
    // The end of its arrow says it.
    if (kind === "unheard") continue;
    // One mark of a kind to a lane and half a pixel.
    const x = Math.round(xOf(step[STEP.at]) * 2) / 2, slot = step[STEP.what] * data.lanes.length + lane;
    if (last[slot] === x) continue;
    last[slot] = x;
    drawn.steps += 1;
    if (!dots.has(kind)) dots.set(kind, new Path2D());
    mark(dots.get(kind), kind, x, laneY[lane], size);
  }
  for (const [kind, path] of dots) {
    pen.fillStyle = kind === "down" || kind === "broken" ? colours.bad : kind === "up" ? colours.good : colours.ink;
    pen.fill(path);
  }
}

// A square where the disk changed, a diamond where the core had something to tell, a triangle for up and down.
function mark(path, kind, x, y, size) {
  if (kind === "store") return path.rect(x - 2.5 * size, y - 2.5 * size, 5 * size, 5 * size);
  if (kind === "send" || kind === "receive") { path.moveTo(x + 1.5 * size, y); return path.arc(x, y, 1.5 * size, 0, 7); }
  const corners = kind === "up" ? [[-5, 5], [5, 5], [0, -5]] : kind === "down" ? [[-5, -5], [5, -5], [0, 5]] : [[-4, 0], [0, 4], [4, 0], [0, -4]].map((corner) => corner.map((each) => each * size));
  corners.forEach(([dx, dy], index) => (index ? path.lineTo(x + dx, y + dy) : path.moveTo(x + dx, y + dy)));
  path.closePath();
}

function drawChosen(pen, height) {
  const lines = [];
  if (under.message >= 0) lines.push(under.message);
  if (chosen.step >= 0) {
    const step = data.steps[chosen.step];
    const x = xOf(step[STEP.at]);
    pen.strokeStyle = colours.mark;
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, AXIS);
    pen.lineTo(x, height);
    pen.stroke();
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.arc(x, laneY[step[STEP.lane]] ?? AXIS + 6, 7, 0, 7);
    pen.stroke();
    if (step[STEP.message] >= 0) lines.push(step[STEP.message]);
  }
  lines.forEach((index) => {
    const [x0, y0, x1, y1] = ends(data.messages[index]);
    pen.strokeStyle = pen.fillStyle = colours.mark;
    pen.lineWidth = 2.5;
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
    const tip = new Path2D();
    head(tip, x0, y0, x1, y1);
    pen.fill(tip);
  });
}

// How far a point is from a line.
function distance(x, y, [x0, y0, x1, y1]) {
  const dx = x1 - x0, dy = y1 - y0;
  const along = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
}

// The event at a point, or else the message that passes it.
function find(x, y) {
  const found = { step: -1, message: -1 };
  let best = 7;
  const slack = timeOf(x + 7) - timeOf(x);
  for (let at = lowerBound(model.steps, timeOf(x) - slack, stepTime); at < model.steps.length; at += 1) {
    const step = data.steps[model.steps[at]];
    if (step[STEP.at] > timeOf(x) + slack) break;
    const far = Math.hypot(xOf(step[STEP.at]) - x, (laneY[step[STEP.lane]] ?? -99) - y);
    // Of what happened at one moment, what was stored says most.
    const is = far - (step[STEP.siblings] >= 0 ? 0.5 : 0);
    if (is < best) { best = is; found.step = model.steps[at]; }
  }
  if (found.step >= 0) return found;
  best = 5;
  for (const index of visibleMessages()) {
    const far = distance(x, y, ends(data.messages[index]));
    if (far < best) { best = far; found.message = index; }
  }
  return found;
}
