// Graphs from before a node had one of its inputs keep the meaning that they were saved with.

import assert from "node:assert/strict";
import { test } from "node:test";

const extensions = [];
const opened = [];
const app = {
  registerExtension: (one) => extensions.push(one),
  loadApiJson(prompt, name) {
    opened.push([this === app, prompt, name]);
    return "opened";
  },
};
globalThis.window = { comfyAPI: { app: { app }, api: { api: { addEventListener() {} } } } };
await import("../../web/svi_old_graphs.js");
const [extension] = extensions;

function configured(comfyClass, values) {
  const calls = [];
  const widgets = ["clip_frames", "overlap_frames", "drop"].map((name) => ({ name, value: name === "drop" ? "new" : 81 }));
  const node = { comfyClass, widgets, onConfigure: () => calls.push("own") };
  extension.nodeCreated(node);
  if (values) values.forEach((value, index) => (widgets[index].value = value));
  node.onConfigure({ widgets_values: values });
  assert.deepEqual(calls, ["own"]);
  return widgets.map(({ value }) => value);
}

test("a drift node from before drop counts what a clip adds", () => {
  assert.deepEqual(configured("WanVideoSVIDrift", [76, 5]), [76, 5, "already_dropped"]);
});

test("one that was saved with it, one without values and other nodes are left alone", () => {
  assert.deepEqual(configured("WanVideoSVIDrift", [81, 5, "old"]), [81, 5, "old"]);
  assert.deepEqual(configured("WanVideoSVIDrift", undefined), [81, 81, "new"]);
  assert.deepEqual(configured("SomebodysNode", [76, 5]), [76, 5, "new"]);
});

test("a prompt that is opened as a graph gets it too", () => {
  extension.setup();
  const prompt = {
    1: { class_type: "WanVideoSVIDrift", inputs: { clip_frames: 76, overlap_frames: 5 } },
    2: { class_type: "WanVideoSVIDrift", inputs: { clip_frames: 81, overlap_frames: 5, drop: "new" } },
    3: { class_type: "KSampler", inputs: {} },
    4: null,
  };
  assert.equal(app.loadApiJson(prompt, "a.json"), "opened");
  assert.deepEqual(opened, [[true, prompt, "a.json"]]);
  assert.deepEqual([prompt[1].inputs.drop, prompt[2].inputs.drop, prompt[3].inputs], ["already_dropped", "new", {}]);
});
