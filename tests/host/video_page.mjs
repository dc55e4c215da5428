// SVI Long Video run by the Queue button's way in a real frontend: what its node shows after every kind of run.
//
// usage: node video_page.mjs URL CHROMIUM RUN.json FOLDER canvas|vue
// prints one JSON object of what was seen; pictures go to FOLDER. RUN.json: an API graph with a story of three clips.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [, , file, folder, nodes] = process.argv.slice(2);
const NODE = "WanVideoSVILongVideo";
const RUN_MS = 240000;

const browser = await launch();
const result = { troubles: [], runs: {} };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1300, height: 1900 }, settings, result.troubles);
  const graph = JSON.parse(await readFile(file, "utf8"));
  await page.evaluate((graph) => app.loadApiJson(graph, "run"), graph);
  // Saved with too little room, then as tall as in a template.
  await page.evaluate((type) => app.graph._nodes.find((each) => each.type === type).setSize([520, 600]), NODE);
  await page.waitForTimeout(1500);
  result.small = await page.evaluate(() => {
    const box = [...document.querySelectorAll("textarea")].find((each) => each.value.includes("lake"));
    return { story: box.clientHeight, needs: box.scrollHeight };
  });
  await page.evaluate((type) => app.graph._nodes.find((each) => each.type === type).setSize([520, 1150]), NODE);
  await page.waitForTimeout(1500);
  await page.keyboard.press("Escape");

  const look = async () => {
    await page.evaluate((type) => {
      const node = app.graph._nodes.find((each) => each.type === type);
      app.canvas.ds.scale = 1;
      const [x, y] = node.pos;
      app.canvas.ds.offset = [60 - x, 100 - y];
      app.canvas.setDirty(true, true);
    }, NODE);
    await page.waitForTimeout(1500);
    return page.evaluate((type) => {
      const node = app.graph._nodes.find((each) => each.type === type);
      const box = (one) => (({ x, y, width, height }) => ({ x, y, width, height }))(one.getBoundingClientRect());
      // On canvas the video stands in a widget of the node's, with Vue nodes inside the node's element.
      const root = document.querySelector(`[data-node-id="${node.id}"]`);
      const widget = node.widgets.find((each) => each.element?.querySelector?.("video") && !each.name.startsWith("svi_"));
      const video = root?.querySelector("video") ?? widget?.element.querySelector("video") ?? null;
      const pictures = [...(root ?? widget?.element ?? document.createElement("p")).querySelectorAll("img")];
      const { scale, offset } = app.canvas.ds;
      const [width, height] = node.size;
      const inNode = root ? box(root) : {
        x: (node.pos[0] + offset[0]) * scale, y: (node.pos[1] + offset[1]) * scale, width: width * scale, height: height * scale,
      };
      return {
        video: video && {
          ready: video.readyState, seconds: Math.round(video.duration * 100) / 100, playing: !video.paused,
          seen: video.isConnected && video.offsetParent !== null, ...box(video),
        },
        node: inNode,
        pictures: pictures.filter((each) => each.isConnected && each.offsetParent).length,
        drawn: node.imgs?.filter((each) => each.tagName === "IMG").length ?? 0, // by the canvas itself
        words: (root?.innerText ?? "").match(/failed to load|unknown file|error loading/gi) ?? [],
        story: Math.round(([...document.querySelectorAll("textarea")].find((each) => each.value.includes("lake"))
          ?.getBoundingClientRect().height) ?? 0),
      };
    }, NODE);
  };
  const run = async (name, change) => {
    if (change) {
      await page.evaluate(([type, story]) => {
        const node = app.graph._nodes.find((each) => each.type === type);
        node.widgets.find((each) => each.name === "story").value = story;
      }, [NODE, change]);
    }
    await page.evaluate(() => {
      window.ended = null;
      for (const event of ["execution_success", "execution_error", "execution_interrupted"]) {
        comfyAPI.api.api.addEventListener(event, ({ detail }) => (window.ended ??= [event, detail]), { once: true });
      }
      window.pictured = 0;
      comfyAPI.api.api.addEventListener("b_preview_with_metadata", () => window.pictured++);
      return app.queuePrompt(0, 1);
    });
    await page.waitForFunction(() => window.ended, null, { timeout: RUN_MS });
    const [event, detail] = await page.evaluate(() => window.ended);
    if (event !== "execution_success") throw new Error(`${name}: ${JSON.stringify(detail).slice(0, 1500)}`);
    await page.waitForTimeout(2500);
    let seen = await look();
    for (const until = Date.now() + 20000; Date.now() < until && !(seen.video?.playing && seen.video.ready >= 2); ) {
      seen = await look(); // a browser beside a busy server takes its time to load the video
    }
    result.runs[name] = { ...seen, pictured: await page.evaluate(() => window.pictured) };
    await page.screenshot({ path: `${folder}/${nodes}_${name}.png` });
  };
  result.before = await look();
  await run("made");
  await run("kept", "");
  await run("again", "a lake at dawn\n---\nanother boat appears\n---\nthe fog lifts");
  if (nodes === "canvas") { // a picture that was still being loaded when the video came
    result.late = await page.evaluate(async (type) => {
      const node = app.graph._nodes.find((each) => each.type === type);
      const picture = new Image();
      picture.src = "data:image/gif;base64,R0lGODlhAQABAAAAACH5BAEKAAEALAAAAAABAAEAAAICTAEAOw==";
      await picture.decode();
      node.imgs = [picture];
      app.canvas.setDirty(true, true);
      await new Promise((done) => setTimeout(done, 500));
      return { pictures: node.imgs?.length ?? 0, widgets: node.widgets.map((each) => each.name) };
    }, NODE);
  }
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
