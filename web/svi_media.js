// Small pictures and videos of a reel's takes, which the server makes on the first request.

import { comfy } from "./svi_widget.js";

const AT_ONCE = 2; // a browser has six connections to ComfyUI, and what queues graphs must not wait for pictures
const PATIENCE_MS = 20000;
const waiting = new Map(); // address by element, what was asked last at the end
const loading = new Map(); // by element, the time after which its place is given to another

/** Address of a preview. kind: clip, seam or frame. query: what the server wants to know, see answers/desk.py. */
export const previewUrl = (kind, query) => comfy().api.apiURL(`/wanvideo_svi/desk/${kind}?${new URLSearchParams(query)}`);

/** Address of a file of ComfyUI's output folder, as the server names it. */
export const viewUrl = (file) => comfy().api.apiURL(`/view?${new URLSearchParams(file)}`);

/** Gives an img or a video its address, "" for none, when its turn has come: what is asked last comes first. */
export function load(shown, url) {
  if (shown.dataset.url === url) return;
  shown.dataset.url = url;
  waiting.delete(shown);
  if (url) waiting.set(shown, url);
  else clear(shown);
  next();
}

/** Lets go of what an element shows, so that a video does not continue loading. */
export function clear(shown) {
  waiting.delete(shown);
  delete shown.dataset.url;
  done(shown);
  if (!shown.hasAttribute("src")) return;
  shown.removeAttribute("src");
  shown.load?.();
}

function next() {
  while (loading.size < AT_ONCE && waiting.size) {
    const [shown, url] = [...waiting].at(-1);
    waiting.delete(shown);
    if (!shown.isConnected) {
      delete shown.dataset.url;
      continue;
    }
    loading.set(shown, setTimeout(done, PATIENCE_MS, shown));
    listen(shown);
    shown.src = url;
  }
}

function listen(shown) {
  if (shown.sviHears) return;
  shown.sviHears = true;
  for (const event of ["load", "loadeddata", "error"]) {
    shown.addEventListener(event, () => {
      if (event === "error") delete shown.dataset.url; // asked for again when it is shown again
      done(shown);
    });
  }
}

function done(shown) {
  clearTimeout(loading.get(shown));
  if (loading.delete(shown)) next();
}
