// One clip of a chain as a card of the desk. What it shows is the server's; what is pressed goes to the desk.

import { clear, load, previewUrl } from "./svi_media.js";
import { marksOf } from "./svi_story.js";
import { element } from "./svi_widget.js";
import { say } from "./svi_words.js";

export const CARD_LEAST = 312, CARD_HEIGHT = 374, GAP = 34; // pixels; the gap has the mark of the seam
const STATES = { kept: "kept", stale: "stale", "to do": "to_do" };
const OVER_MS = 250; // how long the mouse or the focus rests before the clip plays
const DRIFT_FULL = 4; // a drift that fills the bar; 1 is seen side by side
const SEEN = 1, SEAM_SEEN = 1.5; // from here on people see it

/** What a card can do; the letter does it too while the card has the focus. */
export const ACTS = {
  mend: "m", insert: "i", cut: "c", branch: "b", remove: "Delete", queue: "q",
};

export class Card {
  /** desk: has `act(name, card)`, `edit(question)`, `play(card)`, `editable`. */
  constructor(desk) {
    this.desk = desk;
    this.chosen = ""; // id of a take whose number was pressed; "" for the clip as it stands
    this.number = element("b");
    this.badge = element("span", { className: "svi-badge" });
    this.marks = element("span", { className: "svi-marks" });
    this.until = element("span");
    this.first = element("img", { alt: "" });
    this.last = element("img", { alt: "" });
    this.video = element("video", { muted: true, loop: true, playsInline: true, preload: "auto", hidden: true, tabIndex: -1 });
    this.worse = element("div", { className: "svi-worse", hidden: true });
    this.none = element("div", { className: "svi-none" });
    this.progress = element("progress", { max: 1, hidden: true, "aria-label": say("desk.progress") });
    this.shown = element("div", { className: "svi-shown" }, this.first, this.last, this.video, this.none, this.worse, this.progress);
    this.drift = element("div", { className: "svi-drift", role: "img" }, element("i"), element("span"));
    this.text = element("textarea", { spellcheck: false });
    this.seed = element("input", { name: "seed", inputMode: "numeric" });
    this.frames = element("input", { name: "frames", inputMode: "numeric" }); // no number: a wheel would change it
    this.facts = element(
      "div", { className: "svi-facts" },
      element("label", {}, say("story.seed"), this.seed), element("label", {}, say("story.frames"), this.frames),
    );
    this.takes = element("div", { className: "svi-takes", role: "group" });
    this.acts = element("div", { className: "svi-acts" });
    this.element = element(
      "article", { className: "svi-card", tabIndex: -1 },
      element("header", {}, this.number, this.badge, this.marks, this.until),
      this.shown, this.drift, this.text, this.facts, this.takes, this.acts,
    );
    this.seam = element("button", { type: "button", className: "svi-seam", onclick: () => desk.seam(this) });
    this.cut = element("div", { className: "svi-cut" });
    this.buttons = {};
    for (const [name, key] of Object.entries(ACTS)) {
      this.buttons[name] = element("button", {
        type: "button", textContent: say(`desk.${name}`), title: say(`desk.${name}_title`, { key }),
        onclick: () => desk.act(name, this),
      });
    }
    this.playButton = element("button", {
      type: "button", textContent: "▶", title: say("desk.play_title"), "aria-label": say("desk.play"), onclick: () => desk.play(this),
    });
    this.listen();
  }

  listen() {
    const still = matchMedia("(prefers-reduced-motion: reduce)");
    const over = () => { // not for each card that the mouse or the arrows pass: the server makes what is asked for
      clearTimeout(this.soon);
      this.soon = setTimeout(() => this.element.isConnected && !still.matches && this.preview(true), OVER_MS);
    };
    const out = () => {
      if (this.element.matches(":focus-within, :hover")) return;
      clearTimeout(this.soon);
      this.preview(false);
    };
    this.shown.addEventListener("pointerenter", over);
    this.element.addEventListener("pointerleave", out);
    this.element.addEventListener("focusin", (event) => event.target === this.element && over());
    this.element.addEventListener("focusout", () => setTimeout(out));
    this.shown.addEventListener("click", () => this.desk.play(this));
    for (const input of [this.text, this.seed, this.frames]) {
      input.addEventListener("focus", () => (this.began = `${this.clip.clip} ${input.dataset.was}`));
      input.addEventListener("change", () => {
        const { clip } = this.clip;
        if (this.began !== `${clip} ${input.dataset.was}`) { // the card is of another clip than it was typed for
          this.desk.fail(say("desk.changed"));
          return;
        }
        if (input === this.text) this.desk.edit({ do: "prompt", clip, text: input.value });
        else this.desk.edit({ do: "set", clip, keys: { [input.name]: input.value.trim() || null } });
      });
    }
  }

