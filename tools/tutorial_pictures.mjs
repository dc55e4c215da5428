// Makes docs/tutorials/pictures/*.jpg: the templates of the tutorials after a run in a real ComfyUI.
//
// usage:  NODE_PATH=<folder>/node_modules node tools/tutorial_pictures.mjs [URL of ComfyUI] [Chromium] PYTHON [tutorial ...]
//
// Needs what tools/thumbnails.mjs needs, and a ComfyUI that can run the templates: on a CPU, with the tiny models that
// tests/support/host/make_models.py and make_native_models.py write, by the names that the templates load, and
// tests/support/host/test_nodes in custom_nodes, whose nodes stand in for those that load other models (STAND_INS). PYTHON: one
// with this pack. Files go to ComfyUI's input folder, reels to output/svi_reels: a second run of the tool keeps their clips.

import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { launch, open } from "./frontend.mjs";

const WORKFLOWS = new URL("../example_workflows/", import.meta.url);
const PICTURES = new URL("../docs/tutorials/pictures/", import.meta.url);
const SMALL = { width: 112, height: 64 }; // of all clips: about the shape of 832x480, half a minute a clip
const LATER = 6000; // a clip's files are written and its picture drawn while the next one is made
const MARGIN = 20; // around the nodes, in pixels
const LIGHT = 80; // quality of JPEG: clips of random weights are noise, which makes large files

const STAND_INS = {
  CLIPLoader: "SVITestCLIP", CLIPVisionLoader: "SVITestClipVision", LoadWanVideoT5TextEncoder: "SVITestT5",
  Wav2VecModelLoader: "SVITestWav2Vec", WanVideoUniAnimateDWPoseDetector: "SVITestPoses",
};
// A CPU takes minutes for some kinds of numbers: [node, widget, value]
const FOR_CPU = [
  ["WanVideoVAELoader", "precision", "fp32"],
  ["Model for the first clip (UniAnimate, no SVI LoRA)", "base_precision", "fp32"],
  ["Model for the following clips (both)", "base_precision", "fp32"],
];
const STORY = "The whole video";
const STORY_AT = [STORY, 340, 0, 580, 1180]; // beside a column of the nodes that it gets its models and images from
const LIGHTHOUSE = `A lighthouse on a cliff at dusk, waves below
---
The lamp lights up and begins to turn
---
Fog rolls in from the sea`;
const POTTER = `[repeat=4]
A potter shapes a bowl on the wheel, hands wet with clay, steady camera`;

// set: [title or type of nodes, widget, value].
// add: [type, title, widgets, [title of another node, output, input]]: one more node, connected to the other, in either direction.
// during: a second picture, NAME_running, is taken when the page says this; not when the clips are kept.
// shown: [title, x, y, width, height] of the nodes in the picture; the others are moved away, and their links are not drawn. A
// height that is left out or too small is what the node needs.
const TUTORIALS = {
  film: {
    workflow: "long_video_film",
    set: [["First image", "image", "panda.png"]],
    during: "clip 4 of 4",
    shown: [["First image", 0, 0, 300, 300], ["SVI LoRA", 0, 360, 300], ["Model for the following clips", 0, 640, 300], STORY_AT],
  },
  shot: {
    workflow: "long_video_shot",
    set: [["First image", "image", "potter.png"], [STORY, "story", POTTER]],
    shown: [["First image", 0, 0, 300, 300], ["SVI LoRA", 0, 360, 300], ["Model for the following clips", 0, 640, 300], STORY_AT],
  },
  "svi2-pro": {
    workflow: "long_video_svi2_pro",
    set: [["First image", "image", "lighthouse.png"], [STORY, "story", LIGHTHOUSE]],
    shown: [
      ["First image", 0, 0, 300, 300],
      ["SVI LoRA (high noise)", 0, 360, 300], ["Model for the following clips (high noise)", 0, 640, 300],
      ["SVI LoRA (low noise)", 0, 800, 300], ["Model for the following clips (low noise)", 0, 1080, 300], STORY_AT,
    ],
  },
  native: {
    workflow: "long_video_native_svi2_pro",
    set: [["First image", "image", "lighthouse.png"], [STORY, "story", LIGHTHOUSE]],
    shown: [
      ["First image", 0, 0, 300, 300], ["Model (high noise)", 0, 360, 300],
      ["SVI LoRA (high noise): model for the following clips", 0, 540, 300], ["Model (low noise)", 0, 720, 300],
      ["SVI LoRA (low noise): model for the following clips", 0, 900, 300], STORY_AT,
    ],
  },
  talk: {
    workflow: "long_video_talk",
    set: [["First image", "image", "woman.png"]],
    shown: [
      ["First image", 0, 0, 300, 300], ["Voice", 0, 360, 300], ["num_frames: the whole audio, 25 a second", 0, 620, 300], STORY_AT,
    ],
  },
  dance: {
    workflow: "svi_dance_chain",
    set: [["First image", "image", "woman.png"]],
    add: [["PreviewAny", "What the dance needs", {}, ["Clip 1: its part of the dance", "info", "source"]]],
    shown: [
      ["Dance", 0, 0, 300, 320], ["First image", 0, 380, 300, 300], ["Clip 1: its part of the dance", 340, 0, 300],
      ["What the dance needs", 340, 340, 300, 240], ["Clip 2: its part of the dance", 340, 640, 300], ["Clip 2: dance", 680, 0, 300],
    ],
  },
  "fun-inp": {
    workflow: "fun_inp_film_chain",
    set: [["First image", "image", "panda.png"]],
    add: [["LoadImage", "End image", { image: "lighthouse.png" }, ["Clip 3: frames and mask", "IMAGE", "end_image"]]],
    shown: [
      ["First image", 0, 0, 300, 300], ["End image", 0, 380, 300, 300], ["Clip 3: frames and mask", 340, 0, 600, 620],
    ],
  },
  "fun-inp-keyframes": {
    workflow: "fun_inp_keyframes",
    set: [["First image", "image", "panda.png"], ["Middle image", "image", "lighthouse.png"], ["Last image", "image", "woman.png"]],
    shown: [
      ["First image", 0, 0, 240, 240], ["Middle image", 0, 380, 240, 240], ["Last image", 0, 760, 240, 240],
      ["Frames and mask", 280, 0, 640, 700],
    ],
  },
  holocine: {
    workflow: "holocine_pusa_magref_pair",
    set: [["First frame", "image", "panda.png"], ["Reference: who or what appears", "image", "panda.png"]],
    shown: [
      ["First frame", 0, 0, 300, 300], ["Reference: who or what appears", 0, 380, 300, 300], ["The scene and its shots", 340, 0, 560],
      ["HoloCine, then MAGREF", 340, 590, 560, 820], ["Save Video", 0, 760, 300, 300],
    ],
  },
};

