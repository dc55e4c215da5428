// Makes web/docs/nodes/*.jpg, each node of this pack as it stands in the real frontend, for the help pages.
//
// usage:  NODE_PATH=<folder>/node_modules node tools/node_pictures.mjs [URL of ComfyUI] [Chromium] [node id ...]
//
// Needs playwright-core (npm install --prefix <folder> playwright-core; without NODE_PATH it is looked for from here
// upwards), any Chromium (second argument or CHROMIUM) and a running ComfyUI (first argument or COMFYUI_URL) with this
// pack and ComfyUI-WanVideoWrapper. Files by the names of the models are needed, since a node that misses its own is drawn
// as an error; empty ones will do. Nothing is changed on the server: the page gets its settings from here.
//
// A node is taken from an example workflow, where it is wired, else by itself. Nodes are Vue nodes, whose advanced inputs
// are folded away.

import { mkdir, readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { launch, open, QUALITY, VIDEO_ROOM } from "./frontend.mjs";

const WORKFLOWS = new URL("../example_workflows/", import.meta.url);
const DOCS = new URL("../web/docs/", import.meta.url);
const MARGIN = 24; // around the node, in pixels
const ROOM = { width: 1100, height: 1500 };

const workflows = [];
for (const file of (await readdir(WORKFLOWS)).filter((name) => name.endsWith(".json")).sort())
  workflows.push(JSON.parse(await readFile(new URL(file, WORKFLOWS), "utf8")));

/** Shows a node at full size. Returns its place on the page. */
async function show(page, id, workflow) {
  if (workflow) await page.evaluate((graph) => app.loadGraphData(graph), workflow);
  await page.evaluate(
    ([type, found]) => {
      if (!found) {
        app.graph.clear();
        app.graph.add(LiteGraph.createNode(type));
      }
      // The last one: in a chain the first clip is not yet what the node is for.
      window.shown = app.graph.nodes.filter((node) => node.type === type).at(-1);
      app.canvas.deselectAll?.();
    },
    [id, Boolean(workflow)],
  );
  await page.waitForTimeout(2500); // nodes grow, and ask the server for their strips
  const selector = `[data-node-id="${await page.evaluate(() => shown.id)}"]`;
  await page.addStyleTag({ content: `${selector} { z-index: 10000 !important }` }); // a neighbour may reach over it
  await page.evaluate(([margin, room]) => {
    // Texts keep the room that the workflow gives them; otherwise there is no more than it needs.
    const texts = shown.widgets?.some(({ type }) => type === "customtext");
    const story = shown.type === "WanVideoSVILongVideo";
    shown.setSize([shown.size[0], texts ? shown.size[1] - (story ? room : 0) : shown.computeSize()[1]]);
    const [x, y] = shown.getBounding();
    const { ds } = app.canvas;
    ds.scale = 1;
    ds.offset = [margin - x, margin - y];
    app.canvas.setDirty(true, true);
  }, [MARGIN, VIDEO_ROOM]);
  await page.waitForTimeout(1500);
  const box = await page.locator(selector).boundingBox();
  return { x: 0, y: 0, width: Math.ceil(box.x + box.width + MARGIN), height: Math.ceil(box.y + box.height + MARGIN) };
}

await mkdir(new URL("nodes/", DOCS), { recursive: true });
const wanted = process.argv.slice(4);
const browser = await launch();
try {
  const pages = (await readdir(DOCS)).filter((name) => name.endsWith(".md")).map((name) => name.slice(0, -3));
  for (const id of pages.sort().filter((name) => !wanted.length || wanted.includes(name))) {
    const page = await open(browser, ROOM, { "Comfy.VueNodes.Enabled": true });
    const clip = await show(page, id, workflows.find(({ nodes }) => nodes.some(({ type }) => type === id)));
    const path = fileURLToPath(new URL(`nodes/${id}.jpg`, DOCS));
    await page.screenshot({ path, clip, type: "jpeg", quality: QUALITY });
    await page.close();
    console.log(path);
  }
} finally {
  await browser.close();
}
