// Every example workflow with its advanced widgets folded and open, in a real browser: what our nodes hold, and what is queued.
//
// usage: node folded_page.mjs URL CHROMIUM PACK NAMES.json FOLDER canvas|vue
// PACK: the pack's folder in custom_nodes. NAMES.json: {template: [ids of our nodes]} and {node: folded widgets}.
// Prints one JSON object of what was seen; pictures go to FOLDER.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [url, , pack, file, folder, nodes] = process.argv.slice(2);
const { templates, folded } = JSON.parse(await readFile(file, "utf8"));

const browser = await launch();
const result = { troubles: [], templates: {}, shown: {} };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1000, height: 2600 }, settings, result.troubles);
  result.knows = await page.evaluate(() => app.ui.settings.getSettingValue("Comfy.Node.AlwaysShowAdvancedWidgets") === false);

  const held = (ids) => page.evaluate(async (ids) => {
    const { output } = await app.graphToPrompt();
    return Object.fromEntries(ids.map((id) => {
      const node = app.graph.getNodeById(id);
      const named = Object.fromEntries(node.widgets.map(({ name, value }) => [name, value]));
      return [id, { named, saved: node.serialize().widgets_values, queued: output[id]?.inputs ?? null }];
    }));
  }, ids);
  const show = async (id) => {
    await page.evaluate((id) => {
      const node = app.graph.getNodeById(id);
      const [x, y] = node.getBounding();
      app.canvas.ds.scale = 1;
      app.canvas.ds.offset = [150 - x, 100 - y];
      app.canvas.setDirty(true, true);
    }, id);
    await page.waitForTimeout(700);
  };
  // The words on a Vue node, and where it and its live widget stand on the page.
  const look = (id) => page.evaluate((id) => {
    const shown = document.querySelector(`[data-node-id="${id}"]`);
    const box = shown?.getBoundingClientRect();
    const live = app.graph.getNodeById(id).widgets.find(({ name }) => /^svi_(strip|plan)$/.test(name))?.element;
    const place = live?.getBoundingClientRect();
    const words = shown?.innerText.split("\n").map((line) => line.trim()) ?? [];
    const inside = box && place && place.width > 100 && place.top > box.top && place.bottom < box.bottom;
    return { words, height: box?.height, live: place ? { inside, height: place.height } : null };
  }, id);
  const button = (id) => page.locator(`[data-node-id="${id}"] [data-testid="advanced-inputs-button"]`);

  for (const [name, ids] of Object.entries(templates)) {
    const graph = await (await fetch(`${url}/api/workflow_templates/${pack}/${name}.json`)).json();
    await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, name]);
    await page.waitForTimeout(800);
    await page.keyboard.press("Escape"); // a dialog of what is missing here
    const seen = { before: await held(ids) };
    for (const id of ids) {
      const kind = graph.nodes.find((node) => node.id === id).type;
      if (!folded[kind].length || result.shown[kind]) continue;
      await show(id);
      const states = { folded: await look(id), buttons: await button(id).count() };
      await page.screenshot({ path: `${folder}/${nodes}_${kind}_folded.png` });
      if (states.buttons) {
        await button(id).click();
        await page.waitForTimeout(700);
        states.open = await look(id);
        await page.screenshot({ path: `${folder}/${nodes}_${kind}_open.png` });
        seen.open = await held(ids);
        await button(id).click();
        await page.waitForTimeout(700);
        states.again = await look(id);
      }
      result.shown[kind] = states;
    }
    await page.evaluate((ids) => ids.forEach((id) => (app.graph.getNodeById(id).showAdvanced = true)), ids);
    seen.after = await held(ids);
    result.templates[name] = seen;
  }
} finally {
  console.log(JSON.stringify(result));
  await browser.close();
}
