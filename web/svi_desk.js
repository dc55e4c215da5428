// The desk: a chain as cards, one per clip, to look at, edit and queue. The server makes each edit in the text of the
// node's story, one step of undo; the cards show the story editor's answer.

import { CARD_HEIGHT, CARD_LEAST, Card, ACTS, GAP } from "./svi_desk_card.js";
import { previewUrl } from "./svi_media.js";
import { lookAll, panels, watcher } from "./svi_story.js";
import { openViewer } from "./svi_viewer.js";
import { addStyles, comfy, element, nodeOf, RETRY_MS } from "./svi_widget.js";
import { english, say } from "./svi_words.js";

const ROUTE = "/wanvideo_svi/desk";
const HEADING = 34; // pixels of a scene's heading
const BEYOND = 400; // pixels above and below what is seen in which cards are mounted
const AT_ONCE = 2; // cards that are mounted in a frame while the page scrolls
let open = null; // the desk that is open

/** Asks the server. Returns its answer; throws an Error with its reason, in words. */
export async function askDesk(question) {
  let response;
  try {
    response = await comfy().api.fetchApi(ROUTE, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(question),
    });
  } catch {
    throw new Error(say("server.silent"));
  }
  if (response.status === 404 || response.status === 405) throw new Error(say("server.old"));
  const said = await response.json().catch(() => null);
  if (!response.ok || !said) throw new Error(said?.error ?? say("server.status", response));
  return said;
}

/** Asks a person. text: what a box holds at first; without it there is none. Returns what was entered, true, or null. */
export function askPerson(question, { yes, text } = {}) {
  const box = text === undefined ? null : element("textarea", { value: text, "aria-label": question });
  const go = element("button", { type: "submit", className: "svi-main", textContent: yes });
  const dialog = element("dialog", { className: "svi-ask", "aria-label": question });
  return new Promise((resolve) => {
    let answer = null;
    const form = element(
      "form", { method: "dialog" }, element("p", { textContent: question }), ...(box ? [box] : []),
      element(
        "footer", {}, element("button", { type: "button", textContent: say("cancel"), onclick: () => dialog.close() }), go,
      ),
    );
    form.addEventListener("submit", (event) => {
      answer = box ? box.value.trim() : true;
      if (box && !answer) event.preventDefault();
    });
    dialog.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(answer || null);
    });
    dialog.append(form);
    document.body.append(dialog);
    dialog.showModal();
    (box ?? go).focus();
    box?.select();
  });
}

const tracker = () => comfy().app.extensionManager.workflow.activeWorkflow?.changeTracker;

/** Sets widgets as one step of undo: in the same tick, or the frontend may fold it into the step before. */
function setWidgets(node, values) {
  for (const [name, value] of Object.entries(values)) {
    const widget = node.widgets.find((each) => each.name === name);
    if (widget.value === value) continue;
    widget.value = value;
  }
  const found = tracker();
  if (found) (found.captureCanvasState ?? found.checkState).call(found);
  comfy().app.canvas.setDirty?.(true, true);
}

const valueOf = (node, name) => node.widgets?.find((each) => each.name === name)?.value;

const isLinked = (node, name) => Boolean(node.inputs?.some((input, slot) => input.widget?.name === name && node.isInputConnected(slot)));

const placeOf = (node) => ({ graph: node.graph?.isRootGraph === false ? String(node.graph.id) : "", id: String(node.id) });

/** How long that is, in words. */
function duration(seconds) {
  if (seconds < 90) return say("desk.seconds", { count: Math.max(1, Math.round(seconds)) });
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? say("desk.minutes", { count: minutes }) : say("desk.hours", { count: (minutes / 60).toFixed(1) });
}

/** Numbers in words: 3, 5-7. */
function ranges(numbers) {
  const parts = [];
  for (const number of numbers) {
    const last = parts.at(-1);
    if (last && last[1] === number - 1) last[1] = number;
    else parts.push([number, number]);
  }
  return parts.map(([first, last]) => (first === last ? first : `${first}-${last}`)).join(", ");
}

