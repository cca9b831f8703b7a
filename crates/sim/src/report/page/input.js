// What people do: keys, pointer, buttons.

let wanted = 0, isStale = true;
function draw() {
  isStale = false;
  drawDiagram();
  drawOverview();
  drawCharts();
}
function onFrame() {
  wanted = 0;
  if (isStale) draw(); else drawOverlay();
}
// Everything, or only what is chosen and pointed at.
function redraw() {
  isStale = true;
  markAgain();
}
function markAgain() {
  if (!wanted) wanted = requestAnimationFrame(onFrame);
}

// Shows a part of the run, within it and no narrower than a microsecond.
function show(from, to) {
  const width = Math.max(1e3, Math.min(model.end * 1.02, to - from));
  view.from = Math.max(-model.end * 0.01, Math.min(from, model.end * 1.01 - width));
  view.to = view.from + width;
  redraw();
}
function zoom(factor, around = (view.from + view.to) / 2) {
  show(around - (around - view.from) * factor, around + (view.to - around) * factor);
}
const edge = (model.end - model.start) * 0.01;
const fit = () => show(model.start - edge, model.end + edge);

function pick(step, center) {
  chosen.step = step;
  if (step >= 0) {
    const at = stepTime(step), width = view.to - view.from;
    if (center || at < view.from + width * 0.05 || at > view.to - width * 0.05) show(at - width / 2, at + width / 2);
  }
  showDetails();
  markAgain();
}

// The next event, or the one before; with `lane`, in the same lane.
function go(by, lane) {
  if (model.steps.length === 0) return;
  let place = chosen.step < 0 ? lowerBound(model.steps, view.from, stepTime) - (by > 0 ? 1 : 0) : lowerBound(model.steps, chosen.step, (index) => index);
  if (by > 0 && chosen.step >= 0 && model.steps[place] !== chosen.step) place -= 1;
  do place += by; while (lane !== undefined && model.steps[place] !== undefined && data.steps[model.steps[place]][STEP.lane] !== lane);
  if (model.steps[place] !== undefined) pick(model.steps[place]);
}

// To the other end of the chosen event's message.
function follow() {
  if (chosen.step < 0) return;
  const ends = stepsOfMessage.get(data.steps[chosen.step][STEP.message]) || [];
  const next = ends[(ends.indexOf(chosen.step) + 1) % ends.length];
  if (next !== undefined) pick(next);
}

function filter(key) {
  choose(key);
  document.getElementById("key").value = key < 0 ? "" : data.keys[key];
  if (chosen.step >= 0 && !stepIsShown(data.steps[chosen.step])) chosen.step = -1;
  showDetails();
  redraw();
}

// To the event of a key that is nearest to a time.
function goTo(time, key) {
  if (key >= 0) filter(key);
  const width = Math.min(view.to - view.from, 0.1e9);
  show(time - width / 2, time + width / 2);
  const after = lowerBound(model.steps, time, stepTime);
  const near = [after - 1, after].map((place) => model.steps[place]).filter((index) => index !== undefined);
  near.sort((one, other) => Math.abs(stepTime(one) - time) - Math.abs(stepTime(other) - time));
  if (near.length) pick(near[0]);
}

const KEYS = {
  ArrowLeft: (event) => go(-1, event.shiftKey && chosen.step >= 0 ? data.steps[chosen.step][STEP.lane] : undefined),
  ArrowRight: (event) => go(1, event.shiftKey && chosen.step >= 0 ? data.steps[chosen.step][STEP.lane] : undefined),
  Home: () => pick(model.steps[0] ?? -1),
  End: () => pick(model.steps.at(-1) ?? -1),
  Enter: follow,
  "+": () => zoom(0.5, chosenTime()),
  "=": () => zoom(0.5, chosenTime()),
  "-": () => zoom(2, chosenTime()),
  0: fit,
  k: () => chosen.step >= 0 && data.steps[chosen.step][STEP.keys] >= 0 && filter(data.steps[chosen.step][STEP.keys]),
  z: () => { const at = chosenTime(); show(at - 5e6, at + 5e6); },
  Escape: () => { if (chosen.step >= 0) pick(-1); else filter(-1); },
};
const chosenTime = () => (chosen.step >= 0 ? stepTime(chosen.step) : (view.from + view.to) / 2);

