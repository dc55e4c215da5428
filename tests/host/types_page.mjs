// Which outputs a frontend lets go into the vae inputs that take two kinds, and what a graph saved before keeps.
//
// usage: node types_page.mjs URL CHROMIUM WORKFLOW.json
// WORKFLOW.json: a graph whose vae inputs were saved as WANVAE. Prints one JSON object of what was seen.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const graph = JSON.parse(await readFile(process.argv[4], "utf8"));

const browser = await launch();
const result = { troubles: [] };
try {
  const page = await open(browser, { width: 1200, height: 900 }, {}, result.troubles);
  await page.waitForTimeout(1500);
  result.joins = await page.evaluate(() => {
    const joins = {};
    for (const target of ["WanVideoSVIEmbeds", "WanVideoI2VCustomEmbeds"]) {
      for (const source of ["VAELoader", "WanVideoVAELoader", "EmptyImage"]) {
        app.graph.clear();
        const [from, to] = [source, target].map((type) => {
          const node = LiteGraph.createNode(type);
          app.graph.add(node);
          return node;
        });
        from.connect(0, to, to.inputs.findIndex(({ name }) => name === "vae"));
        joins[`${source} ${target}`] = to.inputs.find(({ name }) => name === "vae").link != null;
      }
    }
    return joins;
  });
  await page.evaluate((saved) => app.loadGraphData(saved), graph);
  await page.waitForTimeout(1500);
  result.saved = await page.evaluate(async () => {
    const { output } = await app.graphToPrompt();
    const ours = Object.values(output).filter(({ class_type }) => class_type === "WanVideoSVIEmbeds");
    return ours.map(({ inputs }) => output[inputs.vae?.[0]]?.class_type ?? null);
  });
} finally {
  await browser.close();
}
console.log(JSON.stringify(result));