  /** clip: a card of the server's answer. place: [left, top, width]. count: of cards. */
  fill(clip, [left, top, width], count) {
    const changed = this.clip?.clip !== clip.clip || this.clip?.take !== clip.take;
    this.clip = clip;
    if (changed || !clip.there.some((take) => take.id === this.chosen)) this.chosen = "";
    const { element: card } = this;
    const is = STATES[clip.state];
    card.dataset.state = clip.state ?? "";
    card.dataset.clip = clip.clip;
    card.style.translate = `${left}px ${top}px`;
    card.style.width = `${width}px`;
    const state = is ? say("desk.is", { state: say(`story.${is}`) }) : "";
    card.setAttribute("aria-label", say("desk.card", { clip: clip.clip, count, state, prompt: clip.prompt }));
    put(this.number, String(clip.clip));
    this.badge.hidden = !is;
    put(this.badge, is ? say(`story.${is}`) : "", is ? say(`story.${is}_title`) : "");
    const special = marksOf(clip);
    const marks = [clip.mode, ...special.map(([mark]) => mark)].filter(Boolean).join(" · ");
    this.worse.hidden = !clip.worse;
    if (clip.worse) put(this.worse, say("desk.worse", { seam: clip.worse }), say("desk.worse_title"));
    put(this.marks, marks, special.map(([, title]) => title).filter(Boolean).join("\n"));
    put(this.until, clip.time, say("story.until_frames", { frames: clip.until }));
    this.fillPictures();
    this.fillDrift(clip.drift);
    this.fillTexts(clip);
    this.fillTakes();
    this.fillSeam(clip, left, top);
  }

  get take() {
    return this.clip.there.find((take) => take.id === this.chosen)
      ?? this.clip.there.find((take) => take.id === this.clip.take) ?? null;
  }

  query(take = this.take) {
    return { reel: this.desk.reelName, take: take.id, v: take.file };
  }

  fillPictures() {
    const { take } = this;
    for (const [image, at] of [[this.first, "first"], [this.last, "last"]]) {
      load(image, take ? previewUrl("frame", { ...this.query(), at }) : "");
      image.alt = take ? say(`desk.${at}`, { clip: this.clip.clip }) : "";
    }
    this.none.hidden = Boolean(take);
    put(this.none, say("desk.none"));
    if (this.video.dataset.url) this.preview(Boolean(take));
  }

  fillDrift(drift) {
    this.drift.style.visibility = drift ? "" : "hidden";
    if (!drift) return;
    this.drift.style.setProperty("--svi-drift", `${Math.min(100, (100 * drift.size) / DRIFT_FULL)}%`);
    this.drift.toggleAttribute("data-seen", drift.size >= SEEN);
    const what = say(`look.${drift.culprit}`);
    put(this.drift.lastChild, drift.size.toFixed(1));
    this.drift.title = say("desk.drift_title", { size: drift.size.toFixed(1), what });
    this.drift.setAttribute("aria-label", this.drift.title);
  }

  fillTexts(clip) {
    const { editable } = this.desk;
    const values = [[this.text, clip.text ?? clip.prompt], [this.seed, clip.seed], [this.frames, String(clip.frames)]];
    for (const [input, value] of values) {
      input.readOnly = !editable || (input === this.text && clip.text === null);
      const typed = this.wasEdited(input) && this.shownOf === clip.clip; // not refused and lost, nor on another clip
      if (!typed) input.value = value;
      input.dataset.was = value;
    }
    this.shownOf = clip.clip;
    this.text.setAttribute("aria-label", say("desk.prompt_of", clip));
    this.text.title = clip.text === null ? say("desk.long_prompt") : "";
    this.frames.title = clip.overlap ? say(clip.clip === 1 ? "story.overlap_first" : "story.overlap", clip) : "";
  }

  wasEdited(input) {
    return input.value !== input.dataset.was;
  }

