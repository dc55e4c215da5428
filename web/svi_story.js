// Below the story of SVI Long Video: the plan clip by clip, the error at its line, and what the reel has. The server plans.

import { lorasOf } from "./svi_around.js";
import { keepRoom } from "./svi_room.js";
import {
  addElementWidget, addStyles, chain, comfy, element, follow, inApp, isLongVideo, makeAsker, onReconnect, readNode,
  RETRY_MS, sourceOf,
} from "./svi_widget.js";
import { say } from "./svi_words.js";

const TYPING_MS = 150; // how long typing has to rest before the server is asked
const LOOK_MS = 2000; // how often a run's progress makes the page look at the reel
const LOW = 170; // pixels
const NEW_MORE = 240; // of a new node on canvas, shared with its text boxes; a saved one has the size that it was saved with
const REST = 700; // of the node's other widgets and its inputs, about
const COLUMNS = ["clip", "state", "frames", "until", "seed", "mode", "prompt"];
const EXPLAINED = new Set(["clip", "state", "frames", "until"]);
const STATES = { kept: "kept", stale: "stale", "to do": "to_do" }; // as the server calls them
const ask = makeAsker({
  route: "/wanvideo_svi/story",
  pack: (nodes) => ({ nodes }),
  unpack: (said) => said?.answers,
  most: 8,
  keep: 40,
});

export const panels = new Set(); // of those that stand in a graph

/** The desk (svi_desk.js): whether it shows a node's clips as cards, who gets each answer, what opens it. */
export const watcher = { wants: () => false, told() {}, open: null };

let turn = 0; // counts what may have changed a reel: an earlier answer is none to a later question, on any panel

/** What the server is asked about a node. */
function read(node) {
  const { values, linked, connected } = readNode(node);
  const slot = node.inputs?.findIndex((input) => input.name === "sampler_inputs") ?? -1;
  const settings = slot < 0 ? null : sourceOf(node, slot)?.node;
  return {
    values, linked, connected, sampler: settings ? readNode(settings).connected : null,
    around: { loras: lorasOf(node) }, ...(watcher.wants(node) && { desk: true }),
  };
}

/** The text box of a node's story, wherever the frontend has put it; null when it shows none. */
function storyBox(node, panel) {
  const widget = node.widgets?.find((each) => each.name === "story");
  const controls = inApp(panel); // the canvas and its boxes are hidden then
  if (!controls && widget?.element?.tagName === "TEXTAREA" && widget.element.isConnected) return widget.element;
  const boxes = (controls ?? panel.closest("[data-node-id]"))?.querySelectorAll("textarea") ?? [];
  return [...boxes].find((box) => box.value === normal(widget?.value)) ?? null;
}

const normal = (text) => String(text ?? "").replace(/\r\n?/g, "\n");

/** Selects a part of a text box and scrolls it, and nothing around it, to where that is seen. */
function select(box, [begin, end]) {
  box.focus({ preventScroll: true });
  box.setSelectionRange(begin, end);
  const copy = element("div", { textContent: box.value.slice(0, begin) });
  const here = element("span", { textContent: "|" });
  copy.append(here);
  const style = getComputedStyle(box);
  for (const name of ["font", "letterSpacing", "lineHeight", "paddingTop", "paddingLeft", "paddingRight", "tabSize"]) {
    copy.style[name] = style[name];
  }
  Object.assign(copy.style, {
    position: "fixed", visibility: "hidden", top: 0, left: 0, boxSizing: "border-box", width: `${box.clientWidth}px`,
    whiteSpace: "pre-wrap", overflowWrap: "break-word",
  });
  document.body.append(copy);
  box.scrollTop = here.offsetTop - box.clientHeight / 3;
  copy.remove();
}

