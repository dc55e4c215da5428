// The sidebar tab "SVI": which reels there are, how they stand, and which node of the open graph writes to each.

import { askDesk, askPerson, openDesk } from "./svi_desk.js";
import { clear, load, previewUrl } from "./svi_media.js";
import { lookAll, play } from "./svi_story.js";
import { addStyles, comfy, element, isLongVideo, onReconnect } from "./svi_widget.js";
import { say } from "./svi_words.js";

const ID = "wanvideo-svi";
const NEVER = 2; // mode of a muted node
const LOOK_MS = 5000; // while something is written
let tab = null; // what is shown, while it is

/** Nodes of the open graph that write reels, by the reel's name. */
function writers() {
  const { app } = comfy();
  const root = app.rootGraph ?? app.graph;
  const found = new Map();
  for (const graph of [root, ...(root?.subgraphs?.values() ?? [])]) {
    for (const node of graph?._nodes ?? []) {
      const long = isLongVideo(node);
      if (!long && (node.comfyClass ?? node.type) !== "WanVideoSVIReelAdd" || node.mode === NEVER) continue;
      const reel = String(node.widgets?.find((widget) => widget.name === "reel")?.value ?? "");
      if (!found.has(reel) || long) found.set(reel, node);
    }
  }
  return found;
}

function show(node) {
  const { canvas } = comfy().app;
  if (canvas.graph !== node.graph) canvas.setGraph?.(node.graph);
  canvas.centerOnNode(node);
  canvas.selectNode?.(node);
}

const size = (bytes) => (bytes < 2 ** 30 ? say("reels.mb", { size: (bytes / 2 ** 20).toFixed(bytes < 2 ** 24 ? 1 : 0) })
  : say("reels.gb", { size: (bytes / 2 ** 30).toFixed(1) }));

class Tab {
  constructor(place) {
    this.list = element("ul");
    this.told = element("small", { role: "status" });
    this.element = element(
      "div", { className: "svi-reels" },
      element(
        "header", {}, element("h2", { textContent: say("reels.title") }),
        element("button", { type: "button", textContent: "↻", title: say("reels.again"), "aria-label": say("reels.again"), onclick: () => this.look() }),
      ),
      this.told, this.list,
    );
    this.element.addEventListener("pointerdown", () => {
      this.pressed = true;
      const up = () => setTimeout(() => (this.pressed = false));
      for (const event of ["pointerup", "pointercancel"]) window.addEventListener(event, up, { once: true, capture: true });
    });
    for (const event of ["keydown", "wheel"]) this.element.addEventListener(event, (each) => each.stopPropagation());
    this.seen = new IntersectionObserver((entries) => entries.forEach(({ target, isIntersecting }) => isIntersecting && target.shown()));
    place.replaceChildren(this.element); // 0.33 leaves another tab's content there
    this.look();
  }

  get isShown() {
    return this.element.isConnected;
  }

  async look() {
    clearTimeout(this.timer);
    try {
      const said = await askDesk({ ask: "reels" });
      if (!this.isShown) return;
      this.told.textContent = said.reels.length ? (said.left_out ? say("reels.left_out", { count: said.left_out }) : "")
        : say("reels.none", said);
      this.said = said;
      this.refresh();
      if (said.reels.some((reel) => reel.state === "running")) this.timer = setTimeout(() => this.isShown && this.look(), LOOK_MS);
    } catch (error) {
      this.told.textContent = error.message;
    }
  }

  /** Shows what is known, where the server or the graph says something else than before. */
  refresh() {
    clearTimeout(this.soon);
    if (!this.said || !this.isShown) return;
    if (this.pressed) { // what is under the mouse must be there when it goes up
      this.soon = setTimeout(() => this.refresh(), 200);
      return;
    }
    const key = JSON.stringify([this.said, [...writers()].map(([reel, node]) => [reel, node.id, node.title])]);
    if (key !== this.key) this.fill(this.said);
    this.key = key;
  }

  fill({ reels, path }) {
    const nodes = writers();
    const at = [...this.list.children].findIndex((item) => item.contains(document.activeElement));
    for (const shown of this.list.querySelectorAll("img, video")) clear(shown);
    this.seen.disconnect();
    this.list.replaceChildren(...reels.map((reel) => this.row(reel, path, nodes.get(reel.name))));
    for (const item of this.list.children) this.seen.observe(item);
    this.list.children[at]?.querySelector("button").focus();
  }

