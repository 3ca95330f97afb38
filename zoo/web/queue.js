// What was said and not yet taken down: kept in IndexedDB, sent in order, forgotten only when the zoo has answered.

const NAME = "inclinet-zoo";
const STORE = "said";
const MOST = 200;

let instead = []; // where the browser keeps nothing
let opening = null;

function database() {
  opening ??= new Promise((resolve) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE, { autoIncrement: true });
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(null);
  }).catch(() => null);
  return opening;
}

async function work(mode, act) {
  const open = await database();
  if (open === null) return null;
  return new Promise((resolve, reject) => {
    const transaction = open.transaction(STORE, mode, { durability: "strict" });
    const result = act(transaction.objectStore(STORE));
    transaction.oncomplete = () => resolve(result);
    transaction.onerror = transaction.onabort = () => reject(transaction.error);
  });
}

/** Add something that a person said; it is safe when the promise is kept. */
export async function add(person, said) {
  const kept = await work("readwrite", (store) => store.add({ person, said })).catch(() => null);
  if (kept === null) instead.push({ key: Symbol("entry"), person, said });
}

async function entries(person) {
  const found = [];
  await work("readonly", (store) => {
    store.openCursor().onsuccess = ({ target }) => {
      if (!target.result || found.length >= MOST) return;
      if (target.result.value.person === person) found.push({ key: target.result.key, ...target.result.value });
      target.result.continue();
    };
  });
  return [...found, ...instead.filter((entry) => entry.person === person)].slice(0, MOST);
}

/** What a person said that still waits. */
export const waiting = async (person) => (await entries(person)).map(({ said }) => said);

/** Send what waits and return what was refused; throws when it could not be sent. One window at a time sends. */
export async function send(person, post) {
  const sending = async () => {
    const refused = [];
    for (let left = await entries(person); left.length > 0; left = await entries(person)) {
      const outcomes = await post(left.map(({ said }) => said));
      left.forEach(({ said }, n) => {
        if (outcomes[n].status === "refused") refused.push({ said, reason: outcomes[n].reason });
      });
      const keys = left.map(({ key }) => key);
      instead = instead.filter(({ key }) => !keys.includes(key));
      await work("readwrite", (store) => {
        for (const key of keys) if (typeof key !== "symbol") store.delete(key);
      });
    }
    return refused;
  };
  return navigator.locks ? navigator.locks.request("inclinet-zoo-send", sending) : sending();
}
