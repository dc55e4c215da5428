// The strip that shows a clip before it runs: words and places from the server's answer, and the element.

import { addStyle, addStyles, element } from "./svi_widget.js";
import { say } from "./svi_words.js";

export const HEIGHT = 82; // pixels at zoom 1

// Colours by theme, after Okabe and Ito; what fills frames to generate is hatched besides. Contrasts are tested.
export const PALETTE = {
  dark: {
    back: "#1c1e23", text: "#e9ebef", dim: "#adb4c0", line: "#7d8593", warn: "#f0b942", bad: "#ff9a6b",
    motion: "#56b4e9", anchor: "#e69f00", reference: "#2bbf94", plain: "#8d949f", end: "#ec7a3c", keyframe: "#d98bb5",
    latent: "#d8cd4e",
  },
  light: {
    back: "#f5f6f8", text: "#1b1d21", dim: "#4f5661", line: "#7b828d", warn: "#7d5600", bad: "#a83a00",
    motion: "#0072b2", anchor: "#a66f00", reference: "#00805d", plain: "#7b818b", end: "#c24e00", keyframe: "#a8487f",
    latent: "#7d7400",
  },
};

// Which colour a kind of frames has, and its pattern: given frames are plain, padding is hatched.
export const LOOKS = {
  motion: ["motion", "full"], image: ["motion", "full"], last: ["motion", "upright"],
  anchor: ["anchor", "full"], reference: ["reference", "slant"],
  end: ["end", "full"], end_copy: ["end", "upright"], keyframe: ["keyframe", "full"], latent: ["latent", "slant"],
  grey: ["plain", "full"], zero: ["plain", "dots"], black: ["plain", "black"],
};

/** Colour and pattern of a kind; shots take turns. */
export function lookOf(kind) {
  const shot = /^shot_(\d+)$/.exec(kind);
  if (shot) return Number(shot[1]) % 2 ? ["motion", "full"] : ["anchor", "slant"];
  return LOOKS[kind] ?? ["plain", "slant"];
}

const total = (runs) => runs.reduce((sum, [, count]) => sum + count, 0);

/** The thing at `index` of runs like [[thing, count], ...]. */
export function thingAt(runs, index) {
  for (const [thing, count] of runs) {
    if (index < count) return thing;
    index -= count;
  }
  return undefined;
}

/** How many latents a strip has. latents: runs of how many frames a latent covers. */
export const latentCount = (latents) => total(latents);

/** First frame of a latent, and how many it covers. */
export function framesOf(latents, latent) {
  let first = 0;
  for (const [frames, count] of latents) {
    if (latent < count) return { first: first + latent * frames, count: frames };
    first += count * frames;
    latent -= count;
  }
  return { first, count: 0 };
}

/** The latent that a frame is in. */
export function latentOf(latents, frame) {
  let before = 0;
  for (const [frames, count] of latents) {
    if (frame < frames * count) return before + Math.floor(frame / frames);
    before += count;
    frame -= frames * count;
  }
  return before;
}

/** Where a frame begins on a strip whose latents are equally wide, from 0 to 1. */
export function placeOf(latents, frame) {
  let before = 0;
  const all = total(latents);
  for (const [frames, count] of latents) {
    if (frame < frames * count) return (before + frame / frames) / all;
    before += count;
    frame -= frames * count;
  }
  return 1;
}

const MOST = 400; // things in one row: more are thinner than a pixel

/**
 * Places things of a row: [{start, stop, ...}] by frames become [{left, width, ...}] from 0 to 1. Of more than MOST, each
 * MOST-th of the row is drawn as the narrowest thing in it: a keyframe is not lost.
 */
export function place(latents, things) {
  const placed = things.map((thing) => {
    const left = placeOf(latents, thing.start);
    return { ...thing, left, width: placeOf(latents, thing.stop) - left };
  });
  if (placed.length <= MOST) return placed;
  const slots = Array(MOST).fill(null);
  for (const thing of placed) {
    const first = Math.floor(thing.left * MOST);
    const last = Math.max(first, Math.ceil((thing.left + thing.width) * MOST) - 1);
    for (let slot = first; slot <= Math.min(last, MOST - 1); slot++) {
      if (!slots[slot] || thing.width < slots[slot].width) slots[slot] = thing;
    }
  }
  const kept = [];
  slots.forEach((thing, slot) => {
    const before = kept.at(-1);
    if (before?.thing === thing) before.width += 1 / MOST;
    else kept.push({ ...thing, thing, left: slot / MOST, width: 1 / MOST });
  });
  return kept;
}

