// Makes docs/reference/migration_*.jpg, the graphs that tools/migration_graphs.py wrote, as the real frontend draws them.
//
// usage:  NODE_PATH=<folder>/node_modules node tools/migration_pictures.mjs GRAPHS.json [http://127.0.0.1:8188] [chromium]
//
// Needs what tools/node_pictures.mjs needs. Nodes of packs that are not installed are drawn as their graph describes them.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const { chromium } = createRequire(import.meta.url)("playwright-core");

const DOCS = new URL("../docs/reference/", import.meta.url);
const [GRAPHS, COMFYUI = process.env.COMFYUI_URL ?? "http://127.0.0.1:8188",
  CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium"] = process.argv.slice(2);
const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const SETTINGS = {
  "Comfy.ColorPalette": "dark", "Comfy.Graph.CanvasInfo": false, "Comfy.Graph.CanvasMenu": false,
  "Comfy.Minimap.Visible": false, "Comfy.NodeBadge.NodeSourceBadgeMode": "None", "Comfy.TutorialCompleted": true,
  "Comfy.UseNewMenu": "Disabled", "LiteGraph.Canvas.MinFontSizeForLOD": 0,
  "Comfy.Workflow.ShowMissingNodesWarning": false,
};
const WIDTH = 1100;

const browser = await chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });
try {
  const page = await browser.newPage({ viewport: { width: WIDTH, height: 700 } });
  await page.route("**/api/settings", (route) =>
    route.fulfill({ json: route.request().method() === "GET" ? SETTINGS : {} }));
  await page.route("**/api/settings/*", (route) => route.fulfill({ json: {} }));
  await page.goto(COMFYUI);
  await page.waitForFunction(() => window.app?.vueAppReady && app.extensionManager?.workflow?.activeWorkflow);
  await page.addStyleTag({ content: ".comfy-menu, .p-toast { display: none !important }" });
  for (const [name, graph] of Object.entries(JSON.parse(await readFile(GRAPHS, "utf8")))) {
    await page.evaluate((graph) => {
      for (const node of graph.nodes) {
        if (LiteGraph.registered_node_types[node.type]) continue;
        class Stub extends LiteGraph.LGraphNode {
          constructor() {
            super(node.type);
            for (const entry of node.inputs) this.addInput(entry.name, entry.type);
            for (const output of node.outputs) this.addOutput(output.name, output.type);
          }
        }
        Stub.title = node.type;
        LiteGraph.registerNodeType(node.type, Stub);
      }
      return app.loadGraphData(graph);
    }, graph);
    const [width, height] = await page.evaluate(() => {
      const nodes = app.graph._nodes;
      const edges = [0, 1].map((axis) => [
        Math.min(...nodes.map((node) => node.pos[axis])) - (axis ? 50 : 20),
        Math.max(...nodes.map((node) => node.pos[axis] + node.size[axis])) + 20,
      ]);
      return edges.map(([low, high]) => high - low);
    });
    const scale = Math.min(1, WIDTH / width);
    await page.setViewportSize({ width: Math.round(width * scale), height: Math.round(height * scale) });
    await page.waitForTimeout(300);
    await page.evaluate((scale) => {
      const nodes = app.graph._nodes;
      app.canvas.ds.scale = scale;
      app.canvas.ds.offset = [
        20 - Math.min(...nodes.map((node) => node.pos[0])),
        50 - Math.min(...nodes.map((node) => node.pos[1])),
      ];
      app.canvas.setDirty(true, true);
    }, scale);
    await page.waitForTimeout(1000);
    const path = fileURLToPath(new URL(`migration_${name}.jpg`, DOCS));
    await page.screenshot({ path, type: "jpeg", quality: 85 });
    console.log(path);
  }
} finally {
  await browser.close();
}
