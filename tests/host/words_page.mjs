// The pack's words in ComfyUI's language, in a real frontend: the panel, a strip, settings, menu, the migration's dialog.
//
// usage: node words_page.mjs URL CHROMIUM PACK FOLDER canvas|vue
// PACK: the pack's folder in custom_nodes. Prints one JSON object of what was seen; pictures go to FOLDER.

import { launch, open } from "../../tools/frontend.mjs";

const [url, , pack, folder, nodes] = process.argv.slice(2);

const browser = await launch();
const result = { troubles: [], panel: {}, strip: {} };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top", "Comfy.Locale": "zh" };
  const page = await open(browser, { width: 1100, height: 1300 }, settings, result.troubles);
  const load = async (name) => {
    const graph = await (await fetch(`${url}/api/workflow_templates/${pack}/${name}.json`)).json();
    await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, name]);
    await page.waitForTimeout(1500);
    await page.keyboard.press("Escape"); // a dialog of what is missing here
  };
  const show = (type) => page.evaluate((type) => {
    const node = app.graph._nodes.find((each) => each.type === type);
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [90 - node.pos[0], 110 - node.pos[1]];
    app.canvas.setDirty(true, true);
  }, type);
  const textsOf = async (name, selectors) => {
    const [first] = selectors;
    await page.waitForFunction((first) => document.querySelector(first)?.textContent, first, { timeout: 20000 });
    await page.waitForTimeout(1000);
    const texts = await page.evaluate((selectors) => selectors.map((each) => document.querySelector(each)?.textContent), selectors);
    await page.screenshot({ path: `${folder}/${nodes}_${name}.png` });
    return texts;
  };
  const panel = (name) => textsOf(name, [".svi-story tbody td", ".svi-story thead", ".svi-story .svi-sum"]);
  const strip = (name) => textsOf(name, [".svi-strip .svi-names b", ".svi-strip .svi-mask i"]);

  await load("svi_film_chain");
  await show("WanVideoSVIEmbeds");
  result.strip.zh = await strip("strip_zh");
  await load("long_video_film");
  await show("WanVideoSVILongVideo");
  result.panel.zh = await panel("panel_zh");
  result.translated = await page.evaluate(() => {
    const { $t } = document.querySelector("#vue-app").__vue_app__.config.globalProperties;
    const mode = "settings.WanVideoSVI_Mode";
    return [`${mode}.name`, `${mode}.options.as on the node`, "settingsCategories.Pictures", "menuLabels.SVI: migrate this graph"].map((key) => $t(key));
  });
  await page.evaluate(() => app.extensionManager.command.execute("WanVideoSVI.Migrate"));
  result.dialog = await textsOf("dialog_zh", ["dialog.svi-migrate h2", "dialog.svi-migrate footer"]);
  await page.keyboard.press("Escape");

  // Another language: ComfyUI opens the graph anew.
  await page.evaluate(() => app.extensionManager.setting.set("Comfy.Locale", "en"));
  await page.waitForFunction(() => document.querySelector(".svi-story tbody td")?.textContent === "to do", null, { timeout: 20000 });
  result.panel.en = await panel("panel_en");
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
