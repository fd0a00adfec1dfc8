// The head of a page. Ages tick here, in the browser, so they grow even when the server no longer answers.
const NEW_YORK = new Intl.DateTimeFormat("en-GB", {
  timeZone: "America/New_York", day: "numeric", month: "short", year: "numeric",
  hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
})

function ageText(seconds) {
  if (seconds >= 172800) return `${Math.round(seconds / 86400)} days`
  if (seconds >= 7200) return `${Math.round(seconds / 3600)} h`
  if (seconds >= 120) return `${Math.round(seconds / 60)} min`
  return `${Math.max(0, Math.round(seconds))} s`
}

function part(tag, className, parent) {
  const made = document.createElement(tag)
  made.className = className
  parent.append(made)
  return made
}

export function render({ model }) {
  const head = document.createElement("header")
  const nav = part("nav", "pages", head)
  nav.setAttribute("aria-label", "Pages")
  const carriers = [] // links that take along which chain is shown
  for (const page of model.pages) {
    const link = part("a", page.current ? "current" : "", nav)
    link.href = page.href
    link.textContent = page.title
    if (page.carries) carriers.push(link)
    if (page.current) link.setAttribute("aria-current", "page")
  }
  const what = part("span", "what", head)
  const spot = part("b", "spot", head)
  const change = part("span", "change", head)
  const label = part("span", "simulated", head)
  label.title = "These quotes are made up. No market traded them."
  const replay = part("span", "replay", head)
  replay.textContent = "REPLAY"
  replay.title = "You are looking at the past; Live brings you back."
  const badge = part("span", "badge", head)
  badge.setAttribute("role", "status")
  const notice = part("span", "note", head)
  part("span", "room", head)
  const switcher = part("button", "theme", head)
  switcher.type = "button"
  switcher.title = "switch between light and dark"

  let offset = 0
  function age() {
    const state = model.state
    if (!state.as_of_ms) { badge.hidden = true; return }
    badge.hidden = false
    const until = state.at_ms ?? (Date.now() + offset)
    const seconds = (until - state.as_of_ms) / 1000
    const kind = seconds < -2 ? "stale" : seconds < 30 ? "fresh" : seconds < 300 ? "ageing" : "stale"
    badge.className = `badge ${kind}`
    const moment = NEW_YORK.format(new Date(state.as_of_ms)).replace(" at ", " ").replace(",", "")
    badge.textContent = `as of ${moment} New York · ${seconds < -2 ? "from the future" : ageText(seconds) + " old"}`
    head.dataset.freshness = kind
  }
  function show() {
    const state = model.state
    offset = (state.now_ms ?? Date.now()) - Date.now()
    what.textContent = state.what ?? ""
    spot.textContent = state.spot ?? ""
    change.textContent = state.change ?? ""
    change.className = `change ${state.direction ?? ""}`
    label.textContent = state.simulated ? "SIMULATED" : ""
    label.hidden = !state.simulated
    replay.hidden = state.at_ms === null || state.at_ms === undefined
    notice.textContent = notice.title = state.note ?? "" // a narrow window cuts it off
    notice.className = `note ${state.note_kind ?? ""}`
    for (const link of carriers) link.search = state.query ?? ""
    if (state.query) history.replaceState(null, "", `?${state.query}`) // loaded again, the page shows the same
    age()
  }
  function name() {
    switcher.textContent = document.documentElement.dataset.theme === "dark" ? "Light" : "Dark"
  }
  switcher.addEventListener("click", () => { window.bifrostTheme?.(); name() })
  model.on("state", show)
  const ticking = setInterval(age, 1000)
  model.on("remove", () => clearInterval(ticking))
  name()
  show()
  return head
}
