// The logic of the strips, without a browser: what is asked, where things are drawn, what is said.
//
// Run by test_web.py, with the server's answers for some nodes in the file STRIP_ANSWERS.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { chain, follow, isDark, makeAsker, readNode, sourceOf } from "../../web/svi_widget.js";
import * as strip from "../../web/svi_strip.js";
import "../../web/svi_timeline.js";
import { linkable } from "./links.mjs";

const answers = JSON.parse(readFileSync(process.env.STRIP_ANSWERS, "utf8"));
const film = answers.film;

const later = () => new Promise((done) => setTimeout(done, 1));

/** A graph of nodes {id, type, ...} and links [origin, slot, target, input]. */
function graphOf(nodes, links = []) {
  const graph = { nodes: new Map(), links: new Map() };
  graph.getNodeById = (id) => graph.nodes.get(String(id));
  graph.getLink = (id) => graph.links.get(id);
  for (const node of nodes) {
    graph.nodes.set(String(node.id), linkable(Object.assign(node, { graph, widgets: node.widgets ?? [], inputs: node.inputs ?? [] })));
  }
  links.forEach(([origin, slot, target, name], index) => {
    graph.links.set(index + 1, { origin_id: String(origin), origin_slot: slot });
    const { inputs } = graph.nodes.get(String(target));
    const input = inputs.find((each) => each.name === name);
    if (input) input.link = index + 1;
    else inputs.push({ name, link: index + 1 });
  });
  return graph;
}

test("these files do nothing when they are loaded alone", () => {
  assert.equal(globalThis.window, undefined);
  assert.equal(globalThis.document, undefined);
});

test("a node is read as its widgets and what feeds its inputs", () => {
  const node = {
    id: 1, comfyClass: "WanVideoSVIEmbeds",
    widgets: [{ name: "mode", value: "film" }, { name: "num_frames", value: 81 }, { name: "svi_strip", serialize: false }],
    inputs: [{ name: "num_frames", link: null, widget: { name: "num_frames" } }, { name: "ref_image", link: null }],
  };
  graphOf([node, { id: 2, type: "LoadImage" }], [[2, 0, 1, "start_image"]]);
  assert.deepEqual(readNode(node), {
    node: "WanVideoSVIEmbeds", values: { mode: "film", num_frames: 81 }, linked: [], connected: { start_image: "LoadImage" },
  });
});

test("a linked widget has the value of a constant, and is else said to be linked", () => {
  const widgets = () => [{ name: "num_frames", value: 81 }];
  const inputs = () => [{ name: "num_frames", link: null, widget: { name: "num_frames" } }];
  for (const [type, linked, value] of [["PrimitiveInt", [], 49], ["INTConstant", [], 49], ["Math", ["num_frames"], 81]]) {
    const node = { id: 1, type: "X", widgets: widgets(), inputs: inputs() };
    graphOf([node, { id: 2, type, widgets: [{ name: "value", value: 49 }] }], [[2, 0, 1, "num_frames"]]);
    assert.deepEqual([readNode(node).linked, readNode(node).values.num_frames], [linked, value]);
  }
  const fed = { id: 1, type: "X", widgets: widgets(), inputs: inputs() };
  const constant = { id: 2, type: "PrimitiveInt", widgets: [{ name: "value", value: 49 }] };
  graphOf([fed, constant, { id: 3, type: "Math" }], [[2, 0, 1, "num_frames"], [3, 0, 2, "value"]]);
  assert.deepEqual(readNode(fed).linked, ["num_frames"]);
});

test("a widget that another node passes on has its value, unless that is linked too", () => {
  const read = (output, ...links) => {
    const slot = (name) => ({ name, link: null, widget: { name } });
    const node = { id: 1, type: "X", widgets: [{ name: "num_frames", value: 81 }], inputs: [slot("num_frames")] };
    const scene = {
      id: 2, type: "WanVideoHoloCinePrompt", outputs: [{ name: output }], inputs: [slot("num_frames"), slot("shots")],
      widgets: [{ name: "shots", value: "a" }, { name: "num_frames", value: 241 }],
    };
    graphOf([node, scene, { id: 3, type: "Math" }], [[2, 0, 1, "num_frames"], ...links]);
    const { values, linked } = readNode(node);
    return [values.num_frames, linked];
  };
  assert.deepEqual(read("num_frames"), [241, []]);
  assert.deepEqual(read("num_frames", [3, 0, 2, "shots"]), [241, []]);
  assert.deepEqual(read("num_frames", [3, 0, 2, "num_frames"]), [81, ["num_frames"]]);
  assert.deepEqual(read("cut_frames"), [81, ["num_frames"]]);
});

