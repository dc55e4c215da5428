// The story editor on a node that stands in for ComfyUI's, with answers that the test gives. Run by test_web_story.py.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, beforeEach, mock, test } from "node:test";

import { linkable } from "./links.mjs";

const { JSDOM } = createRequire(import.meta.url)("jsdom");
const dom = new JSDOM("<!doctype html><body></body>", { pretendToBeVisual: true });
const { window } = dom;
for (const name of ["document", "CustomEvent", "EventTarget", "HTMLElement", "getComputedStyle", "MutationObserver"]) globalThis[name] = window[name];
globalThis.ResizeObserver = class { observe() {} };
globalThis.requestAnimationFrame = (call) => setTimeout(call, 0);
globalThis.window = window;
window.HTMLDialogElement.prototype.showModal ??= function () { this.open = true; };
window.HTMLDialogElement.prototype.close ??= function () { this.dispatchEvent(new window.Event("close")); };
window.HTMLMediaElement.prototype.load = () => {};
const opened = [];
window.open = (...args) => opened.push(args);

const events = new EventTarget();
let extension;
let sent = [];
let reply = () => ({ status: 200, body: { answers: [] } });
const view = { canvas: document.createElement("canvas"), ds: { offset: [0, 0], scale: 0.5 }, setDirty() {} };
view.canvas.getBoundingClientRect = () => ({ top: 50, bottom: 650 });
window.comfyAPI = {
  app: { app: { registerExtension: (each) => (extension = each), canvas: view } },
  api: {
    api: {
      addEventListener: (...args) => events.addEventListener(...args),
      apiURL: (path) => `/base${path}`,
      async fetchApi(route, options) {
        const { nodes } = JSON.parse(options.body);
        sent.push({ route, nodes });
        const given = await reply(nodes, options.signal);
        return { ok: given.status === 200, status: given.status, json: async () => given.body };
      },
    },
  },
};
await import("../../web/svi_story.js");
extension.setup();

const row = (clip, more = {}) => ({
  clip, line: 2 * clip - 1, select: [0, 1], frames: 81, overlap: 5, until: 76 * clip + 5, time: `${clip} s`, seed: "18446744073709551615",
  mode: "film", model: "main", prompt: `prompt ${clip}`, state: "to do", ...more,
});
const plan = (more = {}) => ({
  error: null, summary: "2 clips", counts: { kept: 0, stale: 0, "to do": 2 }, rows: [row(1), row(2)], left_out: 0, notes: [],
  reel: { folder: "output/svi_reels/x", clips: 0, trouble: "", video: null, is_current: false }, ...more,
});
const wrong = (more = {}) => plan({
  error: { message: "line 3, column 2 of the story: no", line: 3, column: 2, text: "[fram=5]", mark: [1, 7], select: [6, 12], ...more },
  rows: [], notes: [], counts: {}, reel: null,
});
const say = (...answers) => { reply = (nodes) => ({ status: 200, body: { answers: nodes.map((_, i) => answers[i] ?? answers.at(-1)) } }); };
// On a clock of the test's own, so that a busy machine changes nothing.
mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
const rest = async (ms = 60) => {
  for (let passed = 0; passed < ms; passed += 5) {
    mock.timers.tick(5);
    await new Promise((resolve) => setImmediate(resolve));
  }
};
const typing = 230; // a little more than it waits

const made = [];
let number = 0; // answers are kept by question: each node asks another
function makeNode({ type = "WanVideoSVILongVideo", id = 12 } = {}) {
  const box = document.createElement("textarea");
  const holder = document.createElement("div");
  holder.append(box);
  document.body.append(holder);
  const node = linkable({
    id, comfyClass: type, type, size: [800, 1180], inputs: [], mode: 0,
    widgets: [{ name: "story", value: "a", element: box }, { name: "seed", value: number++ }],
    addDOMWidget(name, kind, element, options) {
      const widget = { name, type: kind, element, options };
      document.body.append(element);
      this.widgets.push(widget);
      return widget;
    },
  });
  box.value = "a";
  extension.nodeCreated(node);
  node.graph = { getNodeById: () => null, links: {} };
  node.onAdded?.();
  made.push(node);
  const type_ = (text) => {
    node.widgets[0].value = box.value = text;
    node.widgets[0].callback?.(text);
  };
  const panel = node.widgets.at(-1).element;
  return { node, box, panel, type: type_, one: (query) => panel.querySelector(query), rows: () => [...panel.querySelectorAll("tbody tr")] };
}

const removeAll = () => { for (const node of made.splice(0)) node.onRemoved?.(); };
beforeEach(() => {
  removeAll();
  document.body.replaceChildren();
  sent = [];
  say(plan());
});
after(removeAll); // else their poll would keep the process

