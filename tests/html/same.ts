// Fails to compile where verify.js and verify.d.ts differ. written.js is verify.js.
import * as declared from "./verify.js";
import * as written from "./written.js";

export const all: typeof declared = written;
export const noMore: Record<keyof typeof written, unknown> = declared;
