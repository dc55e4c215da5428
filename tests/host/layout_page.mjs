// Where the nodes of every template stand in a real browser: their boxes as they are drawn, groups, and what of a text is cut off;
// and what ComfyUI offers for model files that are missing.
//
// usage: node layout_page.mjs URL CHROMIUM PACK FOLDER canvas|vue [template ...]
// PACK: the pack's folder in custom_nodes. Every model file of the templates is on the server, and dance.mp4, voice.wav,
// ran.png and ran.mp4 lie in its input folder. Prints one JSON object; pictures go to FOLDER.

import { launch, open } from "../../tools/frontend.mjs";

const [url, , pack, folder, nodes, ...wanted] = process.argv.slice(2);
const OFFERED = "svi_talk_chain"; // its files are for seven folders
// Nodes that show a picture, or a video, when they have run.
const PICTURES = [
  "WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoSVITemporalMask",
  "WanVideoReferenceCanvas", "WanVideoHighLowPair",
];
const VIDEOS = ["WanVideoSVILongVideo", "SaveVideo"];
const MODEL = /\.(safetensors|ckpt|pth?|bin|gguf)$/;

/** Makes the page believe that no model file is on the server. */
async function withoutFiles(page) {
  const bare = (spec) => {
    const [kind, options] = spec;
    if (Array.isArray(kind)) return [kind.filter((name) => !MODEL.test(name)), ...spec.slice(1)];
    if (Array.isArray(options?.options))
      return [kind, { ...options, options: options.options.filter((name) => !MODEL.test(name)) }];
    return spec;
  };
  await page.route("**/object_info", async (route) => {
    const all = await (await route.fetch()).json();
    for (const node of Object.values(all))
      for (const group of Object.values(node.input ?? {}))
        for (const [name, spec] of Object.entries(group)) if (Array.isArray(spec)) group[name] = bare(spec);
    await route.fulfill({ json: all });
  });
}

/** Boxes in the graph's own measure. A Vue node is as large as everything in it, the button at its foot too. */
const measure = (page) => page.evaluate(() => {
  const { ds } = app.canvas;
  const vue = Boolean(LiteGraph.vueNodesMode);
  const origin = app.canvas.canvas.getBoundingClientRect();
  const RAN = ["$$canvas-image-preview", "video-preview"];
  const pictures = (node) => (node.widgets ?? []).filter(({ name }) => RAN.includes(name));
  const place = (node) => {
    if (!vue) {
      const [x, y, width, height] = node.getBounding();
      // On the canvas a picture may hang out of its node.
      const feet = pictures(node).map((widget) => node.pos[1] + widget.y + (widget.computedHeight ?? 0) - y);
      return [x, y, width, Math.max(height, ...feet)];
    }
    const shown = document.querySelector(`[data-node-id="${node.id}"]`);
    const all = [shown, ...shown.querySelectorAll("*")].filter((each) => !each.closest("[data-corner]"))
      .map((each) => each.getBoundingClientRect()).filter((box) => box.width && box.height);
    const [left, top] = ["left", "top"].map((side) => Math.min(...all.map((box) => box[side])));
    const [right, bottom] = ["right", "bottom"].map((side) => Math.max(...all.map((box) => box[side])));
    return [
      (left - origin.left) / ds.scale - ds.offset[0], (top - origin.top) / ds.scale - ds.offset[1],
      (right - left) / ds.scale, (bottom - top) / ds.scale,
    ];
  };
  // Notes and text boxes that are shown: by how many pixels they are cut off.
  const cut = (node) => {
    const inside = [...document.querySelectorAll(`[data-node-id="${node.id}"] :is(textarea, .comfy-markdown-content)`)];
    const own = (node.widgets ?? []).map(({ element, inputEl }) => element ?? inputEl).filter(Boolean)
      .flatMap((each) => [each, ...each.querySelectorAll(".tiptap")]).filter((each) => each.matches("textarea, .tiptap"));
    return [...new Set([...inside, ...own])].filter((each) => each.checkVisibility() && each.clientHeight)
      .map((each) => each.scrollHeight - each.clientHeight);
  };
  return {
    nodes: app.graph._nodes.map((node) => ({
      id: Number(node.id), type: node.type, title: node.title, box: place(node)?.map(Math.round), cut: cut(node),
      shows: vue ? document.querySelectorAll(`[data-node-id="${node.id}"] :is(img, video)`).length
        : pictures(node).length || (node.imgs?.length ?? 0),
    })),
    groups: app.graph.groups.map((group) => ({ title: group.title, box: [...group.pos, ...group.size].map(Math.round) })),
  };
});

