/** Icons as inline SVG. They are decoration: a text beside them says the same. */

const SVG = "http://www.w3.org/2000/svg";
const PATHS = {
  email: "M3.5 5.5h17v13h-17zM4 6.5l8 6.5 8-6.5",
  sms: "M4 5h16v11h-9l-4.5 3.5V16H4zM8 9h8M8 12h5",
  whatsapp: "M4 20l1.3-4A8 8 0 1 1 8.2 19zM9 9c0 4 2.5 6 6 6l.5-1.8-2-.9-1 .9c-1-.4-1.6-1.1-2-2l.9-1-.9-1.9z",
  voice: "M6 4h3.5l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5V18a2 2 0 0 1-2 2A14 14 0 0 1 4 6a2 2 0 0 1 2-2z",
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", PATHS[name] ?? PATHS.sms);
  svg.append(path);
  return svg;
}
