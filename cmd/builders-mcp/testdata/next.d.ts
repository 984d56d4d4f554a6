// What of Next.js 16 the generated code uses, in the words of its own declarations. The
// package with all it needs is above 200 MB; it takes this file's place where it is
// installed beside the other packages. With 16.4.6 the generated code passes, too.

declare module 'next/cache' {
  export function revalidatePath(path: string, type?: 'layout' | 'page'): void;
}

declare module 'next/headers' {
  interface Cookie {
    name: string;
    value: string;
  }
  interface CookieOptions {
    domain?: string;
    path?: string;
    expires?: Date | number;
    maxAge?: number;
    httpOnly?: boolean;
    secure?: boolean;
    sameSite?: boolean | 'lax' | 'strict' | 'none';
    partitioned?: boolean;
    priority?: 'low' | 'medium' | 'high';
  }
  interface Cookies {
    getAll(): Cookie[];
    set(name: string, value: string, options?: CookieOptions): Cookies;
    set(cookie: Cookie & CookieOptions): Cookies;
  }
  export function cookies(): Promise<Cookies>;
  export function headers(): Promise<Pick<Headers, 'get' | 'has' | 'keys' | 'values' | 'entries' | 'forEach'>>;
}

declare module 'next/link' {
  export default function Link(props: { href: string; children?: import('react').ReactNode }): import('react').ReactElement;
}

declare module 'next/navigation' {
  export function redirect(url: string): never;
}

declare module 'next/server' {
  import type { Cookie, Cookies } from 'next/headers';

  interface NextURL {
    pathname: string;
    search: string;
    readonly searchParams: URLSearchParams;
    readonly origin: string;
    clone(): NextURL;
    toString(): string;
  }
  export class NextRequest extends Request {
    readonly nextUrl: NextURL & URL;
    readonly cookies: { getAll(): Cookie[]; set(name: string, value: string): unknown };
  }
  export class NextResponse extends Response {
    readonly cookies: Cookies;
    static next(init?: { request?: { headers?: Headers } }): NextResponse;
    static redirect(url: string | NextURL | URL, init?: number | ResponseInit): NextResponse;
  }
}
