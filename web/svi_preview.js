// After a run SVI Long Video shows its video, and its story keeps its room.
//
// The frontend keeps pictures of the run (the drift so far, previews of sampling) until the next run and would show them
// in place of the video, or as a video that "failed to load": they are removed when the node has run. On canvas, what
// ComfyUI adds to a node takes its height from the node's text boxes: the node grows by it instead.

import { chain, comfy, isLongVideo, nodeOf } from "./svi_widget.js";

const PICTURE = "$$canvas-image-preview";
const PICTURES = [PICTURE, "$$comfy_animation_preview"]; // ComfyUI's widgets for a picture, still or moving
const PICTURE_HEIGHT = 320; // pixels at zoom 1
const ADDED = new Set([PICTURE, "video-preview", "$$node-text-preview"]); // ComfyUI's widgets on a node that runs
const GONE_MS = 2000; // between a picture that goes and the video that comes the node does not shrink

/** Forgets what a node showed while it ran. */
function forget(node) {
  const { app } = comfy();
  const inside = node.graph && node.graph !== (app.rootGraph ?? app.graph);
  const key = inside ? `${node.graph.id}:${node.id}` : String(node.id); // as the frontend keeps them
  // Nodes 2.0 reads a list of its own, and this is the only way to it.
  const page = document.querySelector("#vue-app")?.__vue_app__?.config.globalProperties;
  page?.$pinia?._s.get("nodeOutput")?.revokePreviewsByLocatorId?.(key);
  if (app.nodePreviewImages) delete app.nodePreviewImages[key];
  dropPicture(node);
}

function dropPicture(node) {
  for (const widget of node.widgets?.filter((each) => PICTURES.includes(each.name)) ?? []) {
    widget.onRemove?.();
    node.widgets.splice(node.widgets.indexOf(widget), 1);
  }
  node.imgs = undefined;
}

/** Removes a picture of the run that is loaded after the video came. */
function dropLate(node) {
  if (node.previewMediaType === "video" && node.imgs?.length) dropPicture(node);
}

/**
 * Starts a node's video, muted, once it is there. Nothing says when it replaces the last run's, so for a while each new
 * one is started once.
 */
function playSoon(node, turns = 100, started = new Map()) {
  const videos = [
    ...document.querySelectorAll(`[data-node-id="${node.id}"] video`),
    ...(node.widgets ?? []).filter((widget) => ADDED.has(widget.name)).map((widget) => widget.element?.querySelector?.("video")),
  ];
  for (const video of videos) {
    if (!(video?.readyState >= 2) || started.get(video) === video.currentSrc) continue;
    started.set(video, video.currentSrc);
    video.muted = true;
    video.play().catch(() => {}); // a browser may not let it, and then there is its own button
  }
  if (turns && node.graph) setTimeout(playSoon, 200, node, turns - 1, started);
}

/** Its height, and no more of what is to be shared. */
function fixHeight(widget) {
  if (widget.sviFixed || !widget.computeLayoutSize) return;
  const before = widget.computeLayoutSize;
  widget.computeLayoutSize = function (...args) {
    const size = before.apply(this, args);
    const height = widget.name === PICTURE ? PICTURE_HEIGHT : size.minHeight;
    return { ...size, minHeight: height, maxHeight: height };
  };
  widget.sviFixed = true;
}

/** Grows a node on canvas by what ComfyUI added to it, and shrinks it when that is gone. */
function makeRoom(node) {
  if (window.LiteGraph?.vueNodesMode || !node.graph) return;
  const added = node.widgets?.filter((widget) => ADDED.has(widget.name)) ?? [];
  added.forEach(fixHeight);
  const wanted = added.reduce((sum, widget) => sum + (widget.computeLayoutSize?.(node)?.minHeight ?? 0), 0);
  const has = node.properties.svi_room ?? 0;
  if (wanted >= has) node.sviShort = null;
  else if (performance.now() - (node.sviShort ??= performance.now()) < GONE_MS) return;
  if (Math.abs(wanted - has) < 1) return;
  node.sviShort = null;
  if (wanted) node.properties.svi_room = wanted;
  else delete node.properties.svi_room;
  node.setSize([node.size[0], node.size[1] + wanted - has]);
  node.setDirtyCanvas?.(true, true);
}

comfy().app.registerExtension({
  name: "WanVideoSVI.Preview",
  setup() {
    comfy().api.addEventListener("executed", ({ detail }) => {
      const node = nodeOf(detail?.display_node ?? detail?.node);
      if (!isLongVideo(node) || !detail.output?.images?.length) return;
      forget(node);
      setTimeout(playSoon, 200, node);
    });
  },
  nodeCreated(node) {
    if (!isLongVideo(node)) return;
    chain(node, "onDrawBackground", () => {
      dropLate(node);
      makeRoom(node);
    });
    // What a saved graph was grown by is for a video that is not there.
    chain(node, "onConfigure", () => {
      const room = node.properties?.svi_room;
      if (!room) return;
      delete node.properties.svi_room;
      node.setSize([node.size[0], node.size[1] - room]);
    });
  },
});
