// LoRAs on the model and the size of the clip before, seen from a node in its graph.

import assert from "node:assert/strict";
import { test } from "node:test";

import { linkable } from "./links.mjs";

const { lorasOf, leadSize } = await import("../../web/svi_around.js");

/** A graph of nodes: {id: {type, widgets, inputs: {name: [id, slot]}, outputs: [names]}}. */
function graphOf(described) {
  const links = {}, nodes = {};
  const graph = { links, getNodeById: (id) => nodes[id] ?? null };
  for (const [id, { type, widgets = {}, outputs = [], mode = 0 }] of Object.entries(described)) {
    nodes[id] = linkable({
      id, type, graph, mode, inputs: [], outputs: outputs.map((name) => ({ name, type: name, links: [] })),
      widgets: Object.entries(widgets).map(([name, value]) => ({ name, value })),
    });
  }
  let last = 0;
  for (const [id, { inputs = {} }] of Object.entries(described)) {
    for (const [name, from] of Object.entries(inputs)) {
      const node = nodes[id], link = ++last;
      const widget = node.widgets.find((each) => each.name === name) && { name };
      node.inputs.push({ name, type: name, link, widget });
      links[link] = { origin_id: from[0], origin_slot: from[1], target_id: id, target_slot: node.inputs.length - 1 };
      nodes[from[0]].outputs[from[1]].links.push(link);
    }
  }
  return nodes;
}

const MODEL = {
  loader: { type: "WanVideoModelLoader", inputs: { lora: ["film", 0] }, outputs: ["model"] },
  film: { type: "WanVideoLoraSelect", widgets: { lora: "svi-film.safetensors", strength: 1 }, inputs: { prev_lora: ["fast", 0] }, outputs: ["lora"] },
  fast: { type: "WanVideoLoraSelectMulti", widgets: { lora_0: "lightx2v.safetensors", strength_0: 0.5, lora_1: "none", lora_2: "off.safetensors", strength_2: 0 }, outputs: ["lora"] },
};
const chain = (widgets) => graphOf({
  ...MODEL,
  a: { type: "WanVideoSVIEmbeds", widgets: { width: 96, height: 64 }, outputs: ["image_embeds"] },
  sampler: { type: "WanVideoSampler", inputs: { model: ["loader", 0], image_embeds: ["a", 0] }, outputs: ["samples"] },
  decode: { type: "WanVideoDecode", inputs: { samples: ["sampler", 0] }, outputs: ["images"] },
  motion: { type: "WanVideoSVIMotionFrames", inputs: { images: ["decode", 0] }, outputs: ["motion_frames"] },
  b: { type: "WanVideoSVIEmbeds", widgets, inputs: { start_image: ["motion", 0] }, outputs: ["image_embeds"] },
  first: { type: "WanVideoSVIEmbeds", widgets, inputs: { start_image: ["image", 0] }, outputs: ["image_embeds"] },
  image: { type: "LoadImage", outputs: ["image"] },
  number: { type: "SomebodysNumber", outputs: ["number"] },
});

test("LoRAs on the model that a node's embeds are sampled with", () => {
  const nodes = chain({ width: 64, height: 64 });
  assert.deepEqual(lorasOf(nodes.a), ["lightx2v.safetensors", "svi-film.safetensors"]);
  assert.deepEqual(lorasOf(nodes.b), [], "it goes nowhere yet");
});

test("and on that of a node with sampler settings", () => {
  const nodes = graphOf({
    ...MODEL,
    settings: { type: "WanVideoSamplerSettings", inputs: { model: ["loader", 0] }, outputs: ["sampler_inputs"] },
    video: { type: "WanVideoSVILongVideo", inputs: { sampler_inputs: ["settings", 0] } },
    alone: { type: "WanVideoSVILongVideo" },
  });
  assert.deepEqual(lorasOf(nodes.video), ["lightx2v.safetensors", "svi-film.safetensors"]);
  assert.deepEqual(lorasOf(nodes.alone), []);
});

test("the size of the clip before, through decode and motion frames", () => {
  const nodes = chain({ width: 64, height: 64 });
  assert.deepEqual(leadSize(nodes.b), [96, 64]);
  assert.equal(leadSize(nodes.first), null);
  assert.equal(leadSize(nodes.a), null);
});

test("images that are resized on the way have a size of their own", () => {
  const nodes = graphOf({
    a: { type: "WanVideoSVIEmbeds", widgets: { width: 96, height: 64 }, outputs: ["image_embeds"] },
    sampler: { type: "WanVideoSampler", inputs: { image_embeds: ["a", 0] }, outputs: ["samples"] },
    decode: { type: "WanVideoDecode", inputs: { samples: ["sampler", 0] }, outputs: ["images"] },
    scale: { type: "ImageScale", widgets: { width: 64, height: 64 }, inputs: { image: ["decode", 0] }, outputs: ["IMAGE"] },
    b: { type: "WanVideoSVIEmbeds", widgets: { width: 64, height: 64 }, inputs: { start_image: ["scale", 0] } },
  });
  assert.equal(leadSize(nodes.b), null);
});

test("a size that a link gives is not known", () => {
  const described = chain({ width: 64, height: 64 });
  const { a, number } = described;
  a.inputs.push({ name: "width", widget: { name: "width" }, link: 99 });
  a.graph.links[99] = { origin_id: number.id, origin_slot: 0, target_id: "a", target_slot: 0 };
  assert.equal(leadSize(described.b), null);
});
