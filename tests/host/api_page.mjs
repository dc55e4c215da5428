// What a real frontend sends for graphs as they are loaded, and for variants of them that are made on its canvas.
//
// usage: node api_page.mjs URL CHROMIUM GRAPHS.json OUT.json
// GRAPHS.json: {load: {name: workflow}, vary: [names of those that the variants are made of]}.
// OUT.json: {name or name/variant: {workflow, prompt}} as app.graphToPrompt() gives them. Prints {troubles, failed}.

import { readFile, writeFile } from "node:fs/promises";

import { launch, open } from "../../tools/frontend.mjs";

const [, , file, out] = process.argv.slice(2);

// Each gets the helpers of `tools` and changes app.graph. It returns false where the graph has nothing for it.
const VARIANTS = {
  bypass: ({ middle }) => middle((node) => (node.mode = 4)),
  mute: ({ middle }) => middle((node) => (node.mode = 2)),
  bypass_two: ({ middles }) => middles(2, (node) => (node.mode = 4)),
  primitive: ({ number }) => number("PrimitiveNode", (made, node, name) => {
    made.widgets[0].value = node.widgets.find((each) => each.name === name).value + 8;
  }),
  primitive_muted: ({ number }) => number("PrimitiveNode", (made) => {
    made.widgets[0].value = 24;
    made.mode = 2;
  }),
  primitive_int: ({ number }) => number("PrimitiveInt", (made) => (made.widgets[0].value = 16)),
  reroute: ({ link, add }) => link((source, slot, target, input) => {
    const [one, two] = [add("Reroute"), add("Reroute")];
    source.connect(slot, one, 0);
    one.connect(0, two, 0);
    two.connect(0, target, input);
  }),
  set_get: ({ link, add, pair }) => link((source, slot, target, input) => {
    const [set, get] = pair("shared");
    source.connect(slot, set, 0);
    get.connect(0, target, input);
  }),
  set_without_get: ({ link, add }) => link((source, slot, target, input) => {
    const get = add("GetNode");
    get.widgets[0].value = "nobody";
    get.connect(0, target, input);
  }),
  subgraph: ({ pack, middles }) => middles(2, (node, nodes) => node === nodes[0] && pack(nodes)),
  nested: ({ pack, middles }) => middles(3, (node, nodes) => {
    if (node === nodes[0]) pack([pack(nodes.slice(0, 2)), nodes[2]]);
  }),
  muted_inside: ({ pack, middles }) => middles(2, (node, nodes) => {
    if (node === nodes[0]) pack(nodes).subgraph.nodes[0].mode = 2;
  }),
  bypass_inside: ({ pack, middles }) => middles(2, (node, nodes) => {
    if (node === nodes[0]) pack(nodes).subgraph.nodes.at(-1).mode = 4;
  }),
  subgraph_bypassed: ({ pack, middles }) => middles(2, (node, nodes) => {
    if (node === nodes[0]) pack(nodes).mode = 4;
  }),
  subgraph_muted: ({ pack, middles }) => middles(2, (node, nodes) => {
    if (node === nodes[0]) pack(nodes).mode = 2;
  }),
  nested_muted: ({ pack, middles }) => middles(3, (node, nodes) => {
    if (node !== nodes[0]) return;
    const inner = pack(nodes.slice(0, 2));
    pack([inner, nodes[2]]).subgraph.nodes.find((each) => each.subgraph).mode = 2;
  }),
  nested_bypassed: ({ pack, middles }) => middles(3, (node, nodes) => {
    if (node !== nodes[0]) return;
    const inner = pack(nodes.slice(0, 2));
    pack([inner, nodes[2]]).subgraph.nodes.find((each) => each.subgraph).mode = 4;
  }),
  promoted: ({ promoted }) => promoted((host, name) => (host.widgets.find((each) => each.name === name).value = 40)),
  promoted_kept: ({ promoted }) => promoted(() => {}),
  promoted_nested: ({ promoted, pack }) => promoted((host, name) => {
    host.widgets.find((each) => each.name === name).value = 48;
    pack([host]);
  }),
  promoted_nested_changed: ({ promoted, pack, promote }) => promoted((host, name) => {
    const outer = pack([host]);
    const inner = outer.subgraph.nodes[0];
    promote(outer, inner, name);
    outer.widgets.find((each) => each.name === name).value = 56;
  }),
  promoted_twice: ({ promoted, add }) => promoted((host, name) => {
    const other = LiteGraph.createNode(host.type);
    app.graph.add(other);
    other.widgets.find((each) => each.name === name).value = 72;
    host.widgets.find((each) => each.name === name).value = 64;
  }),
  promoted_by_primitive: ({ promoted, add }) => promoted((host, name) => {
    const made = add("PrimitiveNode");
    made.connect(0, host, host.inputs.findIndex((each) => each.name === name));
    made.widgets[0].value = 80;
  }),
  promoted_by_primitive_int: ({ promoted, add }) => promoted((host, name) => {
    const made = add("PrimitiveInt");
    made.widgets[0].value = 88;
    made.connect(0, host, host.inputs.findIndex((each) => each.name === name));
  }),
  primitive_inside: ({ number, pack }) => number("PrimitiveNode", (made, node) => {
    made.widgets[0].value = 24;
    pack([made, node]);
  }),
  get_inside: ({ link, pair, pack }) => link((source, slot, target, input) => {
    const [set, get] = pair("far");
    source.connect(slot, set, 0);
    get.connect(0, target, input);
    pack([get, target]);
  }),
  set_get_inside: ({ link, pair, pack }) => link((source, slot, target, input) => {
    const [set, get] = pair("near");
    source.connect(slot, set, 0);
    get.connect(0, target, input);
    pack([set, get, target]);
  }),
  values_by_name: ({ all }) => {
    for (const node of all()) {
      node.onSerialize = function (saved) {
        saved.widgets_values = Object.fromEntries(this.widgets.map(({ name, value }) => [name, value]));
      };
    }
    return all().length > 0;
  },
  list_value: ({ all }) => {
    const widget = all().flatMap((node) => node.widgets).find((each) => each.type === "number");
    if (widget) widget.value = [1, 2];
    return Boolean(widget);
  },
  notes: ({ add }) => {
    add("Note");
    add("MarkdownNote");
  },
};

