// A formula from the server's tree: [tag, attributes, ...children], where a text is a string. Only
// MathML that draws is made of it: no link, no script, no markup that a formula might carry along.

const SPACE = "http://www.w3.org/1998/Math/MathML";
const ELEMENTS = new Set(
  "math mfrac mi mn mo mover mrow mspace msqrt mstyle msub msubsup msup mtext munder munderover".split(" "),
);
const ATTRIBUTES = new Set(
  "accent display displaystyle fence form mathvariant scriptlevel stretchy width".split(" "),
);

function build(tree) {
  if (typeof tree === "string") return document.createTextNode(tree);
  const [tag, attributes, ...children] = tree;
  if (!ELEMENTS.has(tag)) throw new Error(`A formula may not have the element ${tag}.`);
  const node = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (!ATTRIBUTES.has(name)) throw new Error(`A formula may not have the attribute ${name}.`);
    node.setAttribute(name, value);
  }
  node.append(...children.map(build));
  return node;
}

export function mathml(tree) {
  const box = document.createElement("div");
  box.className = "lab-formula";
  box.append(build(tree));
  return box;
}

// A number in the place of a formula's text, to be changed at every step.
export function numberInPlaceOf(text) {
  const node = document.createElementNS(SPACE, "mn");
  text.replaceWith(node);
  return node;
}
