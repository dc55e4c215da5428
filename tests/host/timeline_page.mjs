// The strips as a user meets them, in a real browser: a template opened, changed, undone, saved, opened again, pasted.
//
// usage: node timeline_page.mjs URL CHROMIUM WORKFLOW.json RUN.json FOLDER canvas|vue
// prints one JSON object of what was seen; pictures go to FOLDER. RUN.json: a small API graph.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [, , file, run, folder, nodes] = process.argv.slice(2);
const NODE = "WanVideoSVIEmbeds";

const browser = await launch();
const result = { troubles: [] };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1500, height: 1000 }, settings, result.troubles);
  await page.waitForTimeout(500);
  const graph = JSON.parse(await readFile(file, "utf8"));

  const load = async (workflow, name) => {
    await page.evaluate(([workflow, name]) => app.loadGraphData(workflow, true, true, name), [workflow, name]);
    await page.waitForTimeout(1500);
    await page.keyboard.press("Escape"); // a dialog of what is missing here
  };
  // What each strip of the graph at hand says: by node id.
  const strips = () => page.evaluate((type) => Object.fromEntries(app.canvas.graph._nodes
    .filter((node) => node.type === type)
    .map((node) => {
      const shown = node.widgets.find((each) => each.name === "svi_strip")?.element;
      const seen = shown?.isConnected && shown.offsetParent !== null && shown.getBoundingClientRect();
      return [node.id, {
        label: shown?.querySelector("[role=img]")?.getAttribute("aria-label") ?? null,
        last: node.widgets.at(-1)?.name,
        visible: Boolean(seen && seen.width > 100 && seen.height > 30),
      }];
    })), NODE);
  const until = async (what, test) => {
    let seen = null;
    for (let turn = 0; turn < 100; turn++) {
      seen = await strips();
      if (test(seen)) return seen;
      await page.waitForTimeout(100);
    }
    throw new Error(`${what}: ${JSON.stringify(seen)}`);
  };
  const everyone = (seen) => Object.values(seen).length && Object.values(seen).every((strip) => strip.label);
  const values = () => page.evaluate((type) => Object.fromEntries(
    root().serialize().nodes.filter((node) => node.type === type).map((node) => [node.id, node.widgets_values]),
  ), NODE);
  const set = (id, name, value) => page.evaluate(([id, name, value]) => {
    const node = app.canvas.graph.getNodeById(id);
    const widget = node.widgets.find((each) => each.name === name);
    widget.value = value;
    widget.callback?.(value, app.canvas, node);
    const tracker = app.extensionManager.workflow.activeWorkflow.changeTracker;
    (tracker.captureCanvasState ?? tracker.checkState).call(tracker);
  }, [id, name, value]);
  const show = async (id, zoom = 1) => {
    await page.evaluate(([id, zoom]) => {
      app.canvas.ds.scale = zoom;
      app.canvas.centerOnNode(app.canvas.graph.getNodeById(id));
      app.canvas.setDirty(true, true);
    }, [id, zoom]);
    await page.waitForTimeout(1000);
  };
  const shot = (name) => page.screenshot({ path: `${folder}/${name}.png` });
  const tracker = async (step) => {
    await page.evaluate((step) => {
      const tracker = app.extensionManager.workflow.activeWorkflow.changeTracker;
      return (tracker[step] ?? tracker.checkState).call(tracker); // older frontends know this name of captureCanvasState alone
    }, step);
    await page.waitForTimeout(800);
  };

  await page.evaluate(() => {
    window.root = () => app.rootGraph ?? app.graph;
  });
  await load(graph, "mine");
  const first = await until("the strips of the template", everyone);
  const ids = Object.keys(first).map(Number).sort((a, b) => a - b);
  result.labels = ids.map((id) => first[id].label);
  result.last = ids.map((id) => first[id].last);
  const stored = Object.fromEntries(graph.nodes.filter((node) => node.type === NODE).map((node) => [node.id, node.widgets_values]));
  result.keptOnLoad = JSON.stringify(await values()) === JSON.stringify(stored);
  const [, id] = ids;
  await show(id);
  result.visible = (await until("the strip in view", (seen) => seen[id].visible))[id].visible;
  result.heights = await page.evaluate((type) => app.canvas.graph._nodes.filter((node) => node.type === type).map((node) => node.size[1]), NODE);
  await shot(`${nodes}_zoom_1`);

  // The mouse: a drag over a number, or its plus on Vue nodes.
  if (nodes === "vue") {
    await page.locator(`[data-node-id="${id}"]`).getByText("num_frames", { exact: true }).locator("xpath=..")
      .locator("button").last().click();
  } else {
    const [x, y] = await page.evaluate((id) => {
      const node = app.canvas.graph.getNodeById(id);
      const widget = node.widgets.find((each) => each.name === "num_frames");
      const place = [node.pos[0] + node.size[0] / 2, node.pos[1] + (widget.last_y ?? widget.y) + 10];
      const { left, top } = app.canvas.canvas.getBoundingClientRect();
      const { scale, offset } = app.canvas.ds;
      return place.map((value, axis) => (value + offset[axis]) * scale + [left, top][axis]);
    }, id);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x - 40, y, { steps: 20 });
    await page.mouse.up();
  }
  result.dragged = (await until("a dragged number", (seen) => seen[id].label !== result.labels[1]))[id].label;
  await set(id, "num_frames", 81);
  await until("81 frames again", (seen) => seen[id].label === result.labels[1]);

  await set(id, "mode", "tom");
  await until("another mode", (seen) => seen[id].label.startsWith("tom: 81 frames"));
  await set(id, "num_frames", 49);
  result.changed = (await until("another length", (seen) => seen[id].label.includes("49 frames")))[id].label;
  await set(id, "overlap_frames", 60);
  result.bad = (await until("an overlap that is too long", (seen) => seen[id].label.startsWith("This would not run")))[id].label;
  await page.waitForTimeout(300);
  await shot(`${nodes}_error`);
  await tracker("undo");
  await tracker("undo");
  await tracker("undo");
  result.undone = (await until("undone", (seen) => seen[id]?.label?.startsWith("film: 81 frames")))[id].label;
  result.visibleAfterUndo = (await until("the strip in view after undo", (seen) => seen[id].visible))[id].visible;
  await tracker("redo");
  result.redone = (await until("redone", (seen) => seen[id]?.label?.startsWith("tom")))[id].label;
  await tracker("undo");

  // What is queued and what is saved.
  result.prompt = await page.evaluate(async (type) => {
    const { output } = await app.graphToPrompt();
    return Object.values(output).filter((node) => node.class_type === type).map((node) => Object.keys(node.inputs));
  }, NODE);
  await set(id, "num_frames", 65);
  const before = await values();
  const saved = await page.evaluate(() => JSON.parse(JSON.stringify(root().serialize())));
  result.saved = JSON.stringify(saved).includes("svi_strip");
  await load(saved, "again");
  await until("opened again", (seen) => seen[id]?.label?.includes("65 frames"));
  result.keptOnReload = JSON.stringify(await values()) === JSON.stringify(before);

  // A link is pulled, and the source is muted.
  await page.evaluate((id) => {
    const node = app.canvas.graph.getNodeById(id);
    node.disconnectInput(node.inputs.findIndex((input) => input.name === "start_image"));
  }, id);
  result.unlinked = (await until("no start image", (seen) => seen[id].label.includes("needs start_image")))[id].label;
  await tracker("captureCanvasState");
  await tracker("undo");
  await until("linked again", (seen) => seen[id]?.label?.includes("65 frames"));

  // Collapsed and opened, copied and pasted, put into a subgraph.
  await page.evaluate((id) => app.canvas.graph.getNodeById(id).collapse(), id);
  await page.waitForTimeout(900);
  result.collapsed = (await strips())[id].visible;
  await page.evaluate((id) => app.canvas.graph.getNodeById(id).collapse(), id);
  await show(id);
  result.opened = (await until("opened", (seen) => seen[id].visible))[id].visible;
  await page.evaluate((id) => {
    const node = app.canvas.graph.getNodeById(id);
    app.canvas.deselectAll();
    app.canvas.selectNode(node);
    app.canvas.copyToClipboard();
    app.canvas.pasteFromClipboard();
  }, id);
  const pasted = await until("pasted", (seen) => Object.keys(seen).length === ids.length + 1 && everyone(seen));
  result.pasted = Object.entries(pasted).find(([key]) => !ids.includes(Number(key)))[1];
  result.subgraph = await page.evaluate(async (id) => {
    const graph = app.canvas.graph;
    const node = graph.getNodeById(id);
    if (!graph.convertToSubgraph) return null;
    const made = graph.convertToSubgraph(new Set([node]));
    const [inside] = made.subgraph.nodes;
    app.canvas.setGraph ? app.canvas.setGraph(made.subgraph) : app.canvas.openSubgraph(made.subgraph);
    return inside.id;
  }, id);
  if (result.subgraph !== null) {
    await page.waitForTimeout(500);
    await show(result.subgraph);
    const inside = await until("inside a subgraph", (seen) => seen[result.subgraph]?.visible && seen[result.subgraph].label);
    result.inside = inside[result.subgraph].label;
    await shot(`${nodes}_subgraph`);
    await page.evaluate(() => app.canvas.setGraph(root()));
  }

  // The mouse on a strip moves and zooms the canvas as it does elsewhere on a node.
  await load(graph, "mouse");
  await show(id);
  const zoomed = async (selector) => {
    const at = await page.evaluate(([id, selector]) => {
      const node = app.canvas.graph.getNodeById(id);
      const shown = node.widgets.find((each) => each.name === "svi_strip").element;
      const box = (selector ? shown.querySelector(selector) : shown).getBoundingClientRect();
      return [box.x + box.width / 2, box.y + (selector ? box.height / 2 : -8)];
    }, [id, selector]);
    const before = await page.evaluate(() => app.canvas.ds.scale);
    await page.mouse.move(...at);
    await page.mouse.wheel(0, -100);
    await page.waitForTimeout(400);
    const after = await page.evaluate(() => app.canvas.ds.scale);
    await show(id);
    return after / before;
  };
  result.zooms = [await zoomed(".svi-frames"), await zoomed(null)];

  // A run: its picture stands beside the strip.
  const small = JSON.parse(await readFile(run, "utf8"));
  for (const node of Object.values(small)) {
    if (node.class_type === "EmptyImage") node.inputs.color = Date.now() % 0xffffff; // what is cached shows no picture
  }
  await page.evaluate((graph) => app.loadApiJson(graph, "run"), small);
  const [only] = Object.keys(await until("the graph to run", everyone)).map(Number);
  await page.click("[data-testid=queue-button]");
  await page.waitForFunction((id) => app.canvas.graph.getNodeById(id)?.imgs?.length
    || Object.values(app.nodeOutputs).some((output) => output.images?.[0]?.filename.startsWith("svi_embeds")), only, { timeout: 60000 });
  await show(only);
  await page.waitForTimeout(1500);
  result.afterRun = (await strips())[only];
  result.picture = await page.evaluate((id) => {
    const node = app.canvas.graph.getNodeById(id);
    const shown = node.widgets.find((each) => each.name === "svi_strip").element.getBoundingClientRect();
    const image = [...document.querySelectorAll(`[data-node-id="${id}"] img`)].find((each) => each.src.includes("svi_embeds"));
    if (image) return { on: "page", clear: image.getBoundingClientRect().top >= shown.bottom - 1 };
    const preview = node.widgets.find((each) => /preview/i.test(each.name));
    return { on: node.imgs?.length ? "canvas" : null, clear: !preview || preview.y >= node.widgets.find((each) => each.name === "svi_strip").y + 80 };
  }, only);
  await shot(`${nodes}_run`);

  // The light theme, and the whole chain from afar.
  await load(graph, "light");
  await page.evaluate(() => app.extensionManager.setting.set("Comfy.ColorPalette", "light"));
  await page.waitForFunction(() => document.documentElement.dataset.sviTheme === "light");
  await show(id);
  await shot(`${nodes}_light`);
  await page.evaluate(() => app.extensionManager.setting.set("Comfy.ColorPalette", "dark"));
  await page.waitForFunction(() => document.documentElement.dataset.sviTheme === "dark");
  await page.evaluate(() => app.extensionManager.command.execute("Comfy.Canvas.FitView"));
  await page.waitForTimeout(1200);
  await shot(`${nodes}_chain`);
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