test("a link is followed through reroutes and bypassed nodes, and ends at muted ones", () => {
  const make = (middle) => {
    const node = { id: 1, type: "X" };
    graphOf(
      [node, { id: 2, inputs: [{ name: "x", type: "IMAGE", link: null }], outputs: [{ type: "IMAGE" }], ...middle }, { id: 3, type: "LoadImage" }],
      [[2, 0, 1, "start_image"], [3, 0, 2, "x"]],
    );
    return sourceOf(node, 0)?.type;
  };
  assert.equal(make({ type: "Reroute", mode: 0 }), "LoadImage");
  assert.equal(make({ type: "ImageScale", mode: 4 }), "LoadImage");
  assert.equal(make({ type: "ImageScale", mode: 0 }), "ImageScale");
  assert.equal(make({ type: "ImageScale", mode: 2 }), undefined);
  // Bypassed, the input at the output's place goes first, as in the frontend.
  const two = [{ name: "y", type: "MASK", link: null }, { name: "x", type: "IMAGE", link: null }];
  assert.equal(make({ type: "Both", mode: 4, inputs: two }), "LoadImage");
  const same = [{ name: "y", type: "IMAGE", link: null }, { name: "x", type: "IMAGE", link: null }];
  assert.equal(make({ type: "Both", mode: 4, inputs: same }), undefined);
  const lost = { id: 1, type: "X" };
  graphOf([lost], [[-10, 0, 1, "start_image"]]);
  assert.deepEqual(sourceOf(lost, 0), { type: "", node: null });
});

test("what feeds a subgraph's node is not what its own method says", () => {
  const node = { id: 1, type: "a subgraph" };
  graphOf([node, { id: 2, type: "LoadImage" }], [[2, 0, 1, "start_image"]]);
  globalThis.LiteGraph = { LGraphNode: { prototype: { getInputLink(slot) { return this.graph.getLink(this.inputs[slot].link); } } } };
  node.getInputLink = () => { throw new Error("of its outputs"); };
  assert.equal(sourceOf(node, 0).type, "LoadImage");
  delete globalThis.LiteGraph;
});

test("reroutes in a circle come to an end", () => {
  const node = { id: 1, type: "X" };
  graphOf(
    [node, { id: 2, type: "Reroute", inputs: [{ name: "a", link: null }] }, { id: 3, type: "Reroute", inputs: [{ name: "a", link: null }] }],
    [[2, 0, 1, "start_image"], [3, 0, 2, "a"], [2, 0, 3, "a"]],
  );
  assert.deepEqual(sourceOf(node, 0), { type: "", node: null });
});

test("chaining keeps what was there, its result and its arguments", () => {
  const seen = [];
  const thing = { call(a) { seen.push(["before", this === thing, a]); return 7; } };
  chain(thing, "call", (a) => seen.push(["after", a]));
  assert.equal(thing.call(5), 7);
  chain(thing, "none", () => seen.push(["none"]));
  thing.none();
  assert.deepEqual(seen, [["before", true, 5], ["after", 5], ["none"]]);
});

test("a followed node tells of each change once, and of none after it is gone", async () => {
  const node = { comfyClass: "X", graph: null, widgets: [{ name: "a", value: 1, callback() {} }], inputs: [] };
  const said = [];
  const follower = follow(node, (state) => said.push(state.values.a));
  await later();
  assert.deepEqual(said, [], "it stands in no graph yet");
  node.graph = {};
  node.onAdded();
  await later();
  node.widgets[0].callback();
  node.onConfigure();
  await later();
  node.widgets[0].value = 2;
  node.widgets[0].callback();
  await later();
  follower.again();
  node.onRemoved();
  node.widgets[0].value = 3;
  node.widgets[0].callback();
  follower.look();
  await later();
  assert.deepEqual(said, [1, 2, 2]);
});

