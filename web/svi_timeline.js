// A strip on every node that plans a clip: what its frames will be, before anything runs. The plan is the server's.

import { readAround } from "./svi_around.js";
import { makeStrip, HEIGHT } from "./svi_strip.js";
import { addElementWidget, comfy, follow, followTheme, makeAsker, onReconnect, RETRY_MS } from "./svi_widget.js";

const NODES = new Set([
  "WanVideoSVIEmbeds", "WanVideoSVILatentEmbeds", "WanVideoI2VCustomEmbeds", "WanVideoSVITemporalMask",
  "WanVideoHoloCinePrompt",
]);

/** Puts a strip on a node and keeps it up to date. ask: of `makeAsker`. Returns how to ask again. */
export function attach(node, ask) {
  const strip = makeStrip();
  const widget = addElementWidget(node, { name: "svi_strip", element: strip.element, height: HEIGHT });
  let retry = null;
  const follower = follow(node, async (question) => {
    clearTimeout(retry);
    const got = await ask(node, question);
    if (!got) return; // a newer question is on its way
    strip.show(got.answer ?? { trouble: got.trouble });
    if (got.passes) retry = setTimeout(follower.again, RETRY_MS);
  }, { read: readAround, widget });
  return follower;
}

/** Registers the extension with ComfyUI. */
export function register() {
  const ask = makeAsker({
    route: "/wanvideo_svi/plan",
    pack: (plans) => ({ plans }),
    unpack: (said) => said?.plans,
  });
  const followers = new Set(); // of WeakRefs
  comfy().app.registerExtension({
    name: "WanVideoSVI.Timeline",
    setup() {
      followTheme();
      onReconnect(() => {
        for (const reference of followers) {
          const follower = reference.deref();
          if (follower) follower.again();
          else followers.delete(reference);
        }
      });
    },
    nodeCreated(node) {
      if (NODES.has(node.comfyClass)) followers.add(new WeakRef(attach(node, ask)));
    },
  });
}

if (globalThis.window?.comfyAPI) register();