/** Sends files to ComfyUI's input folder. */
async function upload(page, folder) {
  for (const name of (await readdir(folder)).filter((each) => !each.endsWith(".json"))) {
    const data = (await readFile(join(folder, name))).toString("base64");
    await page.evaluate(async ([name, data]) => {
      const body = new FormData();
      body.append("image", new File([Uint8Array.from(atob(data), (each) => each.charCodeAt(0))], name));
      body.append("overwrite", "true");
      const answer = await app.api.fetchApi("/upload/image", { method: "POST", body });
      if (!answer.ok) throw new Error(`${name}: ${await answer.text()}`);
    }, [name, data]);
  }
}

/** Opens a template with its widgets set. */
async function load(page, { workflow, set, add = [] }) {
  const graph = JSON.parse(await readFile(new URL(`${workflow}.json`, WORKFLOWS), "utf8"));
  await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, workflow]);
  await page.waitForTimeout(2000); // nodes grow, and ask the server for their strips
  const ours = FOR_CPU.filter(([of]) => graph.nodes.some(({ title, type }) => title === of || type === of));
  await page.evaluate(([set, add, small, standIns]) => {
    const change = (node, name, value) => {
      const widget = node.widgets?.find((each) => each.name === name);
      if (!widget) return false;
      widget.value = value;
      widget.callback?.(value);
      return true;
    };
    for (const node of app.graph.nodes)
      for (const [name, value] of Object.entries(small)) if (!/^(Create|Save)/.test(node.type)) change(node, name, value);
    for (const [of, name, value] of set)
      for (const node of app.graph.nodes.filter(({ title, type }) => title === of || type === of))
        if (!change(node, name, value)) throw new Error(`${of} has no ${name}`);
    for (const [type, title, values, [neighbour, output, input]] of add) {
      const node = LiteGraph.createNode(type);
      app.graph.add(node);
      node.title = title;
      for (const [name, value] of Object.entries(values)) change(node, name, value);
      const other = app.graph.nodes.find((each) => each.title === neighbour);
      const [from, to] = node.findOutputSlot(output) >= 0 && other.findInputSlot(input) >= 0 ? [node, other] : [other, node];
      if (!from.connect(from.findOutputSlot(output), to, to.findInputSlot(input))) throw new Error(`${title} is not connected`);
    }
    const ask = app.graphToPrompt;
    app.graphToPrompt = async function (...given) {
      const prompt = await ask.apply(this, given);
      for (const node of Object.values(prompt.output)) node.class_type = standIns[node.class_type] ?? node.class_type;
      return prompt;
    };
  }, [[...ours, ...set], add, SMALL, STAND_INS]);
  await page.waitForTimeout(1000);
}

/** Presses Run, and waits for the end. during: called while it runs. */
async function run(page, name, during) {
  await page.evaluate(async () => {
    window.ended = null;
    for (const event of ["execution_success", "execution_error", "execution_interrupted"])
      app.api.addEventListener(event, ({ detail }) => {
        ended = { event, why: detail.exception_message ?? "", node: detail.node_type };
      });
    if (!(await app.queuePrompt(0))) ended = { event: "refused", why: JSON.stringify(app.lastNodeErrors) };
  });
  await during();
  await page.waitForFunction(() => ended, null, { timeout: 0 });
  const ended = await page.evaluate(() => window.ended);
  if (ended.event !== "execution_success") throw new Error(`${name}: ${JSON.stringify(ended)}`);
  await page.waitForTimeout(3000); // the plan is asked for again, the video is loaded
}

