/** Ask the gateway, and turn what it refuses into a Problem; who is logged in is the cookie's business. */

export class Problem extends Error {
  /**
   * @param {number} status 0 where no answer came
   * @param {string} code what a program decides by
   * @param {string} detail what is wrong
   * @param {string} hint what to do about it
   * @param {number} retryAfter seconds, 0 where nothing is said
   */
  constructor(status, code, detail, hint, retryAfter = 0) {
    super(detail);
    this.status = status;
    this.code = code;
    this.hint = hint;
    this.retryAfter = retryAfter;
  }

  /**
   * Return the problem that an answer with a body of RFC 9457 tells.
   * @param {number} status
   * @param {string} body
   * @param {string | null | undefined} retryAfter
   */
  static of(status, body, retryAfter) {
    const seconds = Number(retryAfter) || 0;
    try {
      const { code, detail, hint } = JSON.parse(body);
      if (code) return new Problem(status, code, detail ?? "", hint ?? "", seconds);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error; // a proxy's page
    }
    return new Problem(status, `http_${status}`, `HTTP ${status}`, "", seconds);
  }
}

/**
 * Return the answer's JSON, or null where it has none.
 * @param {string} method
 * @param {string} path below the page's own address
 * @param {{json?: unknown, headers?: Record<string, string>, credentials?: RequestCredentials, keepalive?: boolean}} [sent]
 * @returns {Promise<any>}
 * @throws {Problem}
 */
export async function ask(method, path, { json, headers, credentials, keepalive } = {}) {
  /** @type {Response} */
  let answer;
  try {
    answer = await fetch(path, {
      method,
      credentials: credentials ?? "same-origin",
      keepalive,
      headers: {
        Accept: "application/json",
        ...(json === undefined ? {} : { "Content-Type": "application/json" }),
        ...headers,
      },
      body: json === undefined ? undefined : JSON.stringify(json),
    });
  } catch {
    throw new Problem(0, "offline", "", "");
  }
  const text = await answer.text();
  if (!answer.ok) throw Problem.of(answer.status, text, answer.headers.get("Retry-After"));
  return text ? JSON.parse(text) : null;
}
