// Begins, and with `#selftest` in the address tries what the page can do and writes down how that went.

const errors = [];
addEventListener("error", (event) => errors.push(event.message));

function start() {
  document.querySelectorAll("canvas[height]").forEach((each) => each.setAttribute("data-height", each.getAttribute("height")));
  // Gossip, probes and hash trees go on all the time, and are seldom what one looks for.
  const seldom = ["membership", "trees"].map((name) => data.talks.indexOf(name));
  if (data.messages.some((message) => !seldom.includes(message[MESSAGE.talk]))) seldom.forEach((talk) => model.talks.delete(talk));
  readColours();
  layOut();
  choose(-1);
  showHeader();
  showVerdicts();
  showDetails();
  showTalks();
  listen();
  view.from = model.start - edge;
  view.to = model.end + edge;
  draw();
  const asked = new URLSearchParams(location.hash.slice(1));
  if (asked.has("key")) filter(data.keys.indexOf(asked.get("key")));
  if (asked.has("at")) goTo(Number(asked.get("at")) * 1e9, -1);
  if (asked.has("width")) show(chosenTime() - Number(asked.get("width")) * 5e8, chosenTime() + Number(asked.get("width")) * 5e8);
  if (asked.has("theme")) { document.documentElement.dataset.theme = asked.get("theme"); recolour(); }
  if (asked.has("selftest")) selfTest();
}

function inked(id) {
  const element = document.getElementById(id);
  const pixels = element.getContext("2d").getImageData(0, 0, element.width, element.height).data;
  const colours = new Set();
  for (let at = 0; at < pixels.length; at += 4) colours.add((pixels[at] << 16) | (pixels[at + 1] << 8) | pixels[at + 2]);
  return colours.size;
}

function press(key) {
  dispatchEvent(new KeyboardEvent("keydown", { key }));
}

function selfTest() {
  const checks = {};
  try {
    draw();
    for (const id of ["diagram", "overview", "availability", "latency", "siblings", "hints"]) checks["draws " + id] = inked(id) > 2;
    checks["draws messages and events"] = drawn.messages > 0 && drawn.steps > 0;
    const all = model.messages.length;
    const about = data.messages.find((message) => !Array.isArray(message[MESSAGE.keys]) && message[MESSAGE.keys] >= 0 && model.talks.has(message[MESSAGE.talk]));
    filter(about[MESSAGE.keys]);
    draw();
    checks["filters by key"] = model.messages.length > 0 && model.messages.every((index) => isAbout(data.messages[index][MESSAGE.keys], model.key)) && (model.messages.length < all || data.keys.length === 1);
    press("ArrowRight");
    const first = chosen.step;
    press("ArrowRight");
    checks["steps with the keyboard"] = first >= 0 && model.steps.indexOf(chosen.step) === model.steps.indexOf(first) + 1;
    press("ArrowLeft");
    checks["steps back"] = chosen.step === first && document.getElementById("details").textContent.includes("event ");
    checks["follows and zooms"] = followsAndZooms();
    checks["hovers"] = hovers();
    press("Escape");
    press("Escape");
    checks["lets go"] = model.key === -1 && chosen.step === -1 && model.messages.length === all;
    checks["says the verdict"] = document.getElementById("verdicts").textContent.includes(data.summary);
    fit();
    const began = performance.now();
    for (let round = 0; round < 3; round += 1) { draw(); inked("diagram"); }
    document.body.dataset.drawMs = ((performance.now() - began) / 3).toFixed(0);
  } catch (error) {
    errors.push(String(error));
  }
  checks["no errors"] = errors.length === 0;
  const failed = Object.keys(checks).filter((name) => !checks[name]);
  document.title = failed.length ? "selftest FAILED" : "selftest ok";
  document.body.append(element("pre", { id: "selftest" }, failed.length ? `FAILED: ${failed.join(", ")}; ${errors.join("; ")}` : `ok: ${Object.keys(checks).join(", ")}`));
}

function followsAndZooms() {
  const step = model.steps.find((index) => (stepsOfMessage.get(data.steps[index][STEP.message]) || []).length > 1);
  pick(step);
  press("Enter");
  const followed = chosen.step !== step && data.steps[chosen.step][STEP.message] === data.steps[step][STEP.message];
  const before = view.to - view.from;
  press("+");
  const zoomed = view.to - view.from < before;
  press("0");
  return followed && zoomed && view.to - view.from > before * 0.99;
}

function hovers() {
  const message = data.messages[model.messages.find((index) => data.messages[index][MESSAGE.fate] === FATE.heard)];
  const middle = (message[MESSAGE.sent] + message[MESSAGE.heard]) / 2, width = Math.max(1e6, (message[MESSAGE.heard] - message[MESSAGE.sent]) * 3);
  show(middle - width / 2, middle + width / 2);
  draw();
  const [x0, y0, x1, y1] = ends(message);
  Object.assign(under, find(x0 + (x1 - x0) * 0.4, y0 + (y1 - y0) * 0.4));
  showTip(100, 100);
  const says = !tip.hidden && tip.textContent.includes("sent ");
  under.message = under.step = -1;
  showTip(0, 0);
  return says;
}

start();
