// The command "SVI: migrate this graph": asks the server, shows what it found, and applies it with undo.

import { addStyles, element } from "./svi_widget.js";
import { english, say } from "./svi_words.js";

const { app } = window.comfyAPI.app;
const { api } = window.comfyAPI.api;

const ID = "WanVideoSVI.Migrate";
const ROUTE = "/wanvideo_svi/migrate";
const KINDS = ["defect", "rewrite", "left", "note"];
const rootGraph = () => app.rootGraph ?? app.graph;

/** What the server says to a workflow: {workflow, report}. Throws an Error with its reason. */
async function ask(workflow, asStory) {
  const response = await api.fetchApi(ROUTE, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ workflow, as_story: asStory }),
  });
  const said = await response.json().catch(() => ({ error: say("server.status", response) }));
  if (!response.ok) throw new Error(said.error ?? say("server.status", response));
  return said;
}

function goTo(dialog, id) {
  const node = rootGraph().getNodeById(id);
  if (!node) return;
  dialog.close();
  app.canvas.setGraph?.(rootGraph());
  app.canvas.centerOnNode(node);
  app.canvas.selectNode?.(node);
}

function row(dialog, found) {
  const where = say(found.subgraph ? "migrate.node_inside" : "migrate.node", found);
  const name = found.subgraph
    ? element("b", { textContent: where })
    : element("button", { type: "button", textContent: where, title: say("migrate.show"), onclick: () => goTo(dialog, found.node) });
  const item = element("li", {}, name, `: ${found.what}`);
  if (found.fix) {
    const state = found.kind !== "defect" ? "" : say(found.fixed ? "migrate.repaired" : "migrate.to_do");
    const mark = element("span", { className: found.fixed ? "svi-repaired" : "svi-to-do", textContent: state });
    item.append(element("div", { className: "svi-fix" }, mark, found.fix));
  }
  return item;
}

function summary(report) {
  const count = (kind) => report.findings.filter((found) => found.kind === kind).length;
  if (!report.findings.length) return say("migrate.nothing");
  const open = report.findings.filter((found) => found.kind === "defect" && !found.fixed).length;
  return say("migrate.summary", {
    rewrites: count("rewrite"), defects: count("defect"), open: open ? say("migrate.open", { count: open }) : "",
    before: report.nodes_before, after: report.nodes_after,
  });
}

/** Keeps the graph as it is now as a step of undo. Older frontends know the old name alone. */
const keepState = (tracker) => tracker && (tracker.captureCanvasState ?? tracker.checkState).call(tracker);

/** Puts a workflow in place of the open graph, as one step of undo. */
export function apply(workflow) {
  const tracker = app.extensionManager.workflow.activeWorkflow?.changeTracker;
  keepState(tracker);
  app.canvas.setGraph?.(rootGraph());
  rootGraph().configure(workflow);
  app.canvas.setDirty(true, true);
  keepState(tracker);
}

const openTab = () => app.extensionManager.workflow.activeWorkflow;

// What may change without anybody's doing: where and how large things are drawn, and in which order they run.
const DRAWN = new Set(["pos", "size", "bounding", "order", "flags", "extra", "state"]);
const contentOf = (workflow) => JSON.stringify(workflow, (key, value) => (DRAWN.has(key) ? undefined : value));

async function openAsStory(workflow, dialog, name) {
  const said = await ask(workflow, true);
  if (!dialog.open) return; // closed while the server worked
  await app.loadGraphData(said.workflow, true, true, say("migrate.story_name", { name }));
  dialog.close();
}

/** tab: the workflow that was open when the server was asked. */
function show(workflow, said, tab) {
  const { report } = said;
  const dialog = element("dialog", { className: "svi-migrate" });
  const error = element("div", { className: "svi-error" });
  const list = element("section");
  for (const kind of KINDS) {
    const found = report.findings.filter((each) => each.kind === kind);
    if (found.length) {
      list.append(element("h3", { textContent: say(`migrate.${kind}`) }), element("ul", {}, ...found.map((each) => row(dialog, each))));
    }
  }
  if (report.removed.length) {
    const nodes = report.removed.join(", ");
    list.append(element("p", { className: "svi-gone", textContent: say("migrate.gone", { nodes }) }));
  }
  const cancel = element("button", { textContent: say(report.changes ? "cancel" : "close"), onclick: () => dialog.close() });
  const attempt = async (work) => {
    error.textContent = "";
    story.disabled = go.disabled = true;
    try {
      await work();
    } catch (problem) {
      error.textContent = problem.message;
      story.disabled = false;
      go.disabled = !report.changes;
    }
  };
  const story = element("button", {
    textContent: say("migrate.story"),
    title: say("migrate.story_title"),
    onclick: () => attempt(() => openAsStory(workflow, dialog, tab?.filename ?? say("migrate.unnamed"))),
  });
  const go = element("button", {
    className: "svi-main",
    textContent: say("migrate.apply"),
    disabled: !report.changes,
    onclick: () => attempt(() => {
      if (openTab() !== tab || contentOf(rootGraph().serialize()) !== contentOf(workflow)) {
        throw new Error(say("migrate.changed"));
      }
      apply(said.workflow);
      dialog.close();
    }),
  });
  dialog.append(element(
    "div", {},
    element("h2", { textContent: say("migrate.command") }),
    element("p", { textContent: summary(report) }),
    ...(list.childNodes.length ? [list] : []),
    error,
    element("footer", {}, cancel, story, go),
  ));
  dialog.addEventListener("close", () => dialog.remove());
  // Keys are for the dialog, not for the canvas behind it.
  dialog.addEventListener("keydown", (event) => event.stopPropagation());
  document.body.append(dialog);
  dialog.showModal();
}

let busy = false;

async function run() {
  if (busy || document.querySelector("dialog.svi-migrate")) return;
  busy = true;
  const tab = openTab();
  const workflow = JSON.parse(JSON.stringify(rootGraph().serialize()));
  try {
    show(workflow, await ask(workflow, false), tab);
  } catch (problem) {
    app.extensionManager.toast.add({ severity: "error", summary: say("migrate.toast"), detail: problem.message, life: 8000 });
  } finally {
    busy = false;
  }
}

app.registerExtension({
  name: ID,
  commands: [{ id: ID, label: english("migrate.command"), icon: "pi pi-sync", function: run }],
  menuCommands: [{ path: ["Extensions", "WanVideo SVI"], commands: [ID] }],
  setup: () => addStyles(),
});
