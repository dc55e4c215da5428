// What the pack's live widgets share: a DOM widget at a node's end, following a node, and questions to the server in batches.

import { say } from "./svi_words.js";

/** ComfyUI's app and api; looked up when called, so that this file loads outside ComfyUI too. */
export const comfy = () => ({ app: window.comfyAPI.app.app, api: window.comfyAPI.api.api });

/** Whether a node renders a story, with the wrapper's nodes or with ComfyUI's own. */
export const isLongVideo = (node) => /^WanVideoSVILongVideo(Native)?$/.test(node?.comfyClass ?? node?.type);

/** A DOM element. attributes: properties by name; aria-..., data-... and role are set as attributes. children: elements or text. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "role" || name.includes("-")) made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** Adds the pack's style sheet to the page, or to a shadow root, once. */
export function addStyles(place = document.head) {
  if (place.querySelector("#svi-css")) return;
  place.append(element("link", { id: "svi-css", rel: "stylesheet", href: new URL("./svi.css", import.meta.url).href }));
}

/** Adds a style sheet that a script makes to the page, once for each id. */
export function addStyle(id, css) {
  if (!document.getElementById(id)) document.head.append(element("style", { id, textContent: css }));
}

/** Calls `after` with the same arguments whenever `object[name]` is called, behind what was there. Returns nothing. */
export function chain(object, name, after) {
  const before = object[name];
  object[name] = function (...args) {
    const result = before?.apply(this, args);
    after.apply(this, args);
    return result;
  };
}

/** The node with the id that messages of a run have: 12, or 3:12 inside the subgraph node 3. */
export function nodeOf(id) {
  const { app } = comfy();
  let graph = app.rootGraph ?? app.graph;
  const path = String(id).split(":");
  const last = path.pop();
  for (const step of path) graph = graph?.getNodeById(step)?.subgraph;
  return graph?.getNodeById(last) ?? null;
}

/** The controls of the app that an element is in; null on the canvas. */
export const inApp = (shown) => shown.closest("[data-testid=linear-widgets]");

const MARGIN = 6; // pixels around a DOM widget, which its height includes

/**
 * Puts an element on a node, as its last widget: neither in the prompt nor among the values that a graph saves.
 * Call it in nodeCreated, when the node has its other widgets. What the mouse does to move and zoom the canvas (wheel,
 * middle button) continues to the canvas.
 *
 * @param node the node
 * @param {{name: string, element: HTMLElement, height: number | (() => number)}} options height: of the element, in
 *   pixels at zoom 1
 * @returns the widget
 */
export function addElementWidget(node, { name, element: shown, height }) {
  const tall = typeof height === "function" ? height : () => height;
  shown.dataset.sviWidget = name;
  const widget = node.addDOMWidget(name, name, shown, {
    serialize: false, // not in the prompt
    hideOnZoom: false,
    margin: MARGIN,
    getMinHeight: () => tall() + 2 * MARGIN,
    getMaxHeight: () => tall() + 2 * MARGIN,
    getValue: () => "",
    setValue() {},
  });
  widget.serialize = false; // not among widgets_values
  // As wide as the node: ComfyUI's side panel draws widgets too, and leaves its own width on them.
  Object.defineProperty(widget, "width", { get: () => undefined, set() {}, configurable: true });
  passToCanvas(shown);
  return widget;
}

function passToCanvas(shown) {
  const canvas = () => comfy().app.canvas;
  shown.addEventListener("wheel", (event) => inApp(shown) || canvas().processMouseWheel?.(event));
  shown.addEventListener("pointerdown", (event) => event.button === 1 && canvas().processMouseDown?.(event));
  shown.addEventListener("pointermove", (event) => event.buttons & 4 && canvas().processMouseMove?.(event));
  shown.addEventListener("pointerup", (event) => event.button === 1 && canvas().processMouseUp?.(event));
}

