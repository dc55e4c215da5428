// A template that opens as an app, in a real frontend: its controls, a run by the app's own button, the video, the graph.
//
// usage: node app_page.mjs URL CHROMIUM WORKFLOW.json VALUES.json FOLDER NAME
// VALUES.json: {story, widgets: {node type: {widget: value}}}: the story is typed into the app, the rest set on nodes.
// Prints one JSON object of what was seen; pictures go to FOLDER. A frontend without apps shows the graph.

import { readFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [, , file, values, folder, name] = process.argv.slice(2);
const RUN_MS = 240000;

const browser = await launch();
const result = { troubles: [], app: null };
try {
  const settings = { "Comfy.UseNewMenu": "Top" };
  const page = await open(browser, { width: 1500, height: 1100 }, settings, result.troubles, { apps: true });
  await page.waitForTimeout(1500);
  const graph = JSON.parse(await readFile(file, "utf8"));
  const { story, widgets } = JSON.parse(await readFile(values, "utf8"));
  await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, name]);
  await page.waitForTimeout(2500);
  const shot = (step) => page.screenshot({ path: `${folder}/app_${name}_${step}.png` });

  const items = page.getByTestId("app-mode-widget-item");
  if (await items.count()) {
    const skip = page.getByRole("button", { name: "Skip", exact: true });
    if (await skip.count()) await skip.click();
    await page.waitForTimeout(1000);
    await shot("opened");
    result.app = await items.evaluateAll((all) => all.map((item) => ({
      widget: item.dataset.widgetKey.split(":").at(-1),
      label: item.querySelector("[data-testid=builder-widget-label]").innerText.trim(),
      controls: item.querySelectorAll("input, textarea, button[role=combobox], .svi-story").length,
    })));

    await page.evaluate((widgets) => {
      for (const node of app.graph._nodes) {
        for (const [name, value] of Object.entries(widgets[node.type] ?? {})) {
          node.widgets.find((each) => each.name === name).value = value;
        }
      }
    }, widgets);
    await items.locator("textarea").first().fill(story);
    await items.locator(".svi-sum").filter({ hasText: "2 clips" }).waitFor({ timeout: 20000 });
    result.typed = await page.evaluate(() => app.graph._nodes.find((node) => node.type === "WanVideoSVILongVideo")
      .widgets.find((each) => each.name === "story").value);
    await items.locator(".svi-story tbody th button").nth(1).click();
    result.selected = await page.evaluate(() => {
      const box = document.activeElement;
      return box.tagName === "TEXTAREA" ? box.value.slice(box.selectionStart, box.selectionEnd) : box.tagName;
    });
    result.scrolls = await page.evaluate(() => { // the wheel over the plan is for the form, not for the canvas behind it
      const turned = new WheelEvent("wheel", { bubbles: true, cancelable: true, deltaY: 50 });
      return document.querySelector("[data-testid=linear-widgets] .svi-sum").dispatchEvent(turned);
    });
    await page.evaluate(() => {
      window.ended = null;
      for (const event of ["execution_success", "execution_error", "execution_interrupted"]) {
        comfyAPI.api.api.addEventListener(event, ({ detail }) => (window.ended ??= [event, detail]), { once: true });
      }
    });
    await page.getByTestId("linear-run-button").getByRole("button", { name: "Run", exact: true }).click();
    await page.waitForFunction(() => window.ended, null, { timeout: RUN_MS });
    result.ended = await page.evaluate(() => [window.ended[0], JSON.stringify(window.ended[1]).slice(0, 1500)]);
    const video = page.locator("video:visible").first();
    await video.waitFor({ timeout: 20000 }).catch(() => null);
    await page.waitForTimeout(2000);
    await shot("run");
    result.videos = await page.locator("video:visible").evaluateAll((all) => all.map((each) => {
      const { width, height } = each.getBoundingClientRect();
      return { ready: each.readyState, seconds: Math.round(each.duration * 100) / 100, width, height };
    }));
    await page.evaluate(() => app.extensionManager.command.execute("Comfy.ToggleLinear"));
    await page.waitForTimeout(2000);
  }
  await shot("graph");
  result.graph = await page.evaluate(() => ({
    items: document.querySelectorAll("[data-testid=app-mode-widget-item]").length,
    nodes: app.graph._nodes.length,
    kept: app.graph.serialize().extra.linearData?.inputs.length ?? 0,
  }));
} finally {
  console.log(JSON.stringify(result));
  await browser.close();
}