/** A server that answers {n} with 2n. Returns what it was asked, by request. */
function serve(respond = async (questions) => ({ ok: true, status: 200, json: async () => ({ answers: questions.map((each) => each.n * 2) }) })) {
  const asked = [];
  globalThis.window = {
    comfyAPI: {
      app: { app: {} },
      api: {
        api: {
          fetchApi: (route, { body, signal }) => {
            const { questions } = JSON.parse(body);
            asked.push(questions.map((each) => each.n));
            return new Promise((done, failed) => {
              signal.addEventListener("abort", () => failed(new Error("aborted")));
              setTimeout(() => respond(questions).then(done, failed), 5);
            });
          },
        },
      },
    },
  };
  return asked;
}

const asker = (options) => makeAsker({
  route: "/x", pack: (questions) => ({ questions }), unpack: (said) => said?.answers, most: 64, ...options,
});

test("questions of one moment go in one request, equal ones once, no more than are allowed", async () => {
  const asked = serve();
  const ask = asker();
  const got = await Promise.all(Array.from({ length: 100 }, (_, n) => ask({}, { n: n % 90 })));
  assert.deepEqual(asked.map((each) => each.length), [64, 26]);
  assert.deepEqual(got.map((each) => each.answer), Array.from({ length: 100 }, (_, n) => 2 * (n % 90)));
});

test("an answer is kept, and the oldest are forgotten", async () => {
  const asked = serve();
  const ask = asker({ keep: 2 });
  for (const n of [1, 2, 1, 3, 1, 2]) assert.equal((await ask({}, { n })).answer, 2 * n);
  assert.deepEqual(asked, [[1], [2], [3], [2]], "2 was the oldest when 3 came");
});

test("a newer question drops the older, and stops a request that nobody waits for", async () => {
  const asked = serve();
  const ask = asker();
  const owner = {};
  const [first, second] = [ask(owner, { n: 1 }), ask(owner, { n: 2 })];
  await later();
  const third = ask(owner, { n: 3 });
  assert.deepEqual([await first, await second, (await third).answer], [null, null, 6]);
  assert.deepEqual(asked, [[2], [3]]);
});

test("a request goes on for the others when one of them has asked anew", async () => {
  const asked = serve();
  const ask = asker();
  const owner = {};
  const [mine, other] = [ask(owner, { n: 1 }), ask({}, { n: 2 })];
  await later();
  const again = ask(owner, { n: 3 });
  assert.deepEqual([await mine, (await other).answer, (await again).answer], [null, 4, 6]);
  assert.deepEqual(asked, [[1, 2], [3]]);
});

test("what is wrong with the server is said in words, and the next question is asked again", async () => {
  const json = (value) => async () => value;
  const cases = [
    [async () => { throw new TypeError("offline"); }, /does not answer/, true],
    [async () => ({ ok: false, status: 404, json: json({}) }), /restart ComfyUI/],
    [async () => ({ ok: false, status: 405, json: json({}) }), /restart ComfyUI/],
    [async () => ({ ok: false, status: 400, json: json({ error: "too many" }) }), /^too many$/],
    [async () => ({ ok: false, status: 500, json: async () => { throw new Error(); } }), /answered 500/, true],
    [async () => ({ ok: true, status: 200, json: json({ other: 1 }) }), /restart ComfyUI/],
    [async () => ({ ok: true, status: 200, json: async () => { throw new Error(); } }), /restart ComfyUI/],
    [() => new Promise(() => {}), /does not answer/, true],
  ];
  for (const [respond, words, passes = false] of cases) {
    const asked = serve(respond);
    const ask = asker({ patience: 30 });
    const got = await ask({}, { n: 1 });
    assert.match(got.trouble, words);
    assert.equal(Boolean(got.passes), passes, "whether it is worth another try");
    await ask({}, { n: 1 });
    assert.equal(asked.length, 2, "trouble is not kept");
  }
});

