// Chains of this pack's blueprints in a real frontend: dropped in from the node library, connected, run by the Run button.
//
// usage: node blueprints_page.mjs URL CHROMIUM CHAINS.json FOLDER canvas|vue
// CHAINS.json: {name: {graph, blocks: [{name, values, links: {input: [node or null, slot or output name]}}], end}}: the
// API graph around the blocks; node null is the block before; end is the id of the node that takes joined_so_far.
// Prints one JSON object of what was seen; pictures go to FOLDER.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [, , file, folder, nodes] = process.argv.slice(2);
const RUN_MS = 200000;
const LEFT = 450, ROOM = 900, BLOCK = 500; // pixels: the node library, above the loaders, from block to block

const browser = await launch();
const result = { troubles: [], chains: {} };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top", "Comfy.VueNodes.AutoScaleLayout": false };
  const page = await open(browser, { width: 1900, height: 1100 }, settings, result.troubles);
  await page.waitForTimeout(2500);
  result.toasts = await page.evaluate(() => [...document.querySelectorAll(".p-toast-message")].map((each) => each.innerText));
  const shot = (name) => page.screenshot({ path: `${folder}/${nodes}_blueprint_${name}.png` });
  const library = () => page.evaluate(() => app.extensionManager.command.execute("Workspace.ToggleSidebarTab.node-library"));

  await library();
  await page.getByText("Comfy Blueprints", { exact: true }).click();
  await page.getByText("WanVideo SVI", { exact: true }).click();
  await page.getByText("SVI film clip", { exact: true }).waitFor();
  await shot("library");

  for (const [chain, { graph, blocks, end }] of Object.entries(JSON.parse(await readFile(file, "utf8")))) {
    await page.evaluate(([graph, chain]) => app.loadApiJson(graph, chain), [graph, chain]);
    await page.waitForTimeout(1000);
    const seen = (result.chains[chain] = { blocks: [] });
    const top = await page.evaluate(() => Math.min(...app.graph._nodes.map((node) => node.pos[1]))) - ROOM;
    const view = (scale) => page.evaluate(([scale, offset]) => {
      app.canvas.ds.scale = scale;
      app.canvas.ds.offset = offset;
      app.canvas.setDirty(true, true);
    }, [scale, [LEFT / scale, 120 / scale - top]]);
    for (const [index, { name, values, links }] of blocks.entries()) {
      await view(1);
      await page.getByText(name, { exact: true }).first().click();
      await page.mouse.move(LEFT + 200, 200 + index);
      await page.waitForTimeout(300);
      await page.mouse.click(LEFT + 200, 200 + index);
      await page.waitForFunction((name) => app.graph._nodes.at(-1).title === name, name);
      seen.blocks.push(await page.evaluate(([values, links, place]) => {
        const [before, block] = app.graph._nodes.slice(-2);
        const node = app.graph.getNodeById(block.id);
        for (const [input, [from, slot]] of Object.entries(links)) {
          const source = from === null ? before : app.graph.getNodeById(from);
          const output = from === null ? source.outputs.findIndex((each) => each.name === slot) : slot;
          if (!source.connect(output, node, node.inputs.findIndex((each) => each.name === input))) throw new Error(`no ${input}`);
        }
        const shown = Object.fromEntries(node.widgets.map((each) => [each.name, each.value]));
        for (const [name, value] of Object.entries(values)) {
          const widget = node.widgets.find((each) => each.name === name);
          widget.value = value;
        }
        node.pos = place;
        return { shown, inputs: node.inputs.map((each) => each.name), outputs: node.outputs.map((each) => each.name) };
      }, [values, links, [BLOCK * index, top]]));
    }
    await page.evaluate((end) => {
      const block = app.graph._nodes.at(-1);
      const node = app.graph.getNodeById(end);
      block.connect(block.outputs.findIndex((each) => each.name === "joined_so_far"), node, 0);
      window.ended = null;
      for (const event of ["execution_success", "execution_error", "execution_interrupted"]) {
        comfyAPI.api.api.addEventListener(event, ({ detail }) => (window.ended ??= [event, detail]), { once: true });
      }
    }, end);
    await view(0.85);
    await page.waitForTimeout(1000);
    await shot(`${chain}_before`);
    await page.getByTestId("queue-button").click();
    await page.waitForFunction(() => window.ended || app.lastNodeErrors, null, { timeout: RUN_MS });
    seen.ended = await page.evaluate(() => (window.ended ? window.ended[0] : "refused"));
    if (seen.ended !== "execution_success") {
      seen.error = await page.evaluate(() => JSON.stringify(window.ended ?? app.lastNodeErrors).slice(0, 1500));
    }
    await page.waitForTimeout(1500);
    await shot(`${chain}_after`);
  }
} finally {
  console.log(JSON.stringify(result));
  await browser.close();
}