const IN_PAGE = () => {
  const nodes = () => [...app.graph._nodes];
  const known = (node) => node.constructor.nodeData && !node.subgraph;
  const add = (type) => {
    const node = LiteGraph.createNode(type);
    app.graph.add(node);
    return node;
  };
  const linked = (node) => node.inputs.findIndex((_, index) => node.isInputConnected(index));
  // Nodes that have a linked input of the type that their first output passes on.
  const chain = () => nodes().filter((node) => known(node) && node.isOutputConnected(0) &&
    node.inputs.some((input, index) => node.isInputConnected(index) && input.type === node.outputs[0].type));
  const pack = (list) => app.graph.convertToSubgraph(new Set(list)).node;
  const promote = (host, inner, name) => {
    const index = inner.inputs.findIndex((each) => each.name === name);
    const made = host.subgraph.addInput(name, String(inner.inputs[index].type));
    if (!made.connect(inner.inputs[index], inner)) throw new Error(`no ${name} of ${inner.type}`);
  };
  const numbered = (min = 0) => {
    for (const node of chain()) {
      const widget = (node.widgets ?? []).find((each) => each.type === "number" && Number.isInteger(each.value) && each.value > min &&
        node.inputs.some((input, index) => input.widget?.name === each.name && input.type === "INT" && !node.isInputConnected(index)));
      if (widget) return [node, widget.name];
    }
    return [];
  };
  const middles = (count, change) => {
    const some = chain().slice(0, count);
    if (some.length < count) return false;
    some.forEach((node) => change(node, some));
  };
  const number = (type, then) => {
    const [node, name] = numbered();
    if (!node) return false;
    const made = add(type);
    made.connect(0, node, node.inputs.findIndex((each) => each.name === name));
    then(made, node, name);
  };
  const link = (change) => {
    const target = chain()[0];
    if (!target) return false;
    const index = linked(target);
    const { origin_slot: slot } = target.getInputLink(index);
    change(target.getInputNode(index), slot, target, index);
  };
  const pair = (name) => {
    const [set, get] = [add("SetNode"), add("GetNode")];
    set.widgets[0].value = get.widgets[0].value = name;
    return [set, get];
  };
  const promoted = (then) => {
    const [node, name] = numbered();
    if (!node) return false;
    const host = pack([node]);
    promote(host, host.subgraph.nodes[0], name);
    then(host, name);
  };
  window.apiTools = { all: () => nodes().filter((node) => known(node) && node.widgets?.length), add, pack, promote, middles,
    middle: (change) => middles(1, change), number, link, pair, promoted };
};

const browser = await launch();
const result = { troubles: [], failed: {} };
const seen = {};
try {
  const { load, vary } = JSON.parse(await readFile(file, "utf8"));
  const settings = { "Comfy.VueNodes.Enabled": false };
  const page = await open(browser, { width: 900, height: 600 }, settings, result.troubles);
  await page.evaluate(IN_PAGE);
  const show = async (graph, name) => {
    await page.evaluate(([graph, name]) => app.loadGraphData(graph, true, true, name), [graph, name]);
    await page.waitForTimeout(250);
  };
  const sent = () => page.evaluate(async () => {
    const { output, workflow } = await app.graphToPrompt();
    return JSON.stringify({ workflow, prompt: output });
  });
  const look = async (name, graph, change) => {
    try {
      await show(graph, name);
      if (change && (await page.evaluate(`(${change})(window.apiTools)`)) === false) return;
      if (change) await page.waitForTimeout(100);
      seen[name] = JSON.parse(await sent());
    } catch (error) {
      result.failed[name] = error.message.split("\n")[0];
    }
  };
  for (const [name, graph] of Object.entries(load)) await look(name, graph);
  for (const base of vary) {
    for (const [variant, change] of Object.entries(VARIANTS)) await look(`${base}/${variant}`, load[base], change);
  }
} finally {
  await writeFile(out, JSON.stringify(seen));
  console.log(JSON.stringify(result));
  await browser.close();
}