test("only the long video gets a panel, last, outside the prompt and the saved values", () => {
  assert.equal(makeNode({ type: "WanVideoSVIEmbeds" }).node.widgets.length, 2);
  const { node } = makeNode();
  const widget = node.widgets.at(-1);
  assert.equal(node.widgets.length, 3);
  assert.equal(widget.serialize, false);
  assert.equal(widget.options.serialize, false);
});

test("the plan is a table with heads, and numbers keep all their digits", async () => {
  const { one, rows, panel } = makeNode();
  await rest();
  assert.deepEqual([...panel.querySelectorAll("thead th")].map((head) => head.scope), Array(7).fill("col"));
  assert.equal(rows()[0].cells[0].scope, "row");
  assert.deepEqual([...rows()[1].cells].map((cell) => cell.textContent),
    ["2", "to do", "81", "2 s", "18446744073709551615", "film", "prompt 2"]);
  assert.equal(one(".svi-sum").textContent, "2 clips  ·  2 to do");
  assert.ok(one("caption").textContent);
  assert.match(rows()[0].cells[1].title, /Not on disk/);
  assert.equal(rows()[0].cells[2].title, "5 of them repeat what it continues from; the video leaves them out");
  assert.equal(rows()[1].cells[2].title, "5 of them are the last frames of the clip that leads it");
});

test("typing asks once it rests, and an answer of before is dropped", async () => {
  const { type, one } = makeNode();
  await rest();
  assert.equal(sent.length, 1);
  for (const text of ["ab", "abc", "abcd"]) {
    type(text);
    await rest(20);
  }
  await rest(typing);
  assert.deepEqual(sent.map(({ nodes }) => nodes[0].values.story), ["a", "abcd"]);
  let late;
  let aborted = false;
  reply = (nodes, signal) => new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => {
      aborted = true;
      reject(new Error("aborted"));
    });
    late = () => resolve({ status: 200, body: { answers: [plan({ summary: "old" })] } });
  });
  type("first");
  await rest(typing);
  say(plan({ summary: "new" }));
  type("second");
  await rest(typing);
  late();
  await rest();
  assert.equal(aborted, true);
  assert.match(one(".svi-sum").textContent, /^new/);
});

test("an error is told at its line and leaves the plan of before, seen not to count", async () => {
  const { type, one, rows, panel } = makeNode();
  await rest();
  const kept = rows()[0];
  say(wrong());
  type("x");
  await rest(typing);
  assert.equal(one(".svi-bad").hidden, false);
  assert.equal(one(".svi-bad").closest("[aria-live]").getAttribute("aria-live"), "polite");
  assert.equal(one("pre").textContent, "3 │ [fram=5]\n     ^^^^^^");
  assert.equal(one("mark").textContent, "fram=5");
  assert.equal(rows()[0], kept);
  assert.ok(one("table").classList.contains("svi-old"));
  say(plan());
  type("y");
  await rest(typing);
  assert.equal(one(".svi-bad").hidden, true);
  assert.equal(rows()[0], kept, "rows are changed in place");
  assert.ok(!panel.querySelector(".svi-old"));
});

test("the error is shown under the text box while somebody types there", async () => {
  const { type, box, one } = makeNode();
  await rest();
  say(wrong());
  type("x");
  await rest(typing);
  assert.equal(document.querySelector(".svi-hint"), null);
  box.focus();
  type("x2");
  await rest(typing);
  const hint = box.parentElement.querySelector(".svi-hint");
  assert.match(hint.textContent, /no$/);
  assert.equal(hint.getAttribute("aria-hidden"), "true");
  assert.equal(hint.querySelector("button"), null);
  box.blur();
  assert.equal(document.querySelector(".svi-hint"), null);
  assert.equal(one(".svi-bad").hidden, false);
});

test("a click puts the cursor at the error, and at a clip's block", async () => {
  const { type, box, one, rows } = makeNode();
  await rest();
  say(wrong());
  type("a\n---\n[fram=5]");
  await rest(typing);
  one(".svi-bad button").click();
  assert.equal(document.activeElement, box);
  assert.deepEqual([box.selectionStart, box.selectionEnd], [6, 12]);
  say(wrong({ select: [9, 15] })); // the same words, further down the text
  type("more\n---\n[fram=5]");
  await rest(typing);
  one(".svi-bad button").click();
  assert.deepEqual([box.selectionStart, box.selectionEnd], [9, 15]);
  say(plan());
  type("a\n---\nb");
  await rest(typing);
  rows()[1].querySelector("button").click();
  assert.deepEqual([box.selectionStart, box.selectionEnd], [0, 1]);
});

