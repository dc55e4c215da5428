// Room for the story of SVI Long Video with Nodes 2.0. There text boxes share what widgets, video and texts of a run leave
// of the node's height, maybe two lines. Here the box is as tall as its story, within limits, and the node grows.

const STORY_MOST = 260; // pixels that a long story is given at least; it scrolls
const MEDIA = "video, img";
const RETRY_MS = 300;
const LOOKS = 10; // until the node has its size

/** Makes a text box as tall as its text. */
function fit(box) {
  const { height } = box.style;
  box.style.height = "0"; // else it says what it has, not what it needs
  const wanted = `${Math.min(box.scrollHeight, STORY_MOST)}px`;
  box.style.height = height;
  if (box.style.minHeight !== wanted) box.style.minHeight = wanted;
}

const following = (element) => [...element.parentElement.children].slice([...element.parentElement.children].indexOf(element) + 1);

function rowOf(panel, grid) {
  let row = panel;
  while (row.parentElement !== grid) row = row.parentElement;
  return row;
}

/** The words of a run, below the panel, get the room that they need and no part of what is shared. */
function keepLow(panel, grid) {
  const sizes = grid.style.gridTemplateRows.split(" ");
  const shared = sizes.length - following(rowOf(panel, grid)).length;
  const wanted = sizes.map((size, index) => (index < shared ? size : "min-content")).join(" ");
  if (grid.style.gridTemplateRows !== wanted) grid.style.gridTemplateRows = wanted;
}

/** How far down from the panel that reaches what a run has put below it: words in the grid, pictures after it. */
function heightBelow(panel, grid) {
  const row = rowOf(panel, grid);
  const media = following(grid).filter((each) => each.matches(MEDIA) || each.querySelector(MEDIA));
  const bottom = (each) => each.getBoundingClientRect().bottom;
  const reach = Math.max(0, ...[...following(row), ...media].map((each) => bottom(each) - bottom(row)));
  return (reach * panel.offsetHeight) / panel.getBoundingClientRect().height; // at zoom 1
}

/**
 * Keeps the room of a node's story when a run shows something. What the node grew by stands in its property svi_room, as
 * on canvas (svi_preview.js).
 *
 * @param {object} node
 * @param {HTMLElement} panel an element among its widgets
 * @param {() => HTMLTextAreaElement | null} storyBox
 * @returns {() => void} looks soon: for when the story is another
 */
export function keepRoom(node, panel, storyBox) {
  let [room, below, looks, soon, styled] = [null, 0, 0, null, null];
  const lowered = new MutationObserver(() => styled.contains(panel) && keepLow(panel, styled));
  const look = (turns) => {
    const grid = panel.closest(".lg-node-widgets");
    if (!grid || !panel.offsetHeight || !node.graph) return; // on canvas, in another tab, collapsed
    const box = storyBox();
    if (!box) {
      if (turns) setTimeout(later, RETRY_MS, turns - 1); // Vue has not put the story into it yet
      return;
    }
    fit(box);
    if (grid !== styled) { // Vue sets its style again whenever a widget changes
      styled = grid;
      lowered.disconnect();
      lowered.observe(grid, { attributeFilter: ["style"] });
    }
    keepLow(panel, grid);
    const [has, reach] = [box.offsetHeight + panel.offsetHeight, heightBelow(panel, grid)];
    if (room !== null && Math.abs(reach - below) > 1) looks = LOOKS;
    below = reach;
    const lost = looks ? room - has : 0;
    const grown = node.properties.svi_room ?? 0;
    if (lost > 1 && reach) {
      const all = grid.closest("[data-node-id]").offsetHeight - LiteGraph.NODE_TITLE_HEIGHT; // node.size may be less
      grow(grown, all + lost - node.size[1]);
    } else if (lost < -1 && grown) {
      grow(grown, Math.max(lost, -grown));
    } else {
      looks = 0;
      room = has; // as the user has it
      return;
    }
    looks--;
    later();
  };
  const grow = (grown, by) => {
    if (grown + by > 1) node.properties.svi_room = grown + by;
    else delete node.properties.svi_room;
    node.setSize([node.size[0], node.size[1] + by]);
    node.setDirtyCanvas?.(true, true);
  };
  const later = (turns = 10) => (soon ??= requestAnimationFrame(() => {
    soon = null;
    look(turns);
  }));
  new ResizeObserver(() => later()).observe(panel);
  return () => later();
}