class Desk {
  /** node: the SVI Long Video whose chain is shown; without it the reel of that name, which cannot be edited. */
  constructor({ node, reel }) {
    this.place = node ? placeOf(node) : null;
    this.reelName = reel ?? "";
    this.cards = [];
    this.mounted = new Map(); // cards by number
    this.pool = [];
    this.headings = [];
    this.at = 1; // the card with the focus
    this.work = Promise.resolve();
    this.numbering = 0; // changes when clips get other numbers; `moving` until the cards have these
    this.moving = false;
    this.wrong = ""; // what went wrong last, said until something else is done
    this.workflow = comfy().app.extensionManager.workflow.activeWorkflow?.path;
    this.back = document.activeElement;
    this.build();
  }

  build() {
    const button = (key, onclick, more = {}) => element("button", {
      type: "button", textContent: say(`desk.${key}`), title: say(`desk.${key}_title`), onclick, ...more,
    });
    this.title = element("h2");
    this.sum = element("span", { className: "svi-summary" });
    this.undo = button("undo", () => this.step("undo"));
    this.redo = button("redo", () => this.step("redo"));
    this.playAll = button("play_all", () => this.playChain());
    this.space = element("div");
    this.scroll = element("div", { className: "svi-cards", role: "group", "aria-label": say("desk.region"), title: "" }, this.space);
    this.told = element("div", { className: "svi-told", role: "status" });
    this.stop = button("stop", () => comfy().api.interrupt(), { hidden: true });
    this.next = button("queue_next", () => this.queue({ clips_per_run: 1 }));
    this.all = button("queue_all", () => this.queue(null), { className: "svi-main" });
    const buttons = () => [...this.element.querySelectorAll("button")].filter((each) => !each.disabled && each.offsetParent);
    const edge = (go) => element("span", { tabIndex: 0, onfocus: go });
    this.closing = element("button", { type: "button", textContent: say("close"), onclick: () => this.close() });
    this.element = element(
      "section", { className: "svi-desk", role: "dialog", "aria-modal": "true", "aria-label": say("desk.label"), tabIndex: -1 },
      edge(() => buttons().at(-1)?.focus()),
      element("header", {}, this.title, this.sum, this.undo, this.redo, this.playAll, button("keys", () => this.showKeys()), this.closing),
      this.scroll,
      element("footer", {}, this.told, this.stop, this.next, this.all),
      edge(() => buttons()[0]?.focus()),
    );
    // In a shadow root: outside, each new element costs 16 ms of the frontend's style sheets (with 40 Vue nodes).
    this.behind = element("div", { className: "svi-behind" });
    const root = this.behind.attachShadow({ mode: "open" });
    addStyles(root);
    root.append(this.element);
    this.element.addEventListener("keydown", (event) => this.key(event));
    // Not for the canvas behind. After a mouseup the frontend would take an undo for a new change, and forget the redo.
    for (const event of ["wheel", "pointerdown", "pointermove", "pointerup", "mousedown", "mouseup", "keyup", "contextmenu", "paste", "copy", "cut"]) {
      this.element.addEventListener(event, (each) => each.stopPropagation());
    }
    this.scroll.addEventListener("scroll", () => this.mount(AT_ONCE));
    this.scroll.addEventListener("focusin", (event) => {
      const number = Number(event.target.closest(".svi-card")?.dataset.clip);
      if (number) this.goTo(number, false);
    });
    this.sizes = new ResizeObserver(() => this.layout());
    this.sizes.observe(this.scroll);
  }

  show() {
    document.body.append(this.behind);
    this.tell(say("desk.loading"));
    this.again();
    this.closing.focus();
  }

  close() {
    if (open !== this) return;
    open = null;
    clearTimeout(this.timer);
    this.sizes.disconnect();
    for (const card of this.mounted.values()) card.remove();
    this.behind.remove();
    this.back?.isConnected && this.back.focus();
  }

  /** The panel of the node as it is now: undo makes another node of it. */
  get panel() {
    if (!this.place) return null;
    const { graph, id } = this.place;
    return [...panels].find(({ node }) => {
      const now = placeOf(node);
      return now.id === id && now.graph === graph;
    }) ?? null;
  }

  get node() {
    return this.panel?.node ?? null;
  }

  get editable() {
    return Boolean(this.node) && !this.linked; // under an error too: it is mended here as well
  }

