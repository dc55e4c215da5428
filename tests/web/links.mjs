// Links of nodes that stand in for ComfyUI's, read as its own nodes read them. Their graphs keep them as new frontends do:
// inputs by the id of their link, ids of nodes at the ends of links as strings.

const byId = (graph, id) => graph?.getLink?.(id) ?? graph?.links?.[id] ?? null;

/** Gives a node, whose inputs have {link} and outputs {links}, the methods that ask for them; returns it. */
export const linkable = (node) => Object.assign(node, {
  isInputConnected: (slot) => slot < (node.inputs?.length ?? 0) && node.inputs[slot].link != null,
  getInputLink: (slot) => byId(node.graph, node.inputs[slot]?.link),
  getOutputNodes: (slot) => (node.outputs[slot]?.links ?? [])
    .map((id) => node.graph.getNodeById(byId(node.graph, id).target_id)).filter(Boolean),
});