// Nodes that hold one plain value, which a link to them therefore has.
const CONSTANTS = new Set([
  "PrimitiveNode", "PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean", "PrimitiveString", "PrimitiveStringMultiline",
  "INTConstant", "FloatConstant", "BOOLConstant", "StringConstant", "StringConstantMultiline",
]);
// Outputs that give one of their node's widgets on as it is.
const PASSED_ON = { WanVideoHoloCinePrompt: "num_frames" };
const NEVER = 2, BYPASS = 4; // modes of a node
const FAR = 50; // nodes that a link is followed through

/** The link to an input. A subgraph's node has a method of this name too, which tells of its outputs. */
const linkTo = (node, slot) => (globalThis.LiteGraph?.LGraphNode?.prototype ?? node).getInputLink.call(node, slot);

/**
 * The node that really feeds an input: reroutes and bypassed nodes are looked through.
 *
 * @returns {{type: string, node: object | null, output?: string} | null} null when nothing feeds it. output: the name of
 *   the node's output. node is null, and type "", when what feeds it cannot be seen from here (the input of a subgraph).
 */
export function sourceOf(node, slot) {
  let at = node;
  for (let step = 0; step < FAR; step++) {
    if (slot < 0 || !at.isInputConnected(slot)) return null;
    const link = linkTo(at, slot);
    const from = link && at.graph.getNodeById(link.origin_id);
    if (!from) return { type: "", node: null };
    if (from.mode === NEVER) return null;
    const through = from.mode === BYPASS || from.type === "Reroute";
    if (!through) return { type: String(from.type ?? ""), node: from, output: from.outputs?.[link.origin_slot]?.name };
    const kind = from.outputs?.[link.origin_slot]?.type;
    at = from;
    slot = from.type === "Reroute" ? 0 : bypassed(from, link.origin_slot, kind);
  }
  return { type: "", node: null };
}

/** The slot of the input whose value a bypassed node gives out at a slot, as the frontend picks it; -1 for none. */
function bypassed({ inputs = [] }, slot, kind) {
  const fits = (input) => input && (globalThis.LiteGraph?.isValidConnection?.(input.type, kind) ?? input.type === kind);
  if (fits(inputs[slot])) return slot;
  const same = inputs.findIndex((each) => each.type === kind);
  return same < 0 ? inputs.findIndex(fits) : same;
}

/**
 * What a node is set to, as plain JSON.
 *
 * - node: its type.
 * - values: widget values by name. A linked widget has the value of the constant that feeds it.
 * - linked: names of linked widgets whose value cannot be known before the run; values holds what the widget shows.
 * - connected: by name of the other inputs that something feeds: the type of the node that does ("" when unseen).
 */
export function readNode(node) {
  const state = { node: node.comfyClass ?? node.type, values: {}, linked: [], connected: {} };
  for (const widget of node.widgets ?? []) {
    if (widget.serialize !== false && widget.name) state.values[widget.name] = widget.value;
  }
  for (const [slot, input] of (node.inputs ?? []).entries()) {
    const source = sourceOf(node, slot);
    if (!source) continue;
    const name = input.widget?.name;
    if (name === undefined) {
      state.connected[input.name] = source.type;
      continue;
    }
    const constant = constantOf(source);
    if (constant === undefined) state.linked.push(name);
    else state.values[name] = constant;
  }
  return state;
}

function constantOf({ type, node, output }) {
  const passes = PASSED_ON[type] === output && output;
  if (!CONSTANTS.has(type) && !passes) return undefined;
  const decides = (input, slot) => node.isInputConnected(slot) && (!passes || input.widget?.name === passes);
  const linked = node.inputs?.some(decides);
  if (linked) return undefined;
  const widgets = node.widgets ?? [];
  const named = widgets.find((widget) => widget.name === (passes || "value"));
  return (named ?? (passes ? undefined : widgets[0]))?.value;
}

/**
 * Vue nodes put a widget's element into the page once per node id: after undo they still show the old node's. Ours
 * replaces it.
 */
