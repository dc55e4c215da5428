// The strips in a real browser, on a page with a stub of ComfyUI's app and the server's own answers.
//
// usage: node strip_page.mjs URL CHROMIUM FOLDER   prints one JSON object of what was seen; pictures go to FOLDER

import { createRequire } from "node:module";
import { join } from "node:path";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const [url, executablePath, folder] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const EMBEDS = "WanVideoSVIEmbeds";

const NODES = [
  { title: "film", type: EMBEDS, values: { mode: "film", num_frames: 81 }, connected: { start_image: "ImageScale" } },
  {
    title: "shot, later clip, end", type: EMBEDS, values: { mode: "shot", num_frames: 81 },
    connected: { start_image: "WanVideoDecode", ref_image: "LoadImage", end_image: "LoadImage" },
  },
  {
    title: "end padding", type: EMBEDS,
    values: { mode: "film", num_frames: 49, end_padding: "end", end_padding_frames: 7, overlap_frames: 4 },
    connected: { start_image: "WanVideoDecode", end_image: "LoadImage" },
  },
  { title: "would not run", type: EMBEDS, values: { mode: "film", num_frames: 81 }, connected: { start_image: "LoadImage" } },
  {
    title: "pro", type: "WanVideoSVILatentEmbeds", values: { num_frames: 81, motion_latents: 2 },
    connected: { anchor_samples: "WanVideoEncode", prev_samples: "WanVideoSampler", end_samples: "WanVideoEncode" },
  },
  {
    title: "key frames, region", type: "WanVideoSVITemporalMask",
    values: { num_frames: 81, keyframes: "20, 40, 60-64", feather: 2, overlap_frames: 9 },
    connected: { motion_frames: "WanVideoDecode", keyframe_images: "ImageBatch", region: "LoadImageMask" },
  },
  {
    title: "custom", type: "WanVideoI2VCustomEmbeds", values: { length: 81 },
    connected: { concat_latent_image: "WanVideoEncode", concat_mask: "WanVideoVACEStartToEndFrame" },
  },
  {
    title: "shots", type: "WanVideoHoloCinePrompt",
    values: { global_caption: "a forest", shots: "a fox wakes\nit runs\nit rests", num_frames: 241 },
  },
  {
    title: "linked, 320 wide", type: EMBEDS, width: 320, values: { mode: "film", num_frames: 81 },
    connected: { start_image: "ImageScale", num_frames: "SimpleMath" },
  },
  {
    title: "end behind, 500 wide", type: EMBEDS, width: 500, values: { mode: "i2v", num_frames: 81, fun_or_fl2v_model: false },
    connected: { start_image: "LoadImage", end_image: "LoadImage" },
  },
];