test("a click moves the canvas to a story that is out of sight, and only then", async () => {
  const { type, box, rows } = makeNode();
  await rest();
  say(plan());
  type("a\n---\nb");
  await rest(typing);
  for (const [top, moved] of [[100, 0], [-400, 1080], [700, -1120]]) {
    box.getBoundingClientRect = () => ({ top });
    view.ds.offset = [0, 0];
    rows()[0].querySelector("button").click();
    assert.deepEqual(view.ds.offset, [0, moved]); // at scale 0.5: to 90 pixels below the canvas' top
  }
});

test("warnings are marked among the notes", async () => {
  const { type, one } = makeNode();
  await rest();
  say({ ...plan(), notes: ["mode shot does not go with the LoRA", "seeds are equal"], warns: 1 });
  type("a\n---\nb");
  await rest(typing);
  const notes = [...one("ul").children];
  assert.deepEqual(notes.map((each) => [each.textContent, each.className]), [
    ["mode shot does not go with the LoRA", "svi-warns"], ["seeds are equal", ""],
  ]);
});

test("an error in the first story that it is asked about says nothing of a story before", async () => {
  say(wrong());
  const { one, type } = makeNode();
  await rest();
  assert.equal(one("table").hidden, true);
  say(plan());
  type("x");
  await rest(typing);
  assert.equal(one("table").hidden, false);
  say(wrong());
  type("y");
  await rest(typing);
  assert.equal(one("table").hidden, false);
});

test("an error without a line has no button", async () => {
  say(wrong({ message: "reel must be a name", line: null, select: null }));
  const { one } = makeNode();
  await rest();
  assert.equal(one(".svi-bad").textContent, "reel must be a name");
  assert.equal(one(".svi-bad button"), null);
});

test("a long chain shows how many clips are between the first and the last", async () => {
  say(plan({ rows: [row(1), row(2), row(99), row(100)], left_out: 96 }));
  const { rows, type } = makeNode();
  await rest();
  assert.deepEqual(rows().map((each) => each.cells[0].textContent), ["1", "2", "… 96 clips between …", "99", "100"]);
  say(plan());
  type("short");
  await rest(typing);
  assert.deepEqual(rows().map((each) => each.cells[0].textContent), ["1", "2"]);
});

test("what stories and servers say is text, never markup", async () => {
  const bad = "<img src=x onerror=alert(1)>";
  say(plan({ summary: bad, notes: [bad], rows: [row(1, { prompt: bad, mode: bad })] }));
  const { panel, type } = makeNode();
  await rest();
  say(wrong({ message: bad, text: bad, mark: [0, 4] }));
  type("x");
  await rest(typing);
  assert.equal(panel.querySelector("img"), null);
});

test("states say how sure they are, and are not told by colour alone", async () => {
  say(plan({
    rows: [row(1, { state: "kept" }), row(2, { state: "stale" }), row(3, { state: null })], counts: { kept: 1, stale: 1, "to do": 0 },
  }));
  const { rows, one } = makeNode();
  await rest();
  assert.deepEqual(rows().map((each) => each.cells[1].textContent), ["kept", "stale", "–"]);
  assert.match(rows()[0].cells[1].title, /Models and pictures are compared when it runs$/);
  assert.match(rows()[1].cells[1].title, /made with other settings: it is rendered again$/);
  assert.match(one(".svi-sum").textContent, /1 kept, 1 stale$/);
});

test("the joined video plays in a dialog, or in a tab", async () => {
  const video = { filename: "x_1_16fps.mp4", subfolder: "svi_reels/x", type: "output" };
  say(plan({ reel: { folder: "output/svi_reels/x", clips: 2, trouble: "", video, is_current: true } }));
  const { one, type } = makeNode();
  await rest();
  assert.equal(one("header button").textContent, "▶ Play the video");
  one("header button").click();
  const dialog = document.querySelector("dialog.svi-video");
  const url = "/base/view?filename=x_1_16fps.mp4&subfolder=svi_reels%2Fx&type=output";
  assert.ok(dialog.querySelector("video").src.endsWith(url));
  dialog.querySelectorAll("button")[0].click();
  assert.deepEqual(opened.at(-1), [url, "_blank", "noopener"]);
  dialog.querySelectorAll("button")[1].click();
  assert.equal(document.querySelector("dialog"), null);
  say(plan({ reel: { folder: "f", clips: 2, trouble: "", video, is_current: false } }));
  type("x");
  await rest(typing);
  assert.equal(one("header button").textContent, "▶ Play the last video");
});

