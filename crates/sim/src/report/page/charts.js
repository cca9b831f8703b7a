// What goes on over time, under the diagram and in line with it; and the whole run above it.

const CHARTS = ["availability", "latency", "siblings", "hints"];

function chart(name, top, unit) {
  const element = document.getElementById(name);
  const { pen, width, height } = sized(element, Number(element.getAttribute("data-height")));
  const y = (value) => height - 4 - (value / top) * (height - 12);
  pen.strokeStyle = colours.line;
  pen.lineWidth = 0.5;
  pen.fillStyle = colours.faint;
  for (const value of [0, top]) {
    pen.beginPath();
    pen.moveTo(LEFT, y(value));
    pen.lineTo(width, y(value));
    pen.stroke();
    pen.textAlign = "right";
    pen.fillText(unit(value), LEFT - 4, Math.max(7, Math.min(height - 7, y(value))));
    pen.textAlign = "left";
  }
  pen.beginPath();
  pen.rect(LEFT, 0, width - LEFT, height);
  pen.clip();
  pen.fillStyle = colours.band;
  pen.globalAlpha = 0.1;
  for (const fault of data.faults) {
    const from = xOf(fault.at);
    pen.fillRect(from, 0, Math.max(1, xOf(fault.until) - from), height);
  }
  pen.globalAlpha = 1;
  if (data.peace >= 0) {
    pen.fillStyle = colours.peace;
    pen.fillRect(xOf(data.peace), 0, 1, height);
  }
  return { pen, y, height };
}

function drawCharts() {
  const count = Math.max(20, Math.min(240, Math.floor((view.width - LEFT) / 6)));
  const bins = requestBins(view.from, view.to, count);
  const width = (view.width - LEFT) / count;
  drawAvailability(bins, width);
  drawLatency(bins, width);
  drawLine("siblings", siblingPoints(), "replica", "the most versions of one key on one node");
  drawLine("hints", hintPoints(), "client", "held by all nodes, of all keys");
}

function drawAvailability(bins, width) {
  const { pen, y } = chart("availability", 1, (part) => part * 100 + " %");
  let ok = 0, failed = 0;
  bins.forEach((bin, index) => {
    ok += bin.ok;
    failed += bin.failed;
    const all = bin.ok + bin.failed;
    if (all === 0) return;
    const x = LEFT + index * width;
    pen.fillStyle = colours.good;
    pen.fillRect(x, y(bin.ok / all), Math.max(1, width - 1), y(0) - y(bin.ok / all));
    pen.fillStyle = colours.bad;
    pen.fillRect(x, y(1), Math.max(1, width - 1), y(bin.ok / all) - y(1));
  });
  say("availability", `${ok} of ${ok + failed} in what is shown` + (failed ? `; ${failed} failed` : ""));
}

// The median and the 99th percentile, on a scale of powers of ten.
function drawLatency(bins, width) {
  const took = bins.flatMap((bin) => bin.took);
  const most = Math.max(1e7, ...bins.map((bin) => bin.took.at(-1) ?? 0));
  const decades = Math.ceil(Math.log10(most) - 5);
  const { pen, y } = chart("latency", decades, (value) => span(10 ** (value + 5)));
  const scale = (ns) => y(Math.max(0, Math.log10(Math.max(ns, 1e5)) - 5));
  for (let decade = 1; decade < decades; decade += 1) {
    pen.fillStyle = colours.line;
    pen.fillRect(LEFT, y(decade), view.width, 0.5);
  }
  bins.forEach((bin, index) => {
    if (bin.took.length === 0) return;
    const x = LEFT + index * width;
    const [half, most] = [scale(quantile(bin.took, 0.5)), scale(quantile(bin.took, 0.99))];
    pen.fillStyle = colours.client;
    pen.globalAlpha = 0.35;
    pen.fillRect(x, most, Math.max(1, width - 1), half - most);
    pen.globalAlpha = 1;
    pen.fillRect(x, half - 1, Math.max(2, width - 1), 2);
    pen.fillRect(x, most - 1, Math.max(2, width - 1), 1);
  });
  took.sort((one, other) => one - other);
  say("latency", took.length ? `from the median (thick) to the 99th percentile; in what is shown ${span(quantile(took, 0.5))} and ${span(quantile(took, 0.99))}` : "nothing succeeded in what is shown");
}

function drawLine(name, points, colour, what) {
  let most = 0;
  points.forEach(([at, value]) => { if (at >= view.from && at <= view.to) most = Math.max(most, value); });
  const before = points.findLast(([at]) => at <= view.from);
  most = Math.max(most, before ? before[1] : 0);
  const { pen, y, height } = chart(name, Math.max(1, most), String);
  pen.strokeStyle = pen.fillStyle = colours[colour];
  pen.lineWidth = 1.5;
  const line = new Path2D();
  let last = 0;
  line.moveTo(0, y(0));
  for (const [at, value] of points) {
    const x = Math.max(-9, Math.min(view.width + 9, xOf(at)));
    line.lineTo(x, y(last));
    line.lineTo(x, y(value));
    last = value;
  }
  line.lineTo(Math.min(view.width + 9, xOf(model.end)), y(last));
  pen.stroke(line);
  line.lineTo(Math.min(view.width + 9, xOf(model.end)), height + 9);
  line.lineTo(-9, height + 9);
  pen.globalAlpha = 0.18;
  pen.fill(line);
  say(name, `${what}; at most ${most} in what is shown`);
}

function say(name, text) {
  document.getElementById(name + "-says").textContent = "· " + text;
}

// How much happens over the whole run, and a frame around what is shown.
function drawOverview() {
  const element = document.getElementById("overview");
  const { pen, width, height } = sized(element, Number(element.getAttribute("data-height")));
  const x = (time) => LEFT + (time / model.end) * (width - LEFT);
  const columns = Math.floor((width - LEFT) / 2);
  const busy = new Array(columns + 1).fill(0);
  model.steps.forEach((index) => (busy[Math.floor((stepTime(index) / model.end) * columns)] += 1));
  const most = Math.max(1, ...busy);
  pen.fillStyle = colours.lane;
  busy.forEach((count, column) => {
    const tall = Math.sqrt(count / most) * (height - 6);
    pen.fillRect(LEFT + column * 2, height - 2 - tall, 2, tall);
  });
  pen.fillStyle = colours.band;
  for (const fault of data.faults) pen.fillRect(x(fault.at), 0, Math.max(2, x(fault.until) - x(fault.at)), 2);
  pen.strokeStyle = colours.mark;
  pen.lineWidth = 1.5;
  pen.strokeRect(x(view.from) + 0.5, 3, Math.max(3, x(view.to) - x(view.from) - 1), height - 4);
  pen.fillStyle = colours.faint;
  pen.fillText("run", 8, height / 2);
}