/** Runs of values per frame as things of a row. */
export function spread(runs) {
  let start = 0;
  return runs.map(([value, count]) => ({ value, count, start, stop: (start += count) }));
}

const GIVEN = new Set(["motion", "image", "anchor", "keyframe", "end", "latent"]);

/** Kinds in order of appearance, each with its frames in words: [{kind, name, spans}]. */
export function legendOf(pieces) {
  const found = new Map();
  for (const { kind, name, span } of pieces) {
    if (!found.has(kind)) found.set(kind, { kind, name, list: [] });
    found.get(kind).list.push(span);
  }
  const words = (kind, list) => {
    if (list.length > 2 && !GIVEN.has(kind)) return say("strip.elsewhere"); // what is given needs the room
    return list.length > 4 ? `${list.slice(0, 3).join(", ")} … ${list.at(-1)}` : list.join(", ");
  };
  return [...found.values()].map(({ kind, name, list }) => ({ kind, name, spans: words(kind, list) }));
}

const spanOf = (first, count) => say(count === 1 ? "strip.frame" : "strip.span", { first, last: first + count - 1 });

function contents(answer, first, count) {
  const inside = answer.pieces.filter((piece) => piece.start < first + count && piece.stop > first);
  return inside.map(({ kind, name, source }) => (kind.startsWith("shot_") ? `${name} (${source})` : name)).join(" + ");
}

/** Both views of a latent's four mask channels: {known_mask: "1 1 1 1", concat_mask: "0 0 0 0"}; null without a mask. */
export function columnOf(answer, latent) {
  const column = answer.columns && thingAt(answer.columns, latent);
  if (!column) return null;
  const words = (values) => values.map((value) => `${Math.round(value * 100) / 100}`).join(" ");
  return { known_mask: words(column), concat_mask: words(column.map((value) => 1 - value)) };
}

/** What stands at a latent, in words: {head, mask} for the eye, `heard` for the ear. */
export function latentWords(answer, latent) {
  const { first, count } = framesOf(answer.latents, latent);
  const column = columnOf(answer, latent);
  const where = answer.in_region ? say("strip.region") : "";
  const later = answer.mask_from ? say("strip.mask_from", { source: answer.mask_from }) : "";
  const mask = column ? `known_mask ${column.known_mask} · concat_mask ${column.concat_mask}${where}` : later;
  const here = { latent, latents: latentCount(answer.latents), frames: spanOf(first, count), holds: contents(answer, first, count) };
  const heard = say("strip.latent_heard", here);
  return { head: say("strip.latent", here), mask, heard: mask ? `${heard}; ${mask}` : heard };
}

/** The same of one frame. */
export function frameWords(answer, frame) {
  const latent = latentOf(answer.latents, frame);
  const value = answer.known ? thingAt(answer.known, frame) : null;
  const where = value && answer.in_region ? say("strip.region") : "";
  const views = value === null ? "" : `known_mask ${value} · concat_mask ${Math.round((1 - value) * 1000) / 1000}${where}`;
  const mask = answer.mask_from ? say("strip.mask_from", { source: answer.mask_from }) : views;
  const head = say("strip.frame_at", { frame, latent, holds: contents(answer, frame, 1) });
  return { head, mask, heard: mask ? `${head}; ${mask}` : head };
}

/** What the strip should make heard: notes, guesses, values from links. {text, warns}. */
export function statusOf(answer) {
  const guesses = (answer.assumed ?? []).filter((each) => !each.sure).map((each) => each.said);
  const notes = answer.notes ?? [];
  return { text: [...notes, ...(answer.linked ?? []), ...guesses].join(" · "), warns: notes.length > 0 };
}

/** The strip in one line, for screen readers. */
export function labelOf(answer) {
  const main = answer.trouble ?? answer.beyond ?? (answer.error ? say("strip.would_not_run", answer) : answer.text);
  const more = statusOf(answer).text;
  return more ? `${main}; ${more}` : main;
}

