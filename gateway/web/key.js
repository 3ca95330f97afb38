// The key of a service that answers holders of one only. It stays in this tab, and goes nowhere but to the service.

const NAME = "inclinet.key";

let key = null;
try {
  key = sessionStorage.getItem(NAME);
} catch {
  // storage switched off: the key holds until the page is left
}

/** Use this key from now on. */
export function useKey(text) {
  key = text.trim() || null;
  try {
    if (key) sessionStorage.setItem(NAME, key);
    else sessionStorage.removeItem(NAME);
  } catch {
    // as above
  }
}

/** Whether there is one. */
export const hasKey = () => key !== null;

/** Headers of a request, the key among them. */
export const withKey = (headers = {}) => (key ? { ...headers, authorization: `Bearer ${key}` } : headers);
