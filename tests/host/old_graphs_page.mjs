// Graphs saved before SVI Drift had `drop`, opened in a real frontend.
//
// usage: node old_graphs_page.mjs URL CHROMIUM canvas|vue
// prints one JSON object of what was seen.

import { launch, open } from "../../tools/frontend.mjs";

const nodes = process.argv[4];
const drift = (values) => ({
  last_node_id: 1, last_link_id: 0, links: [], groups: [], config: {}, extra: {}, version: 0.4,
  nodes: [{
    id: 1, type: "WanVideoSVIDrift", pos: [100, 100], size: [320, 260], flags: {}, order: 0, mode: 0, inputs: [],
    outputs: [], properties: { "Node name for S&R": "WanVideoSVIDrift" }, widgets_values: values,
  }],
});

const browser = await launch();
const result = { troubles: [] };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1000, height: 700 }, settings, result.troubles);
  const opened = async (how, data) => {
    await page.evaluate(([how, data]) => app[how](data, how === "loadApiJson" ? "prompt.json" : true), [how, data]);
    await page.waitForTimeout(1500);
    return page.evaluate(() => {
      const node = app.graph._nodes.find((each) => each.type === "WanVideoSVIDrift");
      const values = Object.fromEntries(node.widgets.map(({ name, value }) => [name, value]));
      return { values, saved: node.serialize().widgets_values };
    });
  };
  result.before = await opened("loadGraphData", drift([76, 5]));
  result.now = await opened("loadGraphData", drift([81, 5, "old"]));
  const inputs = { clip_frames: 76, overlap_frames: 0 };
  result.prompt = await opened("loadApiJson", { 1: { class_type: "WanVideoSVIDrift", inputs, _meta: { title: "Drift" } } });
  result.fresh = await page.evaluate(() => {
    const node = LiteGraph.createNode("WanVideoSVIDrift");
    app.graph.add(node);
    return Object.fromEntries(node.widgets.map(({ name, value }) => [name, value]));
  });
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