/**
 * Where a key moves the cursor of a strip: {latent} or {frame}; null takes it away, undefined is none of its keys. Arrows
 * go from latent to latent, with Shift from frame to frame.
 */
export function moveCursor(answer, cursor, key, shift) {
  if (key === "Escape") return cursor ? null : undefined;
  const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[key];
  if (step === undefined) return undefined;
  const unit = shift ? "frame" : "latent";
  const last = (shift ? answer.frames : latentCount(answer.latents)) - 1;
  let at = cursor?.[unit];
  if (at === undefined && cursor) {
    at = shift ? framesOf(answer.latents, cursor.latent).first : latentOf(answer.latents, cursor.frame);
  }
  // The first key only shows the cursor.
  const next = at === undefined ? (step > 0 && step < Infinity ? 0 : last) : at + step;
  return { [unit]: Math.min(Math.max(key === "Home" ? 0 : next, 0), last) };
}

/** Colours; the rest stands in svi.css. */
function style() {
  const themes = Object.entries(PALETTE).map(([theme, colours]) => {
    const values = Object.entries(colours).map(([name, colour]) => `--svi-${name}: ${colour};`).join(" ");
    const hatch = theme === "dark" ? "rgb(0 0 0 / 62%)" : "rgb(255 255 255 / 72%)";
    return `${theme === "dark" ? "" : `[data-svi-theme=${theme}] `}.svi-strip { ${values} --svi-hatch: ${hatch}; }`;
  });
  return themes.join("\n");
}

const percent = (share) => `${+(share * 100).toFixed(3)}%`;

function dye(shown, kind) {
  const [colour, pattern] = lookOf(kind);
  shown.classList.add(`svi-${pattern}`);
  shown.style[pattern === "dots" ? "color" : "backgroundColor"] = `var(--svi-${colour})`;
  if (pattern === "black" || pattern === "dots") shown.style.boxShadow = `inset 0 0 0 1px var(--svi-${colour})`;
  return shown;
}

function span(thing, className, ...children) {
  const made = element("span", { className }, ...children);
  made.style.left = percent(thing.left);
  made.style.width = percent(thing.width);
  return made;
}

function maskRow(answer, kept, left) {
  const row = element("div", { className: "svi-row svi-mask" });
  if (!answer.known) {
    row.append(element("span", { className: "svi-later" }, element("i", { textContent: say("strip.from", { source: answer.mask_from }) })));
    return row;
  }
  for (const run of place(answer.latents, spread(answer.known))) {
    const value = kept ? run.value : 1 - run.value;
    const [look, word] = value >= 1 ? ["svi-white", "strip.white"] : value <= 0 ? ["svi-black-run", "strip.black"] : ["svi-part"];
    const region = answer.in_region && run.value > 0 ? " svi-in-region" : "";
    const text = run.width > 0.2 && word ? say(word, run) : `${run.count}`;
    row.append(span(run, look + region, ...(word ? [element("i", { textContent: text })] : [])));
  }
  row.title = `${left}: ${kept ? answer.known_mask : answer.concat_mask}`;
  return row;
}

// Lines between latents, every so many that they stay apart.
function ticks(count) {
  const step = [1, 2, 4, 10, 20, 40, 100, 200, 400, 1000].find((each) => count / each <= 64) ?? 1000;
  const made = element("div", { className: "svi-ticks" });
  made.style.backgroundSize = `${percent(step / count)} 100%`;
  return made;
}

/**
 * The element of a strip, and how to fill it.
 *
 * @returns {{element: HTMLElement, show: (answer: object) => void}} show: takes an answer of the server, {trouble} in
 *   its stead, or null while none is there
 */
