// Makes example_workflows/*.jpg, the pictures on the template cards in ComfyUI, from the real frontend.
//
// usage:  NODE_PATH=<folder>/node_modules node tools/thumbnails.mjs [http://127.0.0.1:8188] [/usr/bin/chromium]
//
// Needs playwright-core (npm install --prefix <folder> playwright-core; without NODE_PATH it is looked for from here
// upwards), any Chromium (second argument or CHROMIUM) and a running ComfyUI (first argument or COMFYUI_URL) with this
// pack and ComfyUI-WanVideoWrapper. Models are not needed. Nothing is changed on the server: the page gets its settings
// from here. Run it again after tools/example_workflows.py.

import { readdir, readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { launch, open, QUALITY } from "./frontend.mjs";

const WORKFLOWS = new URL("../example_workflows/", import.meta.url);

const GROUPS = ["Clip 2", "Clip 1", "The story"]; // the square that ends with the last node of the first there is
const MARGIN = 30; // below that node
const SIZE = 512; // the cards are square

/** Takes the picture of one workflow; the page's, since text boxes are not on the canvas. */
async function picture(page, workflow, path) {
  await page.evaluate((graph) => app.loadGraphData(graph), workflow);
  await page.waitForTimeout(1500); // nodes grow
  await page.evaluate(([titles, margin]) => {
    const find = (title) => app.graph.groups.find((each) => each.title === title);
    const group = titles.map(find).find(Boolean);
    if (!group) throw new Error(`no group ${titles.join(" or ")}`);
    const [x, y] = group.pos;
    const [width, height] = group.size;
    const inside = app.graph._nodes.map((node) => [...node.getBounding()])
      .filter(([left, top]) => left >= x && left < x + width && top >= y && top < y + height);
    const foot = Math.min(y + height, Math.max(...inside.map(([, top, , tall]) => top + tall)) + margin);
    app.canvas.ds.fitToBounds([x, foot - width, width, width], { zoom: 1 });
    app.canvas.setDirty(true, true);
  }, [GROUPS, MARGIN]);
  await page.waitForTimeout(1500); // they are drawn
  await page.screenshot({ path, type: "jpeg", quality: QUALITY });
}

const browser = await launch();
try {
  for (const file of (await readdir(WORKFLOWS)).filter((name) => name.endsWith(".json")).sort()) {
    const page = await open(browser, { width: SIZE, height: SIZE });
    const target = new URL(file.replace(/json$/, "jpg"), WORKFLOWS);
    await picture(page, JSON.parse(await readFile(new URL(file, WORKFLOWS), "utf8")), fileURLToPath(target));
    await page.close();
    console.log(fileURLToPath(target));
  }
} finally {
  await browser.close();
}