test("latents are equally wide, and frames divide theirs", () => {
  const latents = [[1, 1], [4, 20]];
  assert.equal(strip.latentCount(latents), 21);
  assert.deepEqual([0, 1, 4, 5, 80].map((frame) => strip.latentOf(latents, frame)), [0, 1, 1, 2, 20]);
  assert.deepEqual(strip.framesOf(latents, 0), { first: 0, count: 1 });
  assert.deepEqual(strip.framesOf(latents, 20), { first: 77, count: 4 });
  assert.equal(strip.placeOf(latents, 1), 1 / 21);
  assert.equal(strip.placeOf(latents, 3), 1.5 / 21);
  assert.equal(strip.placeOf(latents, 81), 1);
  const apart = [[1, 1], [4, 20], [1, 1]];
  assert.deepEqual(strip.framesOf(apart, 21), { first: 81, count: 1 });
  assert.equal(strip.latentOf(apart, 81), 21);
  for (let frame = 0; frame < 82; frame++) {
    const { first, count } = strip.framesOf(apart, strip.latentOf(apart, frame));
    assert.ok(first <= frame && frame < first + count);
  }
});

test("the pieces of a row fill it without gap or overlap", () => {
  for (const answer of Object.values(answers).filter((each) => each.pieces)) {
    for (const things of [answer.pieces, ...(answer.known ? [strip.spread(answer.known)] : [])]) {
      let end = 0;
      for (const piece of strip.place(answer.latents, things)) {
        assert.ok(Math.abs(piece.left - end) < 1e-9);
        end = piece.left + piece.width;
      }
      assert.ok(Math.abs(end - 1) < 1e-9);
    }
  }
});

test("of very many pieces a bounded number is drawn, and the narrow ones are not lost", () => {
  const placed = strip.place(answers.many.latents, answers.many.pieces);
  assert.ok(answers.many.pieces.length > 1000);
  assert.ok(placed.length <= 400);
  assert.ok(placed.filter((piece) => piece.kind === "keyframe").length > 100);
});

test("a latent is described with both views of its column", () => {
  assert.deepEqual(strip.latentWords(film, 1), {
    head: "latent 1, frames 1-4: motion",
    mask: "known_mask 1 1 1 1 · concat_mask 0 0 0 0",
    heard: "latent 1 of 21, frames 1-4: motion; known_mask 1 1 1 1 · concat_mask 0 0 0 0",
  });
  assert.equal(strip.latentWords(answers.end, 20).head, "latent 20, frames 77-80: reference + end");
  assert.equal(strip.latentWords(answers.end, 20).mask, "known_mask 0 0 0 1 · concat_mask 1 1 1 0");
  assert.equal(strip.latentWords(answers.feather, 2).mask, "known_mask 0.75 0.5 0.25 0 · concat_mask 0.25 0.5 0.75 1");
  assert.equal(strip.latentWords(answers.linked, 1).mask, "mask from temporal_mask");
  assert.match(strip.latentWords(answers.region, 1).mask, /\(in region\)$/);
  assert.equal(strip.latentWords(answers.scene, 0).mask, "");
  assert.match(strip.latentWords(answers.scene, 0).head, /shot 1 \(a fox wakes\)/);
});

test("a frame is described with its latent and both views", () => {
  assert.deepEqual(strip.frameWords(film, 4).head, "frame 4, latent 1: motion");
  assert.equal(strip.frameWords(film, 4).mask, "known_mask 1 · concat_mask 0");
  assert.equal(strip.frameWords(film, 5).mask, "known_mask 0 · concat_mask 1");
});