  /** Whether a clip continues from another one. */
  isLed(number, by) {
    const clip = this.cards[number - 1];
    return Boolean(clip) && !clip.cut && (clip.from || number - 1) === by;
  }

  /** Asks what there is now. */
  again() {
    clearTimeout(this.timer);
    if (comfy().app.extensionManager.workflow.activeWorkflow?.path !== this.workflow) {
      this.close();
      return;
    }
    if (this.place) {
      if (this.panel) this.panel.follower.again();
      else {
        this.tell(say("desk.gone"), true);
        this.enable();
      }
      return;
    }
    const later = () => (this.timer = setTimeout(() => open === this && this.again(), RETRY_MS));
    askDesk({ ask: "reel", reel: this.reelName }).then(
      (said) => {
        this.take({ summary: "", notes: [], ...said });
        later();
      },
      (error) => {
        this.tell(error.message, true);
        later();
      },
    );
  }

  /** An answer of the server about the node as the question has it. */
  hear(panel, said, question) {
    if (!said || panel !== this.panel) return;
    if (said.trouble) {
      this.tell(say("story.trouble", said), true);
      return;
    }
    if (question.values.story === valueOf(this.node, "story")) this.moving = false;
    this.take(said.answer);
  }

  take(answer) {
    const { error, desk } = answer;
    this.isWrong = Boolean(error);
    this.scroll.classList.toggle("svi-old", this.isWrong);
    if (error) {
      const where = error.line === null ? "" : `\n${error.line} │ ${error.text}`;
      this.tell(`${error.message}${where}`, true);
      return this.enable();
    }
    const { node } = this;
    if (node) this.reelName = String(valueOf(node, "reel") ?? "");
    this.linked = Boolean(node) && (!desk || isLinked(node, "story"));
    this.reel = answer.reel;
    this.title.textContent = say("desk.title", { reel: this.reelName });
    this.sum.textContent = answer.summary ?? "";
    this.sum.title = [answer.summary, ...(answer.notes ?? [])].join("\n");
    if (!desk) {
      this.tell((answer.notes ?? []).join("\n"), true);
      return this.enable();
    }
    this.fps = desk.fps;
    this.cards = desk.cards;
    this.layout();
    this.tellWork(desk, answer);
    return this.enable();
  }

  tellWork({ make, left_out: left }, answer) {
    const lines = this.wrong ? [this.wrong] : [];
    const reel = this.reel ?? {};
    if (this.linked) lines.push(say("desk.linked"));
    if (reel.trouble) lines.push(say("story.reel_trouble", reel));
    if (reel.now?.clip) lines.push(say("desk.now", { ...reel.now, of: this.cards.length }));
    if (left) lines.push(say("desk.left_out", { count: left }));
    if (make?.takes) {
      const numbers = this.cards.filter((clip) => clip.missing).map((clip) => clip.clip);
      const time = make.seconds === null ? say("desk.no_time") : say("desk.about", { time: duration(make.seconds) });
      lines.push(say("desk.make", { ...make, which: ranges(numbers), time }));
    } else if (make) lines.push(say("desk.nothing"));
    else if (!this.place) lines.push(say("desk.no_node"));
    else lines.push(...(answer.notes ?? []));
    this.tell(lines.join("\n"), Boolean(this.wrong));
  }

  tell(text, wrong = false) {
    this.told.classList.toggle("svi-wrong", wrong);
    if (this.told.textContent !== text) this.told.textContent = text;
  }

  enable() {
    const there = Boolean(this.node);
    for (const button of [this.next, this.all, this.undo, this.redo]) button.hidden = !there;
    for (const button of [this.next, this.all]) button.disabled = this.isWrong;
    this.playAll.disabled = !this.cards[0]?.take;
    if (!this.reel?.now && this.stop.matches(":focus")) this.element.focus();
    this.stop.hidden = !this.reel?.now;
  }

  // Where cards are

