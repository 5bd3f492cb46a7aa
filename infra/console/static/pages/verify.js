/** Verify: send a code, read the message that arrived, check the code. */

import { h } from "../dom.js";
import { pageHead } from "../parts.js";

export function show(main) {
  main.append(pageHead("Verify", "Send a code to an email address or a phone, and check it."), h("p", {}, "…"));
}
