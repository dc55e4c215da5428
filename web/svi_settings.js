// The pack's settings; the server reads those of pictures and reels. ComfyUI translates them by locales/.

import { english } from "./svi_words.js";

const { app } = window.comfyAPI.app;

const MODE = "WanVideoSVI.Mode";
const AS_ON_NODE = english("settings.as_on_node"); // the value that is kept, too
const HAVE_MODE = new Set(["WanVideoSVIEmbeds", "WanVideoSVILongVideo", "WanVideoSVILongVideoNative"]);

let modes = []; // come with the node

const SETTINGS = [
  {
    id: "WanVideoSVI.ReelFolder",
    category: ["WanVideo SVI", english("settings.files"), english("settings.reel_folder")],
    name: english("settings.reel_folder"),
    tooltip: english("settings.reel_folder_tooltip"),
    type: "text",
    defaultValue: "svi_reels",
  },
  {
    id: "WanVideoSVI.PreviewWidth",
    category: ["WanVideo SVI", english("settings.pictures"), english("settings.preview_width")],
    name: english("settings.preview_width"),
    tooltip: english("settings.preview_width_tooltip"),
    type: "number",
    defaultValue: 0,
    attrs: { min: 0, max: 4096, step: 64 },
  },
  {
    id: MODE,
    category: ["WanVideo SVI", english("settings.nodes"), english("settings.mode")],
    name: english("settings.mode"),
    tooltip: english("settings.mode_tooltip"),
    type: "combo",
    options: () => [AS_ON_NODE, ...modes],
    defaultValue: AS_ON_NODE,
  },
];

app.registerExtension({
  name: "WanVideoSVI.Settings",
  settings: SETTINGS,
  beforeRegisterNodeDef(_type, definition) {
    if (definition.name === "WanVideoSVIEmbeds") modes = definition.input.required.mode[0];
  },
  // A graph that is loaded sets its own values after this.
  nodeCreated(node) {
    if (!HAVE_MODE.has(node.comfyClass)) return;
    const wanted = app.extensionManager.setting.get(MODE);
    const widget = node.widgets?.find((one) => one.name === "mode");
    if (widget && widget.options.values?.includes(wanted)) widget.value = wanted;
  },
});