  layout() {
    const { clientWidth: width, clientHeight: height } = this.scroll;
    this.height = height; // asked once: the page would be laid out for it while it scrolls
    const columns = Math.max(1, Math.floor((width - GAP) / (CARD_LEAST + GAP)));
    const each = Math.max(CARD_LEAST, Math.floor((width - GAP) / columns) - GAP);
    const scenes = new Set(this.cards.map((clip) => clip.scene)).size > 1;
    this.places = [];
    this.rows = [];
    const headings = [];
    let [top, column, scene, count] = [0, columns, null, 0];
    for (const clip of this.cards) {
      const begins = scenes && clip.scene !== scene && clip.scene === clip.clip;
      if (begins || column === columns) {
        if (this.rows.length) top += CARD_HEIGHT + GAP / 2;
        column = 0;
        if (begins) {
          headings.push([top, ++count]);
          top += HEADING;
        }
        this.rows.push([top, this.places.length]);
      }
      scene = clip.scene;
      this.places.push([GAP + column * (each + GAP), top, each]);
      column++;
    }
    this.space.style.height = `${top + CARD_HEIGHT + GAP}px`;
    for (const heading of this.headings) heading.remove();
    this.headings = headings.map(([at, number]) => element("h3", { textContent: say("desk.scene", { number }), style: `top:${at}px` }));
    this.space.append(...this.headings);
    const had = this.element.matches(":focus-within");
    this.at = Math.max(1, Math.min(this.at, this.cards.length));
    this.mount();
    this.fill();
    if (this.wish && this.cards[this.wish - 1]) this.goTo(this.wish);
    else if (had && !this.element.matches(":focus-within")) this.goTo(this.at);
    this.wish = 0;
  }

  /** Mounts the cards that are seen, and the one with the focus. most: how many at once, the others in the next frame. */
  mount(most = Infinity) {
    if (!this.places) return;
    const top = this.scroll.scrollTop;
    const [from, to] = [top - BEYOND, top + this.height + BEYOND];
    const seen = new Set();
    this.places.forEach(([, top], index) => {
      if (top + CARD_HEIGHT >= from && top <= to) seen.add(index + 1);
    });
    if (this.cards[this.at - 1]) seen.add(this.at);
    for (const [number, card] of this.mounted) {
      if (seen.has(number)) continue;
      card.remove();
      this.pool.push(card);
      this.mounted.delete(number);
    }
    let left = most;
    for (const number of seen) {
      if (this.mounted.has(number)) continue;
      if (!left--) {
        cancelAnimationFrame(this.soon);
        this.soon = requestAnimationFrame(() => open === this && this.mount(most));
        break;
      }
      const card = this.pool.pop() ?? new Card(this);
      this.mounted.set(number, card);
      const after = Math.min(...[...this.mounted.keys()].filter((each) => each > number));
      const before = this.mounted.get(after)?.cut ?? null;
      for (const part of [card.cut, card.seam, card.element]) this.space.insertBefore(part, before); // read in order
      this.fillOne(number, card);
    }
  }

  fill() {
    for (const [number, card] of this.mounted) if (this.cards[number - 1]) this.fillOne(number, card);
  }

  fillOne(number, card) {
    card.element.tabIndex = number === this.at ? 0 : -1;
    card.fill(this.cards[number - 1], this.places[number - 1], this.cards.length);
    const now = this.reel?.now;
    card.showProgress(now?.clip === number ? this.progress ?? null : undefined);
  }

  /** Makes a card the one that the arrows continue from. */
  goTo(number, focus = true) {
    const to = Math.max(1, Math.min(this.cards.length, number));
    const before = this.mounted.get(this.at);
    if (before) before.element.tabIndex = -1;
    this.at = to;
    this.mount();
    const card = this.mounted.get(to);
    if (!card) return;
    card.element.tabIndex = 0;
    if (!focus) return;
    const [, top] = this.places[to - 1];
    if (top < this.scroll.scrollTop || top + CARD_HEIGHT > this.scroll.scrollTop + this.scroll.clientHeight) {
      this.scroll.scrollTop = top - HEADING;
    }
    card.element.focus({ preventScroll: true });
  }

  // Keys

