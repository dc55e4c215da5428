// A node whose advanced widgets are folded away is no taller than what it shows.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { linkable } from "./links.mjs";

const extensions = [];
let always;
const app = {
  registerExtension: (one) => extensions.push(one),
  extensionManager: { setting: { get: (id) => (id === "Comfy.Node.AlwaysShowAdvancedWidgets" ? always : null) } },
};
globalThis.window = { comfyAPI: { app: { app } } };
globalThis.LiteGraph = { NODE_WIDGET_HEIGHT: 20 };
await import("../../web/svi_folded.js");
const [extension] = extensions;

beforeEach(() => {
  always = false;
  LiteGraph.vueNodesMode = true;
});

/** A node of 500 pixels, as ComfyUI makes it: two plain widgets, and one advanced text of 60 pixels and more. */
function made(comfyClass = "WanVideoSVILongVideo") {
  const advanced = { advanced: true };
  const node = linkable({
    comfyClass, size: [400, 500], inputs: [{ name: "vae", link: 1 }],
    widgets: [
      { name: "mode" }, { name: "fps", options: advanced }, { name: "seed", options: {} },
      { name: "negative_prompt", options: advanced, computeLayoutSize: () => ({ minHeight: 60 }) },
    ],
    computeSize: () => [300, 500],
    setSize: (size) => (node.size = size),
  });
  extension.nodeCreated(node);
  return node;
}

test("folded widgets and their gaps do not count", () => {
  assert.deepEqual(made().computeSize(), [300, 500 - 24 - 64]);
  assert.deepEqual(made().size, [400, 500 - 24 - 64], "a new node begins so, and keeps its width");
});

test("opened widgets count, and so does one that is linked", () => {
  const node = made();
  node.inputs.push({ name: "fps", widget: { name: "fps" }, link: 7 }, { name: "negative_prompt", widget: { name: "negative_prompt" }, link: null });
  assert.deepEqual(node.computeSize(), [300, 500 - 64]);
  node.showAdvanced = true;
  assert.deepEqual(node.computeSize(), [300, 500]);
});

test("on the canvas, where all are shown always, and in a frontend that folds none, nothing is taken off", () => {
  const change = [() => (LiteGraph.vueNodesMode = false), () => (always = true), () => (always = undefined)];
  for (const one of change) {
    always = false;
    LiteGraph.vueNodesMode = true;
    one();
    assert.deepEqual([made().computeSize(), made().size], [[300, 500], [400, 500]]);
  }
});

test("other nodes keep their size", () => {
  assert.deepEqual(made("SomebodysNode").computeSize(), [300, 500]);
});