test("arrows move over latents, with Shift over frames, and stop at the ends", () => {
  const press = (cursor, key, shift) => strip.moveCursor(film, cursor, key, shift);
  assert.deepEqual(press(null, "ArrowRight"), { latent: 0 });
  assert.deepEqual(press({ latent: 0 }, "ArrowRight"), { latent: 1 });
  assert.deepEqual(press({ latent: 20 }, "ArrowRight"), { latent: 20 });
  assert.deepEqual(press({ latent: 0 }, "ArrowLeft"), { latent: 0 });
  assert.deepEqual(press(null, "ArrowLeft"), { latent: 20 });
  assert.deepEqual(press({ latent: 3 }, "Home"), { latent: 0 });
  assert.deepEqual(press({ latent: 3 }, "End"), { latent: 20 });
  assert.deepEqual(press({ latent: 1 }, "ArrowRight", true), { frame: 2 });
  assert.deepEqual(press({ frame: 2 }, "ArrowRight", true), { frame: 3 });
  assert.deepEqual(press({ frame: 8 }, "ArrowRight"), { latent: 3 });
  assert.deepEqual(press({ frame: 3 }, "End", true), { frame: 80 });
  assert.equal(press({ latent: 3 }, "Escape"), null);
  assert.equal(press(null, "Escape"), undefined, "then Escape is not the strip's");
  assert.equal(press({ latent: 3 }, "a"), undefined);
});

test("notes, links and guesses are said, and what is sure is not", () => {
  assert.deepEqual(strip.statusOf(film), { text: "start_image: at least 5 frames assumed", warns: false });
  assert.match(strip.statusOf(answers.linked).text, /num_frames: from link, 81 assumed/);
  assert.equal(strip.statusOf(answers.sure).text, "");
  const { text, warns } = strip.statusOf(answers.notes);
  assert.ok(warns);
  assert.match(text, /^4 motion frames end inside latent 1/);
});

test("the text alternative says the clip, or why there is none", () => {
  assert.ok(strip.labelOf(film).startsWith("film: 81 frames at 832x480, 21 latents; frames: motion 0-4"));
  assert.match(strip.labelOf(film), /concat_mask \(native\): 5 black \+ 76 white; start_image: at least 5/);
  assert.match(strip.labelOf(answers.error), /^This would not run: film needs 5 motion frames/);
  assert.equal(strip.labelOf({ trouble: "no server" }), "no server");
});

test("the legend names each kind once, with its frames", () => {
  assert.deepEqual(strip.legendOf(answers.end.pieces).map(({ name, spans }) => `${name} ${spans}`), [
    "motion 0", "reference 1-79", "end 80",
  ]);
  assert.deepEqual(strip.legendOf(answers.many.pieces).map(({ name, spans }) => `${name} ${spans}`), [
    "motion 0-4", "grey elsewhere", "keyframe 10, 14, 18 … 2998",
  ]);
});

// Contrast as WCAG 2 counts it.
function luminance(hex) {
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
const contrast = (a, b) => {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
};

for (const [theme, colours] of Object.entries(strip.PALETTE)) {
  test(`text and shapes stand out in the ${theme} theme`, () => {
    for (const name of ["text", "dim", "warn"]) assert.ok(contrast(colours[name], colours.back) >= 4.5, name);
    const shapes = Object.keys(colours).filter((name) => !["back", "text", "dim", "warn"].includes(name));
    for (const name of shapes) assert.ok(contrast(colours[name], colours.back) >= 3, `${name} ${contrast(colours[name], colours.back)}`);
  });
}

test("kinds are told apart without colour too", () => {
  // What is given is plain and named in the legend; padding has patterns of its own.
  const given = ["motion", "anchor", "end", "keyframe"];
  const padding = ["reference", "last", "end_copy", "zero", "black"];
  for (const kind of given) assert.equal(strip.lookOf(kind)[1], "full");
  for (const kind of padding) assert.notEqual(strip.lookOf(kind)[1], "full");
  assert.notDeepEqual(strip.lookOf("shot_1"), strip.lookOf("shot_2"));
  for (const answer of Object.values(answers)) {
    for (const { kind } of answer.pieces ?? []) assert.ok(kind in strip.LOOKS || kind.startsWith("shot_"), kind);
  }
});

test("dark and light are told by luminance", () => {
  assert.ok(isDark("rgb(34, 34, 34)"));
  assert.ok(!isDark("rgb(201, 201, 201)"));
  assert.ok(isDark("rgb(0, 0, 255)"));
});