/** Until the view that a template opens with stands still. */
async function settled(page) {
  const view = () => page.evaluate(() => JSON.stringify([app.canvas.ds.scale, ...app.canvas.ds.offset]));
  for (let last = ""; last !== (last = await view()); ) await page.waitForTimeout(400);
}

/** As if every node that shows a picture or a video had run: ComfyUI is told so, in the messages of a run. */
async function ran(page) {
  await page.evaluate(([pictures, videos]) => {
    for (const node of app.graph._nodes) {
      const film = videos.includes(node.type);
      if (!film && !pictures.includes(node.type)) continue;
      const output = film
        ? { images: [{ filename: "ran.mp4", subfolder: "", type: "input" }], animated: [true] }
        : { images: [{ filename: "ran.png", subfolder: "", type: "input" }] };
      const detail = { node: String(node.id), display_node: String(node.id), output, prompt_id: "ran" };
      window.comfyAPI.api.api.dispatchCustomEvent("executed", detail);
    }
    app.canvas.setDirty(true, true);
  }, [PICTURES, VIDEOS]);
  await page.waitForTimeout(2000);
}

/** What ComfyUI's panel says of missing models, by its words; null where a frontend has none. */
async function offered(page) {
  const details = page.getByText("View details").first();
  if (!(await details.count())) return null;
  await details.click();
  const panel = page.getByTestId("error-group-missing-model");
  await panel.waitFor();
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}/${nodes}_offered.png` });
  const words = (await panel.innerText()).split("\n").map((line) => line.trim()).filter(Boolean);
  const models = await page.evaluate(() => {
    const page = document.querySelector("#vue-app").__vue_app__.config.globalProperties;
    return page.$pinia._s.get("missingModel").missingModelCandidates.map(({ name, directory, url }) => [name, directory, url]);
  });
  return { words, models };
}

const browser = await launch();
const result = { troubles: [], templates: {}, offered: null };
try {
  const settings = {
    "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top", "Comfy.NodeBadge.NodeSourceBadgeMode": "HideBuiltIn",
  };
  for (const missing of [true, false]) {
    const before = missing ? withoutFiles : undefined;
    const page = await open(browser, { width: 1600, height: 1200 }, settings, result.troubles, { before });
    await page.waitForTimeout(800);
    const names = (await (await fetch(`${url}/api/workflow_templates`)).json())[pack];
    for (const name of names.sort().filter((each) => !wanted.length || wanted.includes(each))) {
      const graph = await (await fetch(`${url}/api/workflow_templates/${pack}/${name}.json`)).json();
      await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, name]);
      await page.waitForTimeout(1200);
      await page.keyboard.press("Escape"); // an older frontend names what is missing in a dialog
      await settled(page);
      const states = (result.templates[name] ??= {});
      const state = missing ? "missing" : "there";
      states[state] = await measure(page);
      await page.screenshot({ path: `${folder}/${nodes}_${state}_${name}.png` });
      if (missing) continue;
      await ran(page);
      states.ran = await measure(page);
      await page.screenshot({ path: `${folder}/${nodes}_ran_${name}.png` });
    }
    if (missing) {
      const graph = await (await fetch(`${url}/api/workflow_templates/${pack}/${OFFERED}.json`)).json();
      await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, OFFERED]);
      await page.waitForTimeout(1500);
      result.offered = await offered(page);
    }
    await page.close();
  }
} finally {
  console.log(JSON.stringify(result));
  await browser.close();
}