/** Shows the joined video of a reel, as the server tells of it. */
export function play(reel) {
  const { api } = comfy();
  const url = api.apiURL(`/view?${new URLSearchParams(reel.video)}`);
  const video = element("video", { src: url, controls: true, autoplay: true, loop: true });
  const name = element("span", { textContent: `${reel.folder}/${reel.video.filename}` });
  const dialog = element(
    "dialog", { className: "svi-video", "aria-label": say("video.label") }, video,
    element(
      "footer", {}, name,
      element("button", {
        type: "button", textContent: say("video.tab"), onclick: () => window.open(url, "_blank", "noopener"),
      }),
      element("button", { type: "button", textContent: say("close"), onclick: () => dialog.close() }),
    ),
  );
  video.addEventListener("error", () => {
    name.textContent = say("video.gone", { file: reel.video.filename });
  });
  dialog.addEventListener("close", () => {
    video.removeAttribute("src"); // else it continues loading
    video.load();
    dialog.remove();
  });
  dialog.addEventListener("keydown", (event) => event.stopPropagation()); // keys are not for the canvas behind it
  document.body.append(dialog);
  dialog.showModal();
}

/** Wheel over what can scroll scrolls it; the canvas gets the wheel elsewhere. */
function keepWheel(box) {
  box.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && box.scrollHeight > box.clientHeight) event.stopPropagation();
  });
}

class Panel {
  constructor(node) {
    this.node = node;
    this.timer = null;
    this.retry = null;
    this.rows = [];
    this.sum = element("div", { className: "svi-sum", textContent: say("story.no_plan") });
    this.playButton = element("button", { type: "button", hidden: true });
    const desk = element("button", {
      type: "button", textContent: say("desk.open"), title: say("desk.open_title"), onclick: () => watcher.open?.(node),
    });
    this.bad = element("div", { className: "svi-bad", hidden: true });
    this.caption = element("caption", { textContent: say("story.caption") });
    this.body = element("tbody");
    this.notes = element("ul");
    const heads = COLUMNS.map((name) => {
      const title = EXPLAINED.has(name) ? say(`story.${name}_title`) : "";
      return element("th", { scope: "col", title, textContent: say(`story.${name}`), "data-name": name });
    });
    this.table = element("table", {}, this.caption, element("thead", {}, element("tr", {}, ...heads)), this.body);
    this.scroll = element(
      "div", { className: "svi-rows", tabIndex: 0, role: "region", "aria-label": say("story.region") },
      this.table, this.notes,
    );
    keepWheel(this.scroll);
    keepWheel(this.bad);
    const live = element("div", { role: "status", "aria-live": "polite", style: "display: contents" }, this.bad);
    this.element = element(
      "div", { className: "svi-story" }, element("header", {}, this.sum, this.playButton, desk), live, this.scroll,
    );
    this.hint = element("div", { className: "svi-hint", "aria-hidden": "true" });
    this.playButton.addEventListener("click", () => play(this.reel));
    this.keepRoom = keepRoom(node, this.element, () => storyBox(node, this.element));
  }

  /** Asks about the node as it is now, once typing rests. */
  changed(question) {
    clearTimeout(this.timer);
    clearTimeout(this.retry);
    this.keepRoom();
    const wait = this.asked ? TYPING_MS : 0;
    this.asked = true;
    this.timer = setTimeout(async () => {
      const said = await ask(this, { ...question, turn });
      if (said?.passes) this.retry = setTimeout(() => this.follower.again(), RETRY_MS);
      if (said?.trouble) this.showTrouble(said.trouble);
      else if (said) this.show(said.answer);
      watcher.told(this, said, question);
    }, wait);
  }

  goTo(place) {
    const box = storyBox(this.node, this.element);
    if (!box) return;
    const { canvas: view } = comfy().app;
    const [at, area] = [box, view.canvas].map((each) => each.getBoundingClientRect());
    if (inApp(this.element)) box.scrollIntoView({ block: "nearest" });
    else if (at.top < area.top || at.top > area.bottom - 60) {
      view.ds.offset[1] += (area.top + 90 - at.top) / view.ds.scale;
      view.setDirty(true, true);
    }
    select(box, place);
  }

  showTrouble(trouble) {
    this.showBad(element("p", { textContent: say("story.trouble", { trouble }) }));
    this.showHint(null);
    this.showOld(true);
  }

  show(answer) {
    const { error } = answer;
    this.place = error?.select; // may move while the words stay
    if (error) this.showBad(...this.errorParts(error));
    else this.showBad();
    this.showHint(error);
    this.showOld(Boolean(error));
    if (error) return;
    this.reel = answer.reel;
    this.showHead(answer);
    this.showRows(answer);
    const notes = [...answer.notes];
    if (answer.reel?.trouble) notes.push(say("story.reel_trouble", answer.reel));
    if (notes.join("\n") === this.told) return;
    this.told = notes.join("\n");
    this.notes.replaceChildren(...notes.map((note, at) => element("li", { textContent: note, className: at < answer.warns ? "svi-warns" : "" })));
  }

