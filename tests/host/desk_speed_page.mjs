// How quickly the desk opens and scrolls with many clips, and how many clicks a person needs for a mend.
//
// usage: node desk_speed_page.mjs URL CHROMIUM MANY.json SIX.json FOLDER [vue]
// prints one JSON object of what was seen. MANY.json, SIX.json: API graphs whose reels are on disk.

import { readFile } from "node:fs/promises";

import { launch, open, showPanel } from "../../tools/frontend.mjs";

const [, , many, six, folder, nodes] = process.argv.slice(2);
const browser = await launch();
const result = { troubles: [] };
const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
const load = async (page, file) => {
  await page.evaluate((api) => app.loadApiJson(api, "desk"), JSON.parse(await readFile(file, "utf8")));
  await page.waitForTimeout(1200);
};
const story = (page) => page.evaluate(() => app.graph._nodes.find((node) => node.type === "WanVideoSVILongVideo").widgets.find((each) => each.name === "story").value);
try {
  // Many clips: how long until cards are seen, and whether the page stays quick while it scrolls.
  const page = await open(browser, { width: 1500, height: 1000 }, settings, result.troubles);
  await load(page, many);
  result.opened = await page.evaluate(async () => {
    const began = performance.now();
    app.extensionManager.command.execute("WanVideoSVI.OpenDesk");
    while (!desk().querySelector(".svi-card")) await new Promise((next) => setTimeout(next, 5));
    return performance.now() - began;
  });
  await page.waitForTimeout(500);
  result.mounted = await page.$$eval(".svi-card", (all) => all.length);
  result.scroll = await page.evaluate(async () => {
    const tasks = [];
    const seen = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    seen.observe({ type: "longtask" });
    const place = desk().querySelector(".svi-cards");
    const frames = [];
    let before = performance.now();
    for (let i = 0; i < 240; i++) {
      place.scrollTop += i < 120 ? 160 : -120;
      await new Promise((next) => requestAnimationFrame(next));
      const now = performance.now();
      frames.push(now - before);
      before = now;
    }
    await new Promise((next) => setTimeout(next, 300));
    seen.disconnect();
    return { tasks, worst: Math.max(...frames), top: place.scrollTop, mounted: desk().querySelectorAll(".svi-card").length };
  });
  await page.screenshot({ path: `${folder}/desk_many.png` });
  await page.keyboard.press("Escape");
  await page.close();

  // From the page's address to a mended clip 3 that is queued: three clicks.
  const began = Date.now();
  const other = await open(browser, { width: 1500, height: 1000 }, settings, result.troubles);
  result.page_there = Date.now() - began;
  await load(other, six);
  await showPanel(other);
  const loaded = Date.now();
  result.clicks = 0;
  const click = async (where) => {
    result.clicks++;
    await other.click(where);
  };
  const button = '.svi-story header button:has-text("Desk")';
  if (await other.isVisible(button)) await click(button);
  else {
    await click(".wanvideo-svi-tab-button");
    await click('.svi-reels li[data-reel] .svi-acts button:has-text("Open")');
  }
  await other.waitForSelector('.svi-card[data-clip="3"][data-state="kept"]');
  await click('.svi-card[data-clip="3"] .svi-acts button:has-text("Mend")');
  await other.waitForFunction(() => desk().querySelector(".svi-told").textContent.startsWith("Next run: clip 3 ("));
  await click(".svi-desk > footer button.svi-main");
  await other.waitForFunction(() => desk().querySelector(".svi-told").textContent.match(/Queued|Sampling/));
  result.path_ms = Date.now() - loaded;
  result.story = await story(other);
} finally {
  await browser.close();
}
console.log(JSON.stringify(result));