  row(reel, path, node) {
    const open = () => {
      const now = writers().get(reel.name);
      openDesk(isLongVideo(now) ? { node: now } : { reel: reel.name });
    };
    const image = element("img", { alt: "" });
    const video = element("video", { muted: true, loop: true, playsInline: true, preload: "auto", hidden: true });
    const thumb = element("button", {
      type: "button", className: "svi-thumb", title: say("reels.open_title"), "aria-label": say("reels.open_of", reel), onclick: open,
    }, image, video);
    const query = reel.thumb && { reel: reel.name, take: reel.thumb.take, v: reel.thumb.file };
    const move = () => {
      if (!query) return;
      load(video, previewUrl("clip", query));
      video.onloadeddata = () => {
        video.hidden = false;
        video.play().catch(() => {});
      };
    };
    const rest = () => {
      video.hidden = true;
      clear(video);
    };
    for (const event of ["pointerenter", "focus"]) thumb.addEventListener(event, move);
    for (const event of ["pointerleave", "blur"]) thumb.addEventListener(event, rest);
    const button = (key, onclick) => element("button", {
      type: "button", textContent: say(`reels.${key}`), title: say(`reels.${key}_title`), onclick,
    });
    const acts = [button("open", open)];
    if (reel.video) acts.push(button("play", () => play({ ...reel, folder: reel.name })));
    acts.push(button("path", () => this.path(`${path}/${reel.name}`)));
    if (reel.clips) acts.push(button("clean", () => this.clean(reel)));
    const facts = say("reels.facts", { clips: reel.clips, seconds: reel.seconds.toFixed(1), size: size(reel.size) });
    const spare = reel.spare ? say("reels.spare", { count: reel.spare, size: size(reel.spare_size) }) : "";
    const now = reel.now?.clip ? say("desk.now", { ...reel.now, of: "…" }) : "";
    const item = element(
      "li", { "data-state": reel.state, "data-reel": reel.name }, thumb,
      element("span", { className: "svi-badge", textContent: say(`reels.${reel.state}`), title: reel.trouble || say(`reels.${reel.state}_title`) }),
      element("b", { textContent: reel.name }), element("small", { textContent: reel.trouble || [facts, spare, now].filter(Boolean).join(" · ") }),
    );
    if (node) {
      item.append(element("button", {
        type: "button", className: "svi-writer", textContent: say("reels.writer", { title: node.title ?? node.type, id: node.id }),
        title: say("migrate.show"), onclick: () => show(node),
      }));
    }
    item.append(element("div", { className: "svi-acts" }, ...acts));
    item.shown = () => query && load(image, previewUrl("frame", { ...query, at: "first" }));
    return item;
  }

  async path(path) {
    const copied = await navigator.clipboard?.writeText(path).then(() => true, () => false);
    this.told.textContent = say(copied ? "reels.copied" : "reels.is_at", { path });
  }

  async clean(reel) {
    const question = reel.spare ? say("reels.clean_ask", { ...reel, count: reel.spare, size: size(reel.spare_size) }) : say("reels.clean_ask_none", reel);
    if (!(await askPerson(question, { yes: say("reels.clean") }))) return;
    try {
      const said = await askDesk({ ask: "clean", reel: reel.name });
      await this.look();
      this.told.textContent = say("reels.cleaned", { takes: said.takes, size: size(said.size) });
      lookAll();
    } catch (error) {
      this.told.textContent = error.message;
    }
  }
}

const look = () => tab?.isShown && tab.look();

comfy().app.registerExtension({
  name: "WanVideoSVI.Reels",
  setup() {
    const { app, api } = comfy();
    app.extensionManager.registerSidebarTab?.({
      id: ID, icon: "pi pi-video", title: say("reels.short"), tooltip: say("reels.tab"), type: "custom",
      render(place) {
        addStyles();
        tab = new Tab(place);
      },
      destroy() {
        tab = null;
      },
    });
    for (const event of ["execution_start", "executed", "execution_success", "execution_error", "execution_interrupted"]) {
      api.addEventListener(event, look);
    }
    onReconnect(look);
    api.addEventListener("graphChanged", () => tab?.refresh());
  },
});