function reseat(node, { element: shown, name }) {
  if (shown.isConnected || node.graph !== comfy().app.canvas?.graph) return;
  for (const old of document.querySelectorAll(`[data-svi-widget="${name}"]`)) {
    if (old.closest("[data-node-id]")?.dataset.nodeId === String(node.id)) old.replaceWith(shown);
  }
}

/** Whether a node is in a subgraph that undo or another workflow has replaced; 1.27.10 does not tell such nodes. */
function isLeftOver({ graph }) {
  const app = globalThis.window?.comfyAPI?.app?.app;
  const root = app?.rootGraph ?? app?.graph;
  return Boolean(root?.subgraphs && graph !== root && root.subgraphs.get(graph.id) !== graph);
}

const followed = new Set(); // of WeakRefs, for the poll
let polling = null;
const POLL_MS = 700; // Vue nodes never call onDraw
const DRAW_MS = 120; // how often onDraw looks

function poll() {
  if (globalThis.document?.hidden) return;
  for (const reference of followed) {
    const follower = reference.deref();
    if (follower && !follower.stopped) {
      follower.look();
      continue;
    }
    followed.delete(reference);
    if (follower) follower.watched = false;
  }
  if (!followed.size) {
    clearInterval(polling);
    polling = null;
  }
}

/**
 * Follows a node: calls `changed(state)` once it is in a graph, and whenever what `read` gives changes, by a widget, a link,
 * undo, a reload or a node further up.
 *
 * @param node the node, in nodeCreated
 * @param {(state: object) => void} changed
 * @param {{read?: (node: object) => object, widget?: object}} options read: `readNode` unless given. widget: the node's
 *   DOM widget, whose onDraw is then followed too.
 * @returns {{look: () => void, again: () => void, stopped: boolean}} look: looks now. again: calls `changed` in any case.
 */
export function follow(node, changed, { read = readNode, widget } = {}) {
  let key, looked = 0;
  const look = () => {
    if (!node.graph || follower.stopped || isLeftOver(node)) return;
    looked = performance.now();
    if (widget?.element) reseat(node, widget);
    const state = read(node);
    const now = JSON.stringify(state);
    if (now === key) return;
    key = now;
    changed(state);
  };
  // Later: a graph is configured node by node, and a callback may come before the value is set.
  const soon = () => queueMicrotask(look);
  const follower = {
    look,
    again() {
      key = undefined;
      look();
    },
    stopped: false,
    watched: false,
  };
  for (const each of node.widgets ?? []) if (each !== widget) chain(each, "callback", soon);
  for (const name of ["onAdded", "onConfigure", "onConnectionsChange", "onWidgetChanged"]) chain(node, name, soon);
  chain(node, "onRemoved", () => (follower.stopped = true));
  chain(node, "onAdded", () => {
    follower.stopped = false;
    watch();
  });
  if (widget) {
    const drawn = () => performance.now() - looked > DRAW_MS && look();
    chain(widget.options ?? widget, "onDraw", drawn);
  }
  const watch = () => {
    if (!follower.watched) followed.add(new WeakRef(follower)); // the node's own callbacks keep it alive
    follower.watched = true;
    polling ??= setInterval(poll, POLL_MS);
  };
  watch();
  soon();
  return follower;
}

/**
 * Asks a route of the server, many questions in one request, one request at a time. Answers are kept by question.
 *
 * @param {object} options
 * @param {string} options.route
 * @param {(questions: object[]) => object} options.pack the body of a request, from its questions
 * @param {(said: object) => object[]} options.unpack the answers in the body of a reply, in the order of the questions
 * @param {number} [options.most] questions in one request
 * @param {number} [options.keep] answers that are kept
 * @param {number} [options.patience] milliseconds after which a request is given up
 * @returns {(owner: object, question: object) => Promise<{answer?: object, trouble?: string, passes?: boolean} | null>}
 *   Asks a question on behalf of an owner, whose earlier question is dropped: its promise gives null. trouble: why there
 *   is no answer, in words. passes: another try may have one. The promise never rejects.
 */