const browser = await chromium.launch({ executablePath, headless: true, args });
try {
  const page = await browser.newPage({ viewport: { width: 1300, height: 620 }, deviceScaleFactor: 2 });
  const result = { console: [] };
  page.on("pageerror", (error) => result.console.push(error.message));
  page.on("console", (said) => said.type() === "error" && !/favicon/.test(said.location().url) && result.console.push(said.text()));
  await page.goto(url);
  await page.waitForFunction(() => window.ready);
  const plots = (count) => page.waitForFunction((count) => document.querySelectorAll(".svi-plot, .svi-words").length === count, count);
  const text = (index, selector) => page.evaluate(
    ([index, selector]) => window.nodes[index].box.querySelector(selector)?.textContent ?? null, [index, selector],
  );
  const label = (index) => page.evaluate(
    (index) => window.nodes[index].box.querySelector("[role=img]").getAttribute("aria-label"), index,
  );
  const settled = (index, words) => page.waitForFunction(
    ([index, words]) => window.nodes[index].box.querySelector(".svi-strip").textContent.includes(words), [index, words],
  );
  const set = (index, name, value) => page.evaluate(
    ([index, name, value]) => window.setValue(window.nodes[index], name, value), [index, name, value],
  );

  await page.evaluate((all) => (window.nodes = all.map(window.addNode)), NODES);
  await plots(NODES.length);
  result.requests = await page.evaluate(() => window.requests.splice(0));
  result.labels = [];
  for (const index of NODES.keys()) result.labels.push(await label(index));
  result.fits = await page.evaluate(() => [...document.querySelectorAll(".svi-strip")].every(
    (strip) => strip.scrollHeight <= strip.clientHeight && [...strip.children].every((each) => each.offsetTop >= 0),
  ));
  await page.screenshot({ path: join(folder, "strip_dark.png") });
  await page.evaluate(() => (document.body.className = "light"));
  await page.waitForFunction(() => document.documentElement.dataset.sviTheme === "light");
  await page.screenshot({ path: join(folder, "strip_light.png") });
  result.backs = [await page.evaluate(() => getComputedStyle(document.querySelector(".svi-strip")).backgroundColor)];
  await page.evaluate(() => (document.body.className = "dark"));
  await page.waitForFunction(() => document.documentElement.dataset.sviTheme === "dark");
  result.backs.push(await page.evaluate(() => getComputedStyle(document.querySelector(".svi-strip")).backgroundColor));

  // A value is dragged, a mode is chosen, a link is pulled and put back.
  for (let frames = 85; frames <= 121; frames += 4) await set(0, "num_frames", frames);
  await settled(0, "121 frames, 31 latents");
  result.dragged = [await text(0, ".svi-head"), await text(0, ".svi-legend")];
  await set(0, "num_frames", 82);
  await settled(0, "4k+1");
  result.bad = [await text(0, ".svi-words"), await label(0)];
  await set(0, "num_frames", 81);
  await settled(0, "81 frames");
  await page.evaluate(() => window.disconnect(window.nodes[0], "start_image"));
  await settled(0, "needs start_image");
  await page.evaluate(() => window.connect(window.nodes[0], "start_image", "LoadImage"));
  await settled(0, "start_image has 1");
  await set(0, "mode", "i2v");
  await settled(0, "motion 0");
  result.legend = await text(0, ".svi-legend");

  // Mouse and keys.
  const box = await page.locator(".svi-lane").nth(1).boundingBox();
  await page.mouse.move(box.x + box.width - 2, box.y + box.height / 2);
  result.hover = [await text(1, ".svi-head"), await text(1, ".svi-status")];
  await page.mouse.wheel(0, 100);
  await page.mouse.move(0, 0);
  result.left = [await text(1, ".svi-head"), await text(1, ".svi-status")];
  result.wheel = await page.evaluate(() => window.wheel);
  await page.locator(".svi-plot").nth(1).focus();
  result.heard = [];
  for (const keys of ["ArrowRight", "ArrowRight", "Shift+ArrowRight", "End", "Escape"]) {
    await page.keyboard.press(keys);
    result.heard.push(await text(1, ".svi-heard"));
  }
  result.cursors = await page.evaluate(() => document.querySelectorAll(".svi-cursor").length);
  await set(1, "num_frames", 49);
  await settled(1, "49 frames");
  result.focused = await page.evaluate(() => window.nodes[1].box.contains(document.activeElement));

  // A server that is silent, then back; one that is of before the strips.
  await page.evaluate(() => (window.offline = true));
  await set(1, "num_frames", 53);
  await settled(1, "does not answer");
  result.silent = await label(1);
  await page.evaluate(() => ((window.offline = false), window.reconnect()));
  await settled(1, "53 frames");
  await page.evaluate(() => (window.oldServer = true));
  await set(1, "num_frames", 57);
  await settled(1, "restart ComfyUI");
  await page.evaluate(() => ((window.oldServer = false), window.reconnect()));
  await settled(1, "57 frames");

  // A hundred nodes.
  await page.evaluate(() => {
    for (const node of window.nodes) node.onRemoved();
    document.querySelector("#nodes").replaceChildren();
    window.requests.length = 0;
  });
  const began = Date.now();
  await page.evaluate((type) => {
    window.nodes = Array.from({ length: 100 }, (_, index) => window.addNode({
      type, values: { mode: "film", num_frames: 81 + 4 * index, padding: "recipe" }, connected: { start_image: "ImageScale" },
    }));
  }, EMBEDS);
  await plots(100);
  result.loadMs = Date.now() - began;
  result.loadRequests = await page.evaluate(() => window.requests.splice(0));
  result.changeMs = await page.evaluate(async () => {
    const times = [];
    for (let turn = 0; turn < 30; turn++) {
      const node = window.nodes[(turn * 7) % 100];
      const strip = node.box.querySelector(".svi-strip");
      const changed = new Promise((done) => {
        const observer = new MutationObserver(() => (observer.disconnect(), done()));
        observer.observe(strip, { childList: true });
      });
      const start = performance.now();
      window.setValue(node, "num_frames", 1001 + 4 * turn);
      await changed;
      strip.getBoundingClientRect(); // laid out
      times.push(performance.now() - start);
      await new Promise((done) => setTimeout(done, 15));
    }
    return times.sort((a, b) => a - b);
  });
  result.drawMs = await page.evaluate(() => {
    const start = performance.now();
    for (const node of window.nodes) node.widgets.at(-1).options.onDraw();
    return performance.now() - start;
  });
  result.errors = await page.evaluate(() => window.pageErrors);
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