  key(event) {
    event.stopPropagation(); // keys are not for the canvas behind it
    if (event.isComposing) return; // the Enter or Escape of an input method
    const { target, key } = event;
    const isText = ["TEXTAREA", "INPUT"].includes(target.tagName);
    if (event.repeat && (isText ? key === "Enter" && (event.ctrlKey || event.metaKey) : !key.startsWith("Arrow") && key !== "Tab")) {
      event.preventDefault(); // a key that is held does its work once
      return;
    }
    const card = this.mounted.get(Number(target.closest(".svi-card")?.dataset.clip));
    const command = event.ctrlKey || event.metaKey;
    const edited = isText && card?.wasEdited(target);
    const done = () => event.preventDefault();
    if (command && !edited && ["z", "Z", "y"].includes(key)) {
      this.step(key === "y" || event.shiftKey ? "redo" : "undo");
      done();
    } else if (command && key === "Enter") {
      if (edited) target.blur();
      this.queue(null);
      done();
    } else if (key === "Escape") {
      if (isText && card) card.element.focus();
      else this.close();
      done();
    } else if (!isText && !command && !event.altKey && card && target === card.element && this.cardKey(key, card)) done();
  }

  cardKey(key, card) {
    const { clip } = card.clip;
    const [, top] = this.places[clip - 1];
    const row = this.rows.findLastIndex(([at]) => at <= top);
    const column = clip - 1 - this.rows[row][1];
    const inRow = (index) => {
      const at = this.rows[index];
      if (!at) return clip;
      const end = this.rows[index + 1]?.[1] ?? this.cards.length;
      return Math.min(at[1] + column, end - 1) + 1;
    };
    const to = {
      ArrowLeft: clip - 1, ArrowRight: clip + 1, ArrowUp: inRow(row - 1), ArrowDown: inRow(row + 1), Home: 1, End: this.cards.length,
    }[key];
    if (to !== undefined) this.goTo(to);
    else if (key === "Enter") card.text.focus();
    else if (key === " ") this.play(card);
    else if (key === "s" && !card.seam.hidden) this.seam(card);
    else if (key === "t") this.act("another", card);
    else if (/^[1-9]$/.test(key) && card.clip.there[Number(key) - 1]) {
      const { id } = card.clip.there[Number(key) - 1];
      card.choose(card.chosen === id ? "" : id);
    } else {
      const act = Object.keys(ACTS).find((name) => ACTS[name] === key);
      if (!act) return false;
      this.act(act, card);
    }
    return true;
  }

  showKeys() {
    askPerson(say("desk.keys_text"), { yes: say("close") });
  }

  // What is done

  /** Has the server edit the story, and sets it: one step of undo. question: see answers/desk.py. Edits wait in line. */
  edit(question, then = () => {}) {
    const { numbering, moving } = this;
    this.wrong = "";
    this.work = this.work.then(async () => {
      const { node } = this;
      try {
        if (!node || !this.editable) throw new Error(say(node ? "desk.linked" : "desk.no_node"));
        if (moving || numbering !== this.numbering) throw new Error(say("desk.changed"));
        const [story, mend] = [String(valueOf(node, "story")), String(valueOf(node, "mend") ?? "")];
        const said = await askDesk({ ask: "edit", story, mend, ...question });
        if (this.node !== node || valueOf(node, "story") !== story) throw new Error(say("desk.changed"));
        const changes = said.story !== story || said.mend !== mend;
        if (changes) {
          if (question.do === "insert" || question.do === "remove") this.renumber();
          setWidgets(node, said.mend === mend ? { story: said.story } : said);
        } else this.fill();
        await then(changes);
      } catch (error) {
        this.fail(error.message); // what was typed stays in its box
      }
    });
    return this.work;
  }

  renumber() {
    this.numbering++;
    this.moving = true;
  }

  /** Says what went wrong, until something else is done. */
  fail(message) {
    this.wrong = message;
    this.tell(message, true);
  }

