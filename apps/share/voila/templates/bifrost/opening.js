// What stands on the page until its own widgets do, how they take its place, and what is said when they are lost.
const bifrost = (() => {
  "use strict";
  const LONG_MS = 15000, LOOK_EVERY_MS = 10000, DRAWN_WITHIN_MS = 4000, SOON_MS = 900, LONGEST_REST_MS = 3000;
  const part = (id) => document.getElementById(id);
  let scripts, misses = 0, seen = new Date();

  const say = (text) => { const state = part("bf-state"); if (state) state.querySelector("span").textContent = text; };
  setTimeout(() => say("Still connecting: controls follow as soon as there is a session"), LONG_MS);

  function script(address) {
    return new Promise((done, failed) => {
      const tag = Object.assign(document.createElement("script"), { src: address, async: false, onload: done, onerror: failed });
      document.head.append(tag);
    });
  }

  // What is there is painted before scripts keep the browser busy; a page that nobody sees is never painted.
  const painted = () => new Promise((done) => {
    setTimeout(done, 500);
    requestAnimationFrame(() => setTimeout(done, 120));
  });

  // A machine that took long to paint is busy with pages opened at the same moment: it paints theirs before it reads the
  // large scripts of this one.
  const rest = () => new Promise((done) => {
    setTimeout(done, Math.min(performance.now() - SOON_MS, LONGEST_REST_MS));
  });

  // Voilà's own script comes last: pieces that it finds read already it does not ask for.
  const load = (address) => { scripts = painted().then(rest).then(() => script(address)).catch(() => undefined); };
  const start = (address) => { scripts.then(() => script(address)).catch(fail); };

  function fail() {
    part("bf-state").classList.add("bf-failed");
    say("There is no session for this page, and what you see no longer changes. Reload to try again.");
  }

  // The page's widgets are there and its pictures hold still, or its notebook says what went wrong.
  function isDrawn() {
    if (!document.querySelector("#rendered_cells .bf-page")) {
      return Boolean(document.querySelector("#rendered_cells .jp-OutputArea-output pre"));
    }
    return ((window.Bokeh && window.Bokeh.documents) || []).every((one) => one.is_idle);
  }

  function show() {
    if (!window.themeLoaded) { window.cellLoaded = true; return; }
    part("rendered_cells").style.display = "";
    const began = performance.now();
    const look = () => {
      const page = document.querySelector("#rendered_cells .bf-page");
      if (isDrawn() || (page && performance.now() - began > DRAWN_WITHIN_MS)) setTimeout(reveal);
      else setTimeout(look, 30);
    };
    look();
  }

  function reveal() {
    part("bf-opening").remove();
    setInterval(watch, LOOK_EVERY_MS);
  }

  async function watch() {
    const { baseUrl, kernelId } = JSON.parse(part("jupyter-config-data").textContent);
    let answer = null;
    try {
      answer = await fetch(`${baseUrl}api/kernels/${kernelId}`, { cache: "no-store", redirect: "manual" });
    } catch { /* the server does not answer: counted below */ }
    if (answer && answer.ok) { misses = 0; seen = new Date(); tell(""); return; }
    misses += 1;
    const gone = answer && (answer.status === 404 || answer.status === 403 || answer.type === "opaqueredirect");
    if (gone || misses > 1) {
      const since = seen.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
      tell(gone ? `This page's session has ended. It shows what was known at ${since}.`
        : `The server does not answer. This page shows what was known at ${since}.`);
    }
  }

  function tell(text) {
    const lost = part("bf-lost");
    lost.hidden = !text;
    lost.querySelector("span").textContent = text;
    document.body.classList.toggle("bf-is-lost", Boolean(text));
  }

  return { load, start, show, fail };
})();

// The page's own switch colours its widgets. Before there is one, a page in the other theme is loaded again.
const bifrostTheme = bifrostThemes((theme) => {
  const root = document.documentElement;
  if (theme === root.dataset.theme || !document.cookie.includes(`bf-theme=${theme}`)) return;
  const own = document.querySelector("#rendered_cells .bf-theme");
  if (!own) { location.reload(); return; }
  root.dataset.theme = theme;
  own.click();
});
document.addEventListener("click", (event) => {
  if (!event.isTrusted || !event.target.closest(".bf-theme")) return;
  event.stopPropagation();  // the choice is for all pages, and this one follows it as well
  bifrostTheme();
}, true);
// Voilà begins with the window's "load", which a page whose scripts rest, or that nobody sees, has behind it by then.
const bifrostListen = window.addEventListener;
window.addEventListener = function (type, listener, ...rest) {
  if (type === "load" && document.readyState === "complete") setTimeout(listener, 0, new Event("load"));
  else bifrostListen.call(this, type, listener, ...rest);
};
window.voila_heartbeat = window.voila_process = () => undefined;
window.voila_finish = bifrost.show;
