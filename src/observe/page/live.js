(() => {
  "use strict";
  const main = document.querySelector("main");
  const silent = document.getElementById("silent");
  const news = document.getElementById("news");
  const EVERY = 2000;
  let tag = null;
  let answered = Date.now();
  // How far the clock of this machine is ahead of the daemon's.
  let ahead = Date.now() - Date.parse(document.getElementById("made").dateTime);
  const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
  const length = (seconds) => {
    const [unit, size] = units.find(([, size]) => seconds >= size) || ["s", 1];
    return `${Math.floor(seconds / size)} ${unit}`;
  };
  const put = (element, name, value) => {
    if (element.getAttribute(name) !== value) element.setAttribute(name, value);
  };
  const age = () => {
    for (const it of document.querySelectorAll("time")) {
      const seconds = Math.round((Date.now() - ahead - Date.parse(it.dateTime)) / 1000);
      put(it, "data-ago", seconds < 0 ? `in ${length(-seconds)}` : `${length(seconds)} ago`);
    }
  };
  // What belongs to who reads: what they opened, typed and chose.
  const theirs = (element, name) =>
    name === "data-ago" || (name === "open" && element.nodeName === "DETAILS");
  const attributes = (old, fresh) => {
    for (const { name, value } of fresh.attributes) if (!theirs(old, name)) put(old, name, value);
    for (const { name } of [...old.attributes]) {
      if (!theirs(old, name) && !fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  };
  const same = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id || "") === (b.id || "");
  // Makes `old` like `fresh` and keeps every element that stays: with it its focus and its place.
  const patch = (old, fresh) => {
    let at = old.firstChild;
    for (const wanted of [...fresh.childNodes]) {
      if (!at || !same(at, wanted)) {
        const moved = wanted.id && [...old.children].find((it) => it.id === wanted.id);
        if (!moved) {
          old.insertBefore(document.importNode(wanted, true), at);
          continue;
        }
        if (at && at !== moved && !(at.id && [...fresh.children].some((it) => it.id === at.id))) {
          while (at && at !== moved && !(at.id && [...fresh.children].some((it) => it.id === at.id))) {
            const gone = at;
            at = at.nextSibling;
            gone.remove();
          }
        }
        if (at !== moved) old.insertBefore(moved, at);
        at = moved;
      }
      if (at.nodeType === Node.ELEMENT_NODE) {
        attributes(at, wanted);
        if (at.nodeName !== "FORM") patch(at, wanted);
      } else if (at.nodeValue !== wanted.nodeValue) {
        at.nodeValue = wanted.nodeValue;
      }
      at = at.nextSibling;
    }
    while (at) {
      const gone = at;
      at = at.nextSibling;
      gone.remove();
    }
  };
  const said = () => document.querySelector("h1").textContent;
  const take = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html");
    const before = said();
    patch(main, fresh.querySelector("main"));
    document.title = fresh.title;
    const made = document.getElementById("made");
    patch(made.parentNode, fresh.getElementById("made").parentNode);
    for (const it of made.parentNode.querySelectorAll("time")) attributes(it, fresh.getElementById("made"));
    if (said() !== before) news.textContent = said();
  };
  const ask = async () => {
    const stop = new AbortController();
    const late = setTimeout(() => stop.abort(), 5000);
    try {
      const headers = tag ? { "If-None-Match": tag } : {};
      const answer = await fetch(location.href, { headers, cache: "no-store", signal: stop.signal });
      if (answer.status === 200) {
        take(await answer.text());
        tag = answer.headers.get("etag");
      } else if (answer.status !== 304) {
        throw new Error(String(answer.status));
      }
      const date = Date.parse(answer.headers.get("date"));
      if (!Number.isNaN(date)) ahead = Date.now() - date;
      answered = Date.now();
      if (silent.textContent !== "") silent.textContent = "";
    } catch {
      const since = new Date(answered - ahead).toISOString().slice(0, 19).replace("T", " ");
      const text = `permitd does not answer: no answer since ${since} UTC. What is below is as it was then.`;
      if (silent.textContent !== text) silent.textContent = text;
    } finally {
      clearTimeout(late);
    }
    age();
  };
  // One question after the other, and none while nobody looks.
  const loop = async () => {
    if (!document.hidden) await ask();
    setTimeout(loop, EVERY);
  };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) age(); });
  age();
  setInterval(age, 1000);
  setTimeout(loop, EVERY);
})();