  async act(name, card) {
    const { clip } = card;
    if (name === "compare") return this.compare(card);
    if (name === "drop") return this.drop(card);
    if (name === "queue") return this.queue({ only: String(clip.clip) });
    if (!this.editable) return undefined;
    const set = (keys, then) => this.edit({ do: "set", clip: clip.clip, keys }, then);
    if (name === "another") return set({ takes: String(1 + Math.max(clip.takes, ...clip.there.map((take) => (take.wanted ? take.number : 0)))) });
    if (name === "pick") return set({ pick: String(card.take.number) }, () => card.choose(""));
    if (name === "cut" && clip.cut) return set({ cut: null, start: null });
    if (name === "cut") {
      const before = this.cards[clip.clip - 2]; // becomes the last of its scene, which none can mend
      const also = before?.mend ? { also: { clip: before.clip, keys: { mend: null } } } : {};
      return this.edit({ do: "set", clip: clip.clip, keys: { cut: true, from: null }, ...also });
    }
    if (name === "remove") return this.edit({ do: "remove", clip: clip.clip });
    // A clip that was mended stays so without the word, and says so with "off".
    if (name === "mend" && clip.mend && !card.take?.mended) return set({ mend: null }, (changed) => changed || void set({ mend: false }));
    // A pick was one of the takes that stand.
    if (name === "mend") return set(clip.mend ? { mend: false } : { mend: true, pick: null });
    const question = say(name === "insert" ? "desk.insert_ask" : "desk.branch_ask", clip);
    const text = await askPerson(question, { yes: say(`desk.${name}`), text: clip.text ?? "" });
    if (text === null) return card.element.focus();
    const last = this.cards.length;
    if (name === "insert") return this.edit({ do: "insert", after: clip.clip, text }, () => (this.wish = clip.clip + 1));
    return this.edit({ do: "branch", clip: clip.clip, last, text }, () => (this.wish = last + 1));
  }

  async drop(card) {
    const { clip, take } = card;
    const again = take.wanted ? say("desk.drop_wanted", clip) : "";
    const size = (take.size / 2 ** 20).toFixed(1);
    const yes = await askPerson(`${say("desk.drop_ask", { take: take.name, clip: clip.clip, size })}${again}`, { yes: say("desk.drop_yes") });
    if (!yes) return;
    card.choose(""); // a video that is shown is asked for again
    this.wrong = "";
    try {
      await askDesk({ ask: "delete", reel: this.reelName, take: take.id });
      if (take.wanted && take.number === clip.takes && this.editable) {
        await this.edit({ do: "set", clip: clip.clip, keys: { takes: String(clip.takes - 1) } });
      }
      lookAll();
      if (!this.place) this.again();
    } catch (error) {
      this.fail(error.message);
    }
  }

  /** Undo or redo of the whole graph. */
  step(which) {
    this.wrong = "";
    this.work = this.work.then(async () => {
      try {
        this.renumber();
        await tracker()?.[which]();
      } catch (error) {
        this.fail(error.message);
      }
      setTimeout(() => this.again(), 50); // the nodes are new
    });
    return this.work;
  }

  /**
   * Queues the graph. change: what the node is set to in this run alone, without what does not lead to it; null: all.
   */
  async queue(change) {
    await this.work;
    const { node } = this;
    if (!node || this.isWrong || this.wrong || this.queues) return; // what was refused is said, and not queued without
    const { app, api } = comfy();
    this.queues = true;
    try {
      const prompt = await app.graphToPrompt();
      const id = Object.keys(prompt.output).find((key) => nodeOf(key) === node);
      if (!id) throw new Error(say("desk.not_queued"));
      if (change) {
        prompt.output = leadingTo(prompt.output, id);
        prompt.output[id].inputs = { ...prompt.output[id].inputs, ...change };
      }
      await api.queuePrompt(0, prompt);
      this.tell(say("desk.queued"));
    } catch (error) {
      this.fail(reasonOf(error));
    } finally {
      this.queues = false;
    }
  }

  // What is played

  part(take, name) {
    const { step } = take;
    const from = Math.ceil(take.overlap / step);
    const url = previewUrl("clip", { reel: this.reelName, take: take.id, v: take.file });
    return { url, from, frames: Math.ceil(take.frames / step) - from, fps: this.fps / step, name };
  }

  whole(take, name) {
    return this.part({ ...take, overlap: 0 }, name);
  }

  play(card) {
    const { clip, take } = card;
    if (!take) return;
    const title = say("desk.take_of", { clip: clip.clip, take: take.name });
    openViewer({ title, tracks: [{ label: title, parts: [this.whole(take, "")] }] });
  }

