// Vue nodes fold advanced inputs away, but keep the node's height of the canvas, where none is folded. Here the folded ones
// do not count.

const { app } = window.comfyAPI.app;

const NODES = new Set([
  "WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoSVITemporalMask",
  "WanVideoHighLowPair", "WanVideoSVILongVideo", "WanVideoSVILongVideoNative", "WanVideoSVIAudioWindow",
  "WanVideoSVIPoseWindow",
]);
const ALWAYS = "Comfy.Node.AlwaysShowAdvancedWidgets"; // a frontend without this setting folds nothing
const GAP = 4; // between the rows of the canvas

const folds = () => Boolean(globalThis.LiteGraph?.vueNodesMode) && app.extensionManager.setting.get(ALWAYS) === false;

/** The height that the canvas gives to a node's folded widgets. A linked one is shown. */
function foldedHeight(node) {
  if (node.showAdvanced || !folds()) return 0;
  const inputs = (node.inputs ?? []).filter((_, slot) => node.isInputConnected(slot));
  const linked = new Set(inputs.map((input) => input.widget?.name));
  const rows = (node.widgets ?? []).filter((widget) => widget.options?.advanced && !linked.has(widget.name));
  const height = (widget) => widget.computeSize?.(node.size[0])[1] ?? widget.computeLayoutSize?.(node).minHeight
    ?? LiteGraph.NODE_WIDGET_HEIGHT;
  return rows.reduce((sum, widget) => sum + height(widget) + GAP, 0);
}

app.registerExtension({
  name: "WanVideoSVI.Folded",
  nodeCreated(node) {
    if (!NODES.has(node.comfyClass)) return;
    const { computeSize } = node;
    node.computeSize = function (...args) {
      const size = computeSize.apply(this, args);
      size[1] -= foldedHeight(this);
      return size;
    };
    if (foldedHeight(node)) node.setSize([node.size[0], node.computeSize()[1]]);
  },
});
