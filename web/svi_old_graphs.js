// Graphs saved before a node had one of its inputs get the value that they mean. The server does the same for prompts.

import { chain } from "./svi_widget.js";

const { app } = window.comfyAPI.app;

// Node: the input that came later, how many widgets had a value before it, and what graphs from before it mean.
const CAME_LATER = {
  WanVideoSVIDrift: { input: "drop", values: 2, means: "already_dropped" },
};

app.registerExtension({
  name: "WanVideoSVI.OldGraphs",
  nodeCreated(node) {
    const later = CAME_LATER[node.comfyClass];
    if (!later) return;
    chain(node, "onConfigure", (saved) => {
      const widget = node.widgets?.find((one) => one.name === later.input);
      if (widget && saved?.widgets_values?.length === later.values) widget.value = later.means;
    });
  },
  // A prompt (the API format) that is opened as a graph.
  setup() {
    const { loadApiJson } = app;
    if (!loadApiJson) return;
    app.loadApiJson = function (prompt, ...rest) {
      const nodes = Object.values(prompt ?? {}).filter((node) => CAME_LATER[node?.class_type] && node.inputs);
      for (const { class_type, inputs } of nodes) inputs[CAME_LATER[class_type].input] ??= CAME_LATER[class_type].means;
      return loadApiJson.call(this, prompt, ...rest);
    };
  },
});
