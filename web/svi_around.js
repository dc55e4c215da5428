// What the graph shows around a node before the run: the LoRAs on its model, and the clip before it.

import { readNode, sourceOf } from "./svi_widget.js";

const MOST = 64; // nodes that are looked at
const TO_MODEL = new Set(["model", "lora", "prev_lora"]);
const TO_CLIP = new Set(["start_image", "prev_samples", "images", "image", "samples", "image_embeds", "motion_frames"]);
const RESIZES = /^(width|height|scale_by|megapixels|size|longer_side|upscale_\w+|resize_\w+|target_\w+)$/;
const LORA = /^lora(_name|_\d+)?$/;

/** The nodes behind inputs of these names, nearest first, `start` the first of them. */
function* behind(start, names) {
  const waiting = [start], seen = new Set(waiting);
  while (waiting.length && seen.size < MOST) {
    const node = waiting.shift();
    yield node;
    for (const [slot, input] of (node.inputs ?? []).entries()) {
      const source = names.has(input.name) && sourceOf(node, slot)?.node;
      if (source && !seen.has(source)) waiting.push(source);
      if (source) seen.add(source);
    }
  }
}

/** The samplers that take a node's embeds, or the settings node of its own sampling, or the node itself. */
function samplersOf(node) {
  if (node.inputs?.some(({ name }) => name === "model")) return [node];
  const own = node.inputs?.findIndex((input) => input.name === "sampler_inputs") ?? -1;
  if (own >= 0) return [sourceOf(node, own)?.node].filter(Boolean);
  const targets = (node.outputs ?? []).flatMap(({ name }, slot) => (name === "image_embeds" ? node.getOutputNodes(slot) ?? [] : []));
  return targets.filter((target) => target.inputs?.some((input) => input.name === "model"));
}

/** Files of the LoRAs on the model that a node's clip is sampled with; without those of strength 0. */
export function lorasOf(node) {
  const found = new Set();
  for (const sampler of samplersOf(node)) {
    for (const each of behind(sampler, TO_MODEL)) {
      const { values } = readNode(each);
      for (const [name, value] of Object.entries(values)) {
        if (!LORA.test(name) || typeof value !== "string" || value.toLowerCase() === "none") continue;
        const strength = values[/\d$/.test(name) ? name.replace("lora", "strength") : "strength"] ?? 1;
        if (strength !== 0) found.add(value);
      }
    }
  }
  return [...found].sort();
}

/** Width and height of the clip that a node's start_image comes from; null when that cannot be seen. */
export function leadSize(node) {
  const slot = node.inputs?.findIndex((input) => input.name === "start_image") ?? -1;
  const first = slot < 0 ? null : sourceOf(node, slot)?.node;
  if (!first) return null;
  for (const each of behind(first, TO_CLIP)) {
    const { values, linked } = readNode(each);
    if (!each.outputs?.some(({ name }) => name === "image_embeds")) {
      if (Object.keys(values).some((name) => RESIZES.test(name))) return null; // it may give another size
      continue;
    }
    const known = [values.width, values.height].every(Number.isFinite) && !linked.includes("width") && !linked.includes("height");
    return known ? [values.width, values.height] : null;
  }
  return null;
}

/** What the server is asked about a node: `readNode`, and what stands around it. */
export const readAround = (node) => ({ ...readNode(node), around: { loras: lorasOf(node), lead: leadSize(node) } });
