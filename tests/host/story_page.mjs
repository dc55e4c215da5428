// The story editor as a user meets it, in a real browser: a broken story, the error at its line, the mended one.
//
// usage: node story_page.mjs URL CHROMIUM WORKFLOW.json RUN.json FOLDER [vue]
// prints one JSON object of what was seen; screenshots go to FOLDER. RUN.json: an API graph whose reel is on disk.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [, , file, run, folder, nodes] = process.argv.slice(2);
const BROKEN = "A red panda walks\n---\n[seed=7 fram=49]\nIt stops";
const MENDED = "A red panda walks\n---\n[seed=7 frames=49]\nIt stops\n---\n[repeat=2]\nIt climbs on";

const browser = await launch();
const result = { troubles: [] };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue" };
  const page = await open(browser, { width: 1500, height: 1400 }, settings, result.troubles);
  await page.waitForTimeout(500);

  const find = () => page.evaluate(() => {
    const all = [app.graph, ...(app.graph.subgraphs?.values() ?? [])].flatMap((graph) => graph._nodes ?? graph.nodes);
    window.theNode = all.find((node) => node.type === "WanVideoSVILongVideo");
    return Boolean(window.theNode);
  });
  const show = async () => {
    await find();
    await page.evaluate(() => {
      app.canvas.ds.scale = 1;
      app.canvas.centerOnNode(theNode);
      app.canvas.setDirty(true, true);
    });
    await page.waitForTimeout(700);
  };
  const panel = () => page.evaluate(() => {
    const shown = [...document.querySelectorAll(".svi-story")].find((each) => each.isConnected && each.offsetParent);
    if (!shown) return null;
    const bad = shown.querySelector(".svi-bad");
    return {
      sum: shown.querySelector(".svi-sum").textContent,
      rows: [...shown.querySelectorAll("tbody tr")].map((row) => [...row.cells].map((cell) => cell.textContent)),
      bad: bad.hidden ? "" : bad.innerText,
      video: shown.querySelector("header button").hidden ? "" : shown.querySelector("header button").textContent,
      notes: [...shown.querySelectorAll("li")].map((note) => note.textContent),
      height: shown.offsetHeight,
      width: shown.offsetWidth,
    };
  });
  const until = async (what, test) => {
    let seen = null;
    for (let i = 0; i < 100; i++) {
      seen = await panel();
      if (seen && test(seen)) return seen;
      await page.waitForTimeout(100);
    }
    throw new Error(`${what}: ${JSON.stringify(seen)}`);
  };
  const box = async () => (await page.evaluateHandle(() => {
    const widget = theNode.widgets.find((each) => each.name === "story");
    if (widget.element.tagName === "TEXTAREA" && widget.element.isConnected) return widget.element;
    return [...document.querySelectorAll(`[data-node-id="${theNode.id}"] textarea`)].find((each) => each.value === widget.value);
  })).asElement();
  const type = async (text) => {
    const found = await box();
    await found.focus();
    await found.fill(text);
  };
  const shot = (name) => page.screenshot({ path: `${folder}/${name}.png` });
  const values = () => page.evaluate(() => theNode.serialize().widgets_values);

  // The template, as it comes.
  const workflow = JSON.parse(await readFile(file, "utf8"));
  await page.evaluate((graph) => app.loadGraphData(graph, true, true, "film"), workflow);
  await show();
  result.first = await until("a table", (seen) => seen.rows.length);
  result.kept_values = JSON.stringify(await values())
    === JSON.stringify(workflow.nodes.find((node) => node.type === "WanVideoSVILongVideo").widgets_values);
  result.prompt = await page.evaluate(async () => Object.keys((await app.graphToPrompt()).output[theNode.id].inputs));
  await shot("1_template");

  // Broken, then mended.
  await type(BROKEN);
  result.broken = await until("an error", (seen) => seen.bad);
  result.hint = await page.innerText(".svi-hint");
  result.hint_height = await page.$eval(".svi-hint", (hint) => hint.offsetHeight);
  await shot("2_broken");
  await page.click(".svi-bad button");
  result.selected = await (await box()).evaluate((found) => [
    document.activeElement === found, found.value.slice(found.selectionStart, found.selectionEnd),
  ]);
  await type(MENDED);
  result.mended = await until("no error", (seen) => !seen.bad && seen.rows.length === 4);
  await shot("3_mended");
  await page.click(".svi-story tbody tr:nth-child(3) th button");
  result.row_selected = await (await box()).evaluate((found) => found.value.slice(found.selectionStart, found.selectionEnd));

  // What the node lives through.
  const tracker = async (step) => {
    await page.evaluate(async (step) => {
      const tracker = app.extensionManager.workflow.activeWorkflow.changeTracker;
      // Not before redo: on Vue nodes Save Video gets another size after undo, and keeping that as a step forgets the redo.
      if (step === "undo") (tracker.captureCanvasState ?? tracker.checkState).call(tracker);
      await tracker[step]();
    }, step);
    await page.waitForTimeout(800);
    await show();
  };
  await tracker("undo");
  result.undone = (await until("the error again after undo", (seen) => seen.bad)).bad;
  await tracker("redo");
  result.redone = (await until("a table after redo", (seen) => seen.rows.length === 4 && !seen.bad)).rows.length;
  result.reloaded_values = await page.evaluate(async () => {
    const before = JSON.stringify(theNode.serialize().widgets_values);
    await app.loadGraphData(app.graph.serialize(), true, true, "again");
    const node = app.graph._nodes.find((each) => each.type === "WanVideoSVILongVideo");
    return JSON.stringify(node.serialize().widgets_values) === before;
  });
  await show();
  await until("a table after a reload", (seen) => seen.rows.length === 4);
  result.copied = await page.evaluate(async () => {
    const copy = theNode.clone();
    app.graph.add(copy);
    copy.pos = [theNode.pos[0] + 3000, theNode.pos[1]];
    const same = JSON.stringify(copy.serialize().widgets_values) === JSON.stringify(theNode.serialize().widgets_values);
    app.graph.remove(copy);
    return same;
  });
  result.in_subgraph = null;
  result.linked = await page.evaluate(async () => {
    if (!app.graph.convertToSubgraph) return null;
    app.graph.convertToSubgraph(new Set([theNode]));
    const inner = [...app.graph.subgraphs.values()][0];
    app.canvas.setGraph(inner);
    return true;
  });
  await show();
  if (result.linked) {
    result.in_subgraph = (await until("a table in a subgraph", (seen) => seen.rows.length === 4)).rows.length;
    result.promoted = await page.evaluate(() => theNode.inputs.some((input, slot) => input.widget && theNode.isInputConnected(slot)));
    if (result.promoted) await until("states that are not known", (seen) => seen.rows[0][1] === "–");
    await shot("4_subgraph");
    await page.evaluate(() => app.canvas.setGraph(app.graph.rootGraph ?? app.graph));
  }

  // A reel on disk, its video, and a server that is gone.
  const graph = JSON.parse(await readFile(run, "utf8"));
  await page.evaluate((graph) => app.loadApiJson(graph, "run"), graph);
  await page.waitForTimeout(1000);
  await show();
  await page.evaluate(() => theNode.setSize([820, 1250]));
  await show();
  result.reel = await until("clips on disk", (seen) => seen.video);
  await shot("5_reel");
  await page.click(".svi-story header button");
  await page.waitForFunction(() => document.querySelector(".svi-video video")?.readyState >= 2, null, { timeout: 15000 });
  result.playing = await page.evaluate(() => {
    const video = document.querySelector(".svi-video video");
    return [video.videoWidth, video.videoHeight, Math.round(video.duration * 100) / 100];
  });
  await shot("6_video");
  await page.click(".svi-video footer button:last-child");
  await page.waitForSelector(".svi-video", { state: "detached" });
  await type("another start\n---\na boat appears");
  result.edited = await until("stale clips", (seen) => seen.rows[0][1].includes("stale"));
  await page.route("**/wanvideo_svi/story", (route) => route.abort());
  await type("another start\n---\na boat appears now");
  result.silent = (await until("words about the server", (seen) => seen.bad)).bad;
  await page.unroute("**/wanvideo_svi/story");
  result.troubles = result.troubles.filter((each) => !each.includes("net::ERR_FAILED")); // that was asked for
  await page.evaluate(() => comfyAPI.api.api.dispatchEvent(new CustomEvent("reconnected")));
  result.back = (await until("a plan again", (seen) => !seen.bad)).sum;
  console.log(JSON.stringify(result));
} catch (error) {
  console.log(JSON.stringify(result));
  throw error;
} finally {
  await browser.close();
}
