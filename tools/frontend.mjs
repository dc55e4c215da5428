// Opens ComfyUI's frontend for the pictures that tools take of it, and for the tests that drive it.

import { createRequire } from "node:module";

const { chromium } = createRequire(import.meta.url)("playwright-core");

const COMFYUI = process.argv[2] ?? process.env.COMFYUI_URL ?? "http://127.0.0.1:8188";
const CHROMIUM = process.argv[3] ?? process.env.CHROMIUM ?? "/usr/bin/chromium";

export const QUALITY = 88; // of JPEG
export const VIDEO_ROOM = 460; // of Long Video in the examples, for the video that it shows when it has run: none in pictures

const FLAGS = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];
const SETTINGS = {
  "Comfy.ColorPalette": "dark",
  "Comfy.Graph.CanvasInfo": false,
  "Comfy.Graph.CanvasMenu": false,
  "Comfy.Minimap.Visible": false,
  "Comfy.NodeBadge.NodeSourceBadgeMode": "None",
  "Comfy.TutorialCompleted": true, // no template browser at start
  "Comfy.UseNewMenu": "Disabled",
  "LiteGraph.Canvas.MinFontSizeForLOD": 0, // text at any zoom
};

// Makes an error of each warning that something is deprecated which one of this pack's scripts has called for.
const TELL_DEPRECATED = () => {
  Error.stackTraceLimit = 60;
  const { warn } = console;
  console.warn = (...said) => {
    const stack = new Error().stack.split("\n").filter((line) => /\/svi_\w+\.js/.test(line));
    const names = /svi_|wanvideo[-_ ]?svi/i.test(said.join(" "));
    if (/deprecat/i.test(said.join(" ")) && (stack.length || names)) console.error(`svi-deprecated: ${said[0]} ${stack[0] ?? ""}`);
    warn.apply(console, said);
  };
};

export const launch = () => chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS });

/** Pans to the plan on the first SVI Long Video of a graph, wherever on a node that may be taller than the page. */
export async function showPanel(page) {
  await page.evaluate(() => {
    app.canvas.ds.scale = 1;
    app.canvas.centerOnNode(app.graph._nodes.find((node) => node.type === "WanVideoSVILongVideo"));
    app.canvas.setDirty(true, true);
  });
  await page.waitForTimeout(700);
  await page.evaluate(() => {
    const box = document.querySelector(".svi-story header button")?.parentElement.getBoundingClientRect();
    if (box) app.canvas.ds.offset[1] -= (box.top - 400) / app.canvas.ds.scale;
    app.canvas.setDirty(true, true);
  });
  await page.waitForTimeout(700);
}

/**
 * Opens the frontend with SETTINGS and `settings`, whatever the server has stored; nothing is stored there.
 * viewport: {width, height} in pixels. troubles: takes the errors of this pack's scripts, and what they do that is
 * deprecated. apps: whether workflows that open as an app do so; pictures and tests look at their nodes. before: gets the
 * page before it goes to the frontend.
 */
export async function open(browser, viewport, settings = {}, troubles = [], { apps = false, before = () => {} } = {}) {
  const page = await browser.newPage({ viewport });
  await before(page);
  const ours = (text) => /svi_|svi-|wanvideo[-_]?svi/i.test(text);
  page.on("pageerror", (error) => ours(`${error.message}${error.stack}`) && troubles.push(error.message));
  // The frontend asks for a help page in its language first, and takes the English one where there is none.
  const noTranslation = (where) => /\/docs\/\w+\/\w+\.md/.test(where);
  page.on("console", (said) => {
    const where = said.location().url;
    if (said.type() !== "error" || !ours(`${said.text()}${where}`) || noTranslation(where)) return;
    troubles.push(`${said.text()} ${where}`);
  });
  await page.route("**/api/settings", (route) =>
    route.fulfill({ json: route.request().method() === "GET" ? { ...SETTINGS, ...settings } : {} }),
  );
  // It asks how large missing models are, and a registry for the packs of nodes: nothing leaves this machine.
  const empty = { status: 200, headers: { "access-control-allow-origin": "*", "content-length": "0" } };
  await page.route("https://huggingface.co/**", (route) => route.fulfill(empty));
  await page.route("https://api.comfy.org/**", (route) =>
    route.fulfill({ json: {}, headers: { "access-control-allow-origin": "*", "access-control-allow-headers": "*" } }),
  );
  await page.route("**/api/settings/*", (route) => route.fulfill({ json: {} }));
  await page.addInitScript(TELL_DEPRECATED);
  // Where the parts of the desk are found: it stands in a shadow root.
  await page.addInitScript(() => (window.desk = () => document.querySelector(".svi-behind")?.shadowRoot ?? document));
  await page.goto(COMFYUI);
  await page.waitForFunction(() => window.app?.vueAppReady && app.extensionManager?.workflow?.activeWorkflow);
  await page.evaluate(() => (LiteGraph.alwaysRepeatWarnings = true)); // else who asks second is not told of
  if (!apps) {
    await page.evaluate(() => {
      const load = app.loadGraphData;
      app.loadGraphData = function (graph, ...rest) {
        const plain = graph?.extra?.linearMode ? { ...graph, extra: { ...graph.extra, linearMode: false } } : graph;
        return load.call(this, plain, ...rest);
      };
    });
  }
  await page.addStyleTag({ content: ".comfy-menu { display: none !important }" });
  return page;
}
