// What stands beside the pictures: the verdicts, the chosen event, and the words under the pointer.

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.entries(attributes).forEach(([key, value]) => (key === "onclick" ? (made.onclick = value) : made.setAttribute(key, value)));
  made.append(...children);
  return made;
}

// Text in which times and keys are links into the diagram.
function linked(text) {
  const known = new Map(data.keys.map((key, index) => [key, index]));
  const parts = text.split(/(\d+\.\d{3,9} s\b|[\w.%~-]+(?:\/[\w.%~-]+)+)/);
  return parts.map((part) => {
    const key = known.get(part);
    if (key !== undefined) return element("button", { class: "link", onclick: () => filter(key) }, part);
    const time = /^(\d+\.\d{3,9}) s$/.exec(part);
    if (!time || Number(time[1]) * 1e9 > model.end) return part;
    const about = data.keys.findIndex((key) => text.includes(key));
    return element("button", { class: "link", onclick: () => goTo(Number(time[1]) * 1e9, about) }, part);
  });
}

function showHeader() {
  document.getElementById("title").append(data.title, element("span", { class: "badge " + data.verdict }, data.verdict.toUpperCase()));
  document.getElementById("about").append(data.about.replace(/\s+/g, " "));
  document.getElementById("facts").append(data.facts);
  document.getElementById("keys").append(...data.keys.map((key) => element("option", { value: key })));
}

function showVerdicts() {
  const place = document.getElementById("verdicts");
  place.append(element("h3", {}, "Verdict: ", element("span", { class: data.verdict }, data.verdict)), element("p", {}, data.summary + "."));
  for (const [title, findings] of data.findings) {
    place.append(element("h3", { class: "red" }, title), element("ul", {}, ...findings.map((finding) => element("li", {}, ...linked(finding)))));
  }
  const kept = data.kept.join(", ");
  if (kept) place.append(element("h3", {}, "Promises kept"), element("p", {}, kept));
  // That a promise is kept was said already.
  const expected = data.expectations.filter(([what, holds]) => !holds || !what.includes(" broken: 0"));
  if (expected.length) place.append(element("h3", {}, "Expected"), element("ul", {}, ...expected.map(([what, holds]) =>
    element("li", {}, element("span", { class: holds ? "green" : "red" }, holds ? "holds" : "FAILS"), " ", what))));
  if (data.counters.length) place.append(element("h3", {}, "Counted"), element("dl", {}, ...data.counters.flatMap(([name, count]) =>
    [element("dt", {}, name.replaceAll("_", " ")), element("dd", {}, String(count))])));
}

function fateOf(message) {
  if (message[MESSAGE.fate] === FATE.lost) return "lost on the way";
  if (message[MESSAGE.fate] === FATE.underWay) return "has not arrived";
  const heard = message[MESSAGE.heard];
  const when = `${seconds(heard, 6)}, after ${span(heard - message[MESSAGE.sent])}`;
  return message[MESSAGE.fate] === FATE.heard ? `heard at ${when}` : `arrived at ${when}, where nobody was up to hear it`;
}

function messageFacts(message) {
  return [
    ["message", `${data.kinds[message[MESSAGE.kind]]} (${data.talks[message[MESSAGE.talk]]})`],
    ["from, to", `${data.lanes[message[MESSAGE.from]]} → ${data.lanes[message[MESSAGE.to]]}`],
    ["says", data.texts[message[MESSAGE.text]]],
    ["sent", seconds(message[MESSAGE.sent], 6)],
    ["fate", fateOf(message)],
    ["request", message[MESSAGE.request] < 0 ? "" : data.names[message[MESSAGE.request]]],
  ];
}

function showDetails() {
  const place = document.getElementById("details");
  if (chosen.step < 0) {
    place.replaceChildren(element("h3", {}, "No event is chosen"), element("p", {}, "Click one, or press the right arrow key."));
    return;
  }
  const step = data.steps[chosen.step];
  const message = step[STEP.message] < 0 ? undefined : data.messages[step[STEP.message]];
  const keys = Array.isArray(step[STEP.keys]) ? step[STEP.keys] : step[STEP.keys] < 0 ? [] : [step[STEP.keys]];
  const facts = [["at", seconds(step[STEP.at], 9)], ["where", data.lanes[step[STEP.lane]]]];
  if (message) facts.push(...messageFacts(message)); else facts.push(["what", data.texts[step[STEP.text]]]);
  const links = keys.slice(0, 8).map((key) => element("button", { class: "link", onclick: () => filter(key) }, data.keys[key]));
  const list = element("dl", {}, ...facts.filter(([, value]) => value).flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
  if (links.length) list.append(element("dt", {}, "key"), element("dd", {}, ...links.flatMap((link) => [link, " "])));
  const place_ = model.steps.indexOf(chosen.step) + 1;
  place.replaceChildren(element("h3", {}, `${data.whats[step[STEP.what]]} at ${data.lanes[step[STEP.lane]]} `, element("small", {}, `event ${place_} of ${model.steps.length}`)), list);
  if (message && (stepsOfMessage.get(step[STEP.message]) || []).length > 1) {
    place.append(element("p", {}, element("button", { onclick: follow }, "follow the message (Enter)")));
  }
  if (keys.length === 1) place.append(...storesNow(keys[0]));
}

// What the nodes last did to the key, up to the chosen event.
function storesNow(key) {
  const rows = lastStores(key, chosen.step).flatMap(([lane, step]) =>
    [element("dt", {}, data.lanes[lane]), element("dd", {}, `${data.texts[step[STEP.text]]} `, element("small", {}, `at ${seconds(step[STEP.at])}`))]);
  return rows.length ? [element("h3", {}, `Last done to ${data.keys[key]}`), element("dl", {}, ...rows)] : [];
}

const tip = document.getElementById("tip");
function showTip(x, y) {
  const index = under.message >= 0 ? under.message : under.step >= 0 ? data.steps[under.step][STEP.message] : -1;
  if (index < 0 && under.step < 0) { tip.hidden = true; return; }
  if (under.message >= 0 || index >= 0) {
    const message = data.messages[index];
    const facts = messageFacts(message);
    tip.replaceChildren(element("b", {}, `${facts[0][1]}  ${facts[1][1]}`), keyNames(message[MESSAGE.keys]).slice(0, 6).join(" "), element("div", {}, facts[2][1]), element("div", {}, `sent ${facts[3][1]}, ${facts[4][1]}`));
  } else {
    const step = data.steps[under.step];
    tip.replaceChildren(element("b", {}, `${data.whats[step[STEP.what]]} at ${data.lanes[step[STEP.lane]]}, ${seconds(step[STEP.at], 6)}`), keyNames(step[STEP.keys]).slice(0, 6).join(" "), element("div", {}, data.texts[step[STEP.text]]));
  }
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = Math.max(4, Math.min(innerWidth - box.width - 8, x + 14)) + "px";
  tip.style.top = (y + 16 + box.height > innerHeight ? y - box.height - 10 : y + 16) + "px";
}