  showHead({ summary, counts, reel }) {
    const some = Object.entries(counts ?? {}).filter(([state, count]) => count && STATES[state]);
    const states = some.map(([state, count]) => say(`story.count_${STATES[state]}`, { count })).join(say("story.comma"));
    this.sum.textContent = [summary || say("story.at_run"), states].filter(Boolean).join("  ·  ");
    this.sum.title = reel ? `${this.sum.textContent}\n${say("story.reel", reel)}` : this.sum.textContent;
    const video = reel?.video;
    this.playButton.hidden = !video;
    if (!video) return;
    const which = reel.is_current ? "video.play" : "video.play_last";
    this.playButton.textContent = say(which);
    this.playButton.title = say(`${which}_title`, reel);
  }

  /** While the story has an error the previous plan stays, greyed, so that nothing jumps. */
  showOld(old) {
    for (const part of [this.sum, this.table, this.notes]) part.classList.toggle("svi-old", old);
    for (const button of this.body.querySelectorAll("button")) button.disabled = old; // their places have moved
    this.table.hidden = old && !this.rows.length; // there was none before
    this.caption.textContent = say(old ? "story.caption_old" : "story.caption");
  }

  showBad(...parts) {
    const key = parts.map((part) => part.textContent).join("\n");
    if (key === this.badKey && parts.length) return; // said already
    this.badKey = key;
    this.bad.hidden = !parts.length;
    this.bad.replaceChildren(...parts);
  }

  /** The panel is far below the story: while someone types there, the error is shown right under the text box too. */
  showHint(error) {
    const box = error?.select && storyBox(this.node, this.element);
    if (!box || document.activeElement !== box) return this.hint.remove();
    this.hint.replaceChildren(...this.errorParts(error, false));
    box.parentElement.append(this.hint);
    if (this.hinted !== box) box.addEventListener("blur", () => this.hint.remove());
    this.hinted = box;
    return undefined;
  }

  errorParts({ message, line, text, mark: [begin, end] }, withButton = true) {
    const said = element("p", { textContent: message });
    if (line === null) return [said];
    const head = `${line} │ `;
    const marked = element("mark", { textContent: text.slice(begin, end) });
    const code = element("pre", {}, head, text.slice(0, begin), marked, text.slice(end));
    const under = " ".repeat(head.length + begin) + "^".repeat(Math.max(1, end - begin));
    code.append("\n", element("span", { className: "svi-caret", textContent: under, "aria-hidden": "true" }));
    const at = element("div", { className: "svi-at" }, code);
    if (withButton) {
      at.append(element("button", {
        type: "button", textContent: say("story.go", { line }), title: say("story.go_title"),
        onclick: () => this.goTo(this.place),
      }));
    }
    return [at, said];
  }

  /** Rows are changed in place: the scroll and what has the focus stay. */
  showRows({ rows, left_out: leftOut }) {
    const all = [];
    for (const row of rows) {
      if (leftOut && row.clip !== 1 && all.at(-1)?.clip !== row.clip - 1) all.push({ gap: leftOut });
      all.push(row);
    }
    while (this.rows.length > all.length) this.rows.pop().row.remove();
    all.forEach((row, index) => {
      if (this.rows[index] && Boolean(this.rows[index].gap) === Boolean(row.gap)) return;
      const made = row.gap ? gapRow() : this.clipRow();
      if (this.rows[index]) this.rows[index].row.replaceWith(made.row);
      else this.body.append(made.row);
      this.rows[index] = made;
    });
    all.forEach((row, index) => this.rows[index].fill(row));
  }

