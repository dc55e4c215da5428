// What people see of the panel, the strip and the dialogs comes from the table, in the language that is set, or from the
// server. Run by test_words.py.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, beforeEach, mock, test } from "node:test";

import { readFile } from "node:fs/promises";

import { linkable } from "./links.mjs";

globalThis.fetch = async (url) => ({ json: async () => JSON.parse(await readFile(url, "utf8")) }); // node fetches no files

const { JSDOM } = createRequire(import.meta.url)("jsdom");
const { window } = new JSDOM("<!doctype html><body></body>", { pretendToBeVisual: true });
for (const name of ["document", "CustomEvent", "EventTarget", "getComputedStyle", "NodeFilter", "MutationObserver"]) globalThis[name] = window[name];
globalThis.ResizeObserver = class { observe() {} };
globalThis.requestAnimationFrame = (call) => setTimeout(call, 0);
globalThis.window = window;
window.HTMLDialogElement.prototype.showModal = function () { this.open = true; };
window.HTMLDialogElement.prototype.close = function () { this.dispatchEvent(new window.Event("close")); };
window.HTMLMediaElement.prototype.load = () => {};

let locale = "en";
let reply = { status: 200, body: {} };
const extensions = {};
const toasts = [];
const graph = { serialize: () => ({ nodes: [] }), getNodeById: () => null };
window.comfyAPI = {
  app: {
    app: {
      registerExtension: (each) => (extensions[each.name ?? "?"] = each), canvas: {}, graph, rootGraph: graph,
      extensionManager: {
        setting: { get: (id) => (id === "Comfy.Locale" ? locale : undefined) },
        workflow: { activeWorkflow: { filename: "Ж" } }, toast: { add: (said) => toasts.push(said) },
      },
    },
  },
  api: {
    api: {
      addEventListener() {}, apiURL: (path) => path,
      fetchApi: async () => !reply.status ? Promise.reject(new TypeError("offline")) : ({ ok: reply.status === 200, status: reply.status, json: async () => reply.body }),
    },
  },
};
const { WORDS, say } = await import("../../web/svi_words.js");
const { makeStrip, frameWords, latentWords } = await import("../../web/svi_strip.js");
await import("../../web/svi_story.js");
await import("../../web/svi_migrate.js");
// On a clock of the test's own, so that a busy machine changes nothing.
mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
const rest = async (ms = 60) => {
  for (let passed = 0; passed < ms; passed += 5) {
    mock.timers.tick(5);
    await new Promise((resolve) => setImmediate(resolve));
  }
};

const made = [];
let number = 0; // answers are kept by question: each node asks another
async function panelOf(answer, status = 200) {
  reply = { status, body: status === 200 ? { answers: [answer] } : {} };
  const box = Object.assign(document.createElement("textarea"), { value: "Ж" });
  document.body.append(box);
  const node = linkable({
    id: "12", comfyClass: "WanVideoSVILongVideo", size: [800, 1180], inputs: [], mode: 0,
    widgets: [{ name: "story", value: "Ж", element: box }, { name: "seed", value: number++ }],
    addDOMWidget(name, type, element, options) {
      const widget = { name, type, element, options };
      document.body.append(element);
      this.widgets.push(widget);
      return widget;
    },
  });
  box.focus();
  extensions["WanVideoSVI.Story"].nodeCreated(node);
  node.graph = graph;
  node.onAdded();
  made.push(node);
  await rest();
  return node.widgets.at(-1).element;
}

const row = (clip, more = {}) => ({
  clip, line: clip, select: [0, 1], frames: 81, overlap: 5, until: 81, time: "Ж", seed: "7", mode: "Ж", model: "main", prompt: "Ж", ...more,
});
const video = { filename: "Ж", subfolder: "Ж", type: "output" };
const PLAN = {
  error: null, summary: "Ж", counts: { kept: 1, stale: 2, "to do": 3 }, left_out: 9, notes: ["Ж"],
  rows: [row(1, { state: "kept", model: "first" }), row(2, { state: "stale" }), row(12, { state: "to do" }), row(13, { state: null })],
  reel: { folder: "Ж", clips: 2, trouble: "Ж", video, is_current: true },
};
const WRONG = { ...PLAN, error: { message: "Ж", line: 3, column: 1, text: "Ж", mark: [0, 1], select: [0, 1] } };
const STRIP = {
  title: "Ж", text: "Ж", frames: 81, latents: [[1, 1], [4, 20]], notes: [], in_region: true, mask_from: "", known_mask: "Ж", concat_mask: "Ж",
  known: [[1, 5], [0.5, 1], [0, 75]], columns: [[[1, 1, 1, 1], 2], [[0, 0, 0, 0], 19]],
  pieces: [
    ...[0, 2, 4, 6].map((start) => ({ kind: "grey", name: "Ж", span: "Ж", source: "Ж", start, stop: start + 1 })),
    { kind: "shot_1", name: "Ж", span: "Ж", source: "Ж", start: 7, stop: 81 },
  ],
};
const REPORT = {
  findings: [
    ...["defect", "rewrite", "left", "note"].map((kind) => ({ kind, title: "Ж", node: 5, what: "Ж", fix: "Ж", fixed: false })),
    { kind: "defect", title: "Ж", node: 5, subgraph: "Ж", what: "Ж", fix: "Ж", fixed: true },
  ],
  removed: ["Ж"], nodes_before: 9, nodes_after: 5, changes: true,
};

/** All that can be read, heard or pointed at below an element. */
function textsOf(root) {
  const texts = [];
  const walk = document.createTreeWalker(root, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = root; node; node = walk.nextNode()) {
    if (node.nodeType === 3) texts.push(node.data);
    else for (const name of ["title", "aria-label", "placeholder", "alt"]) texts.push(node.getAttribute(name) ?? "");
  }
  return texts.filter(Boolean);
}

