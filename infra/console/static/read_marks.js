/** Which messages were read, kept in this browser. */

export class ReadMarks {
  #key;
  #ids;

  /** @param {string} key of localStorage */
  constructor(key) {
    this.#key = key;
    this.#ids = new Set(stored(key));
  }

  has(id) {
    return this.#ids.has(id);
  }

  /** @param {string[]} ids */
  add(ids) {
    ids.forEach((id) => this.#ids.add(id));
    this.#save();
  }

  /** Forgets all but these, so that the marks do not grow. */
  forgetOthers(ids) {
    const known = new Set(ids);
    this.#ids = new Set([...this.#ids].filter((id) => known.has(id)));
    this.#save();
  }

  #save() {
    try {
      localStorage.setItem(this.#key, JSON.stringify([...this.#ids]));
    } catch { /* no storage: marks last as long as the page */ }
  }
}

function stored(key) {
  try {
    return JSON.parse(localStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}
