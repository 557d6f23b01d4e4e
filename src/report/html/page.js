(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  const form = byId("filter");
  const count = byId("count");
  const asWritten = byId("as-written-count");
  const [account, name, kind, state] = ["account", "name", "kind", "state"].map((it) => byId(`by-${it}`));
  const all = Array.from(document.querySelectorAll("[data-name]"), (element) => {
    const { account, name, kinds, state } = element.dataset;
    return { element, account, name, kinds: (kinds || "").split(" "), state: state || "in_sync" };
  });
  const show = () => {
    const wanted = name.value.trim().toLowerCase();
    let shown = 0;
    let quiet = 0;
    for (const it of all) {
      const fits =
        (account.value === "" || it.account === account.value) &&
        (wanted === "" || it.name.includes(wanted)) &&
        (kind.value === "" || it.kinds.includes(kind.value)) &&
        (state.value === "" || it.state === state.value);
      if (it.element.hidden === fits) it.element.hidden = !fits;
      shown += fits ? 1 : 0;
      quiet += fits && it.element.tagName === "TR" ? 1 : 0;
    }
    const functions = all.length === 1 ? "function" : "functions";
    count.textContent = `${shown} of ${all.length} ${functions} shown` + (quiet > 0 ? `, ${quiet} of them as written` : "");
    if (asWritten) asWritten.textContent = String(quiet);
  };
  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      show();
    });
  };
  form.addEventListener("input", soon);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(show));
  const openAll = (open) => {
    for (const it of document.querySelectorAll(".target:not([hidden]) > details")) it.open = open;
  };
  byId("open-all").addEventListener("click", () => openAll(true));
  byId("close-all").addEventListener("click", () => openAll(false));
  // A browser that does not print what is closed.
  addEventListener("beforeprint", () => {
    for (const it of document.querySelectorAll("details")) it.open = true;
  });
  form.hidden = false;
  show();
})();
