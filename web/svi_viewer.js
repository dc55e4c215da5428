// Plays what the desk shows large: a clip, two takes side by side in step, a seam, or the whole chain over its seams.

import { clear } from "./svi_media.js";
import { element } from "./svi_widget.js";
import { say } from "./svi_words.js";

const STEP = 0.5; // a frame is sought in its middle, where no rounding reaches its neighbours

/**
 * Opens the viewer. Keys: blank plays and stops, arrows step by a frame, L loops, Escape closes.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {{label: string, parts: {url: string, from: number, frames: number, fps: number, name: string}[]}[]}
 *   options.tracks each a video of parts that follow one another: where it begins in its file, how many frames it shows,
 *   what it is called; two run in step
 * @param {boolean} [options.loop]
 * @param {number} [options.mark] a frame that is told as "the seam"
 * @param {object} [options.act] properties of one more button, which closes the viewer too
 */
export function openViewer({ title, tracks, loop = false, mark = 0, act }) {
  const players = tracks.map((track) => new Player(track));
  const total = Math.min(...players.map((player) => player.frames));
  const [lead] = players;
  let playing = false;
  let touched = false; // then it does not begin by itself when it is loaded
  const button = (key, onclick) => element("button", { type: "button", textContent: say(key), title: say(`${key}_title`), onclick });
  const where = element("span", { className: "svi-where" });
  const range = element("input", { type: "range", min: 0, max: total - 1, value: 0, "aria-label": say("view.range") });
  const play = button("view.play", () => (playing ? stop() : start()));
  const loops = element("input", { type: "checkbox", checked: loop });
  const stage = element("div", { className: "svi-stage" }, ...players.map((player) => player.element));
  const dialog = element(
    "dialog", { className: "svi-viewer", "aria-label": title }, stage,
    element(
      "footer", {}, button("view.back", () => step(-1)), play, button("view.on", () => step(1)), range, where,
      element("label", {}, loops, say("view.loop")),
      ...(act ? [element("button", { type: "button", ...act, onclick: () => act.onclick(dialog.close()) })] : []),
      element("button", { type: "button", textContent: say("close"), onclick: () => dialog.close() }),
    ),
  );
  const tell = () => {
    const frame = lead.at();
    range.value = frame;
    const said = mark ? say(frame < mark ? "view.before_seam" : "view.after_seam") : lead.name(frame);
    where.textContent = say("view.frame", { frame: frame + 1, frames: total, where: said });
    range.setAttribute("aria-valuetext", where.textContent);
  };
  const seek = (frame) => {
    for (const player of players) player.seek(Math.max(0, Math.min(total - 1, frame)));
    tell();
  };
  const start = () => {
    touched = true;
    if (lead.at() >= total - 1) seek(0);
    playing = true;
    play.textContent = say("view.stop");
    for (const player of players) player.play();
    requestAnimationFrame(watch);
  };
  const stop = () => {
    touched = true;
    playing = false;
    play.textContent = say("view.play");
    for (const player of players) player.stop();
    tell();
  };
  const step = (by) => {
    touched = true;
    if (playing) stop();
    seek(lead.at() + by);
  };
  const watch = () => {
    if (!playing || !dialog.open) return;
    tell();
    if (lead.ended(total)) {
      if (!loops.checked) return stop();
      seek(0);
      for (const player of players) player.play();
    }
    for (const player of players.slice(1)) player.follow(lead);
    return requestAnimationFrame(watch);
  };
  range.addEventListener("input", () => {
    touched = true;
    if (playing) stop();
    seek(Number(range.value));
  });
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation(); // keys are not for what is behind it
    const onButton = event.target.tagName === "BUTTON" || event.target.type === "checkbox";
    if (event.key === " " && !onButton) (playing ? stop : start)();
    else if (event.key === "ArrowLeft") step(-1);
    else if (event.key === "ArrowRight") step(1);
    else if (event.key === "l" || event.key === "L") loops.checked = !loops.checked;
    else return;
    event.preventDefault();
  });
  dialog.addEventListener("close", () => {
    playing = false;
    for (const player of players) player.forget();
    dialog.remove();
  });
  document.body.append(dialog);
  dialog.showModal();
  play.focus();
  for (const player of players) player.ready = () => dialog.open && (tell(), players.every((each) => each.loaded) && !touched && start());
  seek(0);
  return dialog;
}

