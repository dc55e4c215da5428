// A DOM widget of the pack is as wide as its node, whatever else of the page draws it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { addElementWidget } from "../../web/svi_widget.js";

test("a width that something else of the page leaves on a widget does not count", () => {
  const shown = { dataset: {}, addEventListener() {} };
  const node = { addDOMWidget: (name, type, element, options) => ({ name, type, element, options, width: 298 }) };
  const widget = addElementWidget(node, { name: "svi_plan", element: shown, height: 100 });
  assert.equal(widget.width, undefined);
  widget.width = 298; // as ComfyUI's side panel does
  assert.equal(widget.width, undefined);
  assert.equal(widget.serialize, false);
});