/** Moves the nodes shown to their places and all others out of sight; returns the part of the page to take. */
async function arrange(page, shown) {
  await page.evaluate(([shown, margin]) => {
    const places = new Map(shown.map(([title, ...place]) => {
      const node = app.graph.nodes.find((each) => each.title === title);
      if (!node) throw new Error(`no node ${title}`);
      return [node, place];
    }));
    for (const group of [...app.graph.groups]) app.graph.remove(group);
    for (const node of app.graph.nodes) {
      const [x, y, width, height] = places.get(node) ?? [];
      if (x === undefined) node.pos = [node.pos[0] - 9000, node.pos[1]];
      else {
        node.pos = [x, y];
        node.setSize([width, height ?? node.size[1]]);
      }
    }
    const inPicture = new Set([...places.keys()].map(({ id }) => String(id)));
    const draw = (app.canvas.sviDraw ??= app.canvas.renderLink); // a second picture comes here again
    app.canvas.renderLink = function (context, from, to, link, ...rest) {
      const inside = !link || [link.origin_id, link.target_id].every((id) => inPicture.has(String(id)));
      if (inside) draw.call(this, context, from, to, link, ...rest); // no other leads to anything that is seen
    };
    app.canvas.deselectAll?.();
    app.canvas.ds.scale = 1;
    app.canvas.ds.offset = [margin, margin + 40];
    app.canvas.setDirty(true, true);
    window.shownNodes = [...places.keys()].map(({ id }) => String(id));
  }, [shown, MARGIN]);
  await page.waitForTimeout(2000);
  const boxes = await page.evaluate(() => shownNodes.map((id) => {
    const box = document.querySelector(`[data-node-id="${id}"]`).getBoundingClientRect();
    return [box.left, box.top, box.right, box.bottom];
  }));
  const edge = (at, pick) => pick(...boxes.map((box) => box[at]));
  const [left, top] = [edge(0, Math.min) - MARGIN, edge(1, Math.min) - MARGIN];
  const [width, height] = [edge(2, Math.max) + MARGIN - left, edge(3, Math.max) + MARGIN - top];
  return { x: Math.max(0, left), y: Math.max(0, top), width, height };
}

/** The dialog of the migration over an old graph. */
async function oldGraph(page, path) {
  const graph = JSON.parse(await readFile(join(folder, "old_graph.json"), "utf8"));
  await page.evaluate((graph) => app.loadGraphData(graph, true, true, "old graph"), graph);
  await page.waitForTimeout(1500);
  await page.addStyleTag({ content: ".p-toast { display: none }" }); // what is missing here is known
  await page.evaluate(() => app.extensionManager.command.execute("WanVideoSVI.Migrate"));
  await page.waitForSelector("dialog.svi-migrate");
  await page.evaluate(() => document.activeElement.blur());
  await page.waitForTimeout(500);
  await page.screenshot({ path, type: "jpeg", quality: LIGHT });
}

const [, , , , python, ...wanted] = process.argv;
const pathOf = (name) => fileURLToPath(new URL(`${name}.jpg`, PICTURES));
const folder = await mkdtemp(join(tmpdir(), "svi-tutorials-"));
execFileSync(python, [fileURLToPath(new URL("tutorial_files.py", import.meta.url)), folder], { stdio: "inherit" });
await mkdir(PICTURES, { recursive: true });
const browser = await launch();
try {
  for (const [name, tutorial] of Object.entries(TUTORIALS).filter(([name]) => !wanted.length || wanted.includes(name))) {
    const page = await open(browser, { width: 1400, height: 2200 }, { "Comfy.VueNodes.Enabled": true });
    await upload(page, folder);
    await load(page, tutorial);
    const take = async (name) => {
      const clip = await arrange(page, tutorial.shown);
      await page.screenshot({ path: pathOf(name), clip, type: "jpeg", quality: LIGHT });
      console.log(pathOf(name));
    };
    await run(page, name, async () => {
      if (!tutorial.during) return;
      await page.waitForFunction((text) => ended || document.body.innerText.includes(text), tutorial.during, { timeout: 0 });
      await page.waitForTimeout(LATER);
      if (!(await page.evaluate(() => ended))) await take(`${name}_running`);
    });
    await take(name);
    await page.close();
  }
  if (!wanted.length || wanted.includes("old-graph")) {
    const page = await open(browser, { width: 880, height: 900 }, { "Comfy.Workflow.ShowMissingNodesWarning": false });
    await oldGraph(page, pathOf("old-graph"));
    console.log(pathOf("old-graph"));
  }
} finally {
  await browser.close();
}
