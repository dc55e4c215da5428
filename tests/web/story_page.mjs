// The story editor in a real browser, on a page that stands in for ComfyUI's, with the pack's own answers.
//
// usage: node story_page.mjs URL CHROMIUM   prints one JSON object of what was seen

import { createRequire } from "node:module";

const { chromium } = createRequire(import.meta.url)("playwright-core");
const [url, executablePath] = process.argv.slice(2);
const args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
const browser = await chromium.launch({ executablePath, headless: true, args });
try {
  const page = await browser.newPage({ viewport: { width: 800, height: 560 } });
  const result = { troubles: [] };
  page.on("pageerror", (error) => result.troubles.push(error.message));
  page.on("console", (said) => said.type() === "error" && !said.location().url.endsWith("favicon.ico")
    && result.troubles.push(said.text()));
  const rows = () => page.$$eval(".svi-story tbody tr", (all) => all.map((row) => [...row.cells].map((cell) => cell.textContent)));
  const planned = (count) => page.waitForFunction(
    (count) => document.querySelector(".svi-bad").hidden && document.querySelectorAll(".svi-story tbody tr").length === count, count);
  for (const theme of ["", "?light"]) {
    await page.goto(`${url}/${theme}`);
    await page.waitForFunction(() => window.ready);
    await planned(2);
    // Contrast of what is read, by WCAG, against what is behind it.
    result[`contrast${theme}`] = await page.evaluate(() => {
      const light = (colour) => {
        const [r, g, b] = colour.match(/[\d.]+/g).map((each) => {
          const part = each / 255;
          return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const behind = light(getComputedStyle(document.querySelector(".svi-story")).backgroundColor);
      return ["thead th", "tbody td", "tbody th button", ".svi-sum", "li"].map((query) => {
        const own = light(getComputedStyle(document.querySelector(`.svi-story ${query}`)).color);
        return (Math.max(own, behind) + 0.05) / (Math.min(own, behind) + 0.05);
      });
    });
  }
  await page.fill("textarea", "first\n---\n[seed=7 fram=49]\nsecond");
  await page.waitForSelector(".svi-bad:not([hidden])");
  result.error = await page.innerText(".svi-bad pre");
  result.hint = await page.innerText(".svi-hint");
  const [box, hint] = await Promise.all(["textarea", ".svi-hint"].map((query) => page.locator(query).boundingBox()));
  result.hint_is_below = hint.y >= box.y + box.height - 2;
  // With the keyboard alone: from the text box to the button, and back to the place.
  await page.keyboard.press("Tab");
  for (let i = 0; i < 5 && await page.evaluate(() => document.activeElement.textContent) !== "Go to line 3"; i++) {
    await page.keyboard.press("Tab");
  }
  await page.keyboard.press("Enter");
  result.selected = await page.$eval("textarea", (found) => found.value.slice(found.selectionStart, found.selectionEnd));
  await page.keyboard.type("frames=49");
  await planned(2);
  result.mended = await rows();
  result.sum = await page.textContent(".svi-sum");

  // A thousand clips: typing goes on without lag, the panel keeps its size, the last row is reached by scrolling.
  const height = () => page.$eval(".svi-story", (found) => found.offsetHeight);
  const before = await height();
  // Set as by pasting: letter by letter it takes minutes.
  await page.$eval("textarea", (box) => {
    box.value = Array.from({ length: 1000 }, (_, i) => `[cfg=2]\nprompt ${i} ${"with many words ".repeat(8)}`).join("\n---\n");
    box.dispatchEvent(new Event("input"));
  });
  await planned(101);
  result.many = [(await rows())[60], (await rows()).at(-1)[0]];
  result.same_height = await height() === before;
  await page.locator(".svi-story tbody tr:last-child button").click();
  result.scrolled = await page.$eval("textarea", (found) => found.scrollTop + found.clientHeight > found.scrollHeight - 60);
  result.lag = await page.evaluate(async () => {
    const box = document.querySelector("textarea");
    const spent = [];
    for (let i = 0; i < 20; i++) {
      box.value += "x";
      const began = performance.now(); // what the letter costs beyond the text box itself
      box.dispatchEvent(new Event("input"));
      for (let turn = 0; turn < 10; turn++) await null;
      spent.push(performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, 15));
    }
    return spent.sort((a, b) => a - b)[10];
  });
  const wheel = async (where) => {
    await page.locator(where).hover();
    await page.mouse.wheel(0, 50);
    await page.waitForTimeout(100);
    return page.evaluate(() => window.zoomed ?? 0);
  };
  result.wheel = [await wheel(".svi-rows"), await wheel(".svi-sum")];
  console.log(JSON.stringify(result));
} finally {
  await browser.close();
}
