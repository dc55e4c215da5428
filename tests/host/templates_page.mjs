// What a user opens first, in a real browser: the template browser, every template, a help page, the settings.
//
// usage: node templates_page.mjs URL CHROMIUM PACK FOLDER canvas|vue
// PACK: the pack's folder in custom_nodes. Prints one JSON object of what was seen; pictures go to FOLDER.

import { launch, open } from "../../tools/frontend.mjs";

const [url, , pack, folder, nodes] = process.argv.slice(2);

const browser = await launch();
const result = { troubles: [], templates: {} };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1500, height: 1000 }, settings, result.troubles);
  await page.waitForTimeout(1000);
  const shot = (name) => page.screenshot({ path: `${folder}/${nodes}_${name}.png` });
  const command = (id) => page.evaluate((id) => app.extensionManager.command.execute(id), id);
  const dialogs = () => page.evaluate(() => [...document.querySelectorAll("[role=dialog]")]
    .filter((each) => each.checkVisibility()).map((each) => each.innerText.slice(0, 300)));

  // The cards of this pack.
  await command("Comfy.BrowseTemplates");
  await page.getByRole("dialog").getByText(pack, { exact: true }).first().click();
  const cards = page.locator("[role=dialog] [data-testid^=template-workflow-]");
  await page.getByTestId("template-workflow-svi_film_chain").waitFor();
  await page.waitForTimeout(800);
  await shot("cards");
  result.cards = [];
  for (let index = 0; index < (await cards.count()); index++) {
    const card = cards.nth(index);
    await card.scrollIntoViewIfNeeded();
    await card.hover();
    await page.mouse.wheel(0, 200); // the list grows as one goes down
    await page.waitForTimeout(index + 1 < (await cards.count()) ? 200 : 1500);
    result.cards.push(await card.evaluate(async (card) => {
      const image = card.querySelector("img");
      await image?.decode().catch(() => null);
      return [card.dataset.testid.replace("template-workflow-", ""), image?.naturalWidth];
    }));
  }
  await cards.first().scrollIntoViewIfNeeded();
  await cards.first().click();
  await page.waitForFunction(() => app.graph._nodes.some((node) => /SVI|WanVideoI2V|HighLow/.test(node.type)));
  await page.waitForTimeout(1000);
  result.afterCard = await dialogs();

  // Every template.
  for (const name of result.cards.map(([name]) => name)) {
    const graph = await (await fetch(`${url}/api/workflow_templates/${pack}/${name}.json`)).json();
    await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, name]);
    await page.waitForTimeout(1200);
    const seen = await page.evaluate(() => {
      const nodes = app.graph._nodes;
      const box = (node) => [...node.getBounding()];
      return {
        unknown: nodes.filter((node) => !LiteGraph.registered_node_types[node.type]).map((node) => node.type),
        values: Object.fromEntries(app.graph.serialize().nodes.map((node) => [node.id, node.widgets_values ?? null])),
        // Nodes that begin in a group and do not end there.
        outside: app.graph.groups.flatMap((group) => nodes.filter((node) => {
          const [x, y, width, height] = box(node);
          const [left, top] = group.pos;
          const [right, bottom] = [left + group.size[0], top + group.size[1]];
          const begins = x >= left && x < right && y >= top && y < bottom;
          return begins && (x + width > right || y + height > bottom);
        }).map((node) => `${group.title}: ${node.title}, ${Math.ceil(box(node)[1] + box(node)[3] - group.pos[1] - group.size[1])}`)),
      };
    });
    seen.dialogs = await dialogs();
    seen.missing = await page.evaluate(() => document.body.innerText.match(/missing nodes?\b.*/i)?.[0] ?? null);
    // Values of each node as the template has them; some nodes have more of their own.
    seen.changed = graph.nodes.filter((node) => (node.widgets_values ?? [])
      .some((value, index) => JSON.stringify(value) !== JSON.stringify(seen.values[node.id][index]))).map((node) => node.title);
    delete seen.values;
    await command("Comfy.Canvas.FitView");
    await page.waitForTimeout(1200);
    await shot(name);
    result.templates[name] = seen;
  }

  // Help, from the button above a selected node.
  await page.evaluate(() => {
    app.graph.clear();
    const node = LiteGraph.createNode("WanVideoSVIEmbeds");
    node.pos = [500, 100];
    app.graph.add(node);
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(node);
    app.canvas.selectNode(node);
    app.canvas.setDirty(true, true);
  });
  await page.getByTestId("info-button").dispatchEvent("click"); // it moves with the canvas, which is slow here
  const help = page.locator(".node-help-content").first();
  await help.getByRole("heading", { name: "Mistakes people make" }).waitFor({ timeout: 20000 });
  await page.waitForTimeout(800);
  result.help = await help.evaluate((shown) => ({
    headings: [...shown.querySelectorAll("h1, h2")].map((each) => each.innerText.trim()),
    tables: shown.querySelectorAll("table").length,
    pictures: [...shown.querySelectorAll("img")].map((image) => [image.src.split("/docs/")[1], image.naturalWidth]),
  }));
  await shot("help");

  // The settings.
  await command("Comfy.ShowSettingsDialog");
  await page.getByRole("dialog").getByText("WanVideo SVI", { exact: true }).first().click();
  await page.getByRole("dialog").getByText("Reel folder").last().waitFor();
  await page.waitForTimeout(500);
  result.settings = (await page.getByRole("dialog").allInnerTexts()).join("\n");
  await shot("settings");
} finally {
  console.log(JSON.stringify(result));
  await browser.close();
}