  clipRow() {
    let place = [0, 0];
    const button = element("button", { type: "button", onclick: () => this.goTo(place) });
    const cells = {};
    for (const name of COLUMNS.slice(1)) {
      const isNumber = ["frames", "until", "seed"].includes(name);
      cells[name] = element("td", { className: `svi-${name}${isNumber ? " svi-number" : ""}` });
    }
    const row = element("tr", {}, element("th", { scope: "row" }, button), ...Object.values(cells));
    const put = (cell, text, title = "") => {
      if (cell.textContent !== text) cell.textContent = text;
      if (cell.title !== title) cell.title = title;
    };
    const fill = (clip) => {
      place = clip.select;
      put(button, String(clip.clip), say("story.line_title", clip));
      row.dataset.state = clip.state ?? "";
      const state = STATES[clip.state];
      put(cells.state, state ? say(`story.${state}`) : "–", say(state ? `story.${state}_title` : "story.unknown_title"));
      const overlap = clip.clip === 1 ? "story.overlap_first" : "story.overlap";
      put(cells.frames, String(clip.frames), clip.overlap ? say(overlap, clip) : "");
      put(cells.until, clip.time, say("story.until_frames", { frames: clip.until }));
      put(cells.seed, clip.seed);
      const marks = marksOf(clip);
      const shown = [clip.mode, ...marks.map(([mark]) => mark)].filter(Boolean).join(" · ");
      put(cells.mode, shown, marks.map(([, title]) => title).join("\n"));
      put(cells.prompt, clip.prompt, clip.prompt);
    };
    return { row, fill };
  }
}

/** What is special of a clip, each with what it means. */
export function marksOf(clip) {
  const marks = [];
  if (clip.cut) marks.push([say("story.cut"), say("story.cut_title")]);
  if (clip.from) marks.push([say("story.from", clip), say("story.from_title", clip)]);
  if (clip.mend) marks.push([say("story.mend"), say("story.mend_title", { before: clip.clip - 1, after: clip.clip + 1 })]);
  if (clip.takes > 1) marks.push([say("story.takes", clip), say("story.takes_title", clip)]);
  if (clip.pick === "stop") marks.push([say("story.stop"), say("story.stop_title")]);
  if (clip.loras?.length) marks.push(["LoRA", clip.loras.join("\n")]);
  if (clip.model === "first") marks.push(["", say("story.plain_model")]);
  return marks;
}

function gapRow() {
  const cell = element("td", { colSpan: COLUMNS.length, className: "svi-gap" });
  return {
    row: element("tr", {}, cell),
    gap: true,
    fill: ({ gap }) => (cell.textContent = say("story.between", { count: gap })),
  };
}

function addPanel(node) {
  addStyles();
  const panel = new Panel(node);
  const widget = addElementWidget(node, { name: "svi_plan", element: panel.element, height: LOW });
  widget.label = say("story.plan"); // where ComfyUI names it: in apps and in its side panel
  // Room is shared evenly with the text boxes: no more than its part, so that the story keeps its own; and nothing of
  // what the node grew by for its video (svi_preview.js).
  const shared = () => node.size[1] - (node.properties?.svi_room ?? 0) - REST;
  widget.options.getMaxHeight = () => Math.max(widget.options.getMinHeight(), 0.4 * shared());
  panel.follower = follow(node, (question) => panel.changed(question), { read, widget });
  if (window.LiteGraph?.vueNodesMode === false) node.setSize([node.size[0], node.computeSize()[1] + NEW_MORE]);
  chain(node, "onAdded", () => panels.add(panel));
  chain(node, "onRemoved", () => panels.delete(panel));
}

/** Looks at all reels again: one may have changed. */
export function lookAll() {
  turn++;
  for (const panel of panels) panel.follower.again();
}

/** Looks at the reels again whenever one may have changed. */
function watchRuns(api) {
  const ends = ["execution_success", "execution_error", "execution_interrupted"];
  for (const event of ends) api.addEventListener(event, lookAll);
  let looked = -LOOK_MS;
  const progress = ({ detail }) => {
    if (performance.now() - looked < LOOK_MS) return;
    const id = String(detail?.nodeId ?? detail?.node ?? "").split(":").at(-1); // in subgraphs 3:12
    for (const panel of panels) {
      if (String(panel.node.id) !== id) continue;
      looked = performance.now();
      turn++;
      panel.follower.again();
    }
  };
  for (const event of ["progress", "progress_text"]) api.addEventListener(event, progress);
  window.addEventListener("focus", lookAll);
  onReconnect(lookAll);
}

comfy().app.registerExtension({
  name: "WanVideoSVI.Story",
  setup() {
    watchRuns(comfy().api);
  },
  nodeCreated(node) {
    if (isLongVideo(node)) addPanel(node);
  },
});