function listen() {
  addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof HTMLInputElement && event.target.type !== "checkbox";
    const isButton = event.target instanceof HTMLButtonElement && event.key === "Enter";
    const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (isTyping || isButton || !act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    act(event);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const amount = event.deltaY || event.deltaX;
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      const by = ((view.to - view.from) * amount) / 1000;
      show(view.from + by, view.to + by);
    } else zoom(Math.exp(amount / 400), timeOf(event.offsetX));
  }, { passive: false });
  listenToPointer();
  const key = document.getElementById("key");
  key.addEventListener("input", () => {
    const index = data.keys.indexOf(key.value);
    if (index >= 0 || key.value === "") filter(index);
  });
  const overview = document.getElementById("overview");
  overview.addEventListener("click", (event) => {
    const at = ((event.offsetX - LEFT) / (overview.clientWidth - LEFT)) * model.end, half = (view.to - view.from) / 2;
    show(at - half, at + half);
  });
  Object.entries({ back: () => go(-1), forth: () => go(1), in: KEYS["+"], out: KEYS["-"], fit }).forEach(([id, act]) => (document.getElementById(id).onclick = act));
  document.getElementById("theme").onclick = () => {
    const root = document.documentElement;
    const isDark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    recolour();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  new ResizeObserver(redraw).observe(document.getElementById("pictures"));
}

function listenToPointer() {
  let drag;
  canvas.addEventListener("pointerdown", (event) => {
    drag = { x: event.offsetX, from: view.from, to: view.to, moved: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drag && event.buttons) {
      const by = ((drag.x - event.offsetX) / (view.width - LEFT)) * (drag.to - drag.from);
      drag.moved ||= Math.abs(drag.x - event.offsetX) > 3;
      canvas.classList.toggle("dragged", drag.moved);
      if (drag.moved) show(drag.from + by, drag.to + by);
      return;
    }
    Object.assign(under, find(event.offsetX, event.offsetY));
    showTip(event.clientX, event.clientY);
    markAgain();
  });
  canvas.addEventListener("pointerup", (event) => {
    canvas.classList.remove("dragged");
    if (drag && !drag.moved) {
      const found = find(event.offsetX, event.offsetY);
      const ofMessage = found.message >= 0 ? (stepsOfMessage.get(found.message) || [-1]).at(-1) : -1;
      pick(found.step >= 0 ? found.step : ofMessage);
    }
    drag = undefined;
  });
  canvas.addEventListener("pointerleave", () => {
    under.step = under.message = -1;
    tip.hidden = true;
    markAgain();
  });
}

// A box for each conversation that the run has, in its colour and with its kind of line.
function showTalks() {
  const used = new Set(data.messages.map((message) => message[MESSAGE.talk]));
  document.getElementById("talks").replaceChildren(...[...used].sort().map((talk) => {
    const name = data.talks[talk];
    const box = element("input", { type: "checkbox", id: "talk-" + name });
    box.checked = model.talks.has(talk);
    box.onchange = () => {
      if (box.checked) model.talks.add(talk); else model.talks.delete(talk);
      filter(model.key);
    };
    const line = `<svg width="26" height="8" aria-hidden="true"><line x1="0" y1="4" x2="26" y2="4" stroke="var(--${name})" stroke-width="2" stroke-dasharray="${(DASHES[name] || []).join(" ")}"/></svg>`;
    const label = element("label", { for: "talk-" + name });
    label.innerHTML = line;
    label.prepend(box);
    label.append(" " + name);
    return label;
  }));
}

function recolour() {
  readColours();
  redraw();
}
