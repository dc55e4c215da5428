// The desk as a person uses it: takes, a pick, a mend, an insert, a cut, a branch, each queued and taken back; the viewer,
// the sidebar tab, the keyboard.
//
// usage: node desk_page.mjs URL CHROMIUM RUN.json FOLDER [vue]
// prints one JSON object of what was seen; screenshots go to FOLDER. RUN.json: an API graph of five clips, nothing made.

import { readFile } from "node:fs/promises";

import { launch, open, showPanel } from "../../tools/frontend.mjs";

const [, , run, folder, nodes] = process.argv.slice(2);
const browser = await launch();
const result = { troubles: [], steps: {}, palettes: {} };
try {
  const settings = { "Comfy.VueNodes.Enabled": nodes === "vue", "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1500, height: 1000 }, settings, result.troubles);
  const graph = JSON.parse(await readFile(run, "utf8"));
  await page.evaluate((api) => app.loadApiJson(api, "desk"), graph);
  await page.waitForTimeout(800);
  const shot = (name) => page.screenshot({ path: `${folder}/desk_${name}.png` });
  const reelName = Object.values(graph).find((node) => node.class_type === "WanVideoSVILongVideo").inputs.reel;

  const seen = () => page.evaluate(() => ({
    told: desk().querySelector(".svi-told")?.textContent,
    wrong: desk().querySelector(".svi-told")?.classList.contains("svi-wrong"),
    cards: [...desk().querySelectorAll(".svi-card")].map((card) => ({
      clip: Number(card.dataset.clip), state: card.dataset.state, now: card.hasAttribute("data-now"),
      text: card.querySelector("textarea").value, marks: card.querySelector(".svi-marks").textContent,
      takes: [...card.querySelectorAll(".svi-takes button")].map((button) => button.textContent),
    })).sort((one, two) => one.clip - two.clip),
  }));
  const until = async (what, test, turns = 900) => {
    let now = null;
    for (let i = 0; i < turns; i++) {
      now = await seen();
      if (test(now)) return now;
      await page.waitForTimeout(100);
    }
    await shot("lost");
    throw new Error(`${what}: ${JSON.stringify(now)}`);
  };
  const story = () => page.evaluate(() => {
    const all = [app.graph, ...(app.graph.subgraphs?.values() ?? [])].flatMap((graph) => graph._nodes ?? graph.nodes);
    return all.find((node) => node.type === "WanVideoSVILongVideo").widgets.find((each) => each.name === "story").value;
  });
  const reel = () => page.evaluate(async (name) => {
    const { api } = window.comfyAPI.api;
    const body = JSON.stringify({ ask: "reel", reel: name });
    const said = await api.fetchApi("/wanvideo_svi/desk", { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const { desk } = await said.json();
    return desk?.cards.map(({ text, take, seed, cut, there }) => ({ text, take, seed, cut, takes: there.length }));
  }, reelName);
  const keep = async (name) => (result.steps[name] = { story: await story(), reel: await reel(), ...(await seen()) });
  const act = async (clip, name) => {
    await page.click(`.svi-card[data-clip="${clip}"] .svi-acts button:has-text("${name}")`);
  };
  const rest = async () => {
    const idle = () => page.evaluate(async () => (await (await window.comfyAPI.api.api.fetchApi("/prompt")).json()).exec_info.queue_remaining);
    await page.waitForTimeout(300);
    for (let i = 0; i < 1200 && (await idle()); i++) await page.waitForTimeout(150);
  };
  const queue = async (name) => {
    await page.click(".svi-desk > footer button.svi-main");
    if (name === "made") {
      await until("a clip that is being made", (now) => now.cards.some((card) => card.now));
      result.running = await seen();
      await shot("running");
    }
    await rest();
    await until("all kept", (now) => now.told === "Nothing to render: all clips are kept", 200);
    await keep(name);
  };
  const undo = async (count) => {
    await page.click('.svi-desk > header button:has-text("Undo")');
    await until(`${count} clips again`, (now) => now.cards.length === count && !now.wrong);
    await page.waitForTimeout(400);
  };

  // From the node to the desk: nothing is made yet.
  await showPanel(page);
  const desk = '.svi-story header button:has-text("Desk")';
  if (await page.isVisible(desk)) await page.click(desk);
  else await page.evaluate(() => app.extensionManager.command.execute("WanVideoSVI.OpenDesk"));
  await until("five cards", (now) => now.cards.length === 5);
  result.steps.new = { story: await story(), ...(await seen()) };
  await shot("new");
  await queue("made");
  await page.hover('.svi-card[data-clip="2"] .svi-shown');
  await page.waitForSelector('.svi-card[data-clip="2"] video:not([hidden])', { timeout: 20000 });
  await page.waitForTimeout(300);
  result.moves = await page.$eval('.svi-card[data-clip="2"] video', (video) => [video.videoWidth, !video.paused, video.muted]);
  await shot("made");

  // Another take of clip 2, beside the one that the chain has; then picked, queued, and taken back.
  const other = await page.$eval('.svi-card[data-clip="2"] .svi-takes', (takes) => [...takes.children].findIndex((each) => /^\d/.test(each.textContent)));
  await page.click(`.svi-card[data-clip="2"] .svi-takes button:nth-child(${other + 1})`);
  result.take_acts = await page.$$eval('.svi-card[data-clip="2"] .svi-acts button', (all) => all.map((each) => each.textContent));
  await shot("take");
  await act(2, "Compare");
  await page.waitForFunction(() => [...document.querySelectorAll(".svi-viewer video:not([hidden])")].filter((video) => video.readyState >= 2).length === 2);
  await page.keyboard.press(" ");
  await page.waitForTimeout(300);
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowRight");
  await page.waitForTimeout(400);
  result.compared = await page.$$eval(".svi-viewer video:not([hidden])", (all) => all.map((video) => video.currentTime.toFixed(3)));
  await shot("compare");
  await page.click('.svi-viewer footer button:has-text("Pick take")'); // picked where it was compared, and taken back
  await page.waitForSelector(".svi-viewer", { state: "detached" });
  await until("picked beside the other", (now) => now.told.startsWith("Next run: clips 3-5"));
  await undo(5);
  await until("as before", (now) => now.told.startsWith("Nothing"));
  await page.click(`.svi-card[data-clip="2"] .svi-takes button:nth-child(${other + 1})`);
  await act(2, "Pick");
  await until("three clips to be made", (now) => now.told.startsWith("Next run: clips 3-5"));
  await keep("picked");
  await shot("picked");
  await undo(5);
  await until("nothing to be made", (now) => now.told.startsWith("Nothing"));
  await keep("pick_undone");
  await page.click('.svi-desk > header button:has-text("Redo")');
  await until("three clips again", (now) => now.told.startsWith("Next run: clips 3-5"));
  await queue("pick_made");
  await undo(5);
  await queue("pick_taken_back");

  // Clip 3 mended with another prompt, typed into its card.
  await page.fill('.svi-card[data-clip="3"] textarea', "rain falls on the lake");
  await act(3, "Mend");
  await until("one clip to be made", (now) => now.told.startsWith("Next run: clip 3 ("));
  await keep("mend");
  await shot("mend");
  await queue("mended");
  await shot("mended");
  await undo(5);
  await undo(5);
  await keep("mend_undone");
  await page.keyboard.press("Control+y");
  await page.keyboard.press("Control+y");
  await until("kept after redo", (now) => now.told.startsWith("Nothing"));

  // A clip put in after clip 1, by the keyboard alone.
  await page.focus('.svi-card[data-clip="1"]');
  await page.keyboard.press("i");
  await page.waitForSelector(".svi-ask");
  await shot("insert_ask");
  await page.keyboard.type("a heron lands");
  await page.keyboard.press("Control+Enter");
  await until("six cards", (now) => now.cards.length === 6 && now.told.startsWith("Next run: clip 2 ("));
  await keep("inserted");
  await shot("inserted");
  await queue("insert_made");
  await undo(5);
  await queue("insert_taken_back");

  // A new scene at clip 2, before the mended one, which goes on ending on what leads clip 4; then a branch from clip 2.
  await act(2, "Cut");
  await until("a second scene", (now) => now.told.startsWith("Next run: clips 2-3"));
  await keep("cut");
  await shot("cut");
  await queue("cut_made");
  await undo(5);
  await queue("cut_taken_back");
  await act(2, "Branch");
  await page.fill(".svi-ask textarea", "the boat sinks");
  await page.click(".svi-ask .svi-main");
  await until("a branch", (now) => now.cards.length === 6);
  await keep("branch");
  await shot("branch");
  await undo(5);

  // One clip alone, by its key; then the next one that is missing, and no more.
  await page.fill('.svi-card[data-clip="5"] textarea', "the stars come out");
  await page.focus('.svi-card[data-clip="5"]');
  await until("clip 5 to be made", (now) => now.told.startsWith("Next run: clip 5 ("));
  await page.keyboard.press("q");
  await rest();
  await until("clip 5 is there", (now) => now.told.startsWith("Nothing"));
  await keep("alone");
  await page.fill('.svi-card[data-clip="4"] textarea', "the gulls come back");
  await page.focus('.svi-card[data-clip="4"]');
  await until("clips 4 and 5 to be made", (now) => now.told.startsWith("Next run: clips 4-5"));
  await page.click('.svi-desk > footer button:has-text("Queue next clip")');
  await rest();
  await until("clip 5 is left", (now) => now.told.startsWith("Next run: clip 5 ("));
  await keep("next");
  await undo(5);
  await undo(5);
  await queue("queued_taken_back");

  // Seams and the whole chain.
  const hasSeam = await page.$(".svi-seam:not([hidden])");
  await hasSeam.click();
  await page.waitForFunction(() => document.querySelector(".svi-viewer video:not([hidden])")?.readyState >= 2);
  await page.keyboard.press(" ");
  await page.waitForTimeout(300);
  result.seam = [];
  await page.evaluate(() => {
    const range = document.querySelector(".svi-viewer input[type=range]");
    range.value = 12;
    range.dispatchEvent(new Event("input"));
  });
  await page.focus(".svi-viewer footer button");
  for (let i = 0; i < 6; i++) {
    await page.waitForTimeout(250);
    result.seam.push(await page.innerText(".svi-viewer .svi-where"));
    await page.keyboard.press("ArrowRight");
  }
  await shot("seam");
  await page.keyboard.press("Escape");
  await page.click('.svi-desk > header button:has-text("Play the chain")');
  await page.waitForFunction(() => document.querySelector(".svi-viewer .svi-where")?.textContent.includes("clip 5"), null, { timeout: 60000 });
  result.chain = await page.innerText(".svi-viewer .svi-where");
  await shot("chain");
  await page.keyboard.press("Escape");
  await page.waitForSelector(".svi-viewer", { state: "detached" });

  // A spare take goes, after a question.
  const spare = await page.$eval('.svi-card[data-clip="5"] .svi-takes', (takes) => [...takes.children].findIndex((each) => /^\d/.test(each.textContent)));
  await page.click(`.svi-card[data-clip="5"] .svi-takes button:nth-child(${spare + 1})`);
  await act(5, "Delete");
  result.drop_asks = await page.innerText(".svi-ask p");
  await page.click(".svi-ask .svi-main");
  await until("one take less", (now) => now.cards[4].takes.length === 2);
  await keep("dropped");

  // Keys lead everywhere; Escape closes, and the focus goes back.
  await page.focus('.svi-card[data-clip="1"]');
  const at = () => page.evaluate(() => desk().activeElement.closest(".svi-card")?.dataset.clip);
  result.keys = [];
  for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "Home", "End"]) {
    await page.keyboard.press(key);
    result.keys.push(await at());
  }
  await page.keyboard.press("Enter");
  result.in_text = await page.evaluate(() => desk().activeElement.tagName);
  await page.keyboard.press("Escape");
  result.back_on = await at();
  result.unlabelled = await page.$$eval(".svi-desk button, .svi-desk textarea, .svi-desk input", (all) =>
    all.filter((each) => !each.hidden && !(each.textContent || each.getAttribute("aria-label") || each.closest("label"))).map((each) => each.outerHTML));
  await page.keyboard.press("Escape");
  result.closed = await page.$(".svi-desk") === null;

  // The sidebar tab, and the reel that no node writes.
  await page.evaluate(() => app.extensionManager.command.execute("Workspace.ToggleSidebarTab.wanvideo-svi"));
  await page.waitForSelector(`.svi-reels li[data-reel="${reelName}"]`);
  await page.waitForFunction((name) => document.querySelector(`.svi-reels li[data-reel="${name}"] img`).naturalWidth, reelName);
  await page.hover(`.svi-reels li[data-reel="${reelName}"] .svi-thumb`);
  await page.waitForSelector(`.svi-reels li[data-reel="${reelName}"] video:not([hidden])`);
  result.tab = await page.innerText(`.svi-reels li[data-reel="${reelName}"]`);
  await shot("tab");
  await page.click(`.svi-reels li[data-reel="${reelName}"] button:has-text("Clean")`);
  result.clean_asks = await page.innerText(".svi-ask p");
  await page.click(".svi-ask .svi-main");
  await page.waitForFunction(() => document.querySelector(".svi-reels > small").textContent.includes("deleted"));
  result.cleaned = await page.innerText(".svi-reels > small");
  await page.evaluate(() => app.graph.clear());
  await page.click(`.svi-reels li[data-reel="${reelName}"] .svi-acts button`);
  await until("a reel without a node", (now) => now.cards.length === 5 && now.told.startsWith("No node"));
  result.alone = await page.$$eval(".svi-card .svi-acts button", (all) => all.length);
  await shot("alone");
  await page.keyboard.press("Escape");
} finally {
  await browser.close();
}
console.log(JSON.stringify(result));