/** Letters of texts that are neither between « and », nor the server's Ж, nor the name of an output. */
const strangers = (texts) => texts.filter((text) => (
  /\p{L}/u.test(text.replace(/«[^«»]*»|known_mask|concat_mask|Ж/g, ""))
));

const real = structuredClone(WORDS);
beforeEach(() => {
  document.body.replaceChildren();
  locale = "zh";
  for (const [key, { zh }] of Object.entries(real)) WORDS[key].zh = `«${zh.replace(/\{[^}]*\}/g, "»$&«")}»`; // holes outside
});
after(() => { for (const node of made) node.onRemoved(); }); // else their poll would keep the process

const everything = {
  async plan() { await panelOf(PLAN); },
  async "a video of before"() { await panelOf({ ...PLAN, summary: "", reel: { ...PLAN.reel, is_current: false } }); },
  async error() { await panelOf(WRONG); },
  async "no answer"() { await panelOf({}, 500); },
  async "an older server"() { await panelOf({}, 404); },
  async "no server"() { await panelOf({}, 0); },
  async "no plan yet"() {
    const shown = panelOf(PLAN);
    const texts = textsOf(document.body);
    await shown;
    return texts;
  },
  async "the video"() {
    const panel = await panelOf(PLAN);
    panel.querySelector("header button").click();
    const dialog = document.querySelector("dialog");
    const texts = textsOf(dialog);
    dialog.querySelector("video").dispatchEvent(new window.Event("error"));
    return texts;
  },
  strip() {
    const strip = makeStrip();
    document.body.append(strip.element);
    strip.show(STRIP);
    return [latentWords(STRIP, 0), latentWords(STRIP, 3), frameWords(STRIP, 2)].flatMap((words) => Object.values(words));
  },
  "strip of a mask that comes later"() {
    const strip = makeStrip();
    document.body.append(strip.element);
    const later = { ...STRIP, known: null, columns: null, in_region: false, mask_from: "Ж" };
    strip.show(later);
    return [latentWords(later, 0), frameWords(later, 2)].flatMap((words) => Object.values(words));
  },
  "strip without a region"() { const strip = makeStrip(); document.body.append(strip.element); strip.show({ ...STRIP, in_region: false }); },
  "strip that would not run"() { const strip = makeStrip(); document.body.append(strip.element); strip.show({ error: "Ж", notes: ["Ж"] }); },
  async migration() {
    reply = { status: 200, body: { workflow: {}, report: REPORT } };
    await extensions["WanVideoSVI.Migrate"].commands[0].function();
    const texts = textsOf(document.body);
    graph.serialize = () => ({ nodes: [1] });
    document.querySelector("dialog .svi-main").click();
    await rest(5);
    graph.serialize = () => ({ nodes: [] });
    return [...texts, ...textsOf(document.body)];
  },
  async "nothing to migrate"() {
    reply = { status: 200, body: { workflow: {}, report: { ...REPORT, findings: [], removed: [], changes: false } } };
    await extensions["WanVideoSVI.Migrate"].commands[0].function();
  },
  async "no migration"() {
    reply = { status: 500, body: {} };
    await extensions["WanVideoSVI.Migrate"].commands[0].function();
    return [toasts.at(-1).summary, toasts.at(-1).detail];
  },
};
for (const [what, show] of Object.entries(everything)) {
  test(`nothing of ${what} is said outside the table`, async () => {
    const texts = [...(await show() ?? []), ...textsOf(document.body)];
    assert.ok(texts.some((text) => text.includes("«")), "something is said");
    assert.deepEqual(strangers(texts), []);
  });
}

test("a sentence outside the table would be seen", () => {
  assert.deepEqual(strangers(["«片段»: Ж 3", "«在»7«里»", "known_mask: Ж", "clip", "«没有»kept«»", "片段"]), ["clip", "«没有»kept«»", "片段"]);
});

test("panel and strip follow ComfyUI's language", async () => {
  for (const [key, row] of Object.entries(real)) WORDS[key].zh = row.zh;
  const strip = makeStrip();
  const seen = {};
  for (locale of ["zh", "zh-TW", "fr", "en", undefined]) {
    strip.show(STRIP);
    const panel = await panelOf(PLAN);
    seen[locale] = [
      panel.querySelector(".svi-sum").textContent, panel.querySelector("tbody tr").cells[1].textContent,
      [...panel.querySelectorAll("th[scope=col]")].map((head) => head.textContent).join(" "),
      strip.element.querySelector(".svi-names b").textContent, frameWords(STRIP, 2).head,
    ];
  }
  const chinese = ["Ж  ·  1 个保留，2 个过期，3 个待做", "保留", "片段 状态 帧数 结束于 种子 模式 提示词", "帧", "第 2 帧，latent 1：Ж"];
  const english = ["Ж  ·  1 kept, 2 stale, 3 to do", "kept", "clip state frames ends at seed mode prompt", "frames", "frame 2, latent 1: Ж"];
  assert.deepEqual(seen, { zh: chinese, "zh-TW": chinese, fr: english, en: english, undefined: english });
});

test("holes are filled once, and words follow their number", () => {
  locale = "en";
  const open = say("migrate.open", { count: "{defects}" });
  assert.equal(say("migrate.summary", { rewrites: 1, defects: 2, open, before: 3, after: 1 }),
    "1 pattern replaced, 2 defects ({defects} for you to repair). 3 nodes before, 1 after. Nothing is changed yet.");
});