export function makeStrip() {
  addStyles();
  addStyle("svi-strip-style", style());
  const root = element("div", { className: "svi-strip" });
  const heard = element("div", { className: "svi-heard", "aria-live": "polite" });
  let answer = null;
  let cursor = null;
  let title = null;
  let line = null;
  let area = null;

  function point(to, { aloud = false } = {}) {
    cursor = to;
    if (!area) return;
    area.replaceChildren();
    title.textContent = answer.title;
    line.textContent = lineOf(answer);
    if (!cursor) return;
    const { latents } = answer;
    const byLatent = cursor.frame === undefined;
    const { first, count } = byLatent ? framesOf(latents, cursor.latent) : { first: cursor.frame, count: 1 };
    const words = byLatent ? latentWords(answer, cursor.latent) : frameWords(answer, cursor.frame);
    const left = placeOf(latents, first);
    area.append(span({ left, width: placeOf(latents, first + count) - left }, "svi-cursor"));
    title.textContent = words.head;
    if (words.mask) line.textContent = words.mask;
    if (aloud) heard.textContent = words.heard;
  }

  function words(lines, bad) {
    const said = lines.filter(Boolean).map((text) => element("p", { textContent: text }));
    const box = element("div", { className: bad ? "svi-words svi-bad" : "svi-words", tabIndex: 0, role: "img" }, ...said);
    box.setAttribute("aria-label", labelOf(answer));
    root.replaceChildren(box, heard);
    area = title = line = null;
  }

  function draw() {
    const { latents, pieces } = answer;
    const masked = answer.known || answer.mask_from;
    const frames = element("div", { className: `svi-row svi-frames${masked ? "" : " svi-alone"}` });
    for (const piece of place(latents, pieces)) {
      const shown = dye(span(piece, ""), piece.kind);
      shown.title = `${piece.name} ${piece.span}: ${piece.source}`;
      frames.append(shown);
    }
    area = element("div", { className: "svi-area" });
    const plot = element("div", { className: "svi-plot", tabIndex: 0, role: "img", "aria-label": labelOf(answer) });
    const names = element("div", { className: "svi-names" }, element("b", { textContent: say("strip.frames") }));
    const lane = element("div", { className: "svi-lane" }, frames);
    if (masked) {
      for (const [name, kept] of [["known_mask", true], ["concat_mask", false]]) {
        names.append(element("b", { textContent: name }));
        lane.append(maskRow(answer, kept, name));
      }
    }
    lane.append(ticks(latentCount(latents)), area);
    plot.append(names, lane);
    plot.addEventListener("pointermove", (event) => {
      const box = frames.getBoundingClientRect();
      const share = (event.clientX - box.left) / (box.width || 1);
      if (share < 0 || share >= 1) return point(null);
      const latent = Math.floor(share * latentCount(latents));
      if (cursor?.latent !== latent) point({ latent });
    });
    plot.addEventListener("pointerleave", () => point(null));
    plot.addEventListener("blur", () => point(null));
    plot.addEventListener("keydown", (event) => {
      const next = event.ctrlKey || event.metaKey || event.altKey
        ? undefined
        : moveCursor(answer, cursor, event.key, event.shiftKey);
      if (next === undefined) return;
      event.preventDefault();
      event.stopPropagation();
      point(next, { aloud: true });
    });
    title = element("span", { textContent: answer.title });
    const kept = answer.in_region ? say("strip.in_region_only") : "";
    const status = statusOf(answer);
    line = element("div", { className: `svi-status${status.warns ? " svi-warns" : ""}`, title: status.text });
    line.textContent = lineOf(answer);
    const legend = legendOf(pieces).map(({ kind, name, spans }) =>
      element("span", {}, dye(element("i"), kind), `${name} ${spans}`, " "));
    root.replaceChildren(
      element("div", { className: "svi-head" }, title, element("span", { textContent: kept })),
      plot,
      element("div", { className: "svi-legend" }, ...legend),
      line,
      heard,
    );
  }

  function show(given) {
    answer = given;
    cursor = null;
    heard.textContent = answer?.error ?? "";
    const focused = root.contains(document.activeElement);
    if (!answer) root.replaceChildren();
    else if (answer.trouble || answer.beyond) words([answer.trouble ?? answer.beyond], false);
    else if (answer.error) words([answer.error, statusOf(answer).text], true);
    else draw();
    if (focused) root.querySelector("[tabindex]")?.focus();
  }

  return { element: root, show };
}

function lineOf(answer) {
  const { text, warns } = statusOf(answer);
  if (text) return warns ? `⚠ ${text}` : text;
  return answer.known || answer.mask_from ? say("strip.kept") : "";
}
