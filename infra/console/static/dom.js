/** Elements: made, replaced and kept in step with data. */

/**
 * Makes an element.
 * @param {string} tag
 * @param {object} props attributes; `on` has listeners, `false` and `null` leave an attribute out,
 *   and names in `PROPERTIES` are set as properties.
 * @param {...any} children nodes, texts, and lists of these; `null` and `false` are left out
 */
export function h(tag, props = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "on") {
      for (const [type, listen] of Object.entries(value)) element.addEventListener(type, listen);
    } else if (PROPERTIES.has(name)) element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...flat(children));
  return element;
}

const PROPERTIES = new Set(["value", "checked", "indeterminate", "srcdoc"]);

const flat = (children) =>
  children.flat(Infinity).filter((each) => each !== null && each !== false && each !== undefined);

/** Replaces the children of an element. */
export function replace(element, ...children) {
  element.replaceChildren(...flat(children));
  return element;
}

/**
 * Keeps children in step with a list: an item that has not changed keeps its element, and so its
 * focus, its selection and its open details.
 * @param {Element} parent
 * @param {any[]} items
 * @param {(item: any) => string} keyOf
 * @param {(item: any) => Element} render
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
