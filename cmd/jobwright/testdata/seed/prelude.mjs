// What stands between the samples and the server: a base address, and the cookie that a
// browser would send.
const { BASE, COOKIE } = process.env;
const real = globalThis.fetch;

globalThis.fetch = (path, init) => real(new URL(path, BASE), { ...init, headers: { ...init?.headers, Cookie: COOKIE } });