/** One track: two video elements take turns, so that the next part is there when this one ends. */
class Player {
  constructor({ label, parts }) {
    this.parts = parts;
    this.loaded = false;
    this.ready = () => {};
    this.starts = [];
    this.frames = parts.reduce((sum, part) => (this.starts.push(sum), sum + part.frames), 0);
    this.videos = [0, 1].map(() => element("video", { muted: true, playsInline: true, preload: "auto", hidden: true }));
    this.part = -1;
    this.playing = false;
    this.caption = element("figcaption", { textContent: label, hidden: !label, role: "status" });
    this.element = element("figure", {}, ...this.videos, this.caption);
    for (const video of this.videos) {
      video.addEventListener("loadeddata", () => {
        if (video !== this.video || this.loaded) return;
        this.loaded = true;
        this.ready();
      });
      video.addEventListener("error", () => video.hasAttribute("src") && video === this.video && this.fail());
    }
  }

  get video() {
    return this.videos[Math.max(0, this.part) % 2];
  }

  fail() {
    this.caption.hidden = false;
    this.caption.textContent = say("view.gone");
  }

  /** Shows a part from one of its frames on, and loads the one after it. */
  show(part, frame) {
    const set = (video, index) => {
      const { url, from, fps } = this.parts[index];
      if (video.dataset.part !== String(index)) {
        video.dataset.part = index;
        video.src = url;
        video.currentTime = (from + STEP) / fps;
      }
    };
    if (part !== this.part) {
      this.video.pause();
      this.part = part;
      if (this.video.error) this.fail();
      set(this.video, part);
      const other = this.videos[(part + 1) % 2];
      other.hidden = true;
      this.video.hidden = false;
      if (part + 1 < this.parts.length) {
        const { from, fps } = this.parts[part + 1];
        set(other, part + 1);
        other.currentTime = (from + STEP) / fps; // it may have been shown before
      }
    }
    if (frame !== null) this.video.currentTime = (this.parts[part].from + frame + STEP) / this.parts[part].fps;
  }

  seek(frame) {
    let part = this.starts.findLastIndex((start) => start <= frame);
    part = Math.max(0, part);
    this.wanted = frame;
    this.show(part, frame - this.starts[part]);
    if (this.playing) this.play();
  }

  /** The frame that is shown, counted over all parts. */
  at() {
    if (this.part < 0) return 0;
    if (this.video.seeking || this.video.readyState < 2) return this.wanted ?? this.starts[this.part];
    const { from, frames, fps } = this.parts[this.part];
    const here = Math.floor(this.video.currentTime * fps + 0.01) - from;
    return this.starts[this.part] + Math.max(0, Math.min(frames - 1, here));
  }

  name(frame) {
    return this.parts[Math.max(0, this.starts.findLastIndex((start) => start <= frame))].name;
  }

  play() {
    this.playing = true;
    this.video.play().catch(() => {}); // interrupted by a seek
    cancelAnimationFrame(this.watching);
    const watch = () => {
      if (!this.playing) return;
      const { from, frames, fps } = this.parts[this.part];
      const over = this.video.error || this.video.ended || this.video.currentTime * fps >= from + frames - 0.02;
      if (over && this.part + 1 < this.parts.length) {
        this.wanted = this.starts[this.part + 1];
        this.show(this.part + 1, null);
        this.video.play().catch(() => {});
      }
      this.watching = requestAnimationFrame(watch);
    };
    watch();
  }

  stop() {
    this.playing = false;
    for (const video of this.videos) video.pause();
    this.wanted = this.at();
    this.seek(this.wanted); // to the middle of its frame
  }

  ended(total) {
    const { from, frames, fps } = this.parts[this.part];
    const last = this.part === this.parts.length - 1;
    return this.at() >= total - 1 && (total < this.frames || !last || this.video.ended || this.video.currentTime * fps >= from + frames - 0.3);
  }

  /** Keeps in step with another track, within a frame. */
  follow(other) {
    const [mine, theirs] = [this.at(), other.at()];
    if (Math.abs(mine - theirs) > 1 && !this.video.seeking) this.seek(theirs);
  }

  forget() {
    this.playing = false;
    for (const video of this.videos) clear(video);
  }
}
