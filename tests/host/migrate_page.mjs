// The migration as a user meets it: one graph opened, migrated, undone, redone and made a story in a real browser.
//
// usage: node migrate_page.mjs URL CHROMIUM GRAPH.json canvas|vue
// prints one JSON object: node types by step, and what was said

import { readFile } from "node:fs/promises";

import { launch, open as openPage } from "../../tools/frontend.mjs";

const [, , file, nodes] = process.argv.slice(2);
const COMMAND = "WanVideoSVI.Migrate";

const browser = await launch();
try {
  const page = await openPage(browser, { width: 1280, height: 720 }, { "Comfy.VueNodes.Enabled": nodes === "vue" });
  const result = { deprecated: [] };
  page.on("console", (said) => /checkState/.test(said.text()) && result.deprecated.push(said.text()));
  const graph = JSON.parse(await readFile(file, "utf8"));
  await page.evaluate((graph) => app.loadGraphData(graph, true, true, "mine"), graph);
  await page.waitForTimeout(1500);
  const types = () => page.evaluate(() => app.graph._nodes.map((node) => node.type).sort());
  const said = () => page.evaluate(() => document.querySelector("dialog.svi-migrate p").textContent);
  const tracker = (step) => page.evaluate(async (step) => {
    await app.extensionManager.workflow.activeWorkflow.changeTracker[step]();
  }, step);
  const open = async () => {
    await page.evaluate((command) => app.extensionManager.command.execute(command), COMMAND);
    await page.waitForSelector("dialog.svi-migrate", { timeout: 20000 });
  };
  await open();
  result.said = await said();
  result.findings = await page.evaluate(() => document.querySelectorAll("dialog.svi-migrate li").length);
  result.loaded = await types();
  // The graph changes behind the dialog: what would be put in its place is of the one before.
  const muted = (mode) => page.evaluate((mode) => (app.graph._nodes[0].mode = mode), mode);
  await muted(2);
  await page.click("dialog.svi-migrate button.svi-main");
  result.refused = await page.evaluate(() => document.querySelector("dialog.svi-migrate .svi-error").textContent);
  result.untouched = await types();
  await muted(0);
  await page.click("dialog.svi-migrate button.svi-main");
  await page.waitForTimeout(800);
  result.migrated = await types();
  result.prompt = await page.evaluate(async () => (await app.graphToPrompt()).output);
  await tracker("undo");
  await page.waitForTimeout(800);
  result.undone = await types();
  await tracker("redo");
  await page.waitForTimeout(800);
  result.redone = await types();
  await open();
  result.again = await said();
  await page.click("dialog.svi-migrate footer button:nth-child(2)");
  await page.waitForFunction(() => app.graph._nodes.some((node) => node.type === "WanVideoSVILongVideo"));
  result.story = await types();
  result.tabs = await page.evaluate(() => app.extensionManager.workflow.openWorkflows.length);
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
