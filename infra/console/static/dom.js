/** Elements: made, replaced and kept in step with data. */

/**
 * Makes an element.
 * @param {string} name tag with its classes: "p", "p.none"; without a tag a div: ".row"
 * @param {object} props may be left out: attributes; `on` has listeners; `false` and `null` leave
 *   an attribute out; `value` is set as a property; `label` names it for screen readers
 * @param {...any} children nodes, texts, and lists of these; `null` and `false` are left out
 */
export function h(name, props, ...children) {
  if (props?.constructor !== Object) return h(name, {}, props, ...children);
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag || "div");
  element.classList.add(...classes);
  for (const [key, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (key === "on") {
      for (const [type, listen] of Object.entries(value)) element.addEventListener(type, listen);
    } else if (key === "value") element.value = value;
    else element.setAttribute(key === "label" ? "aria-label" : key, value === true ? "" : value);
  }
  return replace(element, children);
}

const flat = (children) =>
  children.flat(Infinity).filter((each) => each !== null && each !== false && each !== undefined);

export function replace(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/** Puts elements where they are not yet: one that moves would lose its focus. */
export function put(place, ...elements) {
  const wanted = flat(elements);
  const is = [...place.children];
  if (wanted.length !== is.length || wanted.some((each, at) => each !== is[at])) replace(place, wanted);
}

/**
 * Keeps children in step with a list: an item that has not changed keeps its element, and so its
 * focus and its selection. One that has changed stays open.
 */
export function keep(parent, items, keyOf, render) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = items.map((item) => {
    const key = String(keyOf(item));
    const text = JSON.stringify(item);
    const known = old.get(key);
    if (known?.item === text) return known;
    const made = render(item);
    made.dataset.key = key;
    made.item = text;
    if (known?.querySelector("details")?.open) made.querySelector("details").open = true;
    if (known?.contains(document.activeElement)) refocus(known, made);
    return made;
  });
  for (const child of [...parent.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((child, place) => {
    if (parent.children[place] !== child) parent.insertBefore(child, parent.children[place] ?? null);
  });
}

/** Moves focus from a control of an old element to the same control of the new one. */
function refocus(from, to) {
  const controls = (element) => [...element.querySelectorAll("a, button, input, select, summary, textarea")];
  const place = controls(from).indexOf(document.activeElement);
  queueMicrotask(() => (place < 0 ? to : controls(to)[place] ?? to).focus?.());
}
