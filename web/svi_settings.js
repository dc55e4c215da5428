// The pack's settings. Pictures and reels are the server's business, which reads what ComfyUI keeps; here a new node gets
// its mode.

const { app } = window.comfyAPI.app;

const MODE = "WanVideoSVI.Mode";
const AS_ON_NODE = "as on the node";
const HAVE_MODE = new Set(["WanVideoSVIEmbeds", "WanVideoSVILongVideo"]);

const SETTINGS = [
  {
    id: "WanVideoSVI.ReelFolder",
    category: ["WanVideo SVI", "Files", "Reel folder"],
    name: "Reel folder",
    tooltip: "A folder in ComfyUI's output folder. Reels that exist stay where they are.",
    type: "text",
    defaultValue: "svi_reels",
  },
  {
    id: "WanVideoSVI.PreviewWidth",
    category: ["WanVideo SVI", "Pictures", "Preview width"],
    name: "Preview width",
    tooltip: "How many pixels wide the pictures on nodes may be, 64 at least. 0 = as they are drawn.",
    type: "number",
    defaultValue: 0,
    attrs: { min: 0, max: 4096, step: 64 },
  },
];

/** The setting that says which mode new nodes have. modes: those of the node. */
function modeSetting(modes) {
  return {
    id: MODE,
    category: ["WanVideo SVI", "Nodes", "Mode of new nodes"],
    name: "Mode of new nodes",
    tooltip: "Which mode SVI Embeds and SVI Long Video begin with. Nodes that are in a graph keep theirs.",
    type: "combo",
    options: [AS_ON_NODE, ...modes],
    defaultValue: AS_ON_NODE,
  };
}

let added = false;

app.registerExtension({
  name: "WanVideoSVI.Settings",
  settings: SETTINGS,
  // The modes come with the node, so the setting can only be made here.
  beforeRegisterNodeDef(_type, definition) {
    if (definition.name !== "WanVideoSVIEmbeds" || added) return; // asked again whenever lists are read anew
    added = true;
    app.ui.settings.addSetting(modeSetting(definition.input.required.mode[0]));
  },
  // A graph that is loaded sets its own values after this.
  nodeCreated(node) {
    if (!HAVE_MODE.has(node.comfyClass)) return;
    const wanted = app.ui.settings.getSettingValue(MODE);
    const widget = node.widgets?.find((one) => one.name === "mode");
    if (widget && widget.options.values?.includes(wanted)) widget.value = wanted;
  },
});