export function makeAsker({ route, pack, unpack, most = 64, keep = 400, patience = 20000 }) {
  const kept = new Map(); // answers by key, the oldest first
  const waiting = new Map(); // by owner: {key, question, resolve}
  let sent = null; // {batch, controller}
  let timer = null;

  function ask(owner, question) {
    const key = JSON.stringify(question);
    drop(owner);
    if (kept.has(key)) {
      const answer = kept.get(key);
      kept.delete(key);
      kept.set(key, answer);
      return Promise.resolve({ answer });
    }
    return new Promise((resolve) => {
      waiting.set(owner, { owner, key, question, resolve });
      schedule();
    });
  }

  function drop(owner) {
    waiting.get(owner)?.resolve(null);
    waiting.delete(owner);
    const stale = sent?.batch.find((entry) => entry.owner === owner && !entry.dropped);
    if (!stale) return;
    stale.dropped = true;
    stale.resolve(null);
    if (sent.batch.every((entry) => entry.dropped)) sent.controller.abort();
  }

  function schedule() {
    if (!sent && timer === null && waiting.size) timer = setTimeout(send, 0);
  }

  async function send() {
    timer = null;
    const batch = [];
    const questions = new Map();
    for (const [owner, entry] of waiting) {
      if (questions.size === most && !questions.has(entry.key)) continue;
      questions.set(entry.key, entry.question);
      waiting.delete(owner);
      batch.push(entry);
    }
    const mine = (sent = { batch, controller: new AbortController() });
    const given = await request(mine.controller, [...questions.values()]);
    const keys = [...questions.keys()];
    if (given.answers) keys.forEach((key, index) => kept.set(key, given.answers[index]));
    for (const old of [...kept.keys()].slice(0, Math.max(0, kept.size - keep))) kept.delete(old);
    const byKey = new Map(given.answers ? keys.map((key, index) => [key, given.answers[index]]) : []);
    sent = null;
    for (const entry of batch) {
      if (!entry.dropped) entry.resolve(given.answers ? { answer: byKey.get(entry.key) } : given);
    }
    schedule();
  }

  async function request(controller, questions) {
    const late = setTimeout(() => controller.abort(), patience);
    try {
      const response = await comfy().api.fetchApi(route, {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(pack(questions)),
        signal: controller.signal,
      });
      if (response.status === 404 || response.status === 405) return { trouble: say("server.old") };
      const body = await response.json().catch(() => null);
      if (!response.ok) {
        return { trouble: body?.error ?? say("server.status", response), passes: response.status >= 500 };
      }
      const answers = unpack(body);
      if (answers?.length !== questions.length) return { trouble: say("server.old") };
      return { answers };
    } catch {
      return { trouble: say("server.silent"), passes: true };
    } finally {
      clearTimeout(late);
    }
  }

  return ask;
}

export const RETRY_MS = 5000; // after trouble that passes

/** Calls `back` whenever the page has reached the server again. */
export function onReconnect(back) {
  comfy().api.addEventListener?.("reconnected", back);
}

/** Whether a CSS colour is darker than mid-grey. */
export function isDark(colour) {
  const [red, green, blue] = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue < 128;
}

/**
 * Sets `data-svi-theme` of the page to "dark" or "light", as ComfyUI's palette is, now and whenever it changes: style
 * sheets can follow it.
 */
export function followTheme() {
  const root = document.documentElement;
  if (root.dataset.sviTheme) return;
  const look = () => {
    const probe = element("i", { style: "display:none;color:var(--comfy-input-bg, #222)" });
    document.body.append(probe);
    const theme = isDark(getComputedStyle(probe).color) ? "dark" : "light";
    probe.remove();
    if (root.dataset.sviTheme !== theme) root.dataset.sviTheme = theme;
  };
  look();
  const observer = new MutationObserver(look);
  for (const target of [root, document.body]) {
    observer.observe(target, { attributes: true, attributeFilter: ["style", "class"] });
  }
}