  compare(card) {
    const { clip, take } = card;
    const other = clip.there.find((each) => each.id === clip.take);
    if (!other) return;
    const track = (each) => {
      const label = say("desk.take_of", { clip: clip.clip, take: each.name });
      return { label, parts: [this.whole(each, "")] };
    };
    const values = { take: take.name, other: other.name };
    const act = this.editable && take.wanted && {
      textContent: say("desk.pick", values), title: say("desk.pick_title", values), onclick: () => this.act("pick", card),
    };
    openViewer({ title: say("desk.compare", values), tracks: [track(other), track(take)], loop: true, act });
  }

  seam(card) {
    const { clip } = card;
    const before = this.cards[clip.clip - 2];
    const url = previewUrl("seam", { reel: this.reelName, before: before.take, take: clip.take, v: `${before.file}${clip.file}` });
    const title = say("desk.seam", { before: before.clip, clip: clip.clip });
    const parts = [{ url, from: 0, frames: clip.seam.frames, fps: this.fps, name: "" }];
    openViewer({ title, tracks: [{ label: title, parts }], loop: true, mark: clip.seam.at });
  }

  playChain() {
    const parts = [];
    for (const clip of this.cards) {
      const take = clip.there.find((each) => each.id === clip.take);
      if (!take) {
        this.tell(say("desk.played_until", clip));
        break;
      }
      parts.push(this.part(take, say("desk.clip", clip)));
    }
    if (parts.length) openViewer({ title: say("desk.play_all"), tracks: [{ label: "", parts }] });
  }

  /** detail: of ComfyUI's event "progress". */
  showProgress({ value, max }) {
    this.progress = max ? value / max : null;
    const card = this.mounted.get(this.reel?.now?.clip);
    card?.showProgress(this.progress);
  }
}

/** The nodes of a prompt that lead to one of them, and that one. */
function leadingTo(output, id, found = {}) {
  if (found[id] || !output[id]) return found;
  found[id] = output[id];
  for (const value of Object.values(output[id].inputs)) if (Array.isArray(value)) leadingTo(output, String(value[0]), found);
  return found;
}

/** Why a graph was not queued, with what its nodes say. */
function reasonOf(error) {
  const { error: all, node_errors: nodes = {} } = error.response ?? {};
  const each = Object.values(nodes).flatMap((node) => node.errors ?? []);
  const lines = each.map((one) => one.details || one.message);
  return [...new Set(lines.length ? lines : [all?.message ?? error.message])].join("\n");
}

/** Opens the desk on a node, or on a reel which none writes. */
export function openDesk(what) {
  addStyles();
  open?.close();
  open = new Desk(what);
  open.show();
}

/** Opens it on the SVI Long Video that is selected, or else the first one. */
function openOnGraph() {
  const { app } = comfy();
  const nodes = [...panels].map((panel) => panel.node);
  const selected = app.canvas.selectedItems ?? new Set(Object.values(app.canvas.selected_nodes ?? {}));
  const chosen = nodes.find((node) => selected.has(node)) ?? nodes[0];
  if (chosen) return openDesk({ node: chosen });
  const { toast } = app.extensionManager;
  return toast.add({ severity: "info", summary: say("desk.label"), detail: say("desk.no_long_video"), life: 6000 });
}

watcher.wants = (node) => {
  if (!open?.place) return false;
  const { graph, id } = placeOf(node);
  return open.place.id === id && open.place.graph === graph;
};
watcher.told = (panel, said, question) => open?.hear(panel, said, question);
watcher.open = (node) => openDesk({ node });

comfy().app.registerExtension({
  name: "WanVideoSVI.Desk",
  commands: [{ id: "WanVideoSVI.OpenDesk", label: english("desk.command"), icon: "pi pi-th-large", function: openOnGraph }],
  menuCommands: [{ path: ["Extensions", "WanVideo SVI"], commands: ["WanVideoSVI.OpenDesk"] }],
  setup() {
    const { api } = comfy();
    api.addEventListener("progress", ({ detail }) => {
      const { node } = open ?? {};
      if (node && nodeOf(String(detail?.node ?? "")) === node) open.showProgress(detail);
    });
    for (const event of ["execution_success", "execution_error", "execution_interrupted"]) {
      api.addEventListener(event, () => open && !open.place && open.again());
    }
    api.addEventListener("execution_error", ({ detail }) => open?.fail(String(detail?.exception_message ?? "").trim()));
  },
});
