// Makes the pictures of the desk: web/docs/desk.jpg and desk_takes.jpg for the help page, assets/desk.webp for README.
//
// usage:  NODE_PATH=<folder>/node_modules node tools/desk_pictures.mjs [URL of ComfyUI] [Chromium] REELS PYTHON
//
// Needs what tools/node_pictures.mjs needs. REELS: the folder of reels of that ComfyUI. PYTHON: one with this pack.

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, open, QUALITY } from "./frontend.mjs";

const [, , , , reels, python] = process.argv;
const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const STORY = `A lake at dawn, fog over the water, slow pan
---
The fog thins, the first light on the hills
---
A red boat sails in from the left
---
[cut]
Rain on the same lake, a grey afternoon
---
[takes=3]
The clouds break, evening light on the water`;
const workflow = JSON.parse(await readFile(here("../example_workflows/long_video_takes.json"), "utf8"));
const node = workflow.nodes.find((each) => each.type === "WanVideoSVILongVideo");
const browser = await launch();
const frames = [];
try {
  const page = await open(browser, { width: 1440, height: 1000 }, { "Comfy.UseNewMenu": "Top" });
  let question = null;
  page.on("request", (request) => {
    if (request.url().endsWith("/wanvideo_svi/story")) question = request.postData();
  });
  await page.evaluate((graph) => app.loadGraphData(graph, true, true, "lake"), workflow);
  await page.evaluate(([id, story]) => {
    const found = app.graph.getNodeById(id);
    const set = (name, value) => (found.widgets.find((each) => each.name === name).value = value);
    set("story", story);
    set("reel", "lake");
    set("takes", 2);
  }, [node.id, STORY]);
  await page.waitForTimeout(2500);
  const folder = await mkdtemp(join(tmpdir(), "svi-desk-"));
  await writeFile(join(folder, "question.json"), question);
  execFileSync(python, [here("desk_reel.py"), join(folder, "question.json"), reels], { stdio: "inherit" });

  const shown = async (count = 1, wait = 90) => {
    for (let i = 0; i < count; i++) {
      const path = join(folder, `frame_${String(frames.length).padStart(3, "0")}.png`);
      await page.screenshot({ path });
      frames.push(path);
      await page.waitForTimeout(wait);
    }
  };
  const at = async (selector) => {
    const box = await page.locator(selector).first().boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 4 });
  };
  await page.evaluate(() => window.dispatchEvent(new Event("focus")));
  await page.evaluate(() => app.extensionManager.command.execute("WanVideoSVI.OpenDesk"));
  await page.waitForSelector('.svi-card[data-clip="5"][data-state="kept"]');
  await page.waitForFunction(() => [...desk().querySelectorAll(".svi-card img")].every((image) => image.naturalWidth));
  await page.waitForTimeout(600);
  await page.screenshot({ path: here("../web/docs/desk.jpg"), type: "jpeg", quality: QUALITY });
  await shown(6);

  // A clip plays under the mouse, a take is looked at and picked, a clip is mended.
  await at('.svi-card[data-clip="3"] .svi-shown');
  await page.waitForSelector('.svi-card[data-clip="3"] video:not([hidden])');
  await shown(12);
  const last = '.svi-card[data-clip="5"]';
  const take = await page.$eval(`${last} .svi-takes`, (takes) => [...takes.children].findIndex((each) => /^\d/.test(each.textContent)) + 1);
  await at(`${last} .svi-takes button:nth-child(${take})`);
  await page.click(`${last} .svi-takes button:nth-child(${take})`);
  await page.waitForSelector(`${last} video:not([hidden])`);
  await shown(8);
  await at(`${last} .svi-acts button:has-text("Compare")`);
  await page.click(`${last} .svi-acts button:has-text("Compare")`);
  await page.waitForFunction(() => [...document.querySelectorAll(".svi-viewer video:not([hidden])")].every((video) => video.readyState >= 2));
  await page.waitForTimeout(500);
  await page.screenshot({ path: here("../web/docs/desk_takes.jpg"), type: "jpeg", quality: QUALITY });
  await shown(10);
  await page.keyboard.press("Escape");
  await at(`${last} .svi-acts button:has-text("Pick")`);
  await page.click(`${last} .svi-acts button:has-text("Pick")`);
  await page.waitForTimeout(700);
  await shown(4);
  await at('.svi-card[data-clip="2"] textarea');
  await page.click('.svi-card[data-clip="2"] textarea');
  await page.keyboard.press("Control+a");
  const text = "Mist drifts over the hills, a heron lands";
  for (let i = 0; i < text.length; i += 5) {
    await page.keyboard.type(text.slice(i, i + 5));
    await shown(1, 10);
  }
  await at('.svi-card[data-clip="2"] .svi-acts button:has-text("Mend")');
  await page.click('.svi-card[data-clip="2"] .svi-acts button:has-text("Mend")');
  await page.waitForFunction(() => desk().querySelector(".svi-told").textContent.startsWith("To be made"));
  await at(".svi-desk > footer button.svi-main");
  await shown(14);
  const make = [
    "import sys", "from PIL import Image",
    "shown = [Image.open(path).convert('RGB').resize((960, 667), Image.Resampling.LANCZOS) for path in sys.argv[2:]]",
    "shown[0].save(sys.argv[1], save_all=True, append_images=shown[1:], duration=130, loop=0, quality=62, method=4)",
  ].join("\n");
  execFileSync(python, ["-c", make, here("../assets/desk.webp"), ...frames], { stdio: "inherit" });
} finally {
  await browser.close();
}
