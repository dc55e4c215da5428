// The settings in the browser: which there are, and that a new node begins with the mode that is set.

import assert from "node:assert/strict";
import { test } from "node:test";

const stored = new Map();
const extensions = [];
const app = {
  registerExtension: (one) => extensions.push(one),
  extensionManager: { setting: { get: (id) => stored.get(id) } },
};
globalThis.window = { comfyAPI: { app: { app } } };
await import("../../web/svi_settings.js");
const [extension] = extensions;

const MODES = ["film", "shot"];
const made = (comfyClass) => {
  const node = { comfyClass, widgets: [{ name: "mode", value: "film", options: { values: MODES } }] };
  extension.nodeCreated(node);
  return node.widgets[0].value;
};

test("the modes to choose from are those of the node", () => {
  const { options, defaultValue } = extension.settings.find(({ id }) => id === "WanVideoSVI.Mode");
  extension.beforeRegisterNodeDef(null, { name: "KSampler", input: {} });
  assert.deepEqual(options(), [defaultValue]);
  extension.beforeRegisterNodeDef(null, { name: "WanVideoSVIEmbeds", input: { required: { mode: [MODES, {}] } } });
  assert.deepEqual(options(), [defaultValue, ...MODES]);
});

test("a new node begins with the mode that is set", () => {
  assert.equal(made("WanVideoSVIEmbeds"), "film");
  stored.set("WanVideoSVI.Mode", "shot");
  assert.equal(made("WanVideoSVIEmbeds"), "shot");
  assert.equal(made("WanVideoSVILongVideo"), "shot");
  assert.equal(made("SomebodysNode"), "film");
});

test("a mode that the node does not have is left alone", () => {
  for (const mode of ["as on the node", "gone", undefined]) {
    stored.set("WanVideoSVI.Mode", mode);
    assert.equal(made("WanVideoSVIEmbeds"), "film");
  }
  extension.nodeCreated({ comfyClass: "WanVideoSVIEmbeds" });
});

test("settings are named as the server reads them and begin with what it takes for unset", () => {
  assert.deepEqual(
    Object.fromEntries(extension.settings.map(({ id, defaultValue }) => [id, defaultValue])),
    { "WanVideoSVI.ReelFolder": "svi_reels", "WanVideoSVI.PreviewWidth": 0, "WanVideoSVI.Mode": "as on the node" },
  );
});