  fillTakes() {
    const { clip, desk, chosen } = this;
    const key = JSON.stringify([clip.clip, clip.there, clip.take, chosen, desk.editable]);
    if (key === this.takesKey) return this.fillActs();
    this.takesKey = key; // else a button that is pressed, or read, would be another
    const buttons = clip.there.map((take) => element("button", {
      type: "button", "aria-pressed": String(take.id === (chosen || clip.take)),
      textContent: `${take.id === clip.take ? "★ " : ""}${take.name}${take.score === null ? "" : ` (${take.score.toFixed(1)})`}`,
      title: say(take.id === clip.take ? "desk.take_here" : "desk.take", { ...take, score: take.score ?? "?" }),
      onclick: () => this.choose(take.id === chosen ? "" : take.id),
    }));
    if (desk.editable) {
      buttons.push(element("button", {
        type: "button", textContent: "+", title: say("desk.another_title"), "aria-label": say("desk.another"),
        onclick: () => desk.act("another", this),
      }));
    }
    const had = [...this.takes.children].findIndex((each) => each.matches(":focus"));
    this.takes.replaceChildren(...buttons);
    this.takes.setAttribute("aria-label", say("desk.takes_of", clip));
    if (had >= 0) this.takes.children[Math.min(had, buttons.length - 1)]?.focus({ preventScroll: true });
    return this.fillActs();
  }

  fillActs() {
    const { take, clip, desk, buttons } = this;
    buttons.mend.setAttribute("aria-pressed", String(Boolean(clip.mend)));
    const last = !clip.mend && !desk.isLed(clip.clip + 1, clip.clip);
    buttons.mend.disabled = last;
    buttons.mend.title = last ? say("desk.mend_none") : say("desk.mend_title", { key: ACTS.mend });
    buttons.cut.setAttribute("aria-pressed", String(Boolean(clip.cut)));
    buttons.cut.disabled = clip.clip === 1;
    const key = JSON.stringify([clip.clip, take, clip.take, this.chosen, desk.editable]);
    if (key === this.actsKey) return;
    this.actsKey = key;
    const shown = [];
    const act = (name, title = {}) => element("button", {
      type: "button", textContent: say(`desk.${name}`, title), title: say(`desk.${name}_title`, title), onclick: () => desk.act(name, this),
    });
    if (this.chosen && take.id !== clip.take) {
      const now = clip.there.find((each) => each.id === clip.take);
      const values = { take: take.name, other: now?.name ?? 1 };
      if (desk.editable && take.wanted) shown.push(act("pick", values));
      if (now) shown.push(act("compare", values));
      if (!take.in_chain) shown.push(act("drop", values));
    } else {
      if (take) shown.push(this.playButton);
      if (desk.editable) shown.push(...Object.values(buttons));
    }
    const had = this.acts.matches(":focus-within");
    this.acts.replaceChildren(...shown);
    if (had && !this.acts.matches(":focus-within")) (shown[0] ?? this.element).focus({ preventScroll: true });
  }

  fillSeam(clip, left, top) {
    const { seam, cut } = this;
    const has = clip.seam;
    seam.hidden = !has;
    cut.hidden = !clip.cut || clip.clip === 1;
    cut.style.cssText += `;left:${left - GAP / 2}px;top:${top}px;height:${CARD_HEIGHT}px`;
    if (!has) return;
    seam.style.left = `${left - GAP + 3}px`;
    seam.style.top = `${top + 80}px`;
    seam.toggleAttribute("data-seen", has.ratio >= SEAM_SEEN);
    put(seam, has.ratio.toFixed(1), say("desk.seam_title", { before: clip.clip - 1, clip: clip.clip, ratio: has.ratio.toFixed(1) }));
    seam.setAttribute("aria-label", seam.title);
  }

  choose(id) {
    this.chosen = id;
    this.fillPictures();
    this.fillTakes();
    clearTimeout(this.soon);
    this.preview(Boolean(id) || this.element.matches(":focus-within"));
  }

  /** Plays the current take in the card, without sound, or stops. */
  preview(on) {
    const { take, video } = this;
    if (!on || !take) {
      video.hidden = true;
      clear(video);
      return;
    }
    const url = previewUrl("clip", this.query());
    if (video.dataset.url === url) return;
    video.hidden = true; // until it has a picture
    load(video, url);
    video.onloadeddata = () => {
      if (video.getAttribute("src") !== url) return;
      video.hidden = false;
      video.play().catch(() => {});
    };
  }

  /** value: 0..1 of the take that is sampled, null while that is not known; undefined when none is. */
  showProgress(value) {
    this.element.toggleAttribute("data-now", value !== undefined);
    this.progress.hidden = value === undefined;
    if (value === null) this.progress.removeAttribute("value");
    else if (value !== undefined) this.progress.value = value;
  }

  remove() {
    clearTimeout(this.soon);
    this.shownOf = 0; // what was typed and not written goes with the card
    for (const shown of [this.first, this.last, this.video]) clear(shown);
    this.element.remove();
    this.seam.remove();
    this.cut.remove();
  }
}

function put(shown, text, title = "") {
  if (shown.textContent !== text) shown.textContent = text;
  if (shown.title !== title) shown.title = title;
}
