// Makes example_workflows/*.jpg, the pictures on the template cards in ComfyUI, from the real frontend.
//
// usage:  NODE_PATH=<folder>/node_modules node tools/thumbnails.mjs [http://127.0.0.1:8188] [/usr/bin/chromium]
//
// Needs playwright-core (npm install --prefix <folder> playwright-core; without NODE_PATH it is looked for from here
// upwards), any Chromium (second argument or CHROMIUM) and a running ComfyUI (first argument or COMFYUI_URL) with this
// pack and ComfyUI-WanVideoWrapper. Files by the names of the models are needed, since a node that misses its own is drawn
// as an error; empty ones will do. Nothing is changed on the server: the page gets its settings from here. Run it again after
// tools/example_workflows.py.

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { launch, open, QUALITY, VIDEO_ROOM } from "./frontend.mjs";

const WORKFLOWS = new URL("../example_workflows/", import.meta.url);

const OURS = /^WanVideo(SVI(Embeds|LatentEmbeds|TemporalMask|LongVideo(Native)?)|I2VCustomEmbeds|HoloCinePrompt)$/;
const AROUND = 60; // the node, at zoom 1
const SIZE = 512; // the cards are square

/** Takes the picture of one workflow, around the node of ours that plans its second clip, or its only one. */
async function picture(page, workflow, path) {
  await page.evaluate((graph) => app.loadGraphData(graph), workflow);
  await page.waitForTimeout(2000); // nodes grow, and ask the server for their strips
  await page.evaluate((room) => {
    for (const node of app.graph.nodes.filter(({ type }) => type === "WanVideoSVILongVideo"))
      node.setSize([node.size[0], node.size[1] - room]);
  }, VIDEO_ROOM);
  await page.waitForTimeout(500);
  await page.evaluate(([ours, around]) => {
    const found = app.graph.nodes.filter(({ type }) => new RegExp(ours).test(type)).sort((a, b) => Number(a.id) - Number(b.id));
    const node = found.filter(({ type }) => type === found[0].type)[1] ?? found[0];
    const [x, y, width, height] = node.getBounding();
    const side = Math.max(width, height) + 2 * around;
    app.canvas.ds.fitToBounds([x + width / 2 - side / 2, y - around, side, side], { zoom: 1 });
    app.canvas.setDirty(true, true);
  }, [OURS.source, AROUND]);
  await page.waitForTimeout(2000); // they are drawn
  await page.screenshot({ path, type: "jpeg", quality: QUALITY });
}

const browser = await launch();
try {
  for (const file of (await readdir(WORKFLOWS)).filter((name) => name.endsWith(".json")).sort()) {
    const page = await open(browser, { width: SIZE, height: SIZE }, { "Comfy.VueNodes.Enabled": true });
    const target = new URL(file.replace(/json$/, "jpg"), WORKFLOWS);
    await picture(page, JSON.parse(await readFile(new URL(file, WORKFLOWS), "utf8")), fileURLToPath(target));
    await page.close();
    console.log(fileURLToPath(target));
  }
} finally {
  await browser.close();
}