test("a run makes it look at the reel again", async () => {
  const { node, one } = makeNode();
  await rest();
  say(plan({ summary: "after the run" }));
  events.dispatchEvent(new CustomEvent("progress_text", { detail: { nodeId: "99", text: "clip 1 of 2" } }));
  await rest(typing);
  assert.equal(sent.length, 1, "another node's progress");
  events.dispatchEvent(new CustomEvent("progress_text", { detail: { nodeId: "3:12", text: "clip 1 of 2" } }));
  await rest(typing);
  assert.match(one(".svi-sum").textContent, /^after the run/);
  events.dispatchEvent(new CustomEvent("execution_success", { detail: {} }));
  await rest(typing);
  assert.equal(sent.length, 3);
  node.onRemoved();
  events.dispatchEvent(new CustomEvent("execution_error", { detail: {} }));
  await rest(typing);
  assert.equal(sent.length, 3, "a node that is gone asks nothing");
});

test("a panel made anew after a run does not show the reel of before", async () => {
  const seed = number;
  const { node, one } = makeNode();
  await rest();
  assert.match(one(".svi-sum").textContent, /2 to do/);
  node.onRemoved(); // another workflow is opened, and the run ends meanwhile
  events.dispatchEvent(new window.Event("execution_success"));
  say(plan({ counts: { kept: 2, stale: 0, "to do": 0 } }));
  number = seed; // the same node, once more
  const again = makeNode();
  await rest();
  assert.match(again.one(".svi-sum").textContent, /2 kept/);
});

test("places of a plan of before are not gone to", async () => {
  const { type, rows } = makeNode();
  await rest();
  const buttons = () => rows().map((each) => each.querySelector("button").disabled);
  assert.deepEqual(buttons(), [false, false]);
  say(wrong());
  type("b");
  await rest(typing);
  assert.deepEqual(buttons(), [true, true]);
  say(plan());
  type("c");
  await rest(typing);
  assert.deepEqual(buttons(), [false, false]);
});

test("a server that does not answer is said in words, and asked again when it is back", async () => {
  reply = () => { throw new TypeError("Failed to fetch"); };
  const { one } = makeNode();
  await rest();
  assert.equal(one(".svi-bad").textContent, "No plan: ComfyUI's server does not answer.");
  reply = () => ({ status: 404, body: null });
  events.dispatchEvent(new CustomEvent("reconnected"));
  await rest(typing);
  assert.match(one(".svi-bad").textContent, /restart ComfyUI/);
  say(plan());
  events.dispatchEvent(new CustomEvent("reconnected"));
  await rest(typing);
  assert.equal(one(".svi-bad").hidden, true);
});

test("where Vue nodes go on showing the panel of the node before, as after undo, the new one takes its place", async () => {
  const old = makeNode();
  const place = document.createElement("div");
  place.dataset.nodeId = "12";
  document.body.append(place);
  place.append(old.panel);
  old.node.onRemoved();
  const { node, panel, type } = makeNode();
  panel.remove();
  type("in another graph than the one on the canvas");
  await rest();
  assert.equal(place.firstChild, old.panel);
  window.comfyAPI.app.app.canvas.graph = node.graph;
  type("in the one on the canvas");
  await rest();
  assert.equal(place.firstChild, panel);
  assert.equal(place.childNodes.length, 1);
});

test("the settings node behind sampler_inputs is told of, through a reroute too", async () => {
  const { node } = makeNode();
  await rest();
  const settings = { id: 2, type: "WanVideoSamplerSettings", inputs: [{ name: "multitalk_embeds", link: 5 }], widgets: [], outputs: [{}], mode: 0 };
  const reroute = { id: 3, type: "Reroute", inputs: [{ name: "", link: 6 }], widgets: [], outputs: [{}], mode: 0 };
  const voice = { id: 4, type: "MultiTalkWav2VecEmbeds", inputs: [], widgets: [], outputs: [{}], mode: 0 };
  const links = { 5: { origin_id: 4, origin_slot: 0 }, 6: { origin_id: 2, origin_slot: 0 }, 7: { origin_id: 3, origin_slot: 0 } };
  const graph = { links, getNodeById: (id) => [settings, reroute, voice].find((each) => each.id === id) };
  for (const each of [settings, reroute, voice, node]) linkable(each).graph = graph;
  node.inputs.push({ name: "sampler_inputs", link: 7 });
  node.onConnectionsChange();
  await rest(typing);
  const asked = sent.at(-1).nodes[0];
  assert.equal(asked.connected.sampler_inputs, "WanVideoSamplerSettings");
  assert.deepEqual(asked.sampler, { multitalk_embeds: "MultiTalkWav2VecEmbeds" });
});
